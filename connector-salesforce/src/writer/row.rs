//! A record on its way.

use std::sync::Arc;

use connector_core::{Batch, Key, Op, Record, Rejection, Value};

use super::columns::WriteColumns;
use crate::id::Id;
use crate::types;

/// A record that may be sent: part of a batch that it keeps alive.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    batch: Arc<Batch>,
    index: usize,
    pub(crate) id: Id,
    /// The id as the record spells it: what the journal knows the record by.
    pub(crate) key: Key,
}

impl Row {
    /// The record at `index`, after every check that can be made here.
    pub(crate) fn admit(
        batch: &Arc<Batch>,
        index: usize,
        columns: &WriteColumns,
    ) -> Result<Option<Self>, Rejection> {
        let Some(record) = batch.get(index) else {
            return Ok(None);
        };
        let given = match record.value(columns.id) {
            Value::Text(text) => Some(text),
            _ => None,
        };
        let key = given.map(Key::new).or_else(|| record.source_key());
        let refuse =
            |code: &str, message: String| Rejection::new(record.sequence(), key.clone(), code, message);
        if record.op() == Op::Delete {
            return Err(refuse(
                "deleted_at_source",
                "an update does not delete records".to_owned(),
            ));
        }
        let Some(given) = given else {
            return Err(refuse("missing_id", "the record has no `Id`".to_owned()).with_field("Id"));
        };
        let Some(id) = Id::parse(given) else {
            return Err(refuse(
                "bad_id",
                "`Id` is not an id of 15 or 18 letters and digits".to_owned(),
            )
            .with_field("Id"));
        };
        for column in &columns.fields {
            if let Err(misfit) = types::check(&record.value(column.position), &column.field) {
                return Err(refuse(misfit.code, misfit.message).with_field(column.field.name.as_str()));
            }
        }
        Ok(Some(Self {
            batch: Arc::clone(batch),
            index,
            id,
            key: Key::new(given),
        }))
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

    /// The value for a column.
    pub(crate) fn value(&self, position: usize) -> Value<'_> {
        self.record()
            .map_or(Value::Unset, |record| record.value(position))
    }

    /// Which columns it says something about.
    pub(crate) fn mask(&self, columns: &WriteColumns) -> Vec<bool> {
        columns
            .fields
            .iter()
            .map(|column| !matches!(self.value(column.position), Value::Unset))
            .collect()
    }

    /// Whether Bulk could not carry it: its word for null is one of the texts.
    pub(crate) fn needs_json(&self, columns: &WriteColumns) -> bool {
        columns
            .fields
            .iter()
            .any(|column| matches!(self.value(column.position), Value::Text("#N/A")))
    }
}
