//! The columns of a read, and how a row of them becomes a record.

use std::sync::Arc;

use connector_core::value::ParseError;
use connector_core::{BatchBuilder, DataType, Error, ErrorKind, Key, Op, Rejection, Result, Schema, Value};

use crate::cell;
use crate::describe::Described;

/// The columns that are asked for: the schema's fields in order, then `IsDeleted` where it is needed besides.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// What is emitted.
    pub(crate) schema: Arc<Schema>,
    /// What is asked for.
    pub(crate) names: Vec<String>,
    types: Vec<DataType>,
    id: usize,
    deleted: Option<usize>,
}

/// One row as it arrived: the text of its cells, by position in [`Columns::names`].
pub(crate) trait Row {
    /// The cell's text; `None` for null. `scratch` is for a text that does not stand in the answer as it is.
    ///
    /// # Errors
    /// It is no text that could be kept unchanged.
    fn cell<'a>(
        &'a self,
        position: usize,
        scratch: &'a mut String,
    ) -> std::result::Result<Option<&'a str>, ParseError>;
}

impl Columns {
    /// The columns for `fields` (none: all), with `Id` added where it was not asked for; `deletions` asks whether
    /// each record was deleted.
    pub(crate) fn new(described: &Described, fields: &[String], deletions: bool) -> Result<Self> {
        let all = &described.spec.schema;
        let schema = if fields.is_empty() {
            Arc::clone(all)
        } else {
            let mut fields = fields.to_vec();
            if !fields.iter().any(|field| field == "Id") {
                fields.push("Id".to_owned());
            }
            Arc::new(
                all.select(&fields)
                    .map_err(|error| error.with_context("object", &described.object.name))?,
            )
        };
        let id = schema.index_of("Id").map_err(|_| {
            Error::new(
                ErrorKind::Unsupported,
                format!("`{}` has no field `Id`", described.object.name),
            )
        })?;
        let mut names: Vec<String> = schema.fields().iter().map(|field| field.name.clone()).collect();
        let types = schema.fields().iter().map(|field| field.data_type).collect();
        let deleted = (deletions && described.has_deletions()).then(|| {
            names
                .iter()
                .position(|name| name == "IsDeleted")
                .unwrap_or_else(|| {
                    names.push("IsDeleted".to_owned());
                    names.len() - 1
                })
        });
        Ok(Self {
            schema,
            names,
            types,
            id,
            deleted,
        })
    }

    /// Whether the recycle bin is to be looked into.
    pub(crate) fn wants_deletions(&self) -> bool {
        self.deleted.is_some()
    }

    /// Where each column stands in a header; letter case weighs nothing.
    pub(crate) fn places<'a>(&self, header: &(impl Iterator<Item = &'a str> + Clone)) -> Result<Vec<usize>> {
        let place = |name: &String| {
            header
                .clone()
                .position(|column| column.eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    Error::new(ErrorKind::Schema, format!("the answer has no column `{name}`"))
                        .with_help("describe the object anew: the field may be gone or hidden from the user")
                })
        };
        self.names.iter().map(place).collect()
    }

    /// Adds `row` to `builder`; a row with a value that cannot be read becomes a rejection of that row alone.
    pub(crate) fn push(
        &self,
        row: &impl Row,
        builder: &mut BatchBuilder,
        scratch: &mut String,
    ) -> std::result::Result<(), Rejection> {
        for (position, data_type) in self.types.iter().enumerate() {
            let pushed = match row.cell(position, scratch) {
                Ok(None) => {
                    builder.push(Value::Null);
                    Ok(())
                }
                Ok(Some(text)) => cell::push(builder, *data_type, text),
                Err(error) => Err(error),
            };
            if let Err(error) = pushed {
                return Err(self.refuse(row, builder, position, error));
            }
        }
        let op = match self.deleted {
            None => Op::Put,
            Some(position) => {
                let flag = row.cell(position, scratch);
                match flag.and_then(|flag| flag.map_or(Ok(false), cell::boolean)) {
                    Ok(true) => Op::Delete,
                    Ok(false) => Op::Put,
                    Err(error) => return Err(self.refuse(row, builder, position, error)),
                }
            }
        };
        builder.end_record(op);
        Ok(())
    }

    /// The id of `row`, which every record has.
    pub(crate) fn id_of(&self, row: &impl Row) -> Option<String> {
        let mut scratch = String::new();
        row.cell(self.id, &mut scratch).ok().flatten().map(str::to_owned)
    }

    fn refuse(
        &self,
        row: &impl Row,
        builder: &mut BatchBuilder,
        position: usize,
        why: ParseError,
    ) -> Rejection {
        let field = &self.names[position];
        let key = self.id_of(row).map(Key::new);
        let message = format!("the value of `{field}` is {why}");
        Rejection::new(builder.cancel_record(), key, "bad_value", message).with_field(field)
    }
}
