//! One task's rows, rejections and checkpoint, a transaction at a time.

use std::sync::Arc;

use async_trait::async_trait;

use super::change::{Done, Layout};
use super::echo::{Fingerprints, Judgement};
use super::fit::Refusal;
use super::history::Story;
use super::sweep::Sweep;
use super::table::Table;
use super::{Memory, System};
use crate::batch::{Batch, Op, Record};
use crate::destination::{Deletes, WriteMode, WriteRequest, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::report::{CommitReport, Counts, Rejection};
use crate::state::{Fence, State, TaskId};

/// Writes one table of a database.
///
/// Records wait until [`commit`](Writer::commit): fence, rows, rejections and checkpoint are then one step under one
/// lock. An overwrite commits into a shadow that is kept with the system, so that a later run can go on with it, and
/// becomes the table at the end.
pub(super) struct TableWriter {
    memory: Memory,
    /// The table and the task: the name of the shadow.
    place: (String, TaskId),
    layout: Layout,
    fingerprints: Option<Fingerprints>,
    /// Moves with each commit.
    fence: Option<Fence>,
    pending: Vec<Batch>,
    rejected: Vec<Rejection>,
    request: WriteRequest,
}

impl TableWriter {
    /// Makes or widens the table, and begins an overwrite's shadow unless it goes on with one.
    pub(super) fn open(memory: &Memory, request: WriteRequest) -> Result<Self> {
        let mut system = memory.lock();
        let plan = memory.plan_of(&system, &request)?;
        if let Some(fence) = &request.fence {
            system.states.expect(fence)?;
        }
        let fingerprints = Fingerprints::find(&mut system.book, &request, &plan);
        let name = request.stream.as_str().to_owned();
        let fields = plan.schema.fields().iter().cloned();
        let table = system
            .tables
            .entry(name.clone())
            .or_insert_with(|| Table::new(Arc::clone(&plan.schema)));
        table.add_fields(fields.clone());
        let schema = Arc::clone(table.schema());
        let place = (name, request.task.clone());
        if request.mode == WriteMode::Overwrite {
            if !request.resumes {
                system.shadows.remove(&place);
            }
            let shadow = system.shadows.entry(place.clone());
            shadow.or_insert_with(|| Table::new(schema)).add_fields(fields);
        }
        if request.mode == WriteMode::Prune {
            let since = system.change;
            if !request.resumes {
                system.sweeps.insert(place.clone(), Sweep::new(since));
            } else if !system.sweeps.contains_key(&place) {
                let message = format!("what an earlier sweep of `{}` has named is gone", place.0);
                return Err(Error::new(ErrorKind::State, message)
                    .with_help("reset the state of this task, so that the sweep begins anew"));
            }
        }
        drop(system);
        Ok(Self {
            memory: memory.clone(),
            place,
            layout: plan.layout,
            fingerprints,
            fence: request.fence.clone(),
            request,
            pending: Vec::new(),
            rejected: Vec::new(),
        })
    }

    /// Everything that waits, in one step; the last one makes a shadow the table.
    fn commit_now(&mut self, checkpoint: Option<&State>, last: bool) -> Result<CommitReport> {
        let pending = std::mem::take(&mut self.pending);
        let mut tally = Tally::default();
        for rejection in std::mem::take(&mut self.rejected) {
            tally.reject(rejection);
        }
        let mut system = self.memory.lock();
        let (overwrites, prunes) = (
            self.layout.mode == WriteMode::Overwrite,
            self.layout.mode == WriteMode::Prune,
        );
        let is_gone = (overwrites && !system.shadows.contains_key(&self.place))
            || (prunes && !system.sweeps.contains_key(&self.place));
        if is_gone {
            let message = format!("another run has written `{}` for the same task", self.place.0);
            return Err(
                Error::new(ErrorKind::Conflict, message).with_help("run the task again from the start")
            );
        }
        let mut doomed = Ok(Vec::new());
        if prunes {
            if let Some(fence) = &self.fence {
                system.states.expect(fence)?;
            }
            let swept = self.sweep(&system, &pending, &mut tally);
            if last {
                doomed = swept.doomed(system.table(&self.place.0)?, &self.layout, &self.request);
            }
            system.sweeps.insert(self.place.clone(), swept);
        }
        if let Some(fence) = &mut self.fence {
            // Of a sweep that is refused, what was rejected is kept nevertheless: with it the reason.
            system
                .states
                .commit(fence, checkpoint.filter(|_| doomed.is_ok()))?;
        }
        // Nothing fails from here on.
        let number = system.next_change();
        let records = || pending.iter().flat_map(Batch::records);
        if prunes {
            if last {
                system.sweeps.remove(&self.place);
                let doomed = doomed.as_deref().unwrap_or_default();
                self.prune(&mut system, doomed, number, &mut tally);
            }
        } else if self.layout.mode == WriteMode::History {
            self.keep_versions(&mut system, records(), number, &mut tally);
        } else if overwrites {
            self.build(&mut system, records(), &mut tally);
            if last
                && let Some(shadow) = system.shadows.remove(&self.place)
                && let Some(table) = system.tables.get_mut(&self.place.0)
            {
                table.become_like(&shadow, number);
            }
        } else {
            self.merge(&mut system, records(), number, &mut tally);
        }
        system.applied += tally.applied;
        let rejected = system.rejected.entry(self.place.1.clone()).or_default();
        rejected.append(&mut tally.rejected);
        doomed.map(|_| tally.report)
    }

    /// Applies records to the table.
    fn merge<'a>(
        &self,
        system: &mut System,
        records: impl Iterator<Item = Record<'a>>,
        number: u64,
        tally: &mut Tally,
    ) {
        let System { tables, book, .. } = system;
        let Some(table) = tables.get_mut(&self.place.0) else {
            return;
        };
        let mut change = table.change(&self.layout, number);
        for record in records {
            let before = self.fingerprints.as_ref().and_then(|_| change.before(&record));
            let applied = change.apply(&record);
            let mut judgement = Judgement::default();
            if let (Some(fingerprints), Op::Put, Ok((_, Some(slot)))) =
                (&self.fingerprints, record.op(), &applied)
                && let Some(after) = change.row(*slot)
            {
                judgement = fingerprints.judge(book, &record, &self.layout, before.as_ref(), &after);
            }
            tally.report.counts.drifted += u64::from(judgement.drifted);
            match applied {
                Ok((Done::Updated, _)) if judgement.echo => tally.count_echo(),
                Ok((done, _)) => tally.count(done),
                Err(refusal) => tally.refuse(&record, &self.layout, &refusal),
            }
        }
    }

    /// The sweep with the names of the records that wait.
    fn sweep(&self, system: &System, pending: &[Batch], tally: &mut Tally) -> Sweep {
        let known = system.sweeps.get(&self.place);
        let mut sweep = known.cloned().unwrap_or_else(|| Sweep::new(system.change));
        for record in pending.iter().flat_map(Batch::records) {
            if sweep.name(&record, &self.layout) {
                tally.count(Done::Unchanged);
            } else {
                let refusal = Refusal::new("key_missing", "a field of the key has no value");
                tally.refuse(&record, &self.layout, &refusal);
            }
        }
        if tally.report.counts.rejected > 0 {
            sweep.leave_incomplete();
        }
        sweep
    }

    /// Deletes rows that no record has named.
    fn prune(&self, system: &mut System, doomed: &[u64], number: u64, tally: &mut Tally) {
        let Some(table) = system.tables.get_mut(&self.place.0) else {
            return;
        };
        let mut change = table.change(&self.layout, number);
        for slot in doomed {
            change.delete_slot(*slot);
        }
        tally.report.counts.pruned += doomed.len() as u64;
    }

    /// Ends and begins versions.
    fn keep_versions<'a>(
        &self,
        system: &mut System,
        records: impl Iterator<Item = Record<'a>>,
        number: u64,
        tally: &mut Tally,
    ) {
        let (Some(versions), Some(table)) = (self.layout.versions, system.tables.get_mut(&self.place.0))
        else {
            return;
        };
        let mut story = Story::new(table, &self.layout, versions, number);
        for record in records {
            if record.op() == Op::Delete && self.layout.deletes == Deletes::Ignore {
                tally.count(Done::Unchanged);
                continue;
            }
            match story.take(&record) {
                Ok(true) => tally.count(Done::Unchanged),
                Ok(false) => {}
                Err(refusal) => tally.refuse(&record, &self.layout, &refusal),
            }
        }
        for done in story.end() {
            tally.count(done);
        }
    }

    /// Applies records to the shadow; says how they compare with the table as it is.
    fn build<'a>(&self, system: &mut System, records: impl Iterator<Item = Record<'a>>, tally: &mut Tally) {
        let System { tables, shadows, .. } = system;
        let (Some(table), Some(shadow)) = (tables.get(&self.place.0), shadows.get_mut(&self.place)) else {
            return;
        };
        let fields = table.schema().fields().len();
        let mut change = shadow.change(&self.layout, 0);
        for record in records {
            let (done, slot) = match change.apply(&record) {
                Ok(applied) => applied,
                Err(refusal) => {
                    tally.refuse(&record, &self.layout, &refusal);
                    continue;
                }
            };
            let new = slot
                .and_then(|slot| change.row(slot))
                .filter(|_| record.op() == Op::Put);
            tally.count(match new {
                None => done,
                Some(new) => match table.find(&new) {
                    None => Done::Created,
                    Some((_, old)) if old.row.is_same(&new, fields) => Done::Unchanged,
                    Some(_) => Done::Updated,
                },
            });
        }
    }
}

/// What a commit comes to.
#[derive(Default)]
struct Tally {
    report: CommitReport,
    rejected: Vec<Rejection>,
    applied: u64,
}

impl Tally {
    fn reject(&mut self, rejection: Rejection) {
        self.report.reject(rejection.clone());
        self.rejected.push(rejection);
    }

    fn refuse(&mut self, record: &Record<'_>, layout: &Layout, refusal: &Refusal) {
        let key = record.source_key().or_else(|| layout.key_of(record));
        self.reject(refusal.rejection(record.sequence(), key));
    }

    fn count(&mut self, done: Done) {
        self.applied += 1;
        done.count(&mut self.report.counts);
    }

    fn count_echo(&mut self) {
        self.applied += 1;
        self.report.counts.echo += 1;
    }
}

impl Done {
    /// Counts one record.
    pub(super) fn count(self, counts: &mut Counts) {
        match self {
            Self::Created => counts.created += 1,
            Self::Updated => counts.updated += 1,
            Self::Unchanged => counts.unchanged += 1,
            Self::Deleted => counts.deleted += 1,
        }
    }
}

#[async_trait]
impl Writer for TableWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        self.pending.push(self.request.leave_nulls(batch));
        Ok(())
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        self.rejected.extend(rejected);
        Ok(())
    }

    async fn commit(&mut self, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.commit_now(checkpoint, false)
    }

    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.commit_now(checkpoint, true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        batch, claim, deletes, leads, now, read, read_all, rows, schema, task, write, writer,
    };
    use super::*;
    use crate::connector::Identity;
    use crate::schema::{DataType, Field, Schema};
    use crate::source::SyncMode;
    use crate::value::Value;

    fn state(data: i32) -> State {
        State::new(Identity::new("memory", "shop"), "lead", 1, &data).unwrap()
    }

    #[test]
    fn rows_rejections_and_checkpoint_commit_together() {
        let memory = Memory::new("db");
        let held = claim(&memory);
        let mut writer = writer(
            &memory,
            write(WriteMode::Upsert, &["id"]).with_fence(Some(held.fence.clone())),
        );
        now(writer.write(leads(&[
            (1, "Ada"),
            (2, "a name beyond twenty characters"),
            (3, "Cyd"),
        ])))
        .unwrap();
        now(writer.write(deletes(&[3, 4]))).unwrap();
        now(writer.reject(vec![Rejection::new(9, None, "bad_value", "no number")])).unwrap();
        assert_eq!(rows(&memory, "lead"), [""; 0]);
        assert_eq!(memory.rejections(&task()), []);

        let report = now(writer.commit(Some(&state(7)))).unwrap();
        let counts = report.counts;
        assert_eq!(
            (counts.created, counts.deleted, counts.unchanged, counts.rejected),
            (2, 1, 1, 2)
        );
        assert_eq!(counts.accounted(), 6);
        let codes: Vec<&str> = report
            .rejected
            .iter()
            .map(|rejection| rejection.code.as_str())
            .collect();
        assert_eq!(codes, ["bad_value", "too_long"]);
        assert_eq!(memory.rejections(&task()), report.rejected);
        assert_eq!(rows(&memory, "lead"), ["1 Ada"]);
        let last = now(writer.finish(None)).unwrap();
        assert_eq!(last.counts.accounted(), 0);
        drop(held);
        let next = claim(&memory);
        assert_eq!((next.state.clone(), next.fence.commit_no), (Some(state(7)), 2));
    }

    #[test]
    fn an_overtaken_writer_keeps_nothing() {
        let memory = Memory::new("db");
        let old = claim(&memory);
        let request = write(WriteMode::Upsert, &["id"]).with_fence(Some(old.fence.clone()));
        let mut overtaken = writer(&memory, request.clone());
        now(overtaken.write(leads(&[(1, "Ada")]))).unwrap();
        drop(old);
        let new = claim(&memory);
        let error = now(overtaken.commit(Some(&state(1)))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().ends_with("nothing of this commit was kept") && error.help().is_some());
        assert_eq!(rows(&memory, "lead"), [""; 0]);
        assert!(now(crate::Destination::writer(&memory, request)).is_err());

        // Of two writers under one fence, the second has missed the commit of the first.
        let request = write(WriteMode::Upsert, &["id"]).with_fence(Some(new.fence.clone()));
        let (mut one, mut other) = (writer(&memory, request.clone()), writer(&memory, request));
        now(one.write(leads(&[(2, "Bob")]))).unwrap();
        now(other.write(leads(&[(3, "Cyd")]))).unwrap();
        now(one.commit(Some(&state(2)))).unwrap();
        assert_eq!(
            now(other.commit(Some(&state(3)))).unwrap_err().kind(),
            ErrorKind::Conflict
        );
        assert_eq!(rows(&memory, "lead"), ["2 Bob"]);
        drop(new);
        assert_eq!(claim(&memory).state, Some(state(2)));
    }

    #[test]
    fn a_dropped_writer_abandons_what_was_not_committed() {
        let memory = Memory::new("db");
        let mut dropped = writer(&memory, write(WriteMode::Insert, &[]));
        now(dropped.write(leads(&[(1, "Ada")]))).unwrap();
        now(dropped.commit(None)).unwrap();
        now(dropped.write(leads(&[(2, "Bob")]))).unwrap();
        drop(dropped);
        assert_eq!(rows(&memory, "lead"), ["1 Ada"]);
    }

    #[test]
    fn the_last_record_of_a_key_wins_and_each_is_counted() {
        let memory = Memory::new("db");
        let mut upsert = writer(&memory, write(WriteMode::Upsert, &["id"]));
        now(upsert.write(leads(&[(1, "a"), (1, "b"), (2, "x"), (1, "c"), (1, "c")]))).unwrap();
        let counts = now(upsert.commit(None)).unwrap().counts;
        assert_eq!((counts.created, counts.updated, counts.unchanged), (2, 2, 1));
        assert_eq!(rows(&memory, "lead"), ["1 c", "2 x"]);
    }

    #[test]
    fn a_row_found_equal_is_no_change_to_a_reader() {
        let memory = Memory::new("db");
        let mut upsert = writer(&memory, write(WriteMode::Upsert, &["id"]));
        now(upsert.write(leads(&[(1, "a"), (2, "b")]))).unwrap();
        now(upsert.commit(None)).unwrap();
        let seen = read_all(&memory, read(SyncMode::Incremental))
            .unwrap()
            .states
            .pop();
        now(upsert.write(leads(&[(1, "a"), (2, "c")]))).unwrap();
        let counts = now(upsert.commit(None)).unwrap().counts;
        assert_eq!((counts.unchanged, counts.updated), (1, 1));
        let told = read_all(&memory, read(SyncMode::Incremental).with_state(seen)).unwrap();
        assert_eq!(told.records, ["2 c"]);
    }

    #[test]
    fn a_table_gets_new_fields_and_loses_none() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        memory.put("lead", &leads(&[(1, "Ada")])).unwrap();
        let fields = vec![
            Field::new("id", DataType::Int64),
            Field::new("age", DataType::Int16),
        ];
        let narrow = Schema::new(fields, ["id"]).unwrap();
        let mut request = write(WriteMode::Upsert, &["id"]);
        request.schema = Arc::new(narrow.clone());
        let mut upsert = writer(&memory, request);
        assert_eq!(rows(&memory, "lead"), ["1 Ada null"]);
        let records = [1, 2].map(|id| (Op::Put, vec![Value::Int(id), Value::Int(40 + id)]));
        now(upsert.write(batch(narrow, records))).unwrap();
        now(upsert.commit(None)).unwrap();
        assert_eq!(rows(&memory, "lead"), ["1 Ada 41", "2 null 42"]);
    }

    #[test]
    fn an_overwrite_shows_at_the_end_and_leaves_word_of_what_is_gone() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        memory
            .put("lead", &leads(&[(1, "same"), (2, "old"), (3, "gone")]))
            .unwrap();
        let seen = read_all(&memory, read(SyncMode::Incremental))
            .unwrap()
            .states
            .pop();
        let mut overwrite = writer(&memory, write(WriteMode::Overwrite, &["id"]));
        now(overwrite.write(leads(&[(1, "same"), (2, "new")]))).unwrap();
        let first = now(overwrite.commit(None)).unwrap().counts;
        assert_eq!((first.unchanged, first.updated), (1, 1));
        assert_eq!(rows(&memory, "lead"), ["1 same", "2 old", "3 gone"]);
        now(overwrite.write(leads(&[(4, "more"), (4, "most")]))).unwrap();
        let last = now(overwrite.finish(None)).unwrap().counts;
        assert_eq!((last.created, last.accounted()), (2, 2));
        assert_eq!(rows(&memory, "lead"), ["1 same", "2 new", "4 most"]);
        let told = read_all(&memory, read(SyncMode::Incremental).with_state(seen)).unwrap();
        assert_eq!(told.records, ["2 new", "-3 -", "4 most"]);
    }

    #[test]
    fn an_overwrite_cut_short_leaves_the_table_and_can_go_on_or_begin_anew() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        memory.put("lead", &leads(&[(1, "old")])).unwrap();
        let part = |resumes: bool, id: i64| {
            let request = write(WriteMode::Overwrite, &["id"]).with_resumes(resumes);
            let mut overwrite = writer(&memory, request);
            now(overwrite.write(leads(&[(id, "new")]))).unwrap();
            now(overwrite.commit(None)).unwrap();
            overwrite
        };
        drop(part(false, 2));
        drop(part(true, 3));
        assert_eq!(rows(&memory, "lead"), ["1 old"]);
        now(part(true, 4).finish(None)).unwrap();
        assert_eq!(rows(&memory, "lead"), ["2 new", "3 new", "4 new"]);
        drop(part(false, 5));
        now(part(false, 6).finish(None)).unwrap();
        assert_eq!(rows(&memory, "lead"), ["6 new"]);
    }

    #[test]
    fn an_overwrite_writes_rows_whole_and_of_nothing_leaves_nothing() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        memory.put("lead", &leads(&[(1, "Ada")])).unwrap();
        let mut overwrite = writer(&memory, write(WriteMode::Overwrite, &["id"]));
        now(overwrite.write(batch(schema(), [(Op::Put, vec![Value::Int(1), Value::Unset])]))).unwrap();
        now(overwrite.finish(None)).unwrap();
        assert_eq!(rows(&memory, "lead"), ["1 null"]);
        now(writer(&memory, write(WriteMode::Overwrite, &["id"])).finish(None)).unwrap();
        assert_eq!(rows(&memory, "lead"), [""; 0]);
    }
}
