//! Intents, fates and fingerprints of writes to other systems.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;

use super::Memory;
use super::row::Row;
use crate::difference::Target;
use crate::error::Result;
use crate::journal::{Intent, Journal, Rest, Standing, Ticket};
use crate::key::Key;
use crate::report::{Counts, Fate};
use crate::state::{Fence, TaskId};

/// The journals of one system, by the other side they are about.
#[derive(Debug, Default)]
pub(super) struct Book {
    targets: HashMap<(String, String), Entries>,
    /// Work that other sides may still be doing, oldest first.
    tickets: Vec<(TaskId, Ticket)>,
}

/// What is known of one object at the other side.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// The fields that find a record there.
    pub(super) match_on: Vec<String>,
    /// The fields that are written there.
    pub(super) fields: Vec<String>,
    pub(super) records: BTreeMap<Key, Entry>,
}

/// What is known of one record.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) standing: Standing,
    /// What is to be sent, or was.
    pub(super) payload: Option<Row>,
    /// What the other side has confirmed.
    pub(super) confirmed: Option<Row>,
    ticket: Option<Ticket>,
}

impl Default for Entry {
    /// A record that was sent.
    fn default() -> Self {
        Self {
            standing: Standing::Sent,
            payload: None,
            confirmed: None,
            ticket: None,
        }
    }
}

impl Entry {
    pub(super) fn planned(payload: Row, confirmed: Option<Row>) -> Self {
        Self {
            standing: Standing::Planned,
            payload: Some(payload),
            confirmed,
            ticket: None,
        }
    }

    /// Whether it is to be sent, or was sent without an answer.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Planned | Standing::Sent)
    }

    /// Takes the plan back.
    pub(super) fn forget(&mut self) {
        self.payload = None;
        self.standing = match self.confirmed {
            Some(_) => Standing::Confirmed,
            None => Standing::Unconfirmed,
        };
    }

    fn settle(&mut self, standing: Standing) {
        let payload = self.payload.take();
        self.ticket = None;
        self.standing = standing;
        self.confirmed = None;
        match standing {
            Standing::Confirmed => self.confirmed = payload,
            Standing::Planned | Standing::Sent => self.payload = payload,
            Standing::Unconfirmed => {}
        }
    }
}

impl Book {
    /// What is known of a target, if anything is.
    pub(super) fn entries(&mut self, target: &Target) -> Option<&mut Entries> {
        self.targets.get_mut(&name_of(target))
    }

    /// What is known of a target whose records are found by `match_on`; it holds at least `fields`.
    pub(super) fn ensure(&mut self, target: &Target, match_on: &[&str], fields: &[&str]) -> &mut Entries {
        let entries = self.targets.entry(name_of(target)).or_default();
        if !match_on.is_empty() && entries.match_on != match_on {
            // Keys of another kind would not be found again: what was confirmed under them is forgotten.
            entries.records.clear();
            entries.match_on = match_on.iter().map(|&name| name.to_owned()).collect();
        }
        for &field in fields {
            if !entries.fields.iter().any(|known| known == field) {
                entries.fields.push(field.to_owned());
            }
        }
        entries
    }

    /// The tickets that a task has left open.
    pub(super) fn open(&self, task: &TaskId) -> Vec<Ticket> {
        let of_task = self.tickets.iter().filter(|(other, _)| other == task);
        of_task.map(|(_, ticket)| ticket.clone()).collect()
    }

    fn intend(&mut self, fence: &Fence, target: &Target, intent: &Intent<'_>) {
        if let Some(ticket) = intent.ticket {
            let opened = (fence.task.clone(), ticket.clone());
            if !self.tickets.contains(&opened) {
                self.tickets.push(opened);
            }
        }
        let entries = self.ensure(target, &[], &[]);
        for key in intent.keys {
            let entry = entries.records.entry(key.clone()).or_default();
            entry.standing = Standing::Sent;
            // What was confirmed is known no longer: an unanswered request may have changed it.
            entry.confirmed = None;
            entry.ticket = intent.ticket.cloned();
        }
    }

    fn settle(&mut self, target: &Target, fates: &[Fate]) {
        let entries = self.ensure(target, &[], &[]);
        for fate in fates {
            let entry = entries.records.entry(fate.key.clone()).or_default();
            entry.settle(Standing::after(&fate.outcome));
        }
    }

    fn close(&mut self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Counts {
        self.tickets
            .retain(|(task, open)| *task != fence.task || open != ticket);
        let mut counts = Counts::default();
        let records = &mut self.ensure(target, &[], &[]).records;
        for entry in records
            .values_mut()
            .filter(|entry| entry.ticket.as_ref() == Some(ticket))
        {
            match rest {
                Rest::Updated => {
                    entry.settle(Standing::Confirmed);
                    counts.updated += 1;
                }
                Rest::Released | Rest::Unknown => entry.settle(Standing::of_rest(rest)),
            }
        }
        counts
    }
}

fn name_of(target: &Target) -> (String, String) {
    (target.identity.as_str().to_owned(), target.object.clone())
}

#[async_trait]
impl Journal for Memory {
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()> {
        let mut system = self.lock();
        system.states.hold(fence)?;
        system.book.intend(fence, target, intent);
        Ok(())
    }

    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        let mut system = self.lock();
        system.states.hold(fence)?;
        system.book.settle(target, fates);
        Ok(())
    }

    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        let mut system = self.lock();
        system.states.hold(fence)?;
        Ok(system.book.close(fence, target, ticket, rest))
    }

    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        Ok(keys.iter().map(|key| self.standing(target, key)).collect())
    }
}

impl Memory {
    /// What this system's journal knows of the record called `key` at `target`; `None`: nothing.
    pub fn standing(&self, target: &Target, key: &Key) -> Option<Standing> {
        let mut system = self.lock();
        let entry = system.book.entries(target)?.records.get(key)?;
        Some(entry.standing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::now;
    use super::*;
    use crate::connector::Identity;
    use crate::error::ErrorKind;
    use crate::report::Outcome;
    use crate::state::{Claim, Holder, StateStore};

    fn target() -> Target {
        Target {
            identity: Identity::new("memory", "crm"),
            object: "lead".to_owned(),
        }
    }

    fn claim(memory: &Memory) -> Claim {
        now(memory.claim(&TaskId::new("job", "lead"), &Holder::new("test"))).unwrap()
    }

    fn fate(key: &str, outcome: Outcome) -> Fate {
        let key = Key::new(key);
        Fate { key, outcome }
    }

    fn standings(memory: &Memory, keys: &[&str]) -> Vec<Option<Standing>> {
        keys.iter()
            .map(|key| memory.standing(&target(), &Key::new(*key)))
            .collect()
    }

    #[test]
    fn a_fate_says_what_becomes_of_an_intent() {
        let (memory, target) = (Memory::new("db"), target());
        let claim = claim(&memory);
        let keys = ["a", "b", "c", "d"].map(Key::new);
        let intent = Intent {
            keys: &keys,
            ticket: None,
        };
        now(memory.intend(&claim.fence, &target, &intent)).unwrap();
        let rejected = Outcome::Rejected {
            code: "NO".to_owned(),
            message: "no".to_owned(),
            fields: Vec::new(),
        };
        let fates = [
            fate("a", Outcome::Updated),
            fate("b", rejected),
            fate("c", Outcome::Released),
            fate("e", Outcome::Ambiguous),
        ];
        now(memory.settle(&claim.fence, &target, &fates)).unwrap();
        use Standing::{Confirmed, Planned, Sent, Unconfirmed};
        assert_eq!(
            standings(&memory, &["a", "b", "c", "d", "e", "f"]),
            [
                Some(Confirmed),
                Some(Unconfirmed),
                Some(Planned),
                Some(Sent),
                Some(Sent),
                None
            ]
        );
    }

    #[test]
    fn a_ticket_is_open_until_it_is_closed_and_settles_the_rest() {
        let (memory, target, ticket) = (Memory::new("db"), target(), Ticket::new("750"));
        let first = claim(&memory);
        let keys = ["a", "b", "c"].map(Key::new);
        let intent = Intent {
            keys: &keys,
            ticket: Some(&ticket),
        };
        now(memory.intend(&first.fence, &target, &intent)).unwrap();
        drop(first);
        let second = claim(&memory);
        assert_eq!(second.open, std::slice::from_ref(&ticket));
        now(memory.settle(&second.fence, &target, &[fate("a", Outcome::Ambiguous)])).unwrap();
        let counts = now(memory.close(&second.fence, &target, &ticket, Rest::Updated)).unwrap();
        assert_eq!(counts.updated, 2);
        assert_eq!(
            standings(&memory, &["a", "b", "c"]),
            [
                Some(Standing::Sent),
                Some(Standing::Confirmed),
                Some(Standing::Confirmed)
            ]
        );
        drop(second);
        assert_eq!(claim(&memory).open, []);
    }

    #[test]
    fn an_older_fence_stores_nothing() {
        let (memory, target) = (Memory::new("db"), target());
        let old = claim(&memory).fence.clone();
        let _new = claim(&memory);
        let keys = [Key::new("a")];
        let intent = Intent {
            keys: &keys,
            ticket: Some(&Ticket::new("750")),
        };
        let errors = [
            now(memory.intend(&old, &target, &intent)).unwrap_err(),
            now(memory.settle(&old, &target, &[fate("a", Outcome::Updated)])).unwrap_err(),
            now(memory.close(&old, &target, &Ticket::new("750"), Rest::Updated)).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Conflict));
        assert_eq!(standings(&memory, &["a"]), [None]);
        assert!(memory.lock().book.open(&old.task).is_empty());
    }
}
