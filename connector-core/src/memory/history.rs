//! Every version of a record as a row of its own, and the fields that a write adds of its own.

use std::collections::HashMap;

use super::change::{Change, Done, Layout};
use super::fit::Refusal;
use super::row::{Row, is_same, lookup_key};
use super::table::Table;
use crate::batch::{Op, Record};
use crate::destination::{Deletes, WriteMode, WriteRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::schema::{DataType, Field, Schema};
use crate::value::{Instant, Value};

/// The fields that a write adds of its own.
pub(super) fn own_fields(request: &WriteRequest) -> Result<Vec<Field>> {
    let fields = match (request.mode, request.deletes) {
        (WriteMode::History, _) => vec![
            Field::new(WriteMode::VALID_FROM, DataType::Instant),
            Field::new(WriteMode::VALID_TO, DataType::Instant),
            Field::new(WriteMode::CURRENT, DataType::Bool),
        ],
        (WriteMode::Insert, _) => Vec::new(),
        (_, Deletes::Soft) => vec![Field::new(Deletes::DELETED_AT, DataType::Instant)],
        _ => Vec::new(),
    };
    match fields
        .iter()
        .find(|field| request.schema.field(&field.name).is_some())
    {
        None => Ok(fields),
        Some(taken) => {
            let message = format!(
                "the write has a field `{}` of its own, and so have its records",
                taken.name
            );
            Err(Error::new(ErrorKind::Schema, message).with_help("give the records' field another name"))
        }
    }
}

/// When the change numbered `number` took place: the clock of a system in memory counts its changes.
pub(super) fn instant_of(number: u64) -> Value<'static> {
    Value::Instant(Instant::from_unix_micros(
        i64::try_from(number).unwrap_or(i64::MAX),
    ))
}

/// Where a history has its own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    from: usize,
    to: usize,
    current: usize,
}

impl Versions {
    pub(super) fn of(schema: &Schema) -> Result<Self> {
        Ok(Self {
            from: schema.index_of(WriteMode::VALID_FROM)?,
            to: schema.index_of(WriteMode::VALID_TO)?,
            current: schema.index_of(WriteMode::CURRENT)?,
        })
    }

    pub(super) fn is_current(self, row: &Row) -> bool {
        row.value(self.current) == Value::Bool(true)
    }

    fn is_own(self, position: usize) -> bool {
        [self.from, self.to, self.current].contains(&position)
    }
}

/// What the records of one commit come to: each key's last word.
pub(super) struct Story<'a> {
    change: Change<'a>,
    layout: &'a Layout,
    versions: Versions,
    number: u64,
    /// The row as the last record of each key has it; `None`: it is gone.
    last: HashMap<Key, Option<Row>>,
}

impl<'a> Story<'a> {
    pub(super) fn new(table: &'a mut Table, layout: &'a Layout, versions: Versions, number: u64) -> Self {
        Self {
            change: table.change(layout, number),
            layout,
            versions,
            number,
            last: HashMap::new(),
        }
    }

    /// Takes a record; true if it makes an earlier one of this commit superfluous.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<bool, Refusal> {
        let before = self.change.find(record)?.and_then(|slot| self.change.row(slot));
        let values = self
            .layout
            .key
            .iter()
            .map(|&position| self.layout.value(record, position));
        let Some(key) = lookup_key(values) else {
            return Ok(false);
        };
        let base = self.last.get(&key).cloned().unwrap_or(before);
        let row = match record.op() {
            Op::Delete => None,
            Op::Put => Some(self.change.build(record, base.as_ref())?),
        };
        Ok(self.last.insert(key, row).is_some())
    }

    /// Ends and begins versions; says what became of each key.
    pub(super) fn end(mut self) -> Vec<Done> {
        let last = std::mem::take(&mut self.last);
        last.into_iter()
            .map(|(key, row)| self.end_one(&key, row))
            .collect()
    }

    fn end_one(&mut self, key: &Key, row: Option<Row>) -> Done {
        let slot = self.change.slot_of(key);
        let old = slot.and_then(|slot| self.change.row(slot));
        let done = match (&old, &row) {
            (None, None) => return Done::Unchanged,
            (Some(old), Some(row)) if self.is_same(old, row) => return Done::Unchanged,
            (Some(_), None) => Done::Deleted,
            (Some(_), Some(_)) => Done::Updated,
            (None, Some(_)) => Done::Created,
        };
        let Versions { from, to, current } = self.versions;
        let now = instant_of(self.number);
        if let (Some(slot), Some(old)) = (slot, old) {
            let ended = old.with(&[(to, now), (current, Value::Bool(false))]);
            self.change.replace(slot, ended);
        }
        if let Some(row) = row {
            let begun = row.with(&[(from, now), (to, Value::Null), (current, Value::Bool(true))]);
            self.change.insert(&begun);
        }
        done
    }

    fn is_same(&self, a: &Row, b: &Row) -> bool {
        let fields = a.fields().len().max(b.fields().len());
        (0..fields)
            .filter(|&position| !self.versions.is_own(position))
            .all(|position| is_same(&a.value(position), &b.value(position)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::super::testing::{batch, deletes, leads, now, rows, schema, write, writer};
    use super::*;
    use crate::batch::Batch;
    use crate::report::Counts;

    fn commit(memory: &Memory, batches: &[Batch]) -> Counts {
        let mut writer = writer(memory, write(WriteMode::History, &["id"]));
        for batch in batches {
            now(writer.write(batch.clone())).unwrap();
        }
        now(writer.finish(None)).unwrap().counts
    }

    #[test]
    fn each_commit_ends_and_begins_at_most_one_version_of_a_key() {
        let memory = Memory::new("db");
        let counts = commit(
            &memory,
            &[leads(&[(1, "Ada"), (2, "Bob"), (1, "Eve"), (1, "Ada")])],
        );
        assert_eq!((counts.created, counts.unchanged), (2, 2));
        let counts = commit(
            &memory,
            &[
                leads(&[(1, "x"), (1, "Ada"), (2, "Bo"), (3, "Cyd")]),
                deletes(&[4]),
            ],
        );
        assert_eq!((counts.created, counts.updated, counts.unchanged), (1, 1, 3));
        let counts = commit(&memory, &[deletes(&[3, 2]), leads(&[(2, "Bob")])]);
        assert_eq!((counts.deleted, counts.updated, counts.unchanged), (1, 1, 1));
        let lasts = rows(&memory, "lead");
        let current: Vec<&String> = lasts.iter().filter(|row| row.ends_with(" null true")).collect();
        assert_eq!(lasts.len(), 5, "{lasts:?}");
        assert_eq!(current.len(), 2, "{lasts:?}");
        assert!(
            current[0].starts_with("1 Ada") && current[1].starts_with("2 Bob"),
            "{lasts:?}"
        );
    }

    #[test]
    fn what_is_unset_is_as_in_the_version_before() {
        let memory = Memory::new("db");
        commit(&memory, &[leads(&[(1, "Ada"), (2, "Bob")])]);
        let unset = |id| (Op::Put, vec![Value::Int(id), Value::Unset]);
        let counts = commit(&memory, &[batch(schema(), [unset(1), unset(3)])]);
        assert_eq!((counts.created, counts.unchanged), (1, 1));
        let counts = commit(&memory, &[deletes(&[1]), batch(schema(), [unset(1)])]);
        assert_eq!((counts.updated, counts.unchanged), (1, 1));
        assert!(
            rows(&memory, "lead")
                .iter()
                .any(|row| row.starts_with("1 null") && row.ends_with("true"))
        );
    }

    #[test]
    fn a_table_without_versions_and_a_field_of_the_same_name_are_refused() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        let request = write(WriteMode::History, &["id"]);
        let error = now(crate::Destination::plan_write(&memory, &request)).unwrap_err();
        assert_eq!(error.message(), "the table keeps no versions by (id)");
        let fields = vec![
            Field::new("id", DataType::Int64),
            Field::new("_current", DataType::Bool),
        ];
        let mut request = write(WriteMode::History, &["id"]);
        request.schema = std::sync::Arc::new(Schema::new(fields, ["id"]).unwrap());
        let error = now(crate::Destination::plan_write(&memory, &request)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
    }
}
