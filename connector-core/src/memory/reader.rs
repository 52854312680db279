//! Reads rows by slot, changes by their number, or records by their keys.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Memory;
use super::connector::table_name;
use super::shape::Shape;
use super::table::{Slot, Table};
use crate::batch::{BatchBuilder, Op};
use crate::connector::Identity;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::source::{Event, ReadRequest, Reader, SyncMode};
use crate::state::State;

/// The format of the states.
const VERSION: u32 = 1;

/// Where a stream was left off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    /// Every row is being read, from this slot on; what has changed since that reading began comes after it.
    Rows { slot: u64, since: u64 },
    /// Every row was read, and every change up to this number: of its own slots up to this one, `None` for all.
    Changes { change: u64, slot: Option<u64> },
}

/// One record to emit.
struct Step {
    slot: Slot,
    /// What the state is once it is emitted.
    after: Position,
}

/// Emits a snapshot that is taken at opening; what changes later is the next read's.
pub(super) struct RowReader {
    identity: Identity,
    stream: String,
    shape: Shape,
    steps: std::vec::IntoIter<Step>,
    /// The position of what was emitted, to be said; taken when it was.
    position: Option<Position>,
    /// The position at the end; `None` where there is no progress to remember.
    end: Option<Position>,
    builder: BatchBuilder,
    batch_bytes: usize,
    ended: bool,
}

impl RowReader {
    /// Takes the snapshot.
    pub(super) fn open(memory: &Memory, request: &ReadRequest) -> Result<Self> {
        let name = table_name(&request.selection)?.as_str();
        let identity = memory.own_identity();
        let system = memory.lock();
        let table = system.table(name)?;
        let shape = Shape::new(table.schema(), &request.fields)?;
        let position = request
            .state
            .as_ref()
            .map(|state| open_state(state, &identity, name, system.change))
            .transpose()?;
        let filter = request.filter.as_ref();
        let filter = filter
            .map(|filter| filter.for_records(table.schema()))
            .transpose()?;
        let (mut steps, end) = match &request.sync {
            SyncMode::FullRefresh => {
                let (slot, since) = match position {
                    Some(Position::Rows { slot, since }) => (slot, since),
                    _ => (0, system.change),
                };
                let end = Position::Changes {
                    change: since,
                    slot: None,
                };
                (every_row(table, slot, since), Some(end))
            }
            // Every change has its place among all of the system's, and none is forgotten: the order is the log.
            SyncMode::Incremental | SyncMode::Changed => {
                // Changes are numbered, whatever a field holds; but it must be one.
                request
                    .cursor
                    .as_ref()
                    .map(|name| table.schema().index_of(name))
                    .transpose()?;
                (
                    increment(table, position, system.change)?,
                    Some(Position::Changes {
                        change: system.change,
                        slot: None,
                    }),
                )
            }
            SyncMode::Keys(keys) => (with_keys(table, keys)?, None),
            SyncMode::Difference(_) => {
                return Err(Error::new(ErrorKind::Bug, "a difference has its own reader"));
            }
        };
        if let Some(filter) = filter {
            // What a record that is gone held is not known any more: that it is gone is told to everybody.
            let passes = |slot: &Slot| filter.keeps_values(|position| slot.row.value(position));
            steps.retain(|step| step.slot.op == Op::Delete || passes(&step.slot));
        }
        Ok(Self {
            identity,
            stream: name.to_owned(),
            builder: BatchBuilder::new(Arc::clone(&shape.wide), 0).with_max_records(request.batch_records),
            shape,
            steps: steps.into_iter(),
            position: None,
            end,
            batch_bytes: request.batch_bytes,
            ended: false,
        })
    }

    /// Records still to be emitted.
    pub(super) fn records(&self) -> usize {
        self.steps.len()
    }

    fn checkpoint(&self, position: Position) -> Result<Event> {
        let state = State::new(self.identity.clone(), self.stream.as_str(), VERSION, &position)?;
        Ok(Event::Checkpoint { state, urgent: false })
    }
}

#[async_trait]
impl Reader for RowReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        if let Some(position) = self.position.take() {
            return self.checkpoint(position).map(Some);
        }
        for step in self.steps.by_ref() {
            self.shape.push(&step.slot, &mut self.builder);
            self.position = self.end.and(Some(step.after));
            if self.builder.is_full(self.batch_bytes) {
                break;
            }
        }
        if self.steps.len() == 0 && !self.ended {
            self.ended = true;
            self.position = self.end;
        }
        if !self.builder.is_empty() {
            return Ok(Some(Event::Records(self.shape.narrow(self.builder.finish()))));
        }
        let position = self.position.take();
        position.map(|position| self.checkpoint(position)).transpose()
    }
}

fn open_state(state: &State, identity: &Identity, stream: &str, now: u64) -> Result<Position> {
    let position: Position = state.open(identity, stream, VERSION)?;
    let (Position::Rows { since: known, .. } | Position::Changes { change: known, .. }) = position;
    if known > now {
        let message = format!("the stored state knows change {known} of a system that has seen {now}");
        return Err(Error::new(ErrorKind::State, message)
            .with_help("the system was made anew since: reset the state of this task"));
    }
    Ok(position)
}

/// The rows from `slot` on, in the order of their slots.
fn every_row(table: &Table, slot: u64, since: u64) -> Vec<Step> {
    let step = |(number, slot): (u64, &Slot)| Step {
        slot: slot.clone(),
        after: Position::Rows {
            slot: number + 1,
            since,
        },
    };
    table
        .live()
        .filter(|&(number, _)| number >= slot)
        .map(step)
        .collect()
}

/// What came and went since `position`; everything where there is none.
fn increment(table: &Table, position: Option<Position>, now: u64) -> Result<Vec<Step>> {
    if table.schema().primary_key().is_empty() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a table without a primary key cannot be read incrementally",
        )
        .with_help("read it in full"));
    }
    let (mut steps, after) = match position {
        None => (every_row(table, 0, now), (now, u64::MAX)),
        Some(Position::Rows { slot, since }) => (every_row(table, slot, since), (since, u64::MAX)),
        Some(Position::Changes { change, slot }) => (Vec::new(), (change, slot.unwrap_or(u64::MAX))),
    };
    // Rows of one change tie: their slots decide, so that a checkpoint among them parts them.
    let mut changes: Vec<(u64, u64, &Slot)> = table
        .slots
        .iter()
        .map(|(&number, slot)| (slot.change, number, slot))
        .filter(|&(change, number, _)| (change, number) > after)
        .collect();
    changes.sort_unstable_by_key(|&(change, number, _)| (change, number));
    steps.extend(changes.into_iter().map(|(change, number, slot)| Step {
        slot: slot.clone(),
        after: Position::Changes {
            change,
            slot: Some(number),
        },
    }));
    Ok(steps)
}

/// The rows called `keys`, in that order, each once.
fn with_keys(table: &Table, keys: &[Key]) -> Result<Vec<Step>> {
    let primary = table.schema().primary_key();
    if primary.is_empty() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a table without a primary key cannot be read by keys",
        )
        .with_help("read it in full"));
    }
    let by_key: HashMap<Key, &Slot> = table
        .live()
        .map(|(_, slot)| (Key::from_values(slot.row.values(primary)), slot))
        .collect();
    let mut seen = HashSet::new();
    let found = keys
        .iter()
        .filter(|key| seen.insert(*key))
        .filter_map(|key| by_key.get(key));
    Ok(found
        .map(|slot| Step {
            slot: (*slot).clone(),
            after: Position::Rows { slot: 0, since: 0 },
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{deletes, leads, next, now, read, read_all, schema, task, texts};
    use super::*;
    use crate::catalog::Selection;
    use crate::schema::{DataType, Field, Schema};
    use crate::source::Source;
    use crate::value::Value;

    fn shop(names: &[(i64, &str)]) -> Memory {
        let memory = Memory::new("shop");
        memory.create("lead", schema());
        memory.put("lead", &leads(names)).unwrap();
        memory
    }

    #[test]
    fn a_batch_holds_what_was_asked_for_and_one_record_more_at_most() {
        let rows: Vec<(i64, String)> = (0..100).map(|id| (id, format!("name {id}"))).collect();
        let rows: Vec<(i64, &str)> = rows.iter().map(|(id, name)| (*id, name.as_str())).collect();
        let memory = shop(&rows);
        let record = leads(&[(99, "name 99")]).byte_len();
        for bytes in [0, 1, 500, 1 << 20] {
            let mut reader = now(memory.reader(read(SyncMode::FullRefresh).with_batch_bytes(bytes))).unwrap();
            let (mut records, mut sequences) = (0, Vec::new());
            while let Some(event) = next(&mut *reader) {
                let Event::Records(batch) = event else {
                    panic!("a batch comes before its checkpoint");
                };
                assert!(batch.byte_len() < bytes + record || batch.len() == 1);
                records += batch.len();
                sequences.extend(batch.records().map(|record| record.sequence()));
                assert!(matches!(
                    next(&mut *reader),
                    Some(Event::Checkpoint { urgent: false, .. })
                ));
            }
            assert_eq!(records, 100);
            assert_eq!(sequences, (0..100).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn a_full_refresh_goes_on_by_slot_and_misses_nothing_that_came_meanwhile() {
        let memory = shop(&[(1, "a"), (2, "b"), (3, "c")]);
        let one = read(SyncMode::FullRefresh).with_batch_bytes(1);
        let first = read_all(&memory, one).unwrap();
        assert_eq!(first.records, ["1 a", "2 b", "3 c"]);
        memory.put("lead", &deletes(&[1])).unwrap();
        memory
            .put("lead", &leads(&[(1, "again"), (3, "changed")]))
            .unwrap();
        let goes_on = read(SyncMode::FullRefresh).with_state(Some(first.states[0].clone()));
        assert_eq!(
            read_all(&memory, goes_on).unwrap().records,
            ["2 b", "3 changed", "1 again"]
        );
        let anew = read(SyncMode::FullRefresh).with_state(first.states.last().cloned());
        assert_eq!(
            read_all(&memory, anew).unwrap().records,
            ["2 b", "3 changed", "1 again"]
        );
    }

    #[test]
    fn what_changes_during_a_read_is_the_next_ones() {
        let memory = shop(&[(1, "a"), (2, "b")]);
        let mut reader = now(memory.reader(read(SyncMode::Incremental).with_batch_bytes(1))).unwrap();
        assert!(matches!(next(&mut *reader), Some(Event::Records(_))));
        memory.put("lead", &leads(&[(2, "late"), (3, "new")])).unwrap();
        let mut last = None;
        let mut records = Vec::new();
        while let Some(event) = next(&mut *reader) {
            match event {
                Event::Records(batch) => records.extend(texts(&batch)),
                Event::Checkpoint { state, .. } => last = Some(state),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(records, ["2 b"]);
        let told = read_all(&memory, read(SyncMode::Incremental).with_state(last)).unwrap();
        assert_eq!(told.records, ["2 late", "3 new"]);
    }

    #[test]
    fn an_incremental_read_tells_changes_and_deletions_once() {
        let memory = shop(&[(1, "a"), (2, "b")]);
        let first = read_all(&memory, read(SyncMode::Incremental)).unwrap();
        assert_eq!(first.records, ["1 a", "2 b"]);
        memory.put("lead", &leads(&[(1, "a"), (2, "changed")])).unwrap();
        memory.put("lead", &deletes(&[1])).unwrap();
        let second = read(SyncMode::Incremental).with_state(first.states.last().cloned());
        let second = read_all(&memory, second).unwrap();
        assert_eq!(second.records, ["2 changed", "-1 -"]);
        let third = read(SyncMode::Incremental).with_state(second.states.last().cloned());
        let third = read_all(&memory, third).unwrap();
        assert_eq!((third.records.len(), third.states.len()), (0, 1));
    }

    #[test]
    fn a_checkpoint_among_changes_of_one_moment_loses_none() {
        let memory = shop(&[(1, "a")]);
        let start = read_all(&memory, read(SyncMode::Incremental)).unwrap();
        memory
            .put("lead", &leads(&[(2, "x"), (3, "y"), (1, "z")]))
            .unwrap();
        let ties = read(SyncMode::Incremental)
            .with_state(start.states.last().cloned())
            .with_batch_bytes(1);
        let ties = read_all(&memory, ties).unwrap();
        assert_eq!(ties.records, ["1 z", "2 x", "3 y"]);
        let rest = |state: usize| {
            let request = read(SyncMode::Incremental).with_state(ties.states.get(state).cloned());
            read_all(&memory, request).unwrap().records
        };
        assert_eq!(
            [rest(0), rest(1), rest(2)],
            [vec!["2 x", "3 y"], vec!["3 y"], vec![]]
        );
    }

    #[test]
    fn a_first_incremental_read_that_was_cut_short_catches_up() {
        let memory = shop(&[(1, "a"), (2, "b"), (3, "c")]);
        let first = read_all(&memory, read(SyncMode::Incremental).with_batch_bytes(1)).unwrap();
        memory.put("lead", &leads(&[(1, "late")])).unwrap();
        let goes_on = read(SyncMode::Incremental).with_state(Some(first.states[1].clone()));
        assert_eq!(read_all(&memory, goes_on).unwrap().records, ["3 c", "1 late"]);
        // A finished full refresh is where an incremental read goes on, too.
        let full = read_all(&memory, read(SyncMode::FullRefresh)).unwrap();
        memory.put("lead", &leads(&[(2, "later")])).unwrap();
        let goes_on = read(SyncMode::Incremental).with_state(full.states.last().cloned());
        assert_eq!(read_all(&memory, goes_on).unwrap().records, ["2 later"]);
    }

    #[test]
    fn an_empty_table_has_a_checkpoint_to_remember() {
        let memory = shop(&[]);
        for sync in [SyncMode::FullRefresh, SyncMode::Incremental] {
            let told = read_all(&memory, read(sync)).unwrap();
            assert_eq!((told.records.len(), told.states.len()), (0, 1));
        }
    }

    #[test]
    fn the_source_key_stays_whatever_is_selected() {
        let memory = shop(&[(7, "a")]);
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mut reader =
            now(memory.reader(read(SyncMode::FullRefresh).with_fields(names(&["name"])))).unwrap();
        let Some(Event::Records(batch)) = next(&mut *reader) else {
            panic!("there is a record");
        };
        let record = batch.get(0).unwrap();
        assert_eq!(record.values().collect::<Vec<_>>(), [Value::Text("a")]);
        assert_eq!(record.source_key(), Some(Key::new("7")));
        let swapped = read(SyncMode::FullRefresh).with_fields(names(&["name", "id"]));
        assert_eq!(read_all(&memory, swapped).unwrap().records, ["a 7"]);
        let error = read_all(&memory, read(SyncMode::FullRefresh).with_fields(names(&["nmae"]))).unwrap_err();
        assert_eq!(
            error.report().to_string(),
            "there is no field `nmae`\nhelp: did you mean `name`?"
        );
    }

    #[test]
    fn records_by_key_come_without_a_checkpoint_and_missing_ones_are_left_out() {
        let memory = shop(&[(1, "a"), (2, "b"), (3, "c")]);
        let keys = ["3", "9", "1", "3"].map(Key::new).to_vec();
        let told = read_all(&memory, read(SyncMode::Keys(keys))).unwrap();
        assert_eq!(told.records, ["3 c", "1 a"]);
        assert!(told.states.is_empty());
    }

    #[test]
    fn a_foreign_newer_or_forward_state_is_refused_before_anything_is_read() {
        let memory = shop(&[(1, "a")]);
        let here = memory.own_identity();
        let position = |change| Position::Changes { change, slot: None };
        let states = [
            State::new(Identity::new("memory", "other"), "lead", 1, &position(0)),
            State::new(here.clone(), "order", 1, &position(0)),
            State::new(here.clone(), "lead", 2, &position(0)),
            State::new(here.clone(), "lead", 1, &"no position"),
            State::new(here, "lead", 1, &position(99)),
        ];
        for state in states {
            let request = read(SyncMode::Incremental).with_state(Some(state.unwrap()));
            let planned = now(memory.plan_read(&request)).unwrap_err();
            assert_eq!(planned.kind(), ErrorKind::State);
            let opened = now(memory.reader(request)).err().map(|error| error.kind());
            assert_eq!(opened, Some(ErrorKind::State));
        }
    }

    #[test]
    fn a_plan_counts_and_a_table_without_a_key_is_read_in_full_only() {
        let memory = shop(&[(1, "a"), (2, "b")]);
        let plan = now(memory.plan_read(&read(SyncMode::FullRefresh))).unwrap();
        assert_eq!(plan.records, Some(2));
        memory.create(
            "log",
            Schema::new(vec![Field::new("line", DataType::TEXT)], []).unwrap(),
        );
        let log = |sync| ReadRequest::new(Selection::stream("log"), task()).with_sync(sync);
        assert!(read_all(&memory, log(SyncMode::FullRefresh)).is_ok());
        for sync in [SyncMode::Incremental, SyncMode::Keys(Vec::new())] {
            assert_eq!(
                read_all(&memory, log(sync)).unwrap_err().kind(),
                ErrorKind::Unsupported
            );
        }
    }
}
