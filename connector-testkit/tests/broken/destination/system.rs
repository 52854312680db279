//! The system in memory behind a connector with a defect.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connector_core::memory::Memory;
use connector_core::{
    Batch, Capabilities, Connector, Destination, Fence, Key, Schema, StreamName, WriteMode,
};
use connector_testkit::conformance::DestinationSystem;
use connector_testkit::conformance::memory::MemorySystem;

use super::connection::Connection;
use super::defect::Defect;
use crate::secrets::secrets;

/// What the destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Database,
    /// A database that is only ever overwritten.
    Overwritten,
    Service,
    /// A service that takes new records only.
    Inserting,
    /// A service that changes what is there only.
    Updating,
}

impl Kind {
    fn system(self) -> MemorySystem {
        match self {
            Self::Database | Self::Overwritten => MemorySystem::database(),
            Self::Service | Self::Inserting | Self::Updating => MemorySystem::service(),
        }
    }

    fn modes(self) -> Option<WriteMode> {
        match self {
            Self::Database | Self::Service => None,
            Self::Overwritten => Some(WriteMode::Overwrite),
            Self::Inserting => Some(WriteMode::Insert),
            Self::Updating => Some(WriteMode::Update),
        }
    }
}

pub(super) struct System {
    system: MemorySystem,
    this: This,
}

/// The system and its defect, as connections and writers know them.
#[derive(Clone)]
pub(super) struct This {
    pub(super) memory: Memory,
    pub(super) kind: Kind,
    pub(super) defect: Option<Defect>,
    pub(super) server: Server,
}

/// What the defects have the system remember beyond one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Server(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// The newest claim's fence.
    pub(super) fence: Option<Fence>,
    /// Commits so far, where the connector counts them itself.
    pub(super) commits: i64,
    pub(super) is_locked: bool,
    /// The shape in which the table was written first.
    pub(super) first_schema: Option<Arc<Schema>>,
    /// Answers still to be lost.
    pub(super) to_lose: usize,
    /// The keys of records that were sent without an answer.
    pub(super) unanswered: BTreeSet<Key>,
}

impl Server {
    pub(super) fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl This {
    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.memory.capabilities();
        if let Some(mode) = self.kind.modes() {
            capabilities.modes = vec![mode];
        }
        capabilities
    }
}

impl System {
    pub(super) fn new(kind: Kind, defect: Option<Defect>) -> Self {
        let system = kind.system();
        let this = This {
            memory: system.memory().clone(),
            kind,
            defect,
            server: Server::default(),
        };
        Self { system, this }
    }
}

#[async_trait]
impl DestinationSystem for System {
    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(Connection::new(self.this.clone()))
    }

    fn stream(&self) -> StreamName {
        self.system.stream()
    }

    async fn prepare(&self, numbers: Range<usize>) {
        self.system.prepare(numbers).await;
    }

    async fn rows(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        self.system.rows(stream, schema).await
    }

    async fn current(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        self.system.current(stream, schema).await
    }

    fn flawed(&self, number: usize) -> Option<Batch> {
        self.system.flawed(number)
    }

    fn lose_answers(&self, requests: usize) -> bool {
        let mut server = self.this.server.lock();
        match self.this.defect {
            // The defect is about the request itself: it never gets to the service.
            Some(Defect::UnsentIsDone) => server.to_lose = requests,
            // A connector that does not ask again hears as little as one whose second answer is lost as well.
            Some(Defect::UnansweredNotCounted) => drop(self.system.lose_answers(2 * requests)),
            _ => {
                server.to_lose = requests;
                return self.system.lose_answers(requests);
            }
        }
        true
    }

    fn secrets(&self) -> Vec<String> {
        secrets()
    }
}
