//! A description as the core sees it.

use std::sync::Arc;

use connector_core::{Access, Field, Result, Schema, Selection, StreamSpec};

use super::wire::{FieldDescribe, ObjectDescribe};
use crate::types::{Mapped, data_type};

/// The fields that can be a cursor, best first: the first moves on every write, the second on people's writes, the
/// third never after the creation.
const CURSORS: [&str; 3] = ["SystemModstamp", "LastModifiedDate", "CreatedDate"];

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
        let cursor = CURSORS.iter().find(|name| {
            object
                .field(name)
                .is_some_and(|field| field.filterable && field.kind == "datetime")
        });
        let mut spec = StreamSpec::new(Selection::stream(&object.name), Arc::new(schema))
            .with_cursor(cursor.map(|name| (*name).to_owned()));
        spec.left_out = left_out;
        Ok(Self { object, spec })
    }

    /// Whether deleted records can be told: they are read from the recycle bin, marked.
    pub(crate) fn has_deletions(&self) -> bool {
        self.object.field("IsDeleted").is_some()
    }
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
            createable: true,
            updateable: true,
            deletable: true,
            fields,
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
