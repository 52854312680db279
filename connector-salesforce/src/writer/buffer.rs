//! Records that wait to be sent.

use std::collections::{BTreeMap, HashSet};

use super::columns::WriteColumns;
use super::operation::Operation;
use super::row::Row;

/// From how many records on a buffer is sent.
const MAX_ROWS: usize = 20_000;

/// From how many bytes of records on a buffer is sent: this bounds the writer's memory.
const MAX_BYTES: usize = 16 << 20;

/// Records that do the same and say something about the same columns.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) operation: Operation,
    /// The columns, by place; every record says something about each.
    pub(crate) mask: Vec<bool>,
    pub(crate) rows: Vec<Row>,
}

/// Records that wait, each key once.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    rows: Vec<Row>,
    names: HashSet<String>,
    bytes: usize,
}

impl Buffer {
    /// Takes a record; gives it back where another one of its name waits: sent together, either could win.
    pub(crate) fn push(&mut self, row: Row) -> Result<(), Row> {
        // Some keys are the same in whatever letter case, others are not: at worst two records are sent apart.
        let name = match row.id {
            Some(id) => id.as_str().to_owned(),
            None => row.key.as_str().to_lowercase(),
        };
        if !name.is_empty() && !self.names.insert(name) {
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

    /// Everything that waits, by what it does and which columns it says something about.
    pub(crate) fn take(&mut self, columns: &WriteColumns) -> Vec<Group> {
        let mut groups: BTreeMap<(Operation, Vec<bool>), Vec<Row>> = BTreeMap::new();
        for row in std::mem::take(&mut self.rows) {
            let group = (row.operation, row.mask(columns));
            groups.entry(group).or_default().push(row);
        }
        self.names.clear();
        self.bytes = 0;
        groups
            .into_iter()
            .map(|((operation, mask), rows)| Group {
                operation,
                mask,
                rows,
            })
            .collect()
    }
}
