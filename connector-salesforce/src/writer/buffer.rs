//! Records that wait to be sent.

use std::collections::{BTreeMap, HashSet};

use super::columns::WriteColumns;
use super::row::Row;
use crate::id::Id;

/// From how many records on a buffer is sent.
const MAX_ROWS: usize = 20_000;

/// From how many bytes of records on a buffer is sent: this bounds the writer's memory.
const MAX_BYTES: usize = 16 << 20;

/// Records that wait, each id once.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    rows: Vec<Row>,
    ids: HashSet<Id>,
    bytes: usize,
}

impl Buffer {
    /// Takes a record; gives it back where another one with its id waits: sent together, either could win.
    pub(crate) fn push(&mut self, row: Row) -> Result<(), Row> {
        if !self.ids.insert(row.id) {
            return Err(row);
        }
        self.bytes += row.byte_len();
        self.rows.push(row);
        Ok(())
    }

    /// Whether it is time to send.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= MAX_ROWS || self.bytes >= MAX_BYTES
    }

    /// Everything that waits, by which columns each record says something about.
    pub(crate) fn take(&mut self, columns: &WriteColumns) -> Vec<(Vec<bool>, Vec<Row>)> {
        let mut groups: BTreeMap<Vec<bool>, Vec<Row>> = BTreeMap::new();
        for row in std::mem::take(&mut self.rows) {
            groups.entry(row.mask(columns)).or_default().push(row);
        }
        self.ids.clear();
        self.bytes = 0;
        groups.into_iter().collect()
    }
}
