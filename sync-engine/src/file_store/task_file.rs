//! One task's file.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Holder, Result, State, TaskId, Ticket};
use serde::{Deserialize, Serialize};

use super::folder::{Folder, failed};

/// The format that this code reads and writes.
pub(super) const FORMAT: u32 = 1;

/// What is known of a task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TaskFile {
    format: u32,
    task: TaskId,
    /// Counts the claims.
    pub(super) epoch: i64,
    /// Counts the states saved.
    pub(super) commit_no: i64,
    /// Who claimed it last, and when.
    pub(super) holder: String,
    pub(super) claimed_at: String,
    /// Work that the other side may still be doing, in the order it was begun.
    pub(super) open: Vec<Ticket>,
    pub(super) state: Option<State>,
}

/// All that is looked at before the format is known.
#[derive(Deserialize)]
pub(super) struct Format {
    format: u32,
}

impl TaskFile {
    /// A task that nobody has claimed yet.
    pub(super) fn new(task: &TaskId) -> Self {
        Self {
            format: FORMAT,
            task: task.clone(),
            epoch: 0,
            commit_no: 0,
            holder: String::new(),
            claimed_at: String::new(),
            open: Vec::new(),
            state: None,
        }
    }

    /// The file of `task`, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: it cannot be read, is of a newer version, or of another task.
    pub(super) fn read(folder: &Folder, task: &TaskId) -> Result<Option<Self>> {
        let path = folder.file(task.as_str(), "json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| failed("read the state", &path, error))?,
        };
        let file = parse(&bytes, &path)?;
        if file.task != *task {
            let message = format!("the state is of the task `{}`, not of `{task}`", file.task);
            return Err(Error::new(ErrorKind::State, message)
                .with_context("file", path.display().to_string())
                .with_help("put the file of this task back, or delete it to start the task anew"));
        }
        Ok(Some(file))
    }

    /// Another claim.
    pub(super) fn claim(&mut self, holder: &Holder, now: Instant) {
        self.epoch += 1;
        holder.as_str().clone_into(&mut self.holder);
        self.claimed_at = now.to_string();
    }

    /// Stores the file: the old one is there until the new one is.
    pub(super) fn write(&self, folder: &Folder) -> Result<()> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Bug, "a state does not become JSON").with_source(error))?;
        json.push(b'\n');
        let path = folder.file(self.task.as_str(), "json");
        folder
            .replace(&path, |file| file.write_all(&json))
            .map_err(|error| failed("store the state", &path, error))
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<TaskFile> {
    let unreadable = |error: serde_json::Error| {
        Error::new(ErrorKind::State, "the stored state cannot be read")
            .with_source(error)
            .with_context("file", path.display().to_string())
            .with_help("restore the file from a copy, or delete it to start the task anew")
    };
    let format: Format = serde_json::from_slice(bytes).map_err(unreadable)?;
    format.check("state", path)?;
    serde_json::from_slice(bytes).map_err(unreadable)
}

impl Format {
    /// Refuses a format that a newer version has made.
    pub(super) fn check(&self, what: &str, path: &Path) -> Result<()> {
        if self.format <= FORMAT {
            return Ok(());
        }
        let message = format!(
            "the stored {what} has format {}; this version knows up to {FORMAT}",
            self.format
        );
        Err(Error::new(ErrorKind::State, message)
            .with_context("file", path.display().to_string())
            .with_help("run the newer version that wrote it"))
    }
}
