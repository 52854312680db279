//! One task's requests to a service: journalled, applied at once, and answered or not.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;

use super::Memory;
use super::change::{Done, Layout};
use super::fit::Refusal;
use crate::batch::{Batch, Record};
use crate::destination::{Journaled, WriteMode, WriteRequest, Writer};
use crate::error::Result;
use crate::journal::{Intent, Rest};
use crate::key::Key;
use crate::report::{CommitReport, Fate, Outcome, Rejection};
use crate::state::State;

/// Writes one table of a service.
///
/// A batch is a request: its keys are journalled, it is applied, its records' fates are settled. A request whose
/// answer is lost is sent once more where that does no harm: an update or an upsert says the same twice, an insert
/// would not.
pub(super) struct ServiceWriter {
    memory: Memory,
    layout: Layout,
    request: WriteRequest,
    report: CommitReport,
}

/// A record that is sent, and its key in this write.
struct Sent<'a> {
    record: Record<'a>,
    key: Option<Key>,
}

/// What the service says of one record: what it did, and the record's id if it is new.
type Answer = Result<(Done, Option<String>), Refusal>;

impl ServiceWriter {
    pub(super) async fn open(memory: &Memory, request: WriteRequest) -> Result<Self> {
        let layout = memory.plan_of(&memory.lock(), &request)?.layout;
        if let Some(journaled) = &request.journal {
            // Every request was over when it was answered: no work goes on under a ticket, and what one speaks of was
            // never begun.
            for ticket in &journaled.open {
                let Journaled {
                    journal,
                    fence,
                    target,
                    ..
                } = journaled;
                journal.close(fence, target, ticket, Rest::Released).await?;
            }
        }
        Ok(Self {
            memory: memory.clone(),
            layout,
            request,
            report: CommitReport::default(),
        })
    }

    /// The records of a batch that can be sent; others are refused here.
    fn admit<'a>(&mut self, batch: &'a Batch) -> Vec<Sent<'a>> {
        let mut sent = Vec::with_capacity(batch.len());
        for record in batch.records() {
            let own = self.layout.key_of(&record);
            if self.layout.mode == WriteMode::Insert {
                let key = record.source_key().or(own);
                sent.push(Sent { record, key });
            } else if own.is_some() {
                sent.push(Sent { record, key: own });
            } else {
                let rejection = self.key_missing(&record);
                self.refuse(rejection);
            }
        }
        sent
    }

    fn key_missing(&self, record: &Record<'_>) -> Rejection {
        let mut refusal = Refusal::new("key_missing", "a field of the key has no value");
        let missing = |name: &&String| !record.get(name).is_present();
        refusal.field = self.request.match_on.iter().find(missing).cloned();
        refusal.rejection(record.sequence(), record.source_key())
    }

    fn refuse(&mut self, rejection: Rejection) {
        let mut system = self.memory.lock();
        let rejected = system.rejected.entry(self.request.task.clone()).or_default();
        rejected.push(rejection.clone());
        drop(system);
        self.report.reject(rejection);
    }

    /// Stores that `sent` are about to be sent; a record without any key cannot be.
    async fn intend(&self, sent: &[Sent<'_>]) -> Result<()> {
        let Some(journaled) = &self.request.journal else {
            return Ok(());
        };
        let mut seen = HashSet::new();
        let keys: Vec<Key> = sent
            .iter()
            .filter_map(|sent| sent.key.clone())
            .filter(|key| seen.insert(key.clone()))
            .collect();
        let intent = Intent {
            keys: &keys,
            ticket: None,
        };
        journaled
            .journal
            .intend(&journaled.fence, &journaled.target, &intent)
            .await
    }

    /// The request; `None`: it was applied, and the answer is lost.
    fn send(&self, sent: &[Sent<'_>]) -> Result<Option<Vec<Answer>>> {
        let mut system = self.memory.lock();
        let table = self.request.stream.as_str();
        system.table(table)?;
        let number = system.next_change();
        let mut answers = Vec::with_capacity(sent.len());
        if let Some(table) = system.tables.get_mut(table) {
            let primary = table.schema().primary_key().to_vec();
            let mut change = table.change(&self.layout, number);
            for sent in sent {
                let answer = change.apply(&sent.record).map(|(done, slot)| {
                    let new = slot.filter(|_| done == Done::Created && !primary.is_empty());
                    let id = new
                        .and_then(|slot| change.row(slot))
                        .map(|row| Key::from_values(row.values(&primary)).to_string());
                    (done, id)
                });
                answers.push(answer);
            }
        }
        system.applied += answers.iter().filter(|answer| answer.is_ok()).count() as u64;
        if system.lost > 0 {
            system.lost -= 1;
            return Ok(None);
        }
        Ok(Some(answers))
    }

    /// Counts what became of the records, and gives the last fate of each key.
    fn count(&mut self, sent: &[Sent<'_>], answers: Option<Vec<Answer>>) -> Vec<Fate> {
        let Some(answers) = answers else {
            self.report.counts.ambiguous += sent.len() as u64;
            return last_of_each(sent.iter().map(|sent| (sent.key.clone(), Outcome::Ambiguous)));
        };
        let mut outcomes = Vec::with_capacity(sent.len());
        for (sent, answer) in sent.iter().zip(answers) {
            let outcome = match answer {
                Ok((done, id)) => {
                    done.count(&mut self.report.counts);
                    match done {
                        Done::Created => Outcome::Created { id },
                        Done::Updated | Done::Unchanged => Outcome::Updated,
                        Done::Deleted => Outcome::Deleted,
                    }
                }
                Err(refusal) => {
                    self.refuse(refusal.rejection(sent.record.sequence(), sent.key.clone()));
                    refusal.outcome()
                }
            };
            outcomes.push((sent.key.clone(), outcome));
        }
        last_of_each(outcomes)
    }
}

/// A key has one fate: its last.
fn last_of_each(outcomes: impl IntoIterator<Item = (Option<Key>, Outcome)>) -> Vec<Fate> {
    let mut fates: Vec<Fate> = Vec::new();
    let mut places = HashMap::new();
    for (key, outcome) in outcomes {
        let Some(key) = key else { continue };
        match places.get(&key) {
            Some(&place) => fates[place] = Fate { key, outcome },
            None => {
                places.insert(key.clone(), fates.len());
                fates.push(Fate { key, outcome });
            }
        }
    }
    fates
}

#[async_trait]
impl Writer for ServiceWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        let batch = self.request.leave_nulls(batch);
        let sent = self.admit(&batch);
        if sent.is_empty() {
            return Ok(());
        }
        self.intend(&sent).await?;
        let mut answers = self.send(&sent)?;
        if answers.is_none() && self.layout.mode != WriteMode::Insert {
            answers = self.send(&sent)?;
        }
        let fates = self.count(&sent, answers);
        match &self.request.journal {
            Some(journaled) => {
                journaled
                    .journal
                    .settle(&journaled.fence, &journaled.target, &fates)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        for rejection in rejected {
            self.refuse(rejection);
        }
        Ok(())
    }

    async fn commit(&mut self, _checkpoint: Option<&State>) -> Result<CommitReport> {
        // The checkpoint has no place here: a service takes part in no transaction.
        Ok(std::mem::take(&mut self.report))
    }

    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.commit(checkpoint).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{batch, claim, deletes, leads, now, rows, schema, task, write, writer};
    use super::*;
    use crate::batch::{Column, Op};
    use crate::difference::Target;
    use crate::error::ErrorKind;
    use crate::journal::Standing;
    use crate::journal::{Journal, Ticket};
    use crate::report::Counts;
    use crate::schema::{DataType, Field, Schema};
    use crate::state::Claim;
    use crate::value::Value;

    /// A service with one lead, a database that keeps the journal, and the task's claim there.
    fn sides() -> (Memory, Memory, Claim) {
        let (crm, db) = (Memory::service("crm"), Memory::new("db"));
        crm.create("lead", schema());
        crm.put("lead", &leads(&[(1, "Ada")])).unwrap();
        let claim = claim(&db);
        (crm, db, claim)
    }

    fn target(crm: &Memory) -> Target {
        Target {
            identity: crm.own_identity(),
            object: "lead".to_owned(),
        }
    }

    fn journalled(
        mode: WriteMode,
        match_on: &[&str],
        crm: &Memory,
        db: &Memory,
        claim: &Claim,
    ) -> WriteRequest {
        write(mode, match_on).with_journal(Some(Journaled {
            journal: Arc::new(db.clone()),
            fence: claim.fence.clone(),
            target: target(crm),
            open: claim.open.clone(),
        }))
    }

    fn send(crm: &Memory, request: WriteRequest, batch: Batch) -> Counts {
        let mut writer = writer(crm, request);
        now(writer.write(batch)).unwrap();
        now(writer.commit(None)).unwrap().counts
    }

    fn standing(db: &Memory, crm: &Memory, key: &str) -> Option<Standing> {
        db.standing(&target(crm), &Key::new(key))
    }

    #[test]
    fn a_batch_is_there_before_it_is_committed_and_every_fate_is_settled() {
        let (crm, db, claim) = sides();
        let mut upsert = writer(&crm, journalled(WriteMode::Upsert, &["id"], &crm, &db, &claim));
        let records = batch(
            schema(),
            [
                (Op::Put, vec![Value::Int(1), Value::Text("Eve")]),
                (Op::Put, vec![Value::Int(2), Value::Text("new")]),
                (
                    Op::Put,
                    vec![Value::Int(3), Value::Text("a name beyond twenty characters")],
                ),
                (Op::Put, vec![Value::Null, Value::Text("no key")]),
            ],
        );
        now(upsert.write(records)).unwrap();
        assert_eq!(rows(&crm, "lead"), ["1 Eve", "2 new"]);
        assert_eq!(standing(&db, &crm, "1"), Some(Standing::Confirmed));
        assert_eq!(standing(&db, &crm, "2"), Some(Standing::Confirmed));
        assert_eq!(standing(&db, &crm, "3"), Some(Standing::Unconfirmed));
        now(upsert.reject(vec![Rejection::new(9, None, "bad_value", "no number")])).unwrap();
        let report = now(upsert.finish(None)).unwrap();
        let counts = report.counts;
        assert_eq!((counts.updated, counts.created, counts.rejected), (1, 1, 3));
        let codes: Vec<&str> = report
            .rejected
            .iter()
            .map(|rejection| rejection.code.as_str())
            .collect();
        assert_eq!(codes, ["key_missing", "too_long", "bad_value"]);
        assert_eq!(report.rejected[0].fields, ["id"]);
        assert_eq!(crm.rejections(&task()), report.rejected);
        assert_eq!(crm.applied(), 2);
    }

    #[test]
    fn nothing_is_applied_that_the_journal_did_not_take() {
        let (crm, db, old) = sides();
        let request = journalled(WriteMode::Upsert, &["id"], &crm, &db, &old);
        drop(old);
        let _new = claim(&db);
        let mut upsert = writer(&crm, request);
        let error = now(upsert.write(leads(&[(1, "Eve")]))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!((rows(&crm, "lead"), crm.applied()), (vec!["1 Ada".to_owned()], 0));
    }

    #[test]
    fn an_update_whose_answer_is_lost_is_sent_once_more() {
        let (crm, db, claim) = sides();
        crm.lose_answers(1);
        let request = journalled(WriteMode::Update, &["id"], &crm, &db, &claim);
        let counts = send(&crm, request, leads(&[(1, "Eve"), (2, "nobody")]));
        assert_eq!((counts.unchanged, counts.rejected, counts.accounted()), (1, 1, 2));
        assert_eq!((rows(&crm, "lead"), crm.applied()), (vec!["1 Eve".to_owned()], 2));
        assert_eq!(standing(&db, &crm, "1"), Some(Standing::Confirmed));
        assert_eq!(standing(&db, &crm, "2"), Some(Standing::Unconfirmed));
    }

    #[test]
    fn an_update_that_is_never_answered_stays_sent() {
        let (crm, db, claim) = sides();
        crm.lose_answers(2);
        let request = journalled(WriteMode::Update, &["id"], &crm, &db, &claim);
        let counts = send(&crm, request, leads(&[(1, "Eve")]));
        assert_eq!((counts.ambiguous, counts.accounted()), (1, 1));
        assert_eq!(standing(&db, &crm, "1"), Some(Standing::Sent));
    }

    #[test]
    fn an_insert_whose_answer_is_lost_is_not_sent_again() {
        let (crm, db, claim) = sides();
        crm.lose_answers(1);
        let request = journalled(WriteMode::Insert, &[], &crm, &db, &claim);
        let counts = send(&crm, request.clone(), leads(&[(2, "Bob"), (3, "Cyd")]));
        assert_eq!((counts.ambiguous, counts.accounted()), (2, 2));
        assert_eq!((crm.applied(), rows(&crm, "lead").len()), (2, 3));
        assert_eq!(standing(&db, &crm, "2"), Some(Standing::Sent));
        let counts = send(&crm, request, leads(&[(4, "Dan"), (1, "twice")]));
        assert_eq!((counts.created, counts.rejected), (1, 1));
    }

    #[test]
    fn an_insert_is_known_by_its_source_key() {
        let (crm, db, claim) = sides();
        let fields = vec![
            Field::new("uid", DataType::TEXT),
            Field::new("id", DataType::Int64),
        ];
        let wide = Schema::new(fields, ["uid"]).unwrap();
        let records = batch(wide, [(Op::Put, vec![Value::Text("u-7"), Value::Int(7)])]);
        let narrow = Arc::new(schema().select(&["id"]).unwrap());
        let records = records.remap(Arc::clone(&narrow), &[Column::Field(1)]);
        let mut request = journalled(WriteMode::Insert, &[], &crm, &db, &claim);
        request.schema = narrow;
        assert_eq!(send(&crm, request, records).created, 1);
        assert_eq!(standing(&db, &crm, "u-7"), Some(Standing::Confirmed));
        assert_eq!(standing(&db, &crm, "7"), None);
    }

    #[test]
    fn a_key_that_comes_twice_has_its_last_fate() {
        let (crm, db, claim) = sides();
        let request = journalled(WriteMode::Upsert, &["id"], &crm, &db, &claim);
        let records = leads(&[
            (1, "Eve"),
            (1, "a name beyond twenty characters"),
            (2, "x"),
            (2, "y"),
        ]);
        let counts = send(&crm, request, records);
        assert_eq!((counts.created, counts.updated, counts.rejected), (1, 2, 1));
        assert_eq!(standing(&db, &crm, "1"), Some(Standing::Unconfirmed));
        assert_eq!(standing(&db, &crm, "2"), Some(Standing::Confirmed));
        assert_eq!(rows(&crm, "lead"), ["1 Eve", "2 y"]);
    }

    #[test]
    fn a_deleted_record_is_deleted_once() {
        let (crm, _, _) = sides();
        let counts = send(&crm, write(WriteMode::Upsert, &["id"]), deletes(&[1, 9]));
        assert_eq!((counts.deleted, counts.unchanged), (1, 1));
        assert_eq!(rows(&crm, "lead"), [""; 0]);
    }

    #[test]
    fn what_an_earlier_run_left_open_is_closed_before_anything_is_sent() {
        let (crm, db, first) = sides();
        let intent = Intent {
            keys: &[Key::new("1")],
            ticket: Some(&Ticket::new("job 1")),
        };
        now(db.intend(&first.fence, &target(&crm), &intent)).unwrap();
        drop(first);
        let second = claim(&db);
        assert_eq!(second.open.len(), 1);
        drop(writer(
            &crm,
            journalled(WriteMode::Update, &["id"], &crm, &db, &second),
        ));
        assert_eq!(standing(&db, &crm, "1"), Some(Standing::Planned));
        drop(second);
        assert_eq!(claim(&db).open, []);
    }
}
