//! What a message does to a row.

use bytes::Bytes;
use connector_core::{Error, ErrorKind, Op, Result};

use super::pgoutput::{Old, Tuple};
use super::relation::Mapping;

/// A record to be, its cells in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) op: Op,
    pub(super) cells: Vec<Cell>,
}

/// One cell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    NotSaid,
    Null,
    /// In the type's binary form.
    Raw(Bytes),
    /// In the type's text.
    Text(Bytes),
}

impl Cell {
    /// Its bytes, where it is said and not null.
    pub(super) fn said(&self) -> Option<Option<&[u8]>> {
        match self {
            Self::NotSaid => None,
            Self::Null => Some(None),
            Self::Raw(bytes) | Self::Text(bytes) => Some(Some(bytes)),
        }
    }
}

impl Change {
    /// Whether the log leaves something open: only where the row is there.
    pub(super) fn is_incomplete(&self) -> bool {
        self.op == Op::Put && self.cells.contains(&Cell::NotSaid)
    }

    /// About how many bytes it takes.
    pub(super) fn byte_len(&self) -> usize {
        let heap = |cell: &Cell| match cell {
            Cell::NotSaid | Cell::Null => 0,
            Cell::Raw(bytes) | Cell::Text(bytes) => bytes.len(),
        };
        self.cells.iter().map(|cell| 16 + heap(cell)).sum()
    }
}

/// A row that came.
pub(super) fn insert(mapping: &Mapping, message: &Bytes, new: &Tuple<'_>) -> Result<Change> {
    let cells = mapping.row(message, new)?;
    Ok(Change { op: Op::Put, cells })
}

/// A row that went.
pub(super) fn delete(mapping: &Mapping, message: &Bytes, old: &Old<'_>) -> Result<Change> {
    let cells = cells_of(mapping, message, old)?;
    Ok(Change {
        op: Op::Delete,
        cells,
    })
}

/// A row that changed: put, and before that deleted under its old key where it had another.
pub(super) fn update(
    mapping: &Mapping,
    message: &Bytes,
    old: Option<&Old<'_>>,
    new: &Tuple<'_>,
) -> Result<(Option<Change>, Change)> {
    let mut cells = mapping.row(message, new)?;
    let Some(old) = old else {
        return Ok((None, Change { op: Op::Put, cells }));
    };
    let old = cells_of(mapping, message, old)?;
    for (new, old) in cells.iter_mut().zip(&old) {
        if *new == Cell::NotSaid {
            new.clone_from(old);
        }
    }
    let has_moved = mapping
        .key()
        .iter()
        .any(|&position| cells[position] != old[position]);
    let gone = has_moved.then_some(Change {
        op: Op::Delete,
        cells: old,
    });
    Ok((gone, Change { op: Op::Put, cells }))
}

/// What is known of a row that was.
fn cells_of(mapping: &Mapping, message: &Bytes, old: &Old<'_>) -> Result<Vec<Cell>> {
    let cells = match old {
        Old::Row(row) => mapping.row(message, row)?,
        Old::Key(key) => mapping.only_key(message, key)?,
    };
    if mapping
        .key()
        .iter()
        .any(|&position| cells[position] == Cell::NotSaid)
    {
        let message = format!(
            "the log of {} does not say by its primary key which row was changed",
            mapping.table()
        );
        return Err(Error::new(ErrorKind::State, message).with_help(format!(
            "its key or its replica identity was changed since; {}",
            super::READ_ANEW
        )));
    }
    Ok(cells)
}
