//! The source of a write-back: what differs from what the other side has confirmed.

use connector_core::{
    Claim, Difference, ErrorKind, Fate, Holder, Identity, Intent, Journal, Key, Outcome, ReadRequest, Rest,
    SyncMode, Target, Ticket,
};
use std::sync::Arc;

use super::{SourceSystem, read, request, source, source_task, spec};
use crate::conformance::rows::same;
use crate::conformance::taken::Reading;
use crate::conformance::verdict::{ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

/// The other side of the write-back.
fn there(system: &str) -> Target {
    Target {
        identity: Identity::new("conformance", system),
        object: "Thing".to_owned(),
    }
}

/// A write-back under way: the task claimed, the journal at hand.
pub(super) struct WriteBack {
    claim: Claim,
    journal: Arc<dyn Journal>,
    target: Target,
    match_on: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    full: bool,
}

impl WriteBack {
    pub(super) async fn begin(system: &dyn SourceSystem) -> Result<Self, Failure> {
        let connection = system.connect();
        let store = connection
            .state_store()
            .ok_or_else(|| Failure::new("a source of differences has no state store"))?;
        let journal = connection
            .journal()
            .ok_or_else(|| Failure::new("a source of differences has no journal"))?;
        let schema = spec(system).await?.schema;
        let key: Vec<&str> = schema.primary_key_names().collect();
        let pair = |name: &str| (name.to_owned(), name.to_owned());
        let names = schema.fields().iter().map(|field| field.name.as_str());
        Ok(Self {
            claim: store.claim(&source_task(), &Holder::new("the suite")).await?,
            journal,
            target: there("1"),
            match_on: key.iter().map(|name| pair(name)).collect(),
            fields: names.filter(|name| !key.contains(name)).map(pair).collect(),
            full: false,
        })
    }

    pub(super) fn request(&self, system: &dyn SourceSystem) -> ReadRequest {
        request(system).with_sync(SyncMode::Difference(Difference {
            target: self.target.clone(),
            fence: self.claim.fence.clone(),
            match_on: self.match_on.clone(),
            fields: self.fields.clone(),
            full: self.full,
        }))
    }

    async fn read(&self, system: &dyn SourceSystem) -> Result<Reading, Failure> {
        read(system, self.request(system)).await
    }

    /// Says that every record of `reading` was sent, and met `outcome` where there is one.
    async fn send(&self, reading: &Reading, outcome: Option<Outcome>) -> Verdict {
        let keys = keys(reading)?;
        let intent = Intent {
            keys: &keys,
            ticket: None,
        };
        self.journal
            .intend(&self.claim.fence, &self.target, &intent)
            .await?;
        let Some(outcome) = outcome else {
            return Ok(());
        };
        let fate = |key| Fate {
            key,
            outcome: outcome.clone(),
        };
        let fates: Vec<Fate> = keys.into_iter().map(fate).collect();
        Ok(self
            .journal
            .settle(&self.claim.fence, &self.target, &fates)
            .await?)
    }

    /// The lines a difference of all records has: the key's fields, then the others.
    async fn everything(&self, system: &dyn SourceSystem) -> Vec<String> {
        let truth = system.truth().await;
        let names = || self.match_on.iter().chain(&self.fields).map(|(_, name)| name);
        let lines = truth.records().map(|record| {
            let cells = names().map(|name| format!("{name}={:?}", record.get(name)));
            cells.collect::<Vec<_>>().join(" ")
        });
        lines.collect()
    }
}

fn keys(reading: &Reading) -> Result<Vec<Key>, Failure> {
    let keys = reading.records.iter().map(|record| record.key.clone());
    keys.collect::<Option<_>>()
        .ok_or_else(|| Failure::new("a record of a difference has no key"))
}

pub(super) async fn at_first_everything_differs(system: &dyn SourceSystem) -> Verdict {
    system.add(30).await;
    let write_back = WriteBack::begin(system).await?;
    let reading = write_back.read(system).await?;
    ensure_eq!(
        reading.unchanged,
        0,
        "records counted as unchanged before anything was confirmed"
    );
    same(
        reading.lines(),
        write_back.everything(system).await,
        "the first difference",
    )
}

pub(super) async fn what_was_confirmed_is_counted_and_left_out(system: &dyn SourceSystem) -> Verdict {
    system.add(30).await;
    let write_back = WriteBack::begin(system).await?;
    let first = write_back.read(system).await?;
    write_back.send(&first, Some(Outcome::Updated)).await?;
    let second = write_back.read(system).await?;
    ensure_eq!(
        second.lines(),
        Vec::<String>::new(),
        "records that differ from what was just confirmed"
    );
    ensure_eq!(second.unchanged, 30, "records counted as unchanged");
    Ok(())
}

pub(super) async fn what_changed_since_is_offered_again(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let write_back = WriteBack::begin(system).await?;
    let before = write_back.everything(system).await;
    let first = write_back.read(system).await?;
    write_back.send(&first, Some(Outcome::Updated)).await?;
    system.change(6).await;
    let second = write_back.read(system).await?;
    let after = write_back.everything(system).await;
    let changed = after.into_iter().filter(|line| !before.contains(line)).collect();
    same(
        second.lines(),
        changed,
        "the difference after six records changed",
    )?;
    ensure_eq!(second.unchanged, 14, "records counted as unchanged");
    Ok(())
}

/// Sends everything with this end; all of it must be offered again.
async fn offered_again(system: &dyn SourceSystem, outcome: Option<Outcome>, what: &str) -> Verdict {
    system.add(20).await;
    let write_back = WriteBack::begin(system).await?;
    let first = write_back.read(system).await?;
    write_back.send(&first, outcome).await?;
    let second = write_back.read(system).await?;
    same(second.lines(), write_back.everything(system).await, what)
}

pub(super) async fn what_was_sent_without_an_answer_is_offered_again(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let write_back = WriteBack::begin(system).await?;
    let first = write_back.read(system).await?;
    write_back.send(&first, Some(Outcome::Updated)).await?;
    // Confirmed once, then sent again without an answer: nobody knows what the other side holds.
    write_back.send(&first, None).await?;
    let second = write_back.read(system).await?;
    same(
        second.lines(),
        write_back.everything(system).await,
        "the difference after records were sent without an answer",
    )
}

pub(super) async fn what_was_rejected_is_offered_again(system: &dyn SourceSystem) -> Verdict {
    let rejected = Outcome::Rejected {
        code: "REQUIRED_FIELD_MISSING".to_owned(),
        message: "a field is missing".to_owned(),
        fields: vec!["Name".to_owned()],
    };
    offered_again(
        system,
        Some(rejected),
        "the difference after every record was rejected",
    )
    .await
}

pub(super) async fn what_was_released_is_offered_again(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let write_back = WriteBack::begin(system).await?;
    let first = write_back.read(system).await?;
    let ticket = Ticket::new("job-1");
    let keys = keys(&first)?;
    let intent = Intent {
        keys: &keys,
        ticket: Some(&ticket),
    };
    let (fence, target) = (&write_back.claim.fence, &write_back.target);
    write_back.journal.intend(fence, target, &intent).await?;
    write_back
        .journal
        .close(fence, target, &ticket, Rest::Released)
        .await?;
    let second = write_back.read(system).await?;
    same(
        second.lines(),
        write_back.everything(system).await,
        "the difference after a job was closed without having been applied",
    )
}

pub(super) async fn another_target_starts_empty(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let mut write_back = WriteBack::begin(system).await?;
    let first = write_back.read(system).await?;
    write_back.send(&first, Some(Outcome::Updated)).await?;
    write_back.target = there("2");
    let other = write_back.read(system).await?;
    same(
        other.lines(),
        write_back.everything(system).await,
        "the first difference for another system",
    )?;
    write_back.target = Target {
        object: "Other".to_owned(),
        ..there("1")
    };
    let other = write_back.read(system).await?;
    same(
        other.lines(),
        write_back.everything(system).await,
        "the first difference for another object",
    )
}

pub(super) async fn a_full_difference_offers_everything(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let mut write_back = WriteBack::begin(system).await?;
    let first = write_back.read(system).await?;
    write_back.send(&first, Some(Outcome::Updated)).await?;
    write_back.full = true;
    let second = write_back.read(system).await?;
    same(
        second.lines(),
        write_back.everything(system).await,
        "a full difference",
    )
}

pub(super) async fn an_old_fence_stores_nothing_in_the_journal(system: &dyn SourceSystem) -> Verdict {
    system.add(10).await;
    let old = WriteBack::begin(system).await?;
    let first = old.read(system).await?;
    old.send(&first, Some(Outcome::Updated)).await?;
    let WriteBack {
        claim,
        journal,
        target,
        ..
    } = old;
    let fence = claim.fence.clone();
    // The lease ends, and somebody else claims the task.
    drop(claim);
    let new = WriteBack::begin(system).await?;
    let (keys, ticket) = (keys(&first)?, Ticket::new("job-1"));
    let intent = Intent {
        keys: &keys,
        ticket: Some(&ticket),
    };
    let fate = |key: &Key| Fate {
        key: key.clone(),
        outcome: Outcome::Ambiguous,
    };
    let fates: Vec<Fate> = keys.iter().map(fate).collect();
    let closed = journal.close(&fence, &target, &ticket, Rest::Released).await;
    let attempts = [
        ("an intent", journal.intend(&fence, &target, &intent).await),
        ("fates", journal.settle(&fence, &target, &fates).await),
        ("the end of a job", closed.map(drop)),
    ];
    for (what, attempt) in attempts {
        let what = format!("{what} under an old fence");
        let error = refused(attempt, &what)?;
        ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
    }
    // Of whatever had been stored, nothing would count as confirmed any more.
    let second = new.read(system).await?;
    ensure_eq!(second.unchanged, 10, "records counted as unchanged");
    Ok(())
}

pub(super) async fn a_difference_under_an_old_fence_is_refused(system: &dyn SourceSystem) -> Verdict {
    system.add(5).await;
    let mut old = WriteBack::begin(system).await?;
    let fence = old.claim.fence.clone();
    // The lease ends, and somebody else claims the task.
    old.claim = Claim::new(fence, None, Vec::new());
    let new = WriteBack::begin(system).await?;
    let opened = source(&*system.connect())?.reader(old.request(system)).await;
    let error = match opened {
        // A reader may say so only when it begins to read.
        Ok(reader) => refused(Reading::of(reader).await, "a difference under an old fence")?.kind(),
        Err(error) => error.kind(),
    };
    ensure_eq!(
        error,
        ErrorKind::Conflict,
        "the kind of error for a difference under an old fence"
    );
    let reading = new.read(system).await?;
    same(
        reading.lines(),
        new.everything(system).await,
        "the difference of the task's new holder",
    )
}
