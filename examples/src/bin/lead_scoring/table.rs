//! What is printed at the end.

use connector_core::{Counts, Usage};
use sync_engine::{RunReport, Status};
use unicode_width::UnicodeWidthStr;

use crate::print_error;

/// The jobs of a run: status, counts, seconds.
pub(crate) fn jobs(report: &RunReport) -> String {
    let mut rows = vec![
        [
            "job",
            "status",
            "read",
            "written",
            "unchanged",
            "echo",
            "rejected",
            "seconds",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for job in &report.jobs {
        let Counts {
            unchanged,
            echo,
            rejected,
            ..
        } = job.counts();
        let number = |number: u64| {
            if job.rows.is_some() {
                String::new()
            } else {
                number.to_string()
            }
        };
        rows.push(vec![
            job.name.clone(),
            status(job.status).to_owned(),
            number(job.read()),
            job.rows.unwrap_or(job.counts().written() - echo).to_string(),
            number(unchanged),
            number(echo),
            number(rejected),
            format!("{:.1}", job.elapsed.as_secs_f64()),
        ]);
    }
    align(&rows, 2)
}

/// What the jobs used of what their connections meter: a line for each.
pub(crate) fn usage(report: &RunReport) -> String {
    let mut lines = String::new();
    for job in &report.jobs {
        for (connector, usage) in job.usage.iter().filter(|(_, usage)| usage.here > 0) {
            let Usage {
                what, here, window, ..
            } = usage;
            let of = window.map_or_else(String::new, |(used, allowed)| {
                format!(" ({used} of {allowed} are used)")
            });
            lines += &format!("{}: {here} {what} of {connector}{of}\n", job.name);
        }
    }
    lines
}

/// Errors and samples of refused records, on standard error.
pub(crate) fn print_errors(report: &RunReport) {
    for job in &report.jobs {
        for error in job.errors() {
            print_error(error);
        }
        if let Some(reason) = &job.reason {
            eprintln!("skipped: {} ({reason})", job.name);
        }
        for task in &job.tasks {
            for rejection in task.rejected.iter().take(3) {
                let key = rejection
                    .key
                    .as_ref()
                    .map(|key| format!(" {key}"))
                    .unwrap_or_default();
                eprintln!(
                    "rejected by {}:{key} {}: {}",
                    task.task, rejection.code, rejection.message
                );
            }
            if task.counts.rejected > 3 {
                eprintln!(
                    "rejected by {}: {} records in all; see the table sync.rejection",
                    task.task, task.counts.rejected
                );
            }
            if task.counts.drifted > 0 {
                eprintln!(
                    "note: {} records of {} had been edited at the other side",
                    task.counts.drifted, task.task
                );
            }
        }
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Partial => "partial",
        Status::Failed => "failed",
        Status::Skipped => "skipped",
        _ => "unknown",
    }
}

/// Columns in line: the first `left` to the left, the others to the right.
pub(crate) fn align(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.width())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(i, (cell, width))| {
                // Not `{:width$}`: that counts characters, and a Japanese one takes two columns.
                let space = " ".repeat(width.saturating_sub(cell.width()));
                if i < left {
                    format!("{cell}{space}")
                } else {
                    format!("{space}{cell}")
                }
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
