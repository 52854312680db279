//! A table: rows in slots, each with the number of its last change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::change::{Change, Layout};
use super::row::{Row, lookup_key};
use crate::batch::{Batch, BatchBuilder, Op};
use crate::key::Key;
use crate::schema::{Field, Schema};

/// Rows of one schema.
///
/// A row keeps its slot while it lives, and a slot is never used again: whoever reads by slot and goes on later misses
/// nothing. What is deleted leaves its key behind, with the number of that change.
#[derive(Debug)]
pub(super) struct Table {
    schema: Arc<Schema>,
    pub(super) slots: BTreeMap<u64, Slot>,
    pub(super) by_key: Index,
    next_slot: u64,
}

/// A row, or what is left of one.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) row: Row,
    pub(super) op: Op,
    /// The number of the change that made it what it is.
    pub(super) change: u64,
}

/// Live rows by the values of some fields.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) positions: Vec<usize>,
    rows: HashMap<Key, Found>,
}

/// What an index finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    One(u64),
    Several,
}

impl Index {
    fn new(positions: &[usize]) -> Self {
        Self {
            positions: positions.to_vec(),
            rows: HashMap::new(),
        }
    }

    pub(super) fn find(&self, key: &Key) -> Option<Found> {
        self.rows.get(key).copied()
    }

    /// Keys that stand on several rows.
    pub(super) fn twice(&self) -> usize {
        self.rows
            .values()
            .filter(|found| **found == Found::Several)
            .count()
    }

    pub(super) fn add(&mut self, row: &Row, slot: u64) {
        if let Some(key) = self.key_of(row) {
            let several = |found: &mut Found| *found = Found::Several;
            self.rows
                .entry(key)
                .and_modify(several)
                .or_insert(Found::One(slot));
        }
    }

    pub(super) fn remove(&mut self, row: &Row) {
        if let Some(key) = self.key_of(row) {
            self.rows.remove(&key);
        }
    }

    /// Without fields there is no key, and nothing is found.
    fn key_of(&self, row: &Row) -> Option<Key> {
        let key = lookup_key(row.values(&self.positions));
        key.filter(|_| !self.positions.is_empty())
    }
}

impl Table {
    pub(super) fn new(schema: Arc<Schema>) -> Self {
        Self {
            by_key: Index::new(schema.primary_key()),
            schema,
            slots: BTreeMap::new(),
            next_slot: 0,
        }
    }

    pub(super) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Adds those of `fields` that are not there; the rows there are get null.
    pub(super) fn add_fields(&mut self, fields: impl IntoIterator<Item = Field>) {
        let mut all = self.schema.fields().to_vec();
        let new = fields
            .into_iter()
            .filter(|field| self.schema.field(&field.name).is_none());
        all.extend(new.map(|mut field| {
            field.nullable = true;
            field
        }));
        // A name that stood twice would be the only error, and none does.
        if let Ok(schema) = Schema::new(all, self.schema.primary_key_names()) {
            self.schema = Arc::new(schema);
        }
    }

    /// The rows there are, in the order of their slots.
    pub(super) fn live(&self) -> impl Iterator<Item = (u64, &Slot)> {
        let slots = self.slots.iter().filter(|(_, slot)| slot.op == Op::Put);
        slots.map(|(&number, slot)| (number, slot))
    }

    /// The rows there are.
    pub(super) fn rows(&self) -> Batch {
        let mut builder = BatchBuilder::new(Arc::clone(&self.schema), 0);
        for (_, slot) in self.live() {
            for position in 0..self.schema.fields().len() {
                builder.push(slot.row.value(position));
            }
            builder.end_record(Op::Put);
        }
        builder.finish()
    }

    /// The live rows by the fields at `positions`.
    pub(super) fn index(&self, positions: &[usize]) -> Index {
        self.index_of(positions, |_| true)
    }

    /// Those live rows that `which` says, by the fields at `positions`.
    pub(super) fn index_of(&self, positions: &[usize], which: impl Fn(&Row) -> bool) -> Index {
        let mut index = Index::new(positions);
        for (number, slot) in self.live().filter(|(_, slot)| which(&slot.row)) {
            index.add(&slot.row, number);
        }
        index
    }

    /// The live row with the primary key of `row`.
    pub(super) fn find(&self, row: &Row) -> Option<(u64, &Slot)> {
        match self.by_key.find(&self.by_key.key_of(row)?)? {
            Found::One(number) => self.slots.get(&number).map(|slot| (number, slot)),
            Found::Several => None,
        }
    }

    /// Begins the change numbered `number`.
    pub(super) fn change<'a>(&'a mut self, layout: &'a Layout, number: u64) -> Change<'a> {
        Change::new(self, layout, number)
    }

    pub(super) fn insert(&mut self, row: Row, change: u64) -> u64 {
        let number = self.next_slot;
        self.next_slot += 1;
        self.by_key.add(&row, number);
        let op = Op::Put;
        self.slots.insert(number, Slot { row, op, change });
        number
    }

    /// Puts `row` in the place of another with the same primary key.
    pub(super) fn update(&mut self, number: u64, row: Row, change: u64) {
        let op = Op::Put;
        self.slots.insert(number, Slot { row, op, change });
    }

    /// Removes a row; its key stays, where it has one.
    pub(super) fn remove(&mut self, number: u64, change: u64) {
        let Some(slot) = self.slots.remove(&number) else {
            return;
        };
        self.by_key.remove(&slot.row);
        let key = self.schema.primary_key();
        if key.is_empty() {
            return;
        }
        let values = (0..self.schema.fields().len()).map(|position| {
            if key.contains(&position) {
                slot.row.value(position)
            } else {
                crate::value::Value::Unset
            }
        });
        let row = Row::new(&self.schema, values);
        let op = Op::Delete;
        self.slots.insert(number, Slot { row, op, change });
    }

    /// Becomes what `other` is. Rows that are in both keep their slots, and those that are the same their change.
    pub(super) fn become_like(&mut self, other: &Self, change: u64) {
        let gone: Vec<u64> = self
            .live()
            .filter(|(_, slot)| other.find(&slot.row).is_none())
            .map(|(number, _)| number)
            .collect();
        for number in gone {
            self.remove(number, change);
        }
        let fields = self.schema.fields().len();
        for (_, slot) in other.live() {
            match self
                .find(&slot.row)
                .map(|(number, mine)| (number, mine.row.is_same(&slot.row, fields)))
            {
                Some((_, true)) => {}
                Some((number, false)) => self.update(number, slot.row.clone(), change),
                None => drop(self.insert(slot.row.clone(), change)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DataType;
    use crate::value::Value;

    fn table(rows: &[(i64, &str)]) -> Table {
        let fields = vec![
            Field::new("id", DataType::Int64).not_null(),
            Field::new("name", DataType::TEXT),
        ];
        let mut table = Table::new(Arc::new(Schema::new(fields, ["id"]).unwrap()));
        for &(id, name) in rows {
            let row = Row::new(table.schema(), [Value::Int(id), Value::Text(name)]);
            table.insert(row, 1);
        }
        table
    }

    fn slots(table: &Table) -> Vec<(u64, Op, String, u64)> {
        let text = |slot: &Slot| format!("{} {:?}", slot.row.value(0), slot.row.value(1));
        let slots = table.slots.iter();
        slots
            .map(|(&number, slot)| (number, slot.op, text(slot), slot.change))
            .collect()
    }

    #[test]
    fn a_table_that_becomes_another_keeps_slots_and_what_is_the_same() {
        let mut old = table(&[(1, "same"), (2, "old"), (3, "gone")]);
        let new = table(&[(4, "new"), (2, "changed"), (1, "same")]);
        old.become_like(&new, 9);
        assert_eq!(
            slots(&old),
            [
                (0, Op::Put, "1 Text(\"same\")".to_owned(), 1),
                (1, Op::Put, "2 Text(\"changed\")".to_owned(), 9),
                (2, Op::Delete, "3 Unset".to_owned(), 9),
                (3, Op::Put, "4 Text(\"new\")".to_owned(), 9),
            ]
        );
    }

    #[test]
    fn a_slot_is_never_used_again() {
        let mut table = table(&[(1, "a")]);
        table.remove(0, 2);
        let row = Row::new(table.schema(), [Value::Int(1), Value::Text("b")]);
        assert_eq!(table.insert(row, 3), 1);
        assert_eq!(
            slots(&table),
            [
                (0, Op::Delete, "1 Unset".to_owned(), 2),
                (1, Op::Put, "1 Text(\"b\")".to_owned(), 3),
            ]
        );
    }

    #[test]
    fn a_field_added_later_is_null_in_the_rows_there_are() {
        let mut table = table(&[(1, "a")]);
        table.add_fields([
            Field::new("age", DataType::Int32).not_null(),
            Field::new("name", DataType::Bool),
        ]);
        let rows = table.rows();
        assert_eq!(
            rows.get(0).unwrap().values().collect::<Vec<_>>(),
            [Value::Int(1), Value::Text("a"), Value::Null]
        );
        assert!(table.schema().field("age").unwrap().nullable);
        assert_eq!(table.schema().field("name").unwrap().data_type, DataType::TEXT);
    }
}
