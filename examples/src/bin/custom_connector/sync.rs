//! Every stream of one folder into another, by the engine.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use connector_core::{Connector, Error, ErrorKind, Result};
use sync_engine::{FileStore, Job, NoObserver, RunOptions, Task};

use crate::connector::Ndjson;
use crate::files::failed;

/// Runs one sync, and says what it did; the exit code.
pub(crate) async fn run(from: &Path, to: &Path) -> Result<u8> {
    let source = Ndjson::open(from)?;
    fs::create_dir_all(to).map_err(|error| failed("make", to, error))?;
    let destination = Ndjson::open(to)?;
    if source.identity == destination.identity {
        let message = format!(
            "`{}` and `{}` are one folder, or a copy of it",
            from.display(),
            to.display()
        );
        return Err(Error::new(ErrorKind::Config, message).with_help("name another folder to write to"));
    }
    let streams = source.streams().await?;
    if streams.is_empty() {
        let message = format!("there are no streams in `{}`", from.display());
        return Err(Error::new(ErrorKind::Config, message)
            .with_help("a stream is NAME.ndjson and, beside it, NAME.schema.json"));
    }
    // Neither folder keeps states: they are beside the records they cover.
    let mut job = Job::builder("sync")
        .source(Arc::new(source))
        .destination(Arc::new(destination))
        .state(Arc::new(FileStore::open(to.join(".state"))?));
    for stream in streams {
        job = job.task(Task::new(stream.name.as_str()));
    }
    let report = sync_engine::run(&[job.build()?], &RunOptions::default(), &NoObserver).await;
    for job in &report.jobs {
        job.errors()
            .for_each(|error| eprintln!("error: {}", error.report()));
        for task in &job.tasks {
            let counts = &task.counts;
            println!(
                "{}: {} read – {} created, {} updated, {} deleted, {} unchanged, {} rejected",
                task.task,
                task.read,
                counts.created,
                counts.updated,
                counts.deleted,
                counts.unchanged,
                counts.rejected
            );
            for rejection in &task.rejected {
                let key = rejection
                    .key
                    .as_ref()
                    .map(|key| format!(" {key}"))
                    .unwrap_or_default();
                println!("  rejected:{key} {}", rejection.message);
            }
        }
    }
    Ok(report.exit_code())
}
