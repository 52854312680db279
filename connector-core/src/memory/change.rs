//! Records applied to a table, all under one change number.

use super::fit::{Refusal, fit};
use super::history::{Versions, instant_of};
use super::row::{Row, lookup_key};
use super::table::{Found, Index, Table};
use crate::batch::{Op, Record};
use crate::destination::{Deletes, WriteMode};
use crate::key::Key;
use crate::schema::{Field, Schema};
use crate::value::Value;

/// Where each field of a write goes, by positions of the table.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) mode: WriteMode,
    /// The record's field behind each of the table's.
    pub(super) from: Vec<Option<usize>>,
    /// The fields that find the row; none: every record is a new row.
    pub(super) key: Vec<usize>,
    /// The fields that existing rows keep.
    pub(super) keep: Vec<usize>,
    pub(super) deletes: Deletes,
    /// The field that marks a row as deleted, where that is what deletes do.
    pub(super) deleted_at: Option<usize>,
    /// The fields of a history's own.
    pub(super) versions: Option<Versions>,
}

impl Layout {
    /// A write of records of shape `given` into a table of shape `table`.
    pub(super) fn new(
        mode: WriteMode,
        given: &Schema,
        table: &Schema,
        key: Vec<usize>,
        keep: Vec<usize>,
    ) -> Self {
        let from = |field: &Field| given.fields().iter().position(|other| other.name == field.name);
        Self {
            mode,
            from: table.fields().iter().map(from).collect(),
            key,
            keep,
            deletes: Deletes::Hard,
            deleted_at: None,
            versions: None,
        }
    }

    /// What a record says about the table's field at `position`.
    pub(super) fn value<'a>(&self, record: &Record<'a>, position: usize) -> Value<'a> {
        let from = self.from.get(position).copied().flatten();
        from.map_or(Value::Unset, |from| record.value(from))
    }

    /// The key of a record in this write, as another system knows it.
    pub(super) fn key_of(&self, record: &Record<'_>) -> Option<Key> {
        let values = || self.key.iter().map(|&position| self.value(record, position));
        (!self.key.is_empty() && values().all(|value| value.is_present())).then(|| Key::from_values(values()))
    }
}

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Created,
    Updated,
    Unchanged,
    Deleted,
}

/// A change under way.
pub(super) struct Change<'a> {
    table: &'a mut Table,
    layout: &'a Layout,
    /// The rows by the layout's key, where that is not the table's own.
    index: Option<Index>,
    number: u64,
}

impl<'a> Change<'a> {
    pub(super) fn new(table: &'a mut Table, layout: &'a Layout, number: u64) -> Self {
        let own = layout.key == table.by_key.positions;
        let index = match layout.versions {
            Some(versions) => Some(table.index_of(&layout.key, |row| versions.is_current(row))),
            None => (!own).then(|| table.index(&layout.key)),
        };
        Self {
            index,
            table,
            layout,
            number,
        }
    }

    /// The row in a slot.
    pub(super) fn row(&self, slot: u64) -> Option<Row> {
        self.table.slots.get(&slot).map(|slot| slot.row.clone())
    }

    /// The row that `record` is about, as it is now.
    pub(super) fn before(&self, record: &Record<'_>) -> Option<Row> {
        let slot = self.find(record).ok().flatten()?;
        self.row(slot)
    }

    /// Applies one record; says what became of it, and in which slot.
    pub(super) fn apply(&mut self, record: &Record<'_>) -> Result<(Done, Option<u64>), Refusal> {
        if record.op() == Op::Delete && self.layout.deletes == Deletes::Ignore {
            return Ok((Done::Unchanged, None));
        }
        if record.op() == Op::Delete || self.layout.mode == WriteMode::Delete {
            return self.delete(record);
        }
        let found = self.find(record)?;
        match (self.layout.mode, found) {
            (WriteMode::Insert, Some(_)) => Err(duplicate()),
            (WriteMode::Update, None) => Err(Refusal::new("not_found", "there is no record with this key")),
            (_, Some(slot)) => self.update(record, slot),
            (_, None) => {
                let row = self.build(record, None)?;
                self.check_key(&row)?;
                let slot = self.insert(&row);
                Ok((Done::Created, Some(slot)))
            }
        }
    }

    fn delete(&mut self, record: &Record<'_>) -> Result<(Done, Option<u64>), Refusal> {
        if self.layout.mode == WriteMode::Insert {
            return Err(Refusal::new(
                "delete_refused",
                "a write in the mode insert deletes nothing",
            ));
        }
        let Some(slot) = self.find(record)? else {
            return Ok((Done::Unchanged, None));
        };
        Ok((self.delete_slot(slot), Some(slot)))
    }

    /// Deletes the row in a slot, or marks it as deleted.
    pub(super) fn delete_slot(&mut self, slot: u64) -> Done {
        match (self.layout.deleted_at, self.row(slot)) {
            (Some(position), Some(row)) if row.value(position).is_present() => return Done::Unchanged,
            (Some(position), Some(row)) => {
                // A row may be older than the field.
                let row = self.widened(&row).with(&[(position, instant_of(self.number))]);
                self.table.update(slot, row, self.number);
            }
            _ => self.remove(slot),
        }
        Done::Deleted
    }

    /// The row with all fields that the table has by now.
    fn widened(&self, row: &Row) -> Row {
        let fields = 0..self.table.schema().fields().len();
        Row::new(self.table.schema(), fields.map(|position| row.value(position)))
    }

    fn update(&mut self, record: &Record<'_>, slot: u64) -> Result<(Done, Option<u64>), Refusal> {
        let Some(old) = self.row(slot) else {
            return Err(Refusal::new("not_found", "there is no record with this key"));
        };
        // An overwrite writes rows whole, over its own as well.
        let base = (self.layout.mode != WriteMode::Overwrite).then_some(&old);
        let row = self.build(record, base)?;
        if row.is_same(&old, self.table.schema().fields().len()) {
            return Ok((Done::Unchanged, Some(slot)));
        }
        let primary = |row: &Row| lookup_key(row.values(&self.table.by_key.positions));
        if primary(&row) == primary(&old) {
            self.table.update(slot, row, self.number);
            return Ok((Done::Updated, Some(slot)));
        }
        // Under another key it is another row to whoever reads changes.
        self.check_key(&row)?;
        self.remove(slot);
        let slot = self.insert(&row);
        Ok((Done::Updated, Some(slot)))
    }

    /// The slot of the row that a record is about.
    pub(super) fn find(&self, record: &Record<'_>) -> Result<Option<u64>, Refusal> {
        let key = &self.layout.key;
        if key.is_empty() {
            return Ok(None);
        }
        let values = key.iter().map(|&position| self.layout.value(record, position));
        let Some(wanted) = lookup_key(values) else {
            let missing = |position: &&usize| !self.layout.value(record, **position).is_present();
            return Err(self.key_missing(key.iter().find(missing)));
        };
        match self.index.as_ref().unwrap_or(&self.table.by_key).find(&wanted) {
            None => Ok(None),
            Some(Found::One(slot)) => Ok(Some(slot)),
            Some(Found::Several) => Err(Refusal::new(
                "key_not_unique",
                "several records have this key: which of them is meant is not said",
            )),
        }
    }

    /// The slot of the row with a key, if it is one.
    pub(super) fn slot_of(&self, key: &Key) -> Option<u64> {
        match self.index.as_ref().unwrap_or(&self.table.by_key).find(key)? {
            Found::One(slot) => Some(slot),
            Found::Several => None,
        }
    }

    /// The row as it will be: what is not said stays as it is in `old`, or is null in a new row.
    pub(super) fn build(&self, record: &Record<'_>, old: Option<&Row>) -> Result<Row, Refusal> {
        let schema = self.table.schema();
        let mut values = Vec::with_capacity(schema.fields().len());
        for (position, field) in schema.fields().iter().enumerate() {
            let said = self.layout.value(record, position);
            let value = match old {
                // It is there again.
                _ if self.layout.deleted_at == Some(position) => Value::Null,
                Some(old) if said == Value::Unset || self.layout.keep.contains(&position) => {
                    old.value(position)
                }
                Some(_) => fit(field, said)?,
                None if field.access.required && !said.is_present() => {
                    return Err(Refusal::of(
                        field,
                        "required",
                        "a new record must have a value for the field",
                    ));
                }
                None if said == Value::Unset => fit(field, Value::Null)?,
                None => fit(field, said)?,
            };
            values.push(value);
        }
        Ok(Row::new(schema, values))
    }

    /// Whether `row` has a primary key that no other has.
    fn check_key(&self, row: &Row) -> Result<(), Refusal> {
        let positions = &self.table.by_key.positions;
        if let Some(missing) = positions
            .iter()
            .find(|&&position| !row.value(position).is_present())
        {
            return Err(self.key_missing(Some(missing)));
        }
        match self.table.find(row) {
            Some(_) => Err(duplicate()),
            None => Ok(()),
        }
    }

    fn key_missing(&self, position: Option<&usize>) -> Refusal {
        let (code, message) = ("key_missing", "a field of the key has no value");
        let field = position.and_then(|&position| self.table.schema().fields().get(position));
        field.map_or(Refusal::new(code, message), |field| {
            Refusal::of(field, code, message)
        })
    }

    /// Puts another row in a slot; a history finds it no more.
    pub(super) fn replace(&mut self, slot: u64, row: Row) {
        if let (Some(old), Some(index)) = (self.row(slot), &mut self.index) {
            index.remove(&old);
        }
        self.table.update(slot, row, self.number);
    }

    pub(super) fn insert(&mut self, row: &Row) -> u64 {
        let slot = self.table.insert(row.clone(), self.number);
        if let Some(index) = &mut self.index {
            index.add(row, slot);
        }
        slot
    }

    fn remove(&mut self, slot: u64) {
        if let (Some(row), Some(index)) = (self.row(slot), &mut self.index) {
            index.remove(&row);
        }
        self.table.remove(slot, self.number);
    }
}

fn duplicate() -> Refusal {
    Refusal::new("duplicate", "there is a record with this primary key already")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::{Batch, BatchBuilder};
    use crate::schema::{Access, DataType};

    fn schema() -> Arc<Schema> {
        let fields = vec![
            Field::new("id", DataType::Int64).not_null(),
            Field::new("email", DataType::TEXT),
            Field::new("name", DataType::Text { max_chars: Some(5) })
                .with_access(Access::ALL.with_required(true)),
        ];
        Arc::new(Schema::new(fields, ["id"]).unwrap())
    }

    fn batch<'a>(records: impl IntoIterator<Item = [Value<'a>; 3]>) -> Batch {
        let mut builder = BatchBuilder::new(schema(), 0);
        for record in records {
            record.into_iter().for_each(|value| builder.push(value));
            builder.end_record(Op::Put);
        }
        builder.finish()
    }

    fn layout(mode: WriteMode, key: &[usize], keep: &[usize]) -> Layout {
        Layout {
            mode,
            from: vec![Some(0), Some(1), Some(2)],
            key: key.to_vec(),
            keep: keep.to_vec(),
            deletes: Deletes::Hard,
            deleted_at: None,
            versions: None,
        }
    }

    fn apply(table: &mut Table, layout: &Layout, batch: &Batch) -> Vec<String> {
        let mut change = table.change(layout, 2);
        let said = |result: Result<(Done, Option<u64>), Refusal>| match result {
            Ok((done, _)) => format!("{done:?}"),
            Err(refusal) => format!("{} {}", refusal.code, refusal.field.unwrap_or_default()),
        };
        batch
            .records()
            .map(|record| said(change.apply(&record)))
            .collect()
    }

    fn table() -> Table {
        let mut table = Table::new(schema());
        let rows = batch([
            [Value::Int(1), Value::Text("a@x"), Value::Text("Ada")],
            [Value::Int(2), Value::Text("b@x"), Value::Text("Bob")],
        ]);
        assert_eq!(
            apply(&mut table, &layout(WriteMode::Insert, &[0], &[]), &rows),
            ["Created", "Created"]
        );
        table
    }

    fn rows(table: &Table) -> Vec<String> {
        let text = |values: Vec<String>| values.join(" ");
        let rows = table.rows();
        rows.records()
            .map(|record| text(record.values().map(|value| value.to_string()).collect()))
            .collect()
    }

    #[test]
    fn an_upsert_leaves_alone_what_is_unset_or_kept() {
        let mut table = table();
        let records = batch([
            [Value::Int(1), Value::Unset, Value::Text("Eve")],
            [Value::Int(2), Value::Null, Value::Text("kept")],
            [Value::Int(2), Value::Null, Value::Unset],
            [Value::Int(3), Value::Unset, Value::Text("new")],
        ]);
        assert_eq!(
            apply(&mut table, &layout(WriteMode::Upsert, &[0], &[2]), &records),
            ["Unchanged", "Updated", "Unchanged", "Created"]
        );
        assert_eq!(rows(&table), ["1 a@x Ada", "2 null Bob", "3 null new"]);
    }

    #[test]
    fn a_record_is_refused_alone() {
        let mut table = table();
        let records = batch([
            [Value::Int(1), Value::Null, Value::Text("twice")],
            [Value::Null, Value::Null, Value::Text("none")],
            [Value::Int(4), Value::Null, Value::Text("too long")],
            [Value::Int(4), Value::Int(4), Value::Text("type")],
            [Value::Int(4), Value::Null, Value::Null],
            [Value::Int(4), Value::Null, Value::Text("lands")],
        ]);
        assert_eq!(
            apply(&mut table, &layout(WriteMode::Insert, &[0], &[]), &records),
            [
                "duplicate ",
                "key_missing id",
                "too_long name",
                "wrong_type email",
                "required name",
                "Created"
            ]
        );
        assert_eq!(rows(&table), ["1 a@x Ada", "2 b@x Bob", "4 null lands"]);
    }

    #[test]
    fn an_update_by_another_key_moves_the_row_and_leaves_its_old_key_as_gone() {
        let mut table = table();
        let records = batch([
            [Value::Int(7), Value::Text("b@x"), Value::Unset],
            [Value::Int(1), Value::Text("b@x"), Value::Unset],
            [Value::Int(9), Value::Text("c@x"), Value::Text("Cyd")],
        ]);
        assert_eq!(
            apply(&mut table, &layout(WriteMode::Update, &[1], &[]), &records),
            ["Updated", "duplicate ", "not_found "]
        );
        assert_eq!(rows(&table), ["1 a@x Ada", "7 b@x Bob"]);
        let gone: Vec<String> = table
            .slots
            .values()
            .filter(|slot| slot.op == Op::Delete)
            .map(|slot| slot.row.value(0).to_string())
            .collect();
        assert_eq!(gone, ["2"]);
    }

    #[test]
    fn a_key_that_stands_on_several_rows_finds_none_of_them() {
        let mut table = table();
        let records = batch([[Value::Int(3), Value::Text("a@x"), Value::Text("Ann")]]);
        apply(&mut table, &layout(WriteMode::Insert, &[0], &[]), &records);
        assert_eq!(
            apply(&mut table, &layout(WriteMode::Upsert, &[1], &[]), &records),
            ["key_not_unique "]
        );
    }
}
