//! The columns of a read, and how a row of them becomes a record.

use std::sync::Arc;

use connector_core::value::ParseError;
use connector_core::{
    Batch, BatchBuilder, Column, DataType, Error, ErrorKind, Field, Filter, Key, Op, RecordFilter, Rejection,
    Result, Schema, Value,
};

use crate::cell;

/// The columns that are asked for: the fields that are emitted, then what is looked at besides.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// What rows are read into: the fields that are emitted, then the key and those that a filter looks at.
    pub(crate) schema: Arc<Schema>,
    /// What is asked for.
    pub(crate) names: Vec<String>,
    types: Vec<DataType>,
    id: Option<usize>,
    deleted: Option<usize>,
    /// What is emitted, where it is less than what is read.
    emitted: Option<(Arc<Schema>, Vec<Column>)>,
    filter: Option<RecordFilter>,
}

/// Columns to be.
#[derive(Debug)]
pub(crate) struct ColumnsRequest<'a> {
    /// The fields that are emitted, in order.
    pub(crate) fields: Vec<Field>,
    /// All fields that a filter may look at.
    pub(crate) known: &'a Schema,
    /// The records to emit.
    pub(crate) filter: Option<&'a Filter>,
    /// Whether `Id` can be asked for, emitted or not.
    pub(crate) has_id: bool,
    /// Whether every record has its id as its key, emitted or not.
    pub(crate) keyed: bool,
    /// Whether each record's `IsDeleted` is looked at.
    pub(crate) deletions: bool,
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
    /// # Errors
    /// [`ErrorKind::Schema`]: a filter names a field that is not there, or compares it with what it never is.
    pub(crate) fn new(request: ColumnsRequest<'_>) -> Result<Self> {
        let ColumnsRequest {
            mut fields,
            known,
            filter,
            has_id,
            keyed,
            deletions,
        } = request;
        let emitted = fields.len();
        let shown = fields.iter().any(|field| field.name == "Id").then_some("Id");
        if keyed && shown.is_none() {
            fields.push(known.fields()[known.index_of("Id")?].clone());
        }
        let key = if keyed { Some("Id") } else { shown };
        for comparison in filter.iter().flat_map(|filter| filter.comparisons()) {
            if fields.iter().all(|field| field.name != comparison.field) {
                let at = known.index_of(&comparison.field)?;
                fields.push(known.fields()[at].clone());
            }
        }
        let only = (fields.len() > emitted)
            .then(|| Schema::new(fields[..emitted].to_vec(), shown))
            .transpose()?;
        let schema = Arc::new(Schema::new(fields, key)?);
        let filter = filter.map(|filter| filter.for_records(&schema)).transpose()?;
        let mut names: Vec<String> = schema.fields().iter().map(|field| field.name.clone()).collect();
        let types = schema.fields().iter().map(|field| field.data_type).collect();
        let mut place = |wanted: &str| {
            names.iter().position(|name| name == wanted).unwrap_or_else(|| {
                names.push(wanted.to_owned());
                names.len() - 1
            })
        };
        let id = has_id.then(|| place("Id"));
        let deleted = deletions.then(|| place("IsDeleted"));
        Ok(Self {
            schema,
            names,
            types,
            id,
            deleted,
            emitted: only.map(|only| (Arc::new(only), (0..emitted).map(Column::Field).collect())),
            filter,
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

    /// Adds the deletion of a record of which nothing but its id is known.
    pub(super) fn push_deletion(&self, id: &str, builder: &mut BatchBuilder) {
        for position in 0..self.types.len() {
            builder.push(if self.id == Some(position) {
                Value::Text(id)
            } else {
                Value::Null
            });
        }
        builder.end_record(Op::Delete);
    }

    /// What is emitted of `batch`: the records that pass the filter, and every deletion, for a record may have passed
    /// before.
    pub(super) fn emit(&self, batch: Batch) -> Batch {
        let batch = match &self.filter {
            Some(filter) => batch.retain(|record| record.op() == Op::Delete || filter.keeps(record)),
            None => batch,
        };
        match &self.emitted {
            Some((schema, columns)) => batch.remap(Arc::clone(schema), columns),
            None => batch,
        }
    }

    /// The id of `row`, which every record has.
    pub(crate) fn id_of(&self, row: &impl Row) -> Option<String> {
        let mut scratch = String::new();
        row.cell(self.id?, &mut scratch).ok().flatten().map(str::to_owned)
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
