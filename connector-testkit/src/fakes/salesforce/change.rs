//! What a client wants done to a record.

use std::sync::Arc;

use super::field::FieldType;
use super::json_in::Input;
use super::object::ObjectType;
use super::schema::Schema;

/// What is done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Insert,
    Update,
    /// Update of the record that holds the change's value of this field, else insert. The field may be `Id`: then a
    /// change with an id is an update and one without is an insert.
    Upsert {
        /// Index of the field.
        key: usize,
    },
    /// Into the recycle bin.
    Delete,
    /// Past the recycle bin.
    HardDelete,
    /// Out of the recycle bin.
    Undelete,
}

/// A parent that is named by a key of its own.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    /// Index of the reference field.
    pub(super) field: usize,
    /// The parent's object.
    pub(super) object: Arc<ObjectType>,
    /// Index of the key among the parent's fields.
    pub(super) key: usize,
    pub(super) value: Input,
}

/// One record of a request, as a client sent it.
#[derive(Clone, Debug)]
pub(super) struct RowChange {
    pub(super) object: Arc<ObjectType>,
    pub(super) operation: Operation,
    pub(super) id: Option<String>,
    /// By field index; the key of an upsert is one of them, unless it is `Id`.
    pub(super) fields: Vec<(usize, Input)>,
    pub(super) parents: Vec<Parent>,
}

impl RowChange {
    pub(super) fn new(object: &Arc<ObjectType>, operation: Operation) -> Self {
        Self {
            object: Arc::clone(object),
            operation,
            id: None,
            fields: Vec::new(),
            parents: Vec::new(),
        }
    }
}

/// A record that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) id: String,
    pub(super) created: bool,
}

/// Where a value goes that is named by a column such as `Amount__c`, `Parent__r.Code__c` or `Lead:Who.Email`.
#[derive(Clone, Debug)]
pub(super) enum Column {
    Id,
    Field(usize),
    Parent {
        field: usize,
        object: Arc<ObjectType>,
        key: usize,
    },
}

impl Column {
    /// The meaning of a column's name, if it has one.
    pub(super) fn parse(schema: &Schema, object: &ObjectType, name: &str) -> Option<Self> {
        let Some((path, key)) = name.split_once('.') else {
            let field = object.field(name)?;
            return Some(if object.fields[field].kind == FieldType::Id {
                Self::Id
            } else {
                Self::Field(field)
            });
        };
        let (of_type, relationship) = match path.split_once(':') {
            Some((of_type, relationship)) => (Some(of_type), relationship),
            None => (None, path),
        };
        let (field, meta) = object.relationship(relationship)?;
        let known = |name: &&String| of_type.is_none_or(|of_type| name.eq_ignore_ascii_case(of_type));
        // Only where there are several kinds of parents is the kind named.
        if of_type.is_some() != (meta.reference_to.len() > 1) {
            return None;
        }
        let parent = schema.find(meta.reference_to.iter().find(known)?)?;
        let key = parent.field(key)?;
        let can = parent.fields[key].is_key() || parent.fields[key].kind == FieldType::Id;
        can.then(|| Self::Parent {
            field,
            object: Arc::clone(parent),
            key,
        })
    }

    /// Puts the value where it belongs.
    pub(super) fn assign(&self, change: &mut RowChange, value: Input) {
        match self {
            Self::Id => {
                change.id = match value {
                    Input::Text(text) => Some(text),
                    _ => None,
                };
            }
            Self::Field(field) => change.fields.push((*field, value)),
            Self::Parent { field, object, key } => change.parents.push(Parent {
                field: *field,
                object: Arc::clone(object),
                key: *key,
                value,
            }),
        }
    }
}
