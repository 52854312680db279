//! A description as the core sees it.

use std::sync::Arc;

use connector_core::{Access, DataType, Error, ErrorKind, Field, Result, Schema, Selection, StreamSpec};

use super::picklist::Picklist;
use super::wire::{FieldDescribe, ObjectDescribe};
use crate::types::{self, Mapped, data_type};

/// The fields that can be a cursor, best first: the first moves on every write, the second on people's writes, the
/// others never after the creation.
const CURSORS: [&str; 4] = ["SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime"];

/// An object in Salesforce's words and in the core's.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) object: ObjectDescribe,
    pub(crate) spec: StreamSpec,
}

impl Described {
    pub(crate) fn new(object: ObjectDescribe) -> Result<Self> {
        let mut fields = Vec::with_capacity(object.fields.len());
        let mut left_out = Vec::new();
        for field in &object.fields {
            match data_type(field) {
                Mapped::To(data_type) => {
                    let mapped = Field::new(&field.name, data_type).with_access(access(field));
                    // A field that must be filled today may be empty in old records: only the id is certain.
                    fields.push(if field.kind == "id" {
                        mapped.not_null()
                    } else {
                        mapped
                    });
                }
                Mapped::LeftOut(reason) => left_out.push((field.name.clone(), reason.to_owned())),
            }
        }
        let key = fields.iter().any(|field| field.name == "Id").then_some("Id");
        let schema = Schema::new(fields, key)?;
        let cursor = CURSORS
            .iter()
            .find(|name| object.field(name).is_some_and(can_be_cursor));
        let mut spec = StreamSpec::new(Selection::stream(&object.name), Arc::new(schema))
            .with_cursor(cursor.map(|name| (*name).to_owned()));
        spec.left_out = left_out;
        Ok(Self { object, spec })
    }

    /// The cursor called `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: there is no such field. [`ErrorKind::Unsupported`]: it says no moment, or cannot be asked by.
    pub(crate) fn cursor(&self, name: &str) -> Result<&str> {
        let at = self
            .spec
            .schema
            .index_of(name)
            .map_err(|error| self.within(error))?;
        match self.object.field(name) {
            Some(field) if can_be_cursor(field) => Ok(&self.spec.schema.fields()[at].name),
            _ => {
                let known = self.object.fields.iter().filter(|field| can_be_cursor(field));
                let known: Vec<&str> = known.map(|field| field.name.as_str()).collect();
                let error = Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "`{name}` cannot tell what changed: it is no datetime that records can be asked by"
                    ),
                );
                Err(self.within(match known.as_slice() {
                    [] => error.with_help("read the object with sync = \"full\""),
                    known => error.with_help(format!("the fields that can: `{}`", known.join("`, `"))),
                }))
            }
        }
    }

    /// A compound field called `name`, which is read only where it is asked for by name: its parts are fields of their
    /// own.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]: the field cannot be read at all.
    pub(crate) fn compound(&self, name: &str) -> Result<Option<Field>> {
        let Some(field) = self.object.field(name) else {
            return Ok(None);
        };
        match data_type(field) {
            Mapped::LeftOut(_) if types::is_compound(field) => Ok(Some(
                Field::new(name, DataType::Json).with_access(Access::READ_ONLY),
            )),
            Mapped::LeftOut(reason) => Err(self.within(Error::new(
                ErrorKind::Unsupported,
                format!("`{name}` cannot be read: {reason}"),
            ))),
            Mapped::To(_) => Ok(None),
        }
    }

    /// The values that `field` offers; `None`: it is no picklist.
    pub(crate) fn picklist(&self, field: &str) -> Result<Option<Picklist>> {
        match self.object.field(field) {
            Some(field) => Ok(Picklist::of(field)),
            None => Err(self.within(self.spec.schema.unknown_field(field))),
        }
    }

    fn within(&self, error: Error) -> Error {
        error.with_context("object", &self.object.name)
    }

    /// Whether deleted records can be told: they are read from the recycle bin, marked.
    pub(crate) fn has_deletions(&self) -> bool {
        self.object.field("IsDeleted").is_some()
    }
}

fn can_be_cursor(field: &FieldDescribe) -> bool {
    field.filterable && field.kind == "datetime"
}

fn access(field: &FieldDescribe) -> Access {
    Access::READ_ONLY
        .with_creatable(field.createable)
        .with_updatable(field.updateable)
        .with_match_key(field.kind == "id" || field.id_lookup || field.external_id)
        .with_required(field.createable && !field.nillable && !field.defaulted_on_create)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: &str) -> FieldDescribe {
        FieldDescribe {
            name: name.into(),
            kind: kind.into(),
            filterable: true,
            ..FieldDescribe::default()
        }
    }

    fn described(fields: Vec<FieldDescribe>) -> Described {
        Described::new(ObjectDescribe {
            name: "X".into(),
            queryable: true,
            fields,
            ..ObjectDescribe::default()
        })
        .unwrap()
    }

    #[test]
    fn the_best_cursor_wins_and_must_be_filterable() {
        let all = vec![
            field("Id", "id"),
            field("CreatedDate", "datetime"),
            field("SystemModstamp", "datetime"),
        ];
        assert_eq!(
            described(all.clone()).spec.cursor.as_deref(),
            Some("SystemModstamp")
        );
        let mut hidden = all;
        hidden[2].filterable = false;
        assert_eq!(described(hidden).spec.cursor.as_deref(), Some("CreatedDate"));
        assert_eq!(described(vec![field("Id", "id")]).spec.cursor, None);
    }

    #[test]
    fn access_is_what_the_user_may_do() {
        let mut name = field("LastName", "string");
        (name.createable, name.updateable) = (true, true);
        let mut status = field("Status", "picklist");
        (status.createable, status.defaulted_on_create) = (true, true);
        let described = described(vec![field("Id", "id"), name, status, field("Address", "address")]);
        let schema = &described.spec.schema;
        assert_eq!(schema.primary_key(), [0]);
        assert!(!schema.fields()[0].nullable && schema.fields()[0].access.match_key);
        let name = &schema.fields()[1];
        assert!(name.nullable && name.access.required && name.access.updatable && !name.access.match_key);
        assert!(!schema.fields()[2].access.required && !schema.fields()[2].access.updatable);
        assert_eq!(described.spec.left_out[0].0, "Address");
    }
}
