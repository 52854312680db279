//! A write decided, before anything is touched.

use std::path::PathBuf;

use connector_core::{
    ColumnPlan, Destination, Error, ErrorKind, Field, Result, Schema, WriteMode, WritePlan, WriteRequest,
};

use crate::connector::Ndjson;
use crate::files::make_empty;
use crate::schema::schema_of;

/// The shape of the stream as it will be, and whether it has to be stored for that.
pub(crate) struct Plan {
    pub(crate) schema: Schema,
    is_new: bool,
    write_plan: WritePlan,
}

impl Plan {
    /// Everything that can be wrong with a write is found here.
    pub(crate) fn new(folder: &Ndjson, request: &WriteRequest) -> Result<Self> {
        let refuse = |kind, message: String, help| Err(Error::new(kind, message).with_help(help));
        let (stream, given) = (&request.stream, &request.schema);
        // Not to be told what was asked for is worse than not to get it: what is not declared is refused.
        folder.capabilities().admit("a folder", request)?;
        if !request.keep.is_empty() || request.fence.is_some() {
            let message = "a folder keeps no fields, and no state".to_owned();
            return refuse(
                ErrorKind::Unsupported,
                message,
                "leave `keep` out, and keep the state elsewhere",
            );
        }
        let there = match folder.schema(stream) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            read => Some(read?),
        };
        let mut key = request.match_on.clone();
        if key.is_empty() {
            let of = there.as_ref().unwrap_or(given);
            key = of.primary_key_names().map(str::to_owned).collect();
        }
        for name in &key {
            given.index_of(name)?;
        }
        if key.is_empty() {
            let message =
                "records without a key cannot be told from those that come again after a crash".to_owned();
            return refuse(
                ErrorKind::Schema,
                message,
                "name the fields of a key with `match_on`",
            );
        }
        if there
            .as_ref()
            .is_some_and(|there| !there.primary_key_names().eq(&key))
        {
            let message = format!("`{stream}` has another key than ({})", key.join(", "));
            return refuse(
                ErrorKind::Schema,
                message,
                "match on the key that its schema file names",
            );
        }
        let mut all = there.as_ref().map_or(&[][..], Schema::fields).to_vec();
        let mut columns = Vec::new();
        for field in given.fields() {
            let column = all
                .iter()
                .find(|column| column.name == field.name)
                .unwrap_or(field);
            if !field.data_type.widens_to(column.data_type) {
                let message = format!(
                    "`{}` is {} and cannot hold {}",
                    field.name, column.data_type, field.data_type
                );
                return refuse(ErrorKind::Schema, message, "map the field to another one");
            }
            columns.push(column_plan(field, column));
            if !all.iter().any(|column| column.name == field.name) {
                all.push(field.clone());
            }
        }
        let schema = schema_of(all.into_iter().map(|field| (field.name, field.data_type)), &key)?;
        let note = match (request.mode, &there) {
            (WriteMode::Overwrite, _) => format!("writes a new log, which becomes `{stream}` at the end"),
            (_, None) => format!("makes `{stream}` and adds lines to it"),
            (_, Some(_)) => format!("adds lines to `{stream}` for what is not there yet"),
        };
        Ok(Self {
            is_new: there.as_ref() != Some(&schema),
            schema,
            write_plan: WritePlan::new(note).with_columns(columns),
        })
    }

    /// Makes what the plan says: the path of the log to add to, and of the one that it replaces at the end.
    pub(crate) fn make(&self, folder: &Ndjson, request: &WriteRequest) -> Result<(PathBuf, Option<PathBuf>)> {
        let log = folder.file(&request.stream, ".ndjson")?;
        if !log.exists() {
            make_empty(&log)?;
        }
        if self.is_new {
            // After the log: with its schema it becomes a stream.
            folder.store_schema(&request.stream, &self.schema)?;
        }
        if request.mode != WriteMode::Overwrite {
            return Ok((log, None));
        }
        let new = folder.file(&request.stream, ".ndjson.new")?;
        // What an earlier run has built is gone on with if the records go on too.
        if !request.resumes {
            make_empty(&new)?;
        }
        Ok((new, Some(log)))
    }

    /// What is shown of it.
    pub(crate) fn into_write_plan(self) -> WritePlan {
        self.write_plan
    }
}

fn column_plan(from: &Field, to: &Field) -> ColumnPlan {
    ColumnPlan {
        name: from.name.clone(),
        from: from.data_type.to_string(),
        to: format!("{} as JSON", to.data_type),
        lossless: true,
        reason: None,
    }
}
