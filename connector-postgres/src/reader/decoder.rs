//! Rows into batches, by the columns' types.

use connector_core::{BatchBuilder, Event, Key, Op, Rejection, Result, Value};
use tokio_postgres::Row;

use crate::catalog::ColumnInfo;
use crate::copy::{Raw, Refusal, Scratch, decode, unreadable};
use crate::error::failed;
use crate::types::PgType;

/// Rejections that are emitted at once.
const MOST_REJECTED: usize = 1_000;

/// Rows into batches, by the columns' types.
pub(crate) struct RowDecoder {
    columns: Vec<ColumnInfo>,
    pub(crate) builder: BatchBuilder,
    scratch: Scratch,
    rejected: Vec<Rejection>,
}

impl RowDecoder {
    pub(crate) fn new(columns: Vec<ColumnInfo>, builder: BatchBuilder) -> Self {
        Self {
            columns,
            builder,
            scratch: Scratch::default(),
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
        self.push_cells(Op::Put, |position| {
            let raw: Raw<'_> = row
                .try_get(first + position)
                .map_err(|error| failed("read a cell", error))?;
            Ok(Some(raw))
        })
    }

    /// Takes a record's cells by their position; none is one that is not said.
    #[inline]
    pub(crate) fn push_cells<'a>(
        &mut self,
        op: Op,
        cell: impl Fn(usize) -> Result<Option<Raw<'a>>>,
    ) -> Result<()> {
        for (i, column) in self.columns.iter().enumerate() {
            let Some(raw) = cell(i)? else {
                self.builder.push(Value::Unset);
                continue;
            };
            // Most cells are null or text: they are pushed as what they are known to be, without another look at it.
            match (raw.0, &column.pg_type) {
                (None, _) => {
                    self.builder.push(Value::Null);
                    continue;
                }
                (Some(bytes), PgType::Text { .. }) => {
                    if let Ok(text) = std::str::from_utf8(bytes) {
                        self.builder.push(Value::Text(text));
                        continue;
                    }
                }
                _ => {}
            }
            let Some(value) = decode(raw.0, &column.pg_type, &mut self.scratch) else {
                let key = self.key(&cell)?;
                let Refusal { code, message } = unreadable(&column.pg_type);
                let message = format!("{message} (`{}`)", column.field);
                let sequence = self.builder.cancel_record();
                self.rejected
                    .push(Rejection::new(sequence, key, code, message).with_field(&column.field));
                return Ok(());
            };
            self.builder.push(value);
        }
        self.builder.end_record(op);
        Ok(())
    }

    /// The record's key, where it has one and can be read.
    fn key<'a>(&self, cell: impl Fn(usize) -> Result<Option<Raw<'a>>>) -> Result<Option<Key>> {
        let mut parts = Vec::new();
        for &position in self.builder.schema().primary_key() {
            let Some(raw) = cell(position)? else {
                return Ok(None);
            };
            let mut scratch = Scratch::default();
            let Some(value) = decode(raw.0, &self.columns[position].pg_type, &mut scratch) else {
                return Ok(None);
            };
            parts.push(value.to_string());
        }
        let key = Key::from_values(parts.iter().map(|part| Value::Text(part)));
        Ok((!parts.is_empty()).then_some(key))
    }

    /// What has come together: rows, then those that could not be read.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        if !self.builder.is_empty() {
            return Some(Event::Records(self.builder.finish()));
        }
        (!self.rejected.is_empty()).then(|| Event::Rejected(std::mem::take(&mut self.rejected)))
    }
}
