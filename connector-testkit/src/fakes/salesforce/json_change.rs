//! Reading a record of a request's JSON.

use std::sync::Arc;

use super::change::{Column, Operation, RowChange};
use super::error::ApiError;
use super::field::FieldType;
use super::json_in::{Input, Members};
use super::object::ObjectType;
use super::schema::Schema;

/// The change that a record asks for.
///
/// # Errors
/// It fails the whole request: a name that is no column, or a value of another kind than its column's.
pub(super) fn row_change(
    schema: &Schema,
    object: &Arc<ObjectType>,
    operation: Operation,
    record: &Members,
) -> Result<RowChange, ApiError> {
    let mut change = RowChange::new(object, operation);
    for (name, input) in &record.0 {
        if name == "attributes" {
            continue;
        }
        if let Input::Nested(raw) = input
            && object.relationship(name).is_some()
        {
            let members = serde_json::from_str(raw.get()).unwrap_or_default();
            parent(schema, object, name, &members, &mut change)?;
            continue;
        }
        let Some(field) = object.field(name) else {
            return Err(no_column(object, name));
        };
        let meta = &object.fields[field];
        if meta.kind == FieldType::Id {
            change.id = match input {
                Input::Text(text) => Some(text.clone()),
                Input::Null => None,
                _ => return Err(cannot_read("string", input)),
            };
            continue;
        }
        let numeric = meta.kind.is_numeric();
        match input {
            Input::Nested(_) => return Err(cannot_read(meta.soap_type.trim_start_matches("xsd:"), input)),
            Input::Number(_) if !numeric => return Err(cannot_read("string", input)),
            Input::Bool(_) if meta.kind != FieldType::Boolean => return Err(cannot_read("string", input)),
            _ => change.fields.push((field, input.clone())),
        }
    }
    Ok(change)
}

/// A parent named by its own key: `"Parent__r":{"Key__c":"v"}`, with `attributes.type` where there are several kinds.
fn parent(
    schema: &Schema,
    object: &Arc<ObjectType>,
    relationship: &str,
    members: &Members,
    change: &mut RowChange,
) -> Result<(), ApiError> {
    let kind = attribute_type(members);
    for (key, input) in members.0.iter().filter(|(name, _)| name != "attributes") {
        let one_kind = object
            .relationship(relationship)
            .is_some_and(|(_, meta)| meta.reference_to.len() == 1);
        // Where there is one kind of parents, naming it does no harm.
        let path = match &kind {
            Some(kind) if !one_kind => format!("{kind}:{relationship}.{key}"),
            _ => format!("{relationship}.{key}"),
        };
        match Column::parse(schema, object, &path) {
            Some(column) => column.assign(change, input.clone()),
            None => return Err(no_column(object, &format!("{relationship}.{key}"))),
        }
    }
    Ok(())
}

/// `attributes.type` of an object.
pub(super) fn attribute_type(members: &Members) -> Option<String> {
    let Some(Input::Nested(raw)) = members.get("attributes") else {
        return None;
    };
    match serde_json::from_str::<Members>(raw.get()).ok()?.get("type") {
        Some(Input::Text(name)) => Some(name.clone()),
        _ => None,
    }
}

fn no_column(object: &ObjectType, name: &str) -> ApiError {
    let message = format!("No such column '{name}' on sobject of type {}", object.name);
    ApiError::bad("INVALID_FIELD", message)
}

fn cannot_read(kind: &str, input: &Input) -> ApiError {
    let found = match input {
        Input::Null => "VALUE_NULL".to_owned(),
        Input::Bool(value) => format!("VALUE_{} value {value}", value.to_string().to_uppercase()),
        Input::Number(text) if text.contains(['.', 'e', 'E']) => format!("VALUE_NUMBER_FLOAT value {text}"),
        Input::Number(text) => format!("VALUE_NUMBER_INT value {text}"),
        Input::Text(text) => format!("VALUE_STRING value {text}"),
        Input::Nested(_) => "START_OBJECT".to_owned(),
    };
    ApiError::json_parser(format!(
        "Cannot deserialize instance of {kind} from {found} or request may be missing a required field at [line:1, \
         column:1]"
    ))
}
