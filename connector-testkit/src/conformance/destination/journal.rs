//! Writing to a system that takes part in no transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use connector_core::{
    Claim, Counts, Error, ErrorKind, Fate, Fence, Intent, Journal, Key, Outcome, Rest, Standing, Target,
    Ticket, WriteMode,
};

use super::DestinationSystem;
use super::write::{found, holds, journaled, keyed_mode, open, ready, request, task, usual_mode, write};
use crate::conformance::rows::same;
use crate::conformance::sample::joined;
use crate::conformance::verdict::{ensure, ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

/// A journal that remembers what it was told, and refuses intents if it is to.
#[derive(Debug, Default)]
struct Notebook {
    refuses: bool,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// The last word on each key: `None` while it is sent and has no fate.
    fates: BTreeMap<Key, Option<Outcome>>,
    tickets: BTreeMap<String, Vec<Key>>,
    /// Fates of keys that were never intended.
    unannounced: Vec<Key>,
}

impl Notebook {
    fn with<T>(&self, look: impl FnOnce(&mut Notes) -> T) -> T {
        look(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Journal for Notebook {
    async fn intend(&self, _: &Fence, _: &Target, intent: &Intent<'_>) -> connector_core::Result<()> {
        if self.refuses {
            return Err(Error::new(
                ErrorKind::Conflict,
                "another run has taken over the task",
            ));
        }
        self.with(|notes| {
            for key in intent.keys {
                notes.fates.insert(key.clone(), None);
            }
            if let Some(ticket) = intent.ticket {
                notes
                    .tickets
                    .entry(ticket.as_str().to_owned())
                    .or_default()
                    .extend_from_slice(intent.keys);
            }
        });
        Ok(())
    }

    async fn settle(&self, _: &Fence, _: &Target, fates: &[Fate]) -> connector_core::Result<()> {
        self.with(|notes| {
            for fate in fates {
                if notes
                    .fates
                    .insert(fate.key.clone(), Some(fate.outcome.clone()))
                    .is_none()
                {
                    notes.unannounced.push(fate.key.clone());
                }
            }
        });
        Ok(())
    }

    async fn close(
        &self,
        _: &Fence,
        _: &Target,
        ticket: &Ticket,
        rest: Rest,
    ) -> connector_core::Result<Counts> {
        self.with(|notes| {
            let mut counts = Counts::default();
            for key in notes.tickets.remove(ticket.as_str()).unwrap_or_default() {
                let fate = notes.fates.entry(key).or_default();
                if fate.is_none() {
                    match rest {
                        Rest::Updated => {
                            counts.updated += 1;
                            *fate = Some(Outcome::Updated);
                        }
                        Rest::Released => *fate = Some(Outcome::Released),
                    }
                }
            }
            Ok(counts)
        })
    }

    async fn standings(&self, _: &Target, keys: &[Key]) -> connector_core::Result<Vec<Option<Standing>>> {
        self.with(|notes| {
            let standing = |key| match notes.fates.get(key)? {
                Some(outcome) => Some(Standing::after(outcome)),
                None => Some(Standing::Sent),
            };
            Ok(keys.iter().map(standing).collect())
        })
    }
}

/// A claim of nobody's store: the journal is the suite's own.
fn unclaimed() -> Claim {
    let fence = Fence {
        task: task(),
        epoch: 1,
        commit_no: 0,
    };
    Claim::new(fence, None, Vec::new())
}

pub(super) async fn nothing_is_sent_that_is_not_journalled(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..10).await;
    let before = found(system).await;
    let journal = Arc::new(Notebook {
        refuses: true,
        ..Notebook::default()
    });
    let journal = journaled(system, &unclaimed(), journal).await?;
    let mut writer = open(system, request(system, mode).with_journal(Some(journal))).await?;
    let written = writer.write(system.records(0..10, 1)).await;
    let ended = match written {
        Ok(()) => writer.finish(None).await.map(drop),
        Err(error) => Err(error),
    };
    let error = refused(ended, "a write whose intents cannot be stored")?;
    ensure_eq!(
        error.kind(),
        ErrorKind::Conflict,
        "the kind of error that the journal gave"
    );
    same(
        found(system).await,
        before,
        "the system after the journal refused",
    )
}

pub(super) async fn every_record_gets_its_fate(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..25).await;
    let journal = Arc::new(Notebook::default());
    let handed = journaled(system, &unclaimed(), Arc::<Notebook>::clone(&journal)).await?;
    let records = system.records(0..25, 1);
    write(
        system,
        request(system, mode).with_journal(Some(handed)),
        [records.clone()],
    )
    .await?;
    let keys: Vec<Key> = records
        .records()
        .filter_map(|record| record.source_key())
        .collect();
    journal.with(|notes| {
        ensure_eq!(
            notes.unannounced,
            [],
            "records with a fate that were not announced"
        );
        ensure_eq!(notes.tickets.len(), 0, "pieces of work that were not closed");
        for key in &keys {
            match notes.fates.get(key) {
                None => {
                    return Err(Failure::new(format!(
                        "`{key}` was sent and is not in the journal"
                    )));
                }
                Some(Some(Outcome::Created { .. } | Outcome::Updated)) => {}
                Some(other) => {
                    return Err(Failure::new(format!(
                        "the journal says of `{key}`, which arrived: {other:?}"
                    )));
                }
            }
        }
        ensure_eq!(notes.fates.len(), keys.len(), "records in the journal");
        Ok(())
    })?;
    holds(system, &[&records], "records written with a journal").await
}

pub(super) async fn a_refusal_is_a_fate_too(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..4).await;
    let flawed = system
        .flawed(2)
        .ok_or_else(|| Failure::new("the test has no flawed record"))?;
    // Among others in one batch: whoever tells fates by their place gives it another's.
    let parts = [system.records(0..2, 1), flawed.clone(), system.records(3..4, 1)];
    let batch = joined(&parts).ok_or_else(|| Failure::new("no records"))?;
    let journal = Arc::new(Notebook::default());
    let handed = journaled(system, &unclaimed(), Arc::<Notebook>::clone(&journal)).await?;
    let request = request(system, mode).with_journal(Some(handed));
    let report = write(system, request, [batch]).await?;
    ensure_eq!(report.counts.rejected, 1, "records counted as rejected");
    let key = flawed.get(0).and_then(|record| record.source_key());
    journal.with(|notes| {
        // Refused before it was sent, it need not be in the journal; as applied it must not.
        let fate = key.and_then(|key| notes.fates.remove(&key));
        ensure!(
            matches!(fate, None | Some(Some(Outcome::Rejected { .. }))),
            "the journal says of the refused record: {fate:?}"
        );
        for (key, fate) in &notes.fates {
            ensure!(
                matches!(fate, Some(Outcome::Created { .. } | Outcome::Updated)),
                "the journal says of `{key}`, which arrived: {fate:?}"
            );
        }
        Ok(())
    })
}

pub(super) async fn a_journal_is_not_required(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..10).await;
    let records = system.records(0..10, 1);
    let report = write(system, request(system, mode), [records.clone()]).await?;
    ensure_eq!(report.counts.accounted(), 10, "records accounted for");
    holds(system, &[&records], "records written without a journal").await
}

/// Writes ten records while one answer gets lost; the journal, and the report if the write ended well.
async fn with_a_lost_answer(
    system: &dyn DestinationSystem,
    mode: WriteMode,
) -> Result<(Arc<Notebook>, Option<Counts>), Failure> {
    ready(system, mode, 0..10).await;
    let journal = Arc::new(Notebook::default());
    let handed = journaled(system, &unclaimed(), Arc::<Notebook>::clone(&journal)).await?;
    let request = request(system, mode).with_journal(Some(handed));
    let mut writer = open(system, request).await?;
    system.lose_answers(1);
    let records = system.records(0..10, 1);
    let ended = match writer.write(records).await {
        Ok(()) => writer.finish(None).await,
        Err(error) => Err(error),
    };
    Ok((journal, ended.ok().map(|report| report.counts)))
}

pub(super) async fn a_lost_answer_is_no_success(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    let (journal, counts) = with_a_lost_answer(system, mode).await?;
    let records = system.records(0..10, 1);
    let arrived = found(system).await;
    journal.with(|notes| {
        for (record, line) in records.records().zip(crate::conformance::rows::lines(&records)) {
            let fate = record
                .source_key()
                .and_then(|key| notes.fates.get(&key).cloned())
                .flatten();
            let confirmed = matches!(fate, Some(Outcome::Created { .. } | Outcome::Updated));
            ensure!(
                !confirmed || arrived.contains(&line),
                "the journal says of a record that is not there that it was applied"
            );
            // Whoever did not get an answer may ask again, where that does no harm; an insert it may not repeat.
            ensure!(
                !(confirmed && mode == WriteMode::Insert),
                "an insert whose answer was lost is reported as a success"
            );
        }
        Ok(())
    })?;
    if let Some(counts) = counts {
        ensure_eq!(counts.accounted(), 10, "records accounted for: {counts:?}");
    }
    Ok(())
}

pub(super) async fn a_lost_answer_to_an_insert_is_ambiguous(system: &dyn DestinationSystem) -> Verdict {
    let (journal, counts) = with_a_lost_answer(system, WriteMode::Insert).await?;
    let records = system.records(0..10, 1);
    // Applied once, and never sent again.
    holds(system, &[&records], "records inserted while an answer got lost").await?;
    if let Some(counts) = counts {
        ensure!(
            counts.ambiguous > 0,
            "no record is counted as ambiguous: {counts:?}"
        );
        ensure_eq!(counts.accounted(), 10, "records accounted for: {counts:?}");
    }
    journal.with(|notes| {
        let open = notes
            .fates
            .values()
            .filter(|fate| matches!(fate, None | Some(Outcome::Ambiguous)));
        ensure!(
            open.count() > 0,
            "the journal has no record whose fate is unknown"
        );
        Ok(())
    })
}

pub(super) async fn after_lost_answers_a_rerun_leads_to_the_truth(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    with_a_lost_answer(system, mode).await?;
    let records = system.records(0..10, 1);
    let report = write(system, request(system, mode), [records.clone()]).await?;
    ensure_eq!(
        report.counts.accounted(),
        10,
        "records accounted for by the rerun"
    );
    holds(
        system,
        &[&records],
        "records written again after an answer got lost",
    )
    .await
}
