//! The jobs of a file, against real accounts.

use std::path::Path;
use std::sync::Arc;

use connector_core::{Clock, Error, ErrorKind, Result, SystemClock};
use sync_engine::{JobFile, RunOptions};

use crate::leads::{self, Lead};
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
    let registry = connectors::registry(&clock).with_state_folder(folder);
    let file = JobFile::parse(&text, &registry, environment, |sql| {
        std::fs::read_to_string(folder.join(sql))
    })?;
    let before = look(&file).await;
    let display = Display::new();
    let report = sync_engine::run(&file.jobs, &RunOptions::default().with_clock(clock), &display).await;
    println!("{}", table::jobs(&report));
    print!("{}", table::usage(&report));
    table::print_errors(&report);
    if let Some(after) = look(&file).await {
        println!("\n{}", leads::compare(&before.unwrap_or_default(), &after));
    }
    Ok(report.exit_code())
}

/// The leads with the highest scores, read back from Salesforce; `None` where the file is about something else, or
/// there are none yet.
async fn look(file: &JobFile) -> Option<Vec<Lead>> {
    let of = |connector: &str| {
        file.connections
            .values()
            .find(|connection| connection.name() == connector)
    };
    let (crm, warehouse) = (of("salesforce")?, of("postgres")?);
    let ids = leads::best(warehouse.as_ref())
        .await
        .ok()
        .filter(|ids| !ids.is_empty())?;
    leads::read(crm.as_ref(), &ids).await.ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program may read its environment; the libraries are handed what they need"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
