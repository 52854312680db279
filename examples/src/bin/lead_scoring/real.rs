//! The jobs of a file, against real accounts.

use std::path::Path;
use std::sync::Arc;

use connector_core::{Clock, Error, ErrorKind, Result, SystemClock};
use sync_engine::{JobFile, RunOptions};

use crate::progress::Display;
use crate::{connectors, table};

/// Runs every job of the file at `path`; the exit code.
pub(crate) async fn run(path: &Path) -> Result<u8> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(
            ErrorKind::Config,
            format!("the job file {} cannot be read: {error}", path.display()),
        )
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let file = JobFile::parse(&text, &connectors::registry(&clock), environment, |sql| {
        std::fs::read_to_string(folder.join(sql))
    })?;
    let display = Display::new();
    let report = sync_engine::run(&file.jobs, &RunOptions::default().with_clock(clock), &display).await;
    println!("{}", table::jobs(&report));
    table::print_errors(&report);
    Ok(report.exit_code())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program may read its environment; the libraries are handed what they need"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
