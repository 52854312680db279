//! Objects of one's own.

use std::collections::BTreeMap;

use super::field::{Field, FieldType};
use super::field_spec::FieldSpec;
use super::object::{ObjectType, Rule};
use super::value::FieldValue;

/// What every object has unless it is taken away.
pub(super) const SYSTEM_FIELDS: [&str; 8] = [
    "Id",
    "IsDeleted",
    "Name",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
];

/// An object for [`SalesforceConfig::objects`](super::SalesforceConfig::objects): by default one that can be queried,
/// written, deleted, replicated and used in Bulk jobs, with the fields `Id`, `IsDeleted`, `Name` (80 characters, may
/// be empty), `CreatedDate`, `CreatedById`, `LastModifiedDate`, `LastModifiedById` and `SystemModstamp`.
///
/// With the name of a standard object (`Lead`, `Account`), only its fields and rules count: they are added to it.
#[derive(Clone, Debug)]
pub struct ObjectSpec {
    pub(super) object: ObjectType,
}

impl ObjectSpec {
    /// An object, such as `Invoice__c`, whose ids begin with the three characters of `key_prefix`, such as `a01`.
    pub fn new(name: &str, key_prefix: &str) -> Self {
        let mut object = ObjectType::new(name, key_prefix);
        object.fields = SYSTEM_FIELDS.into_iter().map(system_field).collect();
        Self { object }
    }

    /// The label, as people see it.
    #[must_use]
    pub fn label(mut self, label: &str, plural: &str) -> Self {
        label.clone_into(&mut self.object.label);
        plural.clone_into(&mut self.object.plural);
        self
    }

    /// Adds a field, or replaces the one of its name.
    #[must_use]
    pub fn field(mut self, field: FieldSpec) -> Self {
        for field in field.into_fields() {
            match self
                .object
                .fields
                .iter_mut()
                .find(|known| known.name == field.name)
            {
                Some(known) => *known = field,
                None => self.object.fields.push(field),
            }
        }
        self
    }

    /// Takes a field away, such as `SystemModstamp` of a history object. Without `IsDeleted`, what is deleted is gone
    /// at once.
    #[must_use]
    pub fn without(mut self, field: &str) -> Self {
        self.object.fields.retain(|known| known.name != field);
        self
    }

    /// Whether Bulk API 2.0 takes the object; if not, a job for it is refused with `INVALIDENTITY`.
    #[must_use]
    pub fn bulk(mut self, bulk: bool) -> Self {
        self.object.bulk = bulk;
        self
    }

    /// Whether SOQL reaches the object.
    #[must_use]
    pub fn queryable(mut self, queryable: bool) -> Self {
        self.object.queryable = queryable;
        self
    }

    /// Whether `updated` and `deleted` work.
    #[must_use]
    pub fn replicateable(mut self, replicateable: bool) -> Self {
        self.object.replicateable = replicateable;
        self
    }

    /// Whether records can be created, updated and deleted by clients.
    #[must_use]
    pub fn writable(mut self, createable: bool, updateable: bool, deletable: bool) -> Self {
        self.object.createable = createable;
        self.object.updateable = updateable;
        self.object.deletable = deletable;
        self.object.undeletable = deletable;
        self
    }

    /// Sets `deprecatedAndHidden`.
    #[must_use]
    pub fn deprecated(mut self) -> Self {
        self.object.deprecated_and_hidden = true;
        self
    }

    /// Queries must filter by one of these fields with `=` or `IN`, as those of `ContentDocumentLink` must.
    #[must_use]
    pub fn needs_filter(mut self, fields: &[&str]) -> Self {
        self.object.needs_filter = fields.iter().map(|&field| field.to_owned()).collect();
        self
    }

    /// A validation rule: records for which `refuses` is true, seen with the new values, answer
    /// `FIELD_CUSTOM_VALIDATION_EXCEPTION` with this message. `field` is where it stands; empty for no field.
    #[must_use]
    pub fn rule(
        mut self,
        field: &str,
        message: &str,
        refuses: fn(&BTreeMap<String, FieldValue>) -> bool,
    ) -> Self {
        self.object.rules.push(Rule {
            field: field.to_owned(),
            message: message.to_owned(),
            refuses,
        });
        self
    }
}

fn system_field(name: &'static str) -> Field {
    let (type_name, kind) = match name {
        "Id" => ("id", FieldType::Id),
        "IsDeleted" => ("boolean", FieldType::Boolean),
        "Name" => ("string", FieldType::Text),
        "CreatedById" | "LastModifiedById" => ("reference", FieldType::Reference),
        _ => ("datetime", FieldType::DateTime),
    };
    let mut field = Field::new(name, type_name, kind);
    match kind {
        FieldType::Id => {
            field.length = 18;
            field.byte_length = 18;
            field.id_lookup = true;
        }
        FieldType::Reference => {
            field.length = 18;
            field.byte_length = 18;
            field.reference_to = vec!["User".to_owned()];
            name.trim_end_matches("Id")
                .clone_into(&mut field.relationship_name);
        }
        FieldType::Text => {
            field.length = 80;
            field.byte_length = 240;
        }
        _ => {}
    }
    if name != "Name" {
        field.nillable = false;
        field.createable = false;
        field.updateable = false;
        field.defaulted_on_create = true;
    }
    field
}
