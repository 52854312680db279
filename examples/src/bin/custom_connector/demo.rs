//! The demonstration: a few leads, synced twice.

use std::io::Write;
use std::path::Path;
use std::{env, fs, process};

use connector_core::Result;

use crate::files::failed;
use crate::sync;

const SCHEMA: &str = r#"{
  "key": ["id"],
  "fields": [
    {"name": "id", "type": "Int64"},
    {"name": "name", "type": {"Text": {"max_chars": 80}}},
    {"name": "score", "type": {"Decimal": {"precision": 5, "scale": 2}}},
    {"name": "since", "type": "Date"}
  ]
}
"#;

const LEADS: &str = r#"{"id": 1, "name": "Ada García", "score": 46.50, "since": "2024-02-29"}
{"id": 2, "name": "Grace O'Neil", "score": 7.00, "since": "2024-03-01"}
{"id": 3, "name": "部長", "since": "2024-03-02"}
{"id": 4, "name": "Nobody", "score": 0.00}
"#;

/// What becomes of them: one is changed, one is gone, one is new, and one line is no record.
const CHANGES: &str = r#"{"id": 2, "name": "Grace O'Neil", "score": 99.25, "since": "2024-03-01"}
{"$delete": {"id": 4}}
{"id": 5, "name": "Edsger", "score": "many"}
{"id": 6, "name": "Barbara", "since": "2024-03-04"}
"#;

/// Syncs, lets the leads change, and syncs again; the exit code.
pub(crate) async fn run() -> Result<u8> {
    let folder = env::temp_dir().join(format!("custom_connector-{}", process::id()));
    let (from, to) = (folder.join("from"), folder.join("to"));
    fs::create_dir_all(&from).map_err(|error| failed("make", &from, error))?;
    add(&from.join("lead.schema.json"), SCHEMA)?;
    let log = from.join("lead.ndjson");
    add(&log, LEADS)?;
    println!("Four leads, in {}:\n{LEADS}", log.display());
    println!("First sync, into an empty folder:");
    sync::run(&from, &to).await?;

    add(&log, CHANGES)?;
    println!("\nLines are added:\n{CHANGES}");
    println!("Second sync, from where the first one ended:");
    // A line is rejected on purpose: that is no failure of the demonstration.
    sync::run(&from, &to).await?;

    let copy = to.join("lead.ndjson");
    let text = fs::read_to_string(&copy).map_err(|error| failed("read", &copy, error))?;
    println!("\nAnd so, in {}:\n{text}", copy.display());
    println!(
        "Add lines, then run\n  custom_connector {} {}",
        from.display(),
        to.display()
    );
    Ok(0)
}

fn add(path: &Path, text: &str) -> Result<()> {
    let file = fs::File::options().append(true).create(true).open(path);
    let added = file.and_then(|mut file| file.write_all(text.as_bytes()));
    added.map_err(|error| failed("write", path, error))
}
