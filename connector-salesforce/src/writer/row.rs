//! A record on its way.

use std::sync::Arc;

use connector_core::{Batch, Deletes, Fate, Key, Nulls, Op, Outcome, Record, Rejection, Value};

use super::columns::{KeyColumn, WriteColumn, WriteColumns, clears};
use super::operation::Operation;
use super::picklist;
use crate::id::Id;
use crate::types;

/// A record that may be sent: part of a batch that it keeps alive.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    batch: Arc<Batch>,
    index: usize,
    /// What it does.
    pub(crate) operation: Operation,
    /// What the journal knows the record by, as the record spells it; empty for a new record without any key, which
    /// no journal knows.
    pub(crate) key: Key,
    /// Its id, where records are found by it or once it was looked up.
    pub(crate) id: Option<Id>,
}

/// A record seen for the first time.
#[derive(Debug)]
pub(crate) enum Admitted {
    /// It is to be sent.
    Row(Row),
    /// Nothing is to be done: a delete that the write ignores.
    Ignored,
}

impl Row {
    /// The record at `index`, after every check that can be made here.
    pub(crate) fn admit(
        batch: &Arc<Batch>,
        index: usize,
        columns: &WriteColumns,
    ) -> Result<Option<Admitted>, Rejection> {
        let Some(record) = batch.get(index) else {
            return Ok(None);
        };
        let operation = match (columns.operation, record.op(), columns.deletes) {
            (Operation::Insert, Op::Delete, Deletes::Hard | Deletes::Soft) => {
                let message = "an insert deletes nothing";
                return Err(Rejection::new(
                    record.sequence(),
                    record.source_key(),
                    "deleted_at_source",
                    message,
                ));
            }
            (Operation::Delete, _, _) => Operation::Delete,
            (_, Op::Delete, Deletes::Ignore) => return Ok(Some(Admitted::Ignored)),
            (_, Op::Delete, _) => Operation::Delete,
            (operation, Op::Put, _) => operation,
        };
        let (key, id) = match &columns.key {
            Some(column) => found_by(&record, column)?,
            None => (record.source_key().unwrap_or_else(|| Key::new("")), None),
        };
        let row = Self {
            batch: Arc::clone(batch),
            index,
            operation,
            key,
            id,
        };
        if operation != Operation::Delete {
            row.check(columns)?;
        }
        Ok(Some(Admitted::Row(row)))
    }

    /// Checks every value against the field it is for.
    fn check(&self, columns: &WriteColumns) -> Result<(), Rejection> {
        let refuse = |code: &str, message: String, column: &WriteColumn| {
            Err(self.refuse(code, message).with_field(column.name()))
        };
        for column in &columns.fields {
            let value = self.value(column);
            if clears(&value) && !column.field.nillable && column.parent.is_none() {
                let message = format!("`{}` cannot be empty", column.field.name);
                return refuse("must_not_be_empty", message, column);
            }
            if let Err(misfit) = types::check(&value, &column.field) {
                return refuse(misfit.code, misfit.message, column);
            }
            if let (Value::Text(text), Some(allowed)) = (&value, &column.values)
                && !text.is_empty()
                && let Err(misfit) = picklist::check(text, allowed, &column.field)
            {
                return refuse(misfit.code, misfit.message, column);
            }
        }
        if self.operation == Operation::Insert {
            let required = columns
                .required
                .iter()
                .filter_map(|place| columns.fields.get(*place));
            for column in required {
                if matches!(self.value(column), Value::Unset) {
                    let message = format!("a new record must have `{}`", column.name());
                    return refuse("must_not_be_empty", message, column);
                }
            }
        }
        Ok(())
    }

    /// This record's fate.
    pub(crate) fn fate(&self, outcome: Outcome) -> Fate {
        Fate {
            key: self.key.clone(),
            outcome,
        }
    }

    /// A rejection of this record.
    pub(crate) fn refuse(&self, code: &str, message: impl Into<String>) -> Rejection {
        let key = Some(self.key.clone()).filter(|key| !key.as_str().is_empty());
        Rejection::new(self.sequence(), key, code, message)
    }

    /// The record.
    pub(crate) fn record(&self) -> Option<Record<'_>> {
        self.batch.get(self.index)
    }

    /// About how many bytes it takes: its share of its batch.
    pub(crate) fn byte_len(&self) -> usize {
        self.batch.byte_len() / self.batch.len().max(1)
    }

    /// The record's number within its run.
    pub(crate) fn sequence(&self) -> u64 {
        self.record().map_or(0, |record| record.sequence())
    }

    /// What is to be written for a column: unset where the field is to be left alone.
    pub(crate) fn value(&self, column: &WriteColumn) -> Value<'_> {
        let value = self
            .record()
            .map_or(Value::Unset, |record| record.value(column.position));
        if column.nulls == Nulls::Leave && clears(&value) {
            return Value::Unset;
        }
        value
    }

    /// The value that it is found by, as it is sent.
    pub(crate) fn key_value(&self, column: &KeyColumn) -> Value<'_> {
        self.record()
            .map_or(Value::Unset, |record| record.value(column.position))
    }

    /// Which columns it says something about; none in a delete.
    pub(crate) fn mask(&self, columns: &WriteColumns) -> Vec<bool> {
        columns
            .fields
            .iter()
            .map(|column| self.operation != Operation::Delete && !matches!(self.value(column), Value::Unset))
            .collect()
    }

    /// Whether Bulk could not carry it: its word for null is one of the texts.
    pub(crate) fn needs_json(&self, columns: &WriteColumns) -> bool {
        let is_null_word = |value: Value<'_>| matches!(value, Value::Text("#N/A"));
        let key = columns.key.as_ref().map(|key| self.key_value(key));
        key.is_some_and(is_null_word)
            || self.operation != Operation::Delete
                && columns
                    .fields
                    .iter()
                    .any(|column| is_null_word(self.value(column)))
    }
}

/// What a record is found by: its key as it spells it, and its id if that is the key.
fn found_by(record: &Record<'_>, column: &KeyColumn) -> Result<(Key, Option<Id>), Rejection> {
    let name = column.field.name.as_str();
    let value = record.value(column.position);
    let key = (value.is_present() && !clears(&value)).then(|| Key::from_values([value]));
    let refuse = |code: &str, message: String| {
        let key = key.clone().or_else(|| record.source_key());
        Err(Rejection::new(record.sequence(), key, code, message).with_field(name))
    };
    let Some(known) = key.clone() else {
        return refuse(
            "missing_key",
            format!("the record has no `{name}`, which finds it"),
        );
    };
    if !column.is_id() {
        return match types::check(&value, &column.field) {
            Ok(()) => Ok((known, None)),
            Err(misfit) => refuse(misfit.code, misfit.message),
        };
    }
    match Id::parse(known.as_str()) {
        Some(id) => Ok((known, Some(id))),
        None => refuse(
            "bad_id",
            "`Id` is not an id of 15 or 18 letters and digits".to_owned(),
        ),
    }
}
