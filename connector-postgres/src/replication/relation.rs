//! A table as the log has it, laid over the table as it is now.

use bytes::Bytes;
use connector_core::{Error, ErrorKind, Result};

use super::READ_ANEW;
use super::changes::Cell;
use super::layout::Layout;
use super::pgoutput::{self, Relation, Tuple};

/// Where each field is found in the rows that follow.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    /// By field: the place in a row; `None` where the table did not have the column then.
    places: Vec<Option<usize>>,
    /// By field: whether an old key has it.
    in_key: Vec<bool>,
    /// The fields of the primary key.
    key: Vec<usize>,
    /// How many cells a row has.
    width: usize,
    table: String,
}

impl Mapping {
    /// Finds the columns of `layout` by their names.
    ///
    /// # Errors
    /// One of them had another type then.
    pub(super) fn of(relation: &Relation<'_>, layout: &Layout) -> Result<Self> {
        let (mut places, mut in_key) = (Vec::new(), Vec::new());
        for column in &layout.columns {
            let name = column.info.name.as_str();
            let place = relation.columns.iter().position(|there| there.name == name);
            let there = place.map(|place| &relation.columns[place]);
            if there.is_some_and(|there| there.type_oid != column.type_oid) {
                let message = format!(
                    "the column `{name}` of {} has another type now than where the log is being read",
                    layout.table
                );
                return Err(Error::new(ErrorKind::Schema, message).with_help(READ_ANEW));
            }
            places.push(place);
            in_key.push(there.is_some_and(|there| there.in_key));
        }
        Ok(Self {
            places,
            in_key,
            key: layout.key.clone(),
            width: relation.columns.len(),
            table: layout.table.to_string(),
        })
    }

    pub(super) fn key(&self) -> &[usize] {
        &self.key
    }

    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// The cells of a whole row, by field.
    pub(super) fn row(&self, message: &Bytes, row: &Tuple<'_>) -> Result<Vec<Cell>> {
        if row.len() != self.width {
            let message = format!(
                "a row in the log of {} has not as many cells as was said",
                self.table
            );
            return Err(Error::new(ErrorKind::Bug, message));
        }
        let cell = |place: &Option<usize>| match place.map(|place| row[place]) {
            None | Some(pgoutput::Cell::Unchanged) => Cell::NotSaid,
            Some(pgoutput::Cell::Null) => Cell::Null,
            Some(pgoutput::Cell::Binary(value)) => Cell::Raw(message.slice_ref(value)),
            Some(pgoutput::Cell::Text(value)) => Cell::Text(message.slice_ref(value)),
        };
        Ok(self.places.iter().map(cell).collect())
    }

    /// The cells of an old key, by field: what is not in it is not said.
    pub(super) fn only_key(&self, message: &Bytes, key: &Tuple<'_>) -> Result<Vec<Cell>> {
        let mut cells = self.row(message, key)?;
        for (cell, in_key) in cells.iter_mut().zip(&self.in_key) {
            if !in_key {
                *cell = Cell::NotSaid;
            }
        }
        Ok(cells)
    }
}
