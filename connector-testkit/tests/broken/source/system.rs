//! The system in memory behind a connector with a defect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connector_core::{Batch, Connector, Fence, Key, Selection, State};
use connector_testkit::conformance::SourceSystem;
use connector_testkit::conformance::memory::MemorySystem;

use super::connection::Connection;
use super::defect::Defect;
use crate::secrets::secrets;

pub(super) struct System {
    memory: MemorySystem,
    defect: Option<Defect>,
    server: Server,
}

/// What the defects have the system remember beyond one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Server(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
pub(super) struct Remembered {
    pub(super) sessions: usize,
    pub(super) checks: u64,
    pub(super) full_reads: usize,
    pub(super) open_cursors: usize,
    /// The keys of every record emitted.
    pub(super) seen: BTreeSet<Key>,
    /// States that were used.
    pub(super) used: Vec<State>,
    pub(super) newest: Option<State>,
    pub(super) acknowledged: Option<State>,
    pub(super) fence: Option<Fence>,
    /// Where a log begins now.
    pub(super) log_start: Option<State>,
    /// Where the last read of a log ended.
    pub(super) log_end: Option<State>,
    /// The records of a log as they were put last.
    pub(super) put: BTreeMap<Key, Batch>,
    /// Keys that became others.
    pub(super) rekeyed: BTreeSet<Key>,
    /// The keys of every record confirmed at another system.
    pub(super) confirmed: BTreeSet<Key>,
}

impl Server {
    pub(super) fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl System {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        Self {
            memory: MemorySystem::source(),
            defect,
            server: Server::default(),
        }
    }

    fn broken(&self, inner: Arc<dyn Connector>) -> Arc<dyn Connector> {
        Arc::new(Connection::new(inner, self.defect, self.server.clone()))
    }
}

#[async_trait]
impl SourceSystem for System {
    fn connect(&self) -> Arc<dyn Connector> {
        self.broken(SourceSystem::connect(&self.memory))
    }

    fn selection(&self) -> Selection {
        self.memory.selection()
    }

    async fn add(&self, count: usize) {
        self.memory.add(count).await;
    }

    async fn add_texts(&self, texts: &[String]) -> bool {
        self.memory.add_texts(texts).await
    }

    async fn change(&self, count: usize) {
        self.memory.change(count).await;
    }

    async fn remove(&self, count: usize) {
        self.memory.remove(count).await;
    }

    async fn rekey(&self, count: usize) -> bool {
        let before = self.memory.truth().await;
        let keys = before
            .records()
            .take(count)
            .filter_map(|record| record.source_key());
        self.server.lock().rekeyed.extend(keys);
        self.memory.rekey(count).await
    }

    async fn truth(&self) -> Batch {
        self.memory.truth().await
    }

    fn missing_key(&self) -> Option<Key> {
        self.memory.missing_key()
    }

    fn another_selection(&self) -> Option<Selection> {
        self.memory.another_selection()
    }

    fn connect_elsewhere(&self) -> Option<Arc<dyn Connector>> {
        Some(self.broken(self.memory.connect_elsewhere()?))
    }

    fn secrets(&self) -> Vec<String> {
        secrets()
    }
}
