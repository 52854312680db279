//! The file store keeps every promise of a state store and a journal.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a test's own set-up ends it"
)]

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Journal, Key, Standing, StateStore, Target};
use connector_testkit::conformance::{self, JournalSystem, StateStoreSystem, Suite};
use sync_engine::FileStore;
use tempfile::TempDir;

/// A folder, and a store over it for whoever asks: as if each were a program of its own.
struct Folder(TempDir);

impl Folder {
    async fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn open(&self) -> FileStore {
        FileStore::open(self.0.path()).unwrap()
    }
}

impl StateStoreSystem for Folder {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.open())
    }
}

#[async_trait]
impl JournalSystem for Folder {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.open())
    }

    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.open())
    }

    async fn standing(&self, target: &Target, key: &Key) -> Option<Standing> {
        self.open().standing(target, key).unwrap()
    }
}

fn main() -> ExitCode {
    conformance::run([
        Suite::state_store("files::states", Folder::new),
        Suite::journal("files::journal", Folder::new),
    ])
}
