//! The columns of a write, checked against the object before anything is sent.

use std::borrow::Cow;
use std::sync::Arc;

use connector_core::{
    Capabilities, ColumnPlan, Deletes, Error, ErrorKind, Nulls, Result, Schema, Value, WriteRequest,
};

use super::operation::Operation;
use super::parent::{Parent, Parents};
use super::picklist;
use crate::describe::{Described, FieldDescribe};
use crate::types::{Fit, fit, words};

/// What a write does, how its records are found, and which fields are written from where.
#[derive(Debug)]
pub(crate) struct WriteColumns {
    /// What records that are there do.
    pub(crate) operation: Operation,
    /// What becomes of records that are gone at the source.
    pub(crate) deletes: Deletes,
    /// What a record is found by; `None`: an insert whose records are not found again.
    pub(crate) key: Option<KeyColumn>,
    /// Every field that is written; the key only in an insert.
    pub(crate) fields: Vec<WriteColumn>,
    /// Fields that a new record must have, by position in `fields`.
    pub(crate) required: Vec<usize>,
    /// Fields that tell when and by whom a record was created, as far as the object has them.
    pub(crate) stamps: Vec<String>,
    /// Fields that a new record must have and that are not mapped: only an upsert gets along without.
    missing: Vec<String>,
}

/// The field that records are found by.
#[derive(Clone, Debug)]
pub(crate) struct KeyColumn {
    /// Its position in the records' schema.
    pub(crate) position: usize,
    pub(crate) field: FieldDescribe,
}

impl KeyColumn {
    /// Whether it is the record's id.
    pub(crate) fn is_id(&self) -> bool {
        self.field.kind == "id"
    }
}

/// One field to be written.
#[derive(Debug)]
pub(crate) struct WriteColumn {
    /// Its position in the records' schema.
    pub(crate) position: usize,
    /// The field the values must fit: of the object, or of a parent that the value finds.
    pub(crate) field: FieldDescribe,
    /// The parent whose key the values are; `None`: a field of the object itself.
    pub(crate) parent: Option<Parent>,
    /// What a null does.
    pub(crate) nulls: Nulls,
    /// The only values it takes, where it takes no others; sorted.
    pub(crate) values: Option<Arc<[String]>>,
    lossless: bool,
}

impl WriteColumn {
    /// The name as the mapping and a Bulk column spell it.
    pub(crate) fn name(&self) -> String {
        match &self.parent {
            Some(parent) => parent.path(&self.field.name),
            None => self.field.name.clone(),
        }
    }
}

impl WriteColumns {
    /// The columns of `request`; `parents` are the objects that its paths lead to.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]: the mode, or a key that none of the object's records can be found by.
    /// [`ErrorKind::Forbidden`]: the user may not do that to the object. [`ErrorKind::Schema`]: a field is not there,
    /// cannot be written, is required and not mapped, or has a type that does not fit.
    pub(crate) fn new(
        capabilities: &Capabilities,
        described: &Described,
        parents: &Parents,
        request: &WriteRequest,
    ) -> Result<Self> {
        let object = &described.object.name;
        let within = |error: Error| error.with_context("object", object);
        let operation = check_request(capabilities, described, request).map_err(within)?;
        let key = key(described, request, operation).map_err(within)?;
        let mut fields = Vec::with_capacity(request.schema.fields().len());
        for position in 0..request.schema.fields().len() {
            let is_key = key.as_ref().is_some_and(|key| key.position == position);
            if is_key && operation != Operation::Insert || request.mode.is_naming() {
                continue;
            }
            let column = column(described, parents, request, operation, position).map_err(|error| {
                within(error).with_context("field", &request.schema.fields()[position].name)
            })?;
            fields.push(column);
        }
        if fields.is_empty() && !request.mode.is_naming() && operation != Operation::Upsert {
            return Err(within(Error::new(
                ErrorKind::Config,
                format!("nothing is mapped onto `{object}` that could be written"),
            ))
            .with_help("map at least one field besides what records are found by"));
        }
        let (required, missing) = required(described, &fields, key.as_ref(), operation);
        if operation == Operation::Insert
            && let [first, ..] = missing.as_slice()
        {
            return Err(within(Error::new(
                ErrorKind::Schema,
                format!("a new record of `{object}` must have `{}`", missing.join("`, `")),
            ))
            .with_help(format!("map a field onto `{first}`")));
        }
        Ok(Self {
            operation,
            deletes: request.deletes,
            key,
            fields,
            required,
            stamps: stamps(described),
            missing,
        })
    }

    /// A line per field.
    pub(crate) fn plan(&self, schema: &Schema) -> Vec<ColumnPlan> {
        let line = |position: usize, name: String, field: &FieldDescribe, lossless: bool| ColumnPlan {
            name,
            from: schema.fields()[position].data_type.to_string(),
            to: words(field),
            lossless,
            reason: (!lossless).then(|| "a value that the field cannot hold is rejected".to_owned()),
        };
        let mut lines: Vec<(usize, ColumnPlan)> = self
            .fields
            .iter()
            .map(|column| {
                let line = line(column.position, column.name(), &column.field, column.lossless);
                (column.position, line)
            })
            .collect();
        if let Some(KeyColumn { position, field }) = &self.key
            && self.operation != Operation::Insert
        {
            lines.push((*position, line(*position, field.name.clone(), field, true)));
        }
        lines.sort_by_key(|(position, _)| *position);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// What becomes of records of `object`: a sentence.
    pub(crate) fn meaning(&self, object: &str) -> String {
        let key = self.key.as_ref().map_or("Id", |key| key.field.name.as_str());
        match self.operation {
            Operation::Insert => format!("records of `{object}` are created; none is changed"),
            Operation::Update => format!("records of `{object}` are updated by `{key}`; none is created"),
            Operation::Upsert => {
                format!("records of `{object}` are updated by `{key}`, and created where there is none")
            }
            Operation::Delete => format!("records of `{object}` go to the recycle bin by `{key}`"),
        }
    }

    /// Required fields of new records that an upsert does not map.
    pub(crate) fn missing(&self) -> &[String] {
        &self.missing
    }
}

fn unsupported(message: String, help: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Unsupported, message).with_help(help)
}

fn check_request(
    capabilities: &Capabilities,
    described: &Described,
    request: &WriteRequest,
) -> Result<Operation> {
    capabilities.admit("Salesforce", request)?;
    let Some(operation) = Operation::of(request.mode) else {
        return Err(unsupported(
            format!("Salesforce cannot be written in the mode {}", request.mode),
            "say write = \"update\", \"upsert\", \"insert\" or \"delete\"",
        ));
    };
    if request.fence.is_some() {
        return Err(unsupported(
            "Salesforce keeps no state and takes part in no transaction: it takes no fence".to_owned(),
            "keep the state at the source, or say state = \"file:FOLDER\"",
        ));
    }
    if !request.keep.is_empty() {
        return Err(unsupported(
            "Salesforce cannot keep fields of records that are there".to_owned(),
            "leave `keep` out, and those fields out of the mapping",
        ));
    }
    let object = &described.object;
    let may_not = match operation {
        Operation::Insert => (!object.createable).then_some("create"),
        Operation::Update => (!object.updateable).then_some("update"),
        Operation::Upsert if !object.createable => Some("create"),
        Operation::Upsert => (!object.updateable).then_some("update"),
        Operation::Delete => (!object.deletable).then_some("delete"),
    };
    if let Some(may_not) = may_not {
        return Err(Error::new(
            ErrorKind::Forbidden,
            format!("this user cannot {may_not} records of `{}`", object.name),
        )
        .with_help("grant the user the right to, if the object allows it at all"));
    }
    Ok(operation)
}

/// The field that records are found by.
fn key(described: &Described, request: &WriteRequest, operation: Operation) -> Result<Option<KeyColumn>> {
    let [name] = request.match_on.as_slice() else {
        if operation == Operation::Insert {
            return Ok(None);
        }
        let message = match request.match_on.len() {
            0 => format!("a write in the mode {operation} does not say what records are found by"),
            _ => format!(
                "Salesforce finds records by one field, not by `{}` together",
                request.match_on.join("`, `")
            ),
        };
        return Err(unsupported(message, keys(described)));
    };
    let position = request.schema.index_of(name).map_err(|error| {
        if request.schema.fields().is_empty() {
            error
        } else {
            error.with_help(format!("map a field onto `{name}`: it finds the record"))
        }
    })?;
    let Some(field) = described.object.field(name) else {
        return Err(described.spec.schema.unknown_field(name));
    };
    if !is_key(field) {
        // What an insert is matched on may be no more than the source's own key.
        if operation == Operation::Insert {
            return Ok(None);
        }
        return Err(unsupported(
            format!(
                "`{name}` is no field that records of `{}` are found by",
                described.object.name
            ),
            keys(described),
        ));
    }
    if operation == Operation::Insert && field.kind == "id" {
        return Err(Error::new(
            ErrorKind::Schema,
            "a new record gets its `Id` from Salesforce".to_owned(),
        )
        .with_help("leave `Id` out of the mapping, or say write = \"update\""));
    }
    if operation == Operation::Insert && !field.unique {
        return Ok(None);
    }
    let given = request.schema.fields()[position].data_type;
    if fit(given, field) == Fit::No {
        return Err(does_not_fit(name, given, field));
    }
    Ok(Some(KeyColumn {
        position,
        field: field.clone(),
    }))
}

/// Whether records can be found by a field's values.
fn is_key(field: &FieldDescribe) -> bool {
    field.kind == "id" || field.external_id || field.id_lookup
}

/// What to match on, for people.
fn keys(described: &Described) -> String {
    let keys = described.object.fields.iter().filter(|field| is_key(field));
    let keys: Vec<&str> = keys.map(|field| field.name.as_str()).collect();
    format!(
        "say match_on = [\"{}\"]; a field becomes a key in Salesforce by being declared an external id",
        keys.join("\"] or [\"")
    )
}

fn column(
    described: &Described,
    parents: &Parents,
    request: &WriteRequest,
    operation: Operation,
    position: usize,
) -> Result<WriteColumn> {
    let given = &request.schema.fields()[position];
    let (field, parent) = match Parent::parse(&given.name) {
        Some(path) => {
            let (reference, field, parent) = parents.follow(described, &path)?;
            check_writable(reference, operation)?;
            (field, Some(parent))
        }
        None => {
            let Some(field) = described.object.field(&given.name) else {
                return Err(described.spec.schema.unknown_field(&given.name));
            };
            check_writable(field, operation)?;
            (field.clone(), None)
        }
    };
    let fit = fit(given.data_type, &field);
    if fit == Fit::No {
        return Err(does_not_fit(&given.name, given.data_type, &field));
    }
    let values = picklist::allowed(&field);
    Ok(WriteColumn {
        position,
        parent,
        nulls: request.nulls_of(&given.name),
        lossless: fit == Fit::Lossless && values.is_none(),
        values,
        field,
    })
}

fn does_not_fit(name: &str, given: connector_core::DataType, field: &FieldDescribe) -> Error {
    Error::new(
        ErrorKind::Schema,
        format!(
            "`{name}` is {} in Salesforce, which {given} does not fit",
            words(field)
        ),
    )
    .with_help(format!("cast `{name}` in the mapping, or leave it out"))
}

/// Refuses a field that the operation cannot write.
fn check_writable(field: &FieldDescribe, operation: Operation) -> Result<()> {
    let (creatable, updatable) = (field.createable, field.updateable);
    let may = match operation {
        Operation::Insert => creatable,
        Operation::Update => updatable,
        Operation::Upsert => creatable && updatable,
        Operation::Delete => true,
    };
    if may {
        return Ok(());
    }
    let why = if field.calculated {
        "it is calculated"
    } else if field.auto_number {
        "Salesforce numbers it"
    } else if field.kind == "id" {
        "Salesforce gives it"
    } else if creatable {
        "it is set when a record is created, and never again"
    } else if updatable {
        "it is not set when a record is created"
    } else {
        "it is read-only for this user"
    };
    let verb = match operation {
        Operation::Insert => "set",
        Operation::Upsert => "upserted",
        _ => "updated",
    };
    Err(Error::new(
        ErrorKind::Schema,
        format!("`{}` cannot be {verb}: {why}", field.name),
    )
    .with_help("leave it out of the mapping, or grant the user the right to edit it"))
}

/// Which of `fields` a new record must have, and which such fields are not among them.
fn required(
    described: &Described,
    fields: &[WriteColumn],
    key: Option<&KeyColumn>,
    operation: Operation,
) -> (Vec<usize>, Vec<String>) {
    if !matches!(operation, Operation::Insert | Operation::Upsert) {
        return (Vec::new(), Vec::new());
    }
    let (mut mapped, mut missing) = (Vec::new(), Vec::new());
    for field in &described.object.fields {
        if !field.createable || field.nillable || field.defaulted_on_create {
            continue;
        }
        let place = fields.iter().position(|column| match &column.parent {
            Some(parent) => parent.reference == field.name,
            None => column.field.name == field.name,
        });
        match place {
            Some(place) => mapped.push(place),
            None if key.is_some_and(|key| key.field.name == field.name) => {}
            None => missing.push(field.name.clone()),
        }
    }
    (mapped, missing)
}

fn stamps(described: &Described) -> Vec<String> {
    let known = |name: &&str| described.object.field(name).is_some();
    let stamps = ["CreatedDate", "CreatedById"].into_iter().filter(known);
    stamps.map(str::to_owned).collect()
}

/// Whether a value clears its field: null, and a text that is empty, which Salesforce does not know.
pub(crate) fn clears(value: &Value<'_>) -> bool {
    matches!(value, Value::Null | Value::Text(""))
}
