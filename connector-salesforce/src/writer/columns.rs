//! The columns of a write, checked against the object before anything is sent.

use connector_core::{ColumnPlan, Deletes, Error, ErrorKind, Result, Schema, Value, WriteMode, WriteRequest};

use crate::describe::{Described, FieldDescribe};
use crate::types::{Fit, fit, words};

/// Where the records' id stands, and which fields are written from where.
#[derive(Debug)]
pub(crate) struct WriteColumns {
    /// The position of `Id` in the records' schema.
    pub(crate) id: usize,
    /// Every other field, by position in the records' schema.
    pub(crate) fields: Vec<WriteColumn>,
    id_field: FieldDescribe,
}

/// One field to be written.
#[derive(Debug)]
pub(crate) struct WriteColumn {
    pub(crate) position: usize,
    pub(crate) field: FieldDescribe,
    lossless: bool,
}

impl WriteColumns {
    /// The columns of `request`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]: the mode, or a key that is not the id. [`ErrorKind::Schema`]: a field that is
    /// not there, cannot be updated, or has a type that does not fit.
    pub(crate) fn new(described: &Described, request: &WriteRequest) -> Result<Self> {
        let object = &described.object.name;
        check_request(described, request).map_err(|error| error.with_context("object", object))?;
        let mut id = None;
        let mut fields = Vec::with_capacity(request.schema.fields().len());
        for (position, field) in request.schema.fields().iter().enumerate() {
            let context = |error: Error| {
                error
                    .with_context("object", object)
                    .with_context("field", &field.name)
            };
            let Some(known) = described.object.field(&field.name) else {
                return Err(described
                    .spec
                    .schema
                    .unknown_field(&field.name)
                    .with_context("object", object));
            };
            let fit = fit(field.data_type, known);
            if fit == Fit::No {
                let message = format!(
                    "`{}` is {} in Salesforce, which {} does not fit",
                    field.name,
                    words(known),
                    field.data_type
                );
                return Err(context(Error::new(ErrorKind::Schema, message))
                    .with_help(format!("cast `{}` in the mapping, or leave it out", field.name)));
            }
            if known.kind == "id" {
                id = Some((position, known.clone()));
                continue;
            }
            if !known.updateable {
                return Err(context(read_only(known)));
            }
            fields.push(WriteColumn {
                position,
                field: known.clone(),
                lossless: fit == Fit::Lossless,
            });
        }
        let Some((id, id_field)) = id else {
            return Err(Error::new(
                ErrorKind::Schema,
                format!("records to update in `{object}` have no field `Id`"),
            )
            .with_help("map a field onto `Id`: it finds the record"));
        };
        if fields.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                format!("nothing but `Id` is mapped onto `{object}`"),
            )
            .with_help("map at least one field that is to be updated"));
        }
        Ok(Self { id, fields, id_field })
    }

    /// A line per field.
    pub(crate) fn plan(&self, schema: &Schema) -> Vec<ColumnPlan> {
        let line = |position: usize, field: &FieldDescribe, lossless| ColumnPlan {
            name: field.name.clone(),
            from: schema.fields()[position].data_type.to_string(),
            to: words(field),
            lossless,
            reason: (!lossless).then(|| "a value that the field cannot hold is rejected".to_owned()),
        };
        let mut lines: Vec<(usize, ColumnPlan)> = vec![(self.id, line(self.id, &self.id_field, true))];
        lines.extend(self.fields.iter().map(|column| {
            (
                column.position,
                line(column.position, &column.field, column.lossless),
            )
        }));
        lines.sort_by_key(|(position, _)| *position);
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

fn check_request(described: &Described, request: &WriteRequest) -> Result<()> {
    let unsupported = |message: String, help: &'static str| {
        Err(Error::new(ErrorKind::Unsupported, message).with_help(help))
    };
    if request.mode != WriteMode::Update {
        return unsupported(
            format!("Salesforce cannot be written by {} in this version", request.mode),
            "use write = \"update\" with match_on = [\"Id\"]",
        );
    }
    if request.deletes != Deletes::Hard {
        return unsupported(
            format!(
                "Salesforce cannot take deletes as {} in this version",
                request.deletes
            ),
            "leave `deletes` out",
        );
    }
    if request.match_on != ["Id"] {
        return unsupported(
            format!(
                "an update finds records by `Id`, not by `{}`, in this version",
                request.match_on.join("`, `")
            ),
            "use match_on = [\"Id\"] and map the record's id onto it",
        );
    }
    if !request.keep.is_empty() {
        return unsupported(
            "an update cannot keep fields".to_owned(),
            "leave those fields out of the mapping",
        );
    }
    if !described.object.updateable {
        return Err(Error::new(
            ErrorKind::Forbidden,
            format!("this user cannot update `{}`", described.object.name),
        )
        .with_help("grant the user the right to edit the object, if it can be edited at all"));
    }
    Ok(())
}

fn read_only(field: &FieldDescribe) -> Error {
    let why = if field.calculated {
        "it is calculated"
    } else {
        "it is read-only for this user"
    };
    Error::new(
        ErrorKind::Schema,
        format!("`{}` cannot be updated: {why}", field.name),
    )
    .with_help("leave it out of the mapping, or grant the user the right to edit it")
}

/// Whether a value clears its field: null, and a text that is empty, which Salesforce does not know.
pub(crate) fn clears(value: &Value<'_>) -> bool {
    matches!(value, Value::Null | Value::Text(""))
}
