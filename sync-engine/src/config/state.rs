//! Where a job keeps its state, as the job file says it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_core::{Connector, Error, ErrorKind, Result};

use super::file::JobEntry;
use crate::file_store::FileStore;
use crate::job::JobBuilder;

/// The folders that jobs keep states in, each opened once.
pub(super) struct StateFolders<'a> {
    within: &'a Path,
    open: BTreeMap<PathBuf, FileStore>,
}

impl<'a> StateFolders<'a> {
    /// Folders whose paths are taken from `within`.
    pub(super) fn new(within: &'a Path) -> Self {
        Self {
            within,
            open: BTreeMap::new(),
        }
    }

    fn open(&mut self, path: &str) -> Result<FileStore> {
        if path.is_empty() {
            return Err(Error::new(ErrorKind::Config, "`state` names no folder")
                .with_help("write state = \"file:FOLDER\""));
        }
        let path = self.within.join(path);
        if let Some(store) = self.open.get(&path) {
            return Ok(store.clone());
        }
        let store = FileStore::open(&path)?;
        self.open.insert(path, store.clone());
        Ok(store)
    }
}

/// Gives the job the store that its `state` names: `file:PATH`, or a connection.
pub(super) fn keep_state(
    builder: JobBuilder,
    entry: &JobEntry,
    folders: &mut StateFolders<'_>,
    connection: impl Fn(&String) -> Result<Arc<dyn Connector>>,
) -> Result<JobBuilder> {
    let Some(state) = &entry.state else {
        return Ok(builder);
    };
    if let Some(path) = state.strip_prefix("file:") {
        let store = Arc::new(folders.open(path)?);
        return Ok(builder.state(Arc::clone(&store) as _).journal(store));
    }
    let keeper = connection(state)?;
    let store = keeper.state_store().ok_or_else(|| {
        Error::new(
            ErrorKind::Config,
            format!("the connection `{state}` cannot keep a state"),
        )
        .with_help("name one that can, such as a database; or a folder: state = \"file:FOLDER\"")
    })?;
    // Where the state is kept anyway, the destination can keep it with the rows, and the source can compare.
    let by_itself = match &entry.destination {
        Some(name) if connection(name)?.state_store().is_some() => Some(name),
        _ => entry.source.as_ref(),
    };
    if by_itself == Some(state) {
        return Ok(builder);
    }
    let builder = builder.state(store);
    Ok(match keeper.journal() {
        Some(journal) => builder.journal(journal),
        None => builder,
    })
}
