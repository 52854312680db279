//! Complete changes into batches.

use std::collections::VecDeque;
use std::sync::Arc;

use connector_core::{BatchBuilder, Error, ErrorKind, Event, ReadRequest, Result};

use super::changes::{Cell, Change};
use super::open::Log;
use crate::copy::Raw;
use crate::reader::RowDecoder;

/// Makes batches of changes, each record with a number of its own.
pub(super) struct Decoder {
    rows: RowDecoder,
    batch_bytes: usize,
}

impl Decoder {
    /// Numbers records from `first`.
    pub(super) fn new(log: &Log, request: &ReadRequest, first: u64) -> Self {
        let columns = log.layout.columns.iter().map(|column| column.info.clone());
        let builder = BatchBuilder::new(Arc::clone(&log.shape.wide), first);
        Self {
            rows: RowDecoder::new(columns.collect(), builder.with_max_records(request.batch_records)),
            batch_bytes: request.batch_bytes,
        }
    }

    /// Puts the events that `changes` come to behind `out`.
    pub(super) fn decode(
        &mut self,
        log: &Log,
        changes: &mut Vec<Change>,
        out: &mut VecDeque<Event>,
    ) -> Result<()> {
        let columns = &log.layout.columns;
        for change in changes.drain(..) {
            let cells = change.cells.iter().zip(columns);
            for (cell, column) in cells.clone() {
                if matches!(cell, Cell::Text(_)) && !column.is_read_as_text() {
                    return Err(text_where_binary(&column.info.field));
                }
            }
            self.rows.push_cells(change.op, |position| {
                Ok(change.cells.get(position).and_then(Cell::said).map(Raw))
            })?;
            if self.rows.is_full(self.batch_bytes) {
                out.extend(self.rows.finish().map(|event| log.shape.narrow(event)));
            }
        }
        while let Some(event) = self.rows.finish() {
            out.push_back(log.shape.narrow(event));
        }
        Ok(())
    }
}

fn text_where_binary(column: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the log holds the values of `{column}` as text, which this version does not read"),
    )
    .with_help("leave the column out of the fields")
}
