//! Progress: bars on a terminal, lines otherwise.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sync_engine::{Observer, Progress};

/// Shows a run on standard error.
pub(crate) struct Display {
    bars: Option<MultiProgress>,
    tasks: Mutex<HashMap<String, TaskDisplay>>,
}

#[derive(Default)]
struct TaskDisplay {
    bar: Option<ProgressBar>,
    read: u64,
    commits: u64,
}

impl Display {
    /// Bars if standard error is a terminal.
    pub(crate) fn new() -> Self {
        Self {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            tasks: Mutex::new(HashMap::new()),
        }
    }

    fn start(&self, task: &str, records: Option<u64>) -> TaskDisplay {
        let Some(bars) = &self.bars else {
            let records = records
                .map(|records| format!(", about {records} records"))
                .unwrap_or_default();
            eprintln!("{task}: started{records}");
            return TaskDisplay::default();
        };
        let (bar, template) = match records {
            Some(records) => (
                ProgressBar::new(records),
                "{prefix:22} {wide_bar} {pos}/{len} {per_sec} {eta}",
            ),
            None => (ProgressBar::no_length(), "{prefix:22} {spinner} {pos} {per_sec}"),
        };
        // Both templates are ours; one that is wrong shows as the default bar.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bars.add(bar.with_style(style).with_prefix(task.to_owned()));
        TaskDisplay {
            bar: Some(bar),
            ..TaskDisplay::default()
        }
    }
}

impl Observer for Display {
    fn observe(&self, progress: &Progress<'_>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::TaskStarted { task, records } => {
                tasks.insert(task.to_string(), self.start(task.as_str(), *records));
            }
            Progress::Read { task, records, .. } => {
                let Some(shown) = tasks.get_mut(task.as_str()) else {
                    return;
                };
                shown.read += records;
                if let Some(bar) = &shown.bar {
                    bar.inc(*records);
                }
            }
            Progress::Committed { task, counts } => {
                let Some(shown) = tasks.get_mut(task.as_str()) else {
                    return;
                };
                shown.commits += 1;
                if shown.bar.is_none() {
                    let (commits, read, written) = (shown.commits, shown.read, counts.written());
                    eprintln!("{task}: commit {commits}, {written} written, {read} read so far");
                }
            }
            Progress::Retrying { task, error } => {
                let line = format!("{task}: goes on after: {error}");
                match &self.bars {
                    Some(bars) => drop(bars.println(line)),
                    None => eprintln!("{line}"),
                }
            }
            Progress::JobEnded { .. } => {
                for shown in tasks.values() {
                    if let Some(bar) = shown.bar.as_ref().filter(|bar| !bar.is_finished()) {
                        bar.finish();
                    }
                }
            }
            _ => {}
        }
    }
}
