//! A store and journal in memory, complete, with at most one thing wrong.

mod journal;
mod store;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Fence, Journal, Key, Result, Standing, StateStore, Target, TaskId};
use connector_testkit::conformance::{JournalSystem, StateStoreSystem};

use crate::defect::Defect;

const PASSWORD: &str = "correct horse/battery+staple";

/// What outlives the programs that use it.
pub(crate) struct Memory {
    shared: Arc<Mutex<Data>>,
    defect: Option<Defect>,
}

/// What one program has of it.
struct Handle {
    shared: Arc<Mutex<Data>>,
    defect: Option<Defect>,
    /// The same object in no other handle.
    token: Arc<()>,
}

/// A target, by identity and object.
type There = (String, String);

#[derive(Default)]
struct Data {
    tasks: BTreeMap<String, Task>,
    records: BTreeMap<There, HashMap<String, Record>>,
    /// Counts the claims of all tasks.
    claims: i64,
}

#[derive(Default)]
struct Task {
    epoch: i64,
    /// The epoch of the last save.
    saved: Option<i64>,
    /// JSON, by holder; by nobody where all holders share it.
    states: BTreeMap<String, String>,
    /// The last holder.
    holder: String,
    /// The claim that is alive, by its number among all.
    alive: Option<i64>,
    /// In order of opening.
    tickets: Vec<String>,
}

struct Record {
    standing: Standing,
    ticket: Option<String>,
    /// The token of the only handle that knows the ticket; all do where there is none.
    known_to: Option<Arc<()>>,
    settled: bool,
}

/// Lets others run, as a server's answer that is waited for does.
async fn pause() {
    tokio::task::yield_now().await;
}

impl Memory {
    pub(crate) fn new(defect: Option<Defect>) -> Self {
        Self {
            shared: Arc::default(),
            defect,
        }
    }

    fn handle(&self) -> Arc<Handle> {
        Arc::new(Handle {
            shared: Arc::clone(&self.shared),
            defect: self.defect,
            token: Arc::default(),
        })
    }
}

impl StateStoreSystem for Memory {
    fn store(&self) -> Arc<dyn StateStore> {
        self.handle()
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}

#[async_trait]
impl JournalSystem for Memory {
    fn store(&self) -> Arc<dyn StateStore> {
        self.handle()
    }

    fn journal(&self) -> Arc<dyn Journal> {
        self.handle()
    }

    async fn standing(&self, target: &Target, key: &Key) -> Option<Standing> {
        let handle = self.handle();
        let data = handle.data();
        let records = data.records.get(&handle.there(target))?;
        let record = records.get(&handle.key(key))?;
        Some(record.standing)
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.has(Defect::ShowsItsPassword) {
            PASSWORD
        } else {
            "…"
        };
        f.debug_struct("Handle").field("password", &shown).finish()
    }
}

impl Handle {
    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.shared.lock().unwrap()
    }

    /// The name a task is kept by.
    fn name(&self, task: &TaskId) -> String {
        let name = task.as_str();
        match self.defect {
            Some(Defect::OneTaskForAJob) => name.split('/').next().unwrap_or_default().to_owned(),
            Some(Defect::LowersTaskNames) => name.to_lowercase(),
            Some(Defect::CutsTaskNames) => name.chars().take(255).collect(),
            _ => name.to_owned(),
        }
    }

    /// The place a target's records are kept at.
    fn there(&self, target: &Target) -> There {
        let (identity, object) = (target.identity.to_string(), target.object.clone());
        match self.defect {
            Some(Defect::JoinsIdentityAndObject) => (format!("{identity}:{object}"), String::new()),
            Some(Defect::IgnoresTheIdentity) => (String::new(), object),
            _ => (identity, object),
        }
    }

    /// The text a key is kept by.
    fn key(&self, key: &Key) -> String {
        let key = key.as_str();
        match self.defect {
            Some(Defect::LowersKeys) => key.to_lowercase(),
            Some(Defect::TrimsKeys) => key.trim().to_owned(),
            Some(Defect::CutsKeys) => key.chars().take(255).collect(),
            _ => key.to_owned(),
        }
    }

    /// Refuses a fence that is not the newest; `lenient` takes old ones.
    fn admit(&self, data: &Data, fence: &Fence, lenient: bool) -> Result<()> {
        let task = data.tasks.get(&self.name(&fence.task));
        let newest = task.map(|task| match self.defect {
            Some(Defect::OneEpochForAllTasks) => data.claims,
            _ => task.epoch,
        });
        let admitted = newest.is_some_and(|newest| {
            fence.epoch == newest
                || (lenient && fence.epoch < newest)
                || (self.has(Defect::TakesNewerFences) && fence.epoch > newest)
        });
        if admitted {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("another run has taken over the task `{}`", fence.task),
        ))
    }
}
