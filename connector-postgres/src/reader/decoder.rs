//! Rows into batches, by the columns' types.

use connector_core::{BatchBuilder, Event, Key, Op, Rejection, Result, Value};
use tokio_postgres::Row;

use crate::catalog::ColumnInfo;
use crate::copy::{Raw, decode};
use crate::error::failed;

/// Rejections that are emitted at once.
const MOST_REJECTED: usize = 1_000;

/// Rows into batches, by the columns' types.
pub(crate) struct RowDecoder {
    columns: Vec<ColumnInfo>,
    pub(crate) builder: BatchBuilder,
    scratch: String,
    rejected: Vec<Rejection>,
}

impl RowDecoder {
    pub(crate) fn new(columns: Vec<ColumnInfo>, builder: BatchBuilder) -> Self {
        Self {
            columns,
            builder,
            scratch: String::new(),
            rejected: Vec::new(),
        }
    }

    /// How many cells of a row it takes.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Whether what has come together makes a batch of so many bytes.
    pub(crate) fn is_full(&self, batch_bytes: usize) -> bool {
        self.builder.is_full(batch_bytes) || self.rejected.len() >= MOST_REJECTED
    }

    /// Takes the row's cells from position `first` on.
    pub(crate) fn push(&mut self, row: &Row, first: usize) -> Result<()> {
        let cells = (first..first + self.columns.len())
            .map(|position| row.try_get(position).map(|raw: Raw<'_>| raw.0))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed("read a cell", error))?;
        self.push_cells(cells.iter().copied());
        Ok(())
    }

    /// Takes a row by its cells as they came, of which there are as many as columns.
    pub(crate) fn push_cells<'a>(&mut self, cells: impl Iterator<Item = Option<&'a [u8]>> + Clone) {
        self.push_record(Op::Put, cells.map(Some));
    }

    /// Takes a record by its cells, each as it came or not said at all.
    pub(crate) fn push_record<'a>(
        &mut self,
        op: Op,
        cells: impl Iterator<Item = Option<Option<&'a [u8]>>> + Clone,
    ) {
        for (column, said) in self.columns.iter().zip(cells.clone()) {
            let Some(raw) = said else {
                self.builder.push(Value::Unset);
                continue;
            };
            let Some(value) = decode(raw, &column.pg_type, &mut self.scratch) else {
                let message = format!(
                    "the value lies outside what can be read, such as infinity (`{}`)",
                    column.field
                );
                let rejection = Rejection::new(0, self.key(cells), "out_of_range", message);
                let mut rejection = rejection.with_field(&column.field);
                rejection.sequence = self.builder.cancel_record();
                self.rejected.push(rejection);
                return;
            };
            self.builder.push(value);
        }
        self.builder.end_record(op);
    }

    /// The row's key, where it has one and can be read.
    fn key<'a>(&self, cells: impl Iterator<Item = Option<Option<&'a [u8]>>>) -> Option<Key> {
        let cells: Vec<Option<Option<&[u8]>>> = cells.collect();
        let mut parts = Vec::new();
        for &position in self.builder.schema().primary_key() {
            let mut scratch = String::new();
            let value = decode(cells[position]?, &self.columns[position].pg_type, &mut scratch)?;
            parts.push(value.to_string());
        }
        let key = Key::from_values(parts.iter().map(|part| Value::Text(part)));
        (!parts.is_empty()).then_some(key)
    }

    /// What has come together: rows, then those that could not be read.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        if !self.builder.is_empty() {
            return Some(Event::Records(self.builder.finish()));
        }
        (!self.rejected.is_empty()).then(|| Event::Rejected(std::mem::take(&mut self.rejected)))
    }
}
