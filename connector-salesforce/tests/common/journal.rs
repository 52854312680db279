use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    Counts, Error, ErrorKind, Fate, Fence, Identity, Intent, Journal, Journaled, Key, Outcome, Rest, Result,
    Standing, Target, TaskId, Ticket,
};

/// A journal in memory, with the rules of a real one.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Key, Entry>,
    open: Vec<Ticket>,
    /// Calls so far, and after how many the next one fails.
    calls: u64,
    fail_at: Option<u64>,
    epoch: i64,
}

#[derive(Clone, Debug)]
struct Entry {
    ticket: Option<Ticket>,
    outcome: Option<Outcome>,
}

impl MemoryJournal {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A claim of it, as a new run makes one: earlier fences are worth nothing from now on.
    pub fn claim(self: &Arc<Self>, identity: &Identity) -> Journaled {
        let mut inner = self.inner.lock().unwrap();
        inner.epoch += 1;
        let fence = Fence {
            task: TaskId::new("test", "Lead"),
            epoch: inner.epoch,
            commit_no: 0,
        };
        let target = Target {
            identity: identity.clone(),
            object: "Lead".to_owned(),
        };
        let journal: Arc<dyn Journal> = Arc::clone(self) as _;
        Journaled {
            journal,
            fence,
            target,
            open: inner.open.clone(),
        }
    }

    /// Makes a coming call fail, as if the process died there.
    pub fn fail_after(&self, calls: u64) {
        let mut inner = self.inner.lock().unwrap();
        inner.fail_at = Some(inner.calls + calls);
    }

    pub fn open(&self) -> usize {
        self.inner.lock().unwrap().open.len()
    }

    pub fn outcome(&self, key: &str) -> Option<Outcome> {
        self.inner
            .lock()
            .unwrap()
            .entries
            .get(&Key::new(key))
            .and_then(|entry| entry.outcome.clone())
    }

    /// Keys that were intended and neither settled nor released: what a difference would send again, too.
    pub fn unsettled(&self) -> usize {
        self.inner
            .lock()
            .unwrap()
            .entries
            .values()
            .filter(|entry| entry.outcome.is_none())
            .count()
    }

    pub fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        let inner = self.inner.lock().unwrap();
        inner
            .entries
            .values()
            .filter(|entry| entry.outcome.as_ref().is_some_and(&wanted))
            .count()
    }

    fn enter(&self, fence: &Fence) -> Result<std::sync::MutexGuard<'_, Inner>> {
        let mut inner = self.inner.lock().unwrap();
        inner.calls += 1;
        let calls = inner.calls;
        if inner.fail_at.take_if(|at| *at < calls).is_some() {
            return Err(Error::new(ErrorKind::Cancelled, "the process died here"));
        }
        if fence.epoch != inner.epoch {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the fence is no longer the newest",
            ));
        }
        Ok(inner)
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn intend(&self, fence: &Fence, _target: &Target, intent: &Intent<'_>) -> Result<()> {
        let mut inner = self.enter(fence)?;
        for key in intent.keys {
            inner.entries.insert(
                key.clone(),
                Entry {
                    ticket: intent.ticket.cloned(),
                    outcome: None,
                },
            );
        }
        if let Some(ticket) = intent.ticket
            && !inner.open.contains(ticket)
        {
            inner.open.push(ticket.clone());
        }
        Ok(())
    }

    async fn settle(&self, fence: &Fence, _target: &Target, fates: &[Fate]) -> Result<()> {
        let mut inner = self.enter(fence)?;
        for fate in fates {
            let entry = inner.entries.entry(fate.key.clone()).or_insert(Entry {
                ticket: None,
                outcome: None,
            });
            entry.outcome = Some(fate.outcome.clone());
        }
        Ok(())
    }

    async fn close(&self, fence: &Fence, _target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        let mut inner = self.enter(fence)?;
        inner.open.retain(|open| open != ticket);
        let mut counts = Counts::default();
        for entry in inner.entries.values_mut() {
            if entry.ticket.as_ref() == Some(ticket) && entry.outcome.is_none() {
                entry.outcome = Some(match rest {
                    Rest::Updated => Outcome::Updated,
                    Rest::Released => Outcome::Released,
                });
                counts.updated += u64::from(rest == Rest::Updated);
            }
        }
        Ok(counts)
    }

    async fn standings(&self, _target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        let inner = self.inner.lock().unwrap();
        let standing = |key| {
            let entry = inner.entries.get(key)?;
            Some(entry.outcome.as_ref().map_or(Standing::Sent, Standing::after))
        };
        Ok(keys.iter().map(standing).collect())
    }
}
