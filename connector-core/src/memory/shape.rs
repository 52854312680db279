//! Which fields of a table are read.

use std::sync::Arc;

use super::table::Slot;
use crate::batch::{Batch, BatchBuilder, Column, Op};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Schema;
use crate::value::Value;

/// The fields that are read, and the key, which comes along without being shown.
pub(super) struct Shape {
    narrow: Arc<Schema>,
    columns: Vec<Column>,
    /// The fields asked for, then those of the key that are not among them.
    pub(super) wide: Arc<Schema>,
    /// Where each of them stands in the table, and whether it is part of the key.
    positions: Vec<(usize, bool)>,
}

impl Shape {
    /// The fields called `names`, in that order; every readable one where there are none.
    pub(super) fn new(schema: &Schema, names: &[String]) -> Result<Self> {
        let readable = || schema.fields().iter().filter(|field| field.access.readable);
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.is_empty() {
            names = readable().map(|field| field.name.as_str()).collect();
        }
        let narrow = schema.select(&names)?;
        if let Some(field) = narrow.fields().iter().find(|field| !field.access.readable) {
            let message = format!("`{}` cannot be read", field.name);
            return Err(Error::new(ErrorKind::Schema, message).with_help("leave it out of the fields"));
        }
        let hidden = schema
            .primary_key_names()
            .filter(|name| narrow.field(name).is_none());
        let all: Vec<&str> = names.iter().copied().chain(hidden).collect();
        let place = |name: &&str| {
            let position = schema.index_of(name)?;
            Ok((position, schema.primary_key().contains(&position)))
        };
        Ok(Self {
            columns: (0..names.len()).map(Column::Field).collect(),
            positions: all.iter().map(place).collect::<Result<_>>()?,
            wide: Arc::new(schema.select(&all)?),
            narrow: Arc::new(narrow),
        })
    }

    /// Pushes a row; of one that is gone, only its key.
    pub(super) fn push(&self, slot: &Slot, builder: &mut BatchBuilder) {
        for &(position, in_key) in &self.positions {
            let said = slot.op == Op::Put || in_key;
            builder.push(if said {
                slot.row.value(position)
            } else {
                Value::Unset
            });
        }
        builder.end_record(slot.op);
    }

    /// The batch as it was asked for.
    pub(super) fn narrow(&self, batch: Batch) -> Batch {
        batch.remap(Arc::clone(&self.narrow), &self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Access, DataType, Field};

    #[test]
    fn what_cannot_be_read_is_left_out_and_not_to_be_asked_for() {
        let fields = vec![
            Field::new("secret", DataType::TEXT).with_access(Access {
                readable: false,
                ..Access::ALL
            }),
            Field::new("id", DataType::Int64),
        ];
        let schema = Schema::new(fields, ["id"]).unwrap();
        let all = Shape::new(&schema, &[]).unwrap();
        assert_eq!(all.positions, [(1, true)]);
        let error = Shape::new(&schema, &["secret".to_owned()]).err();
        assert_eq!(
            error.map(|error| error.to_string()).as_deref(),
            Some("`secret` cannot be read")
        );
    }
}
