//! `NAME.schema.json`, as people write it.

use std::{fs, io};

use connector_core::{DataType, Error, ErrorKind, Field, Result, Schema, StreamName};
use serde::{Deserialize, Serialize};

use crate::connector::Ndjson;
use crate::files::{failed, replace};
use crate::log::DELETE;

const EXAMPLE: &str = "write it like this: {\"key\": [\"id\"], \"fields\": [{\"name\": \"id\", \"type\": \"Int64\"}, \
     {\"name\": \"email\", \"type\": {\"Text\": {}}}]}";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    /// The fields that tell records apart. They are never null, the others may be.
    #[serde(default)]
    key: Vec<String>,
    fields: Vec<SchemaField>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaField {
    name: String,
    #[serde(rename = "type")]
    data_type: DataType,
}

impl Ndjson {
    /// The shape of a stream's records.
    pub(crate) fn schema(&self, stream: &StreamName) -> Result<Schema> {
        let path = self.file(stream, ".schema.json")?;
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.no_stream(stream)),
            read => read.map_err(|error| failed("read", &path, error))?,
        };
        let wrong = |error: serde_json::Error| {
            let message = format!("`{}` is no schema", path.display());
            Error::new(ErrorKind::Config, message)
                .with_source(error)
                .with_help(EXAMPLE)
        };
        let file: SchemaFile = serde_json::from_str(&text).map_err(wrong)?;
        schema_of(
            file.fields.into_iter().map(|field| (field.name, field.data_type)),
            &file.key,
        )
        .map_err(|error| error.with_context("file", path.display().to_string()))
    }

    /// Stores the shape of a stream's records.
    pub(crate) fn store_schema(&self, stream: &StreamName, schema: &Schema) -> Result<()> {
        let fields = schema.fields().iter().map(|field| SchemaField {
            name: field.name.clone(),
            data_type: field.data_type,
        });
        let file = SchemaFile {
            key: schema.primary_key_names().map(str::to_owned).collect(),
            fields: fields.collect(),
        };
        let json = serde_json::to_string_pretty(&file).map_err(|error| {
            Error::new(ErrorKind::Bug, "a schema does not become JSON").with_source(error)
        })?;
        let path = self.file(stream, ".schema.json")?;
        replace(&path, &format!("{json}\n")).map_err(|error| failed("store", &path, error))
    }
}

/// A schema of fields that a log can hold.
pub(crate) fn schema_of(fields: impl Iterator<Item = (String, DataType)>, key: &[String]) -> Result<Schema> {
    let fields = fields.map(|(name, data_type)| {
        let mut field = Field::new(name, data_type);
        field.nullable = !key.contains(&field.name);
        field
    });
    let schema = Schema::new(fields.collect(), key.iter().map(String::as_str))?;
    let wrong = schema
        .fields()
        .iter()
        .find(|field| field.name == DELETE || !(field.nullable || field.data_type.can_be_key()));
    match wrong {
        None => Ok(schema),
        Some(field) => {
            let message = format!("`{}` cannot be a field, or not one of the key", field.name);
            Err(Error::new(ErrorKind::Schema, message).with_help(format!(
                "a key is text, an integer, a decimal, a date or a uuid; `{DELETE}` marks a record that is gone"
            )))
        }
    }
}
