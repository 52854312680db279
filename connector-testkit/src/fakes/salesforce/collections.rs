//! sObject Collections: up to 200 records in one call.

use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;

use super::change::{Done, Operation, RowChange};
use super::error::{ApiError, RowError};
use super::field::FieldType;
use super::id;
use super::json_in::{Input, Members};
use super::object::ObjectType;
use super::org::Org;
use super::reply;
use super::value::write_json_text;

/// Most records in one call.
const MAX_RECORDS: usize = 200;
/// Most times the object may change from one record to the next, plus one.
const MAX_CHUNKS: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    all_or_none: bool,
    records: Vec<Members>,
}

/// `PATCH /composite/sobjects`
pub(super) fn update(org: &Org, body: &[u8]) -> Result<Response, ApiError> {
    let body: Body =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    if body.records.len() > MAX_RECORDS {
        let message = "record limit reached. cannot submit more than 200 records in this call";
        return Err(ApiError::bad("EXCEEDED_ID_LIMIT", message));
    }
    let objects: Vec<Arc<ObjectType>> = body
        .records
        .iter()
        .map(|record| object_of(org, record))
        .collect::<Result<_, _>>()?;
    if objects.chunk_by(|left, right| left.name == right.name).count() > MAX_CHUNKS {
        let message = "The request contains more than 10 chunks; sort the records by type";
        return Err(ApiError::bad("LIMIT_EXCEEDED", message));
    }
    let mut updates = Vec::with_capacity(body.records.len());
    for (record, object) in body.records.iter().zip(&objects) {
        updates.push(row_update(object, record)?);
    }
    let results = org.write(org.next_request(), &updates, body.all_or_none);
    let mut out = vec![b'['];
    for (place, (result, update)) in results.iter().zip(&updates).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_result(result, update, &mut out);
    }
    out.push(b']');
    Ok(reply::raw_json(200, out))
}

/// `PATCH /sobjects/Lead/{id}`
pub(super) fn update_one(
    org: &Org,
    object: &Arc<ObjectType>,
    id: &str,
    body: &[u8],
) -> Result<Response, ApiError> {
    let record: Members =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    let mut update = row_update(object, &record)?;
    if update.id.is_some() {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(ApiError::bad("INVALID_FIELD", message));
    }
    update.id = Some(id.to_owned());
    let result = org.write(org.next_request(), &[update], false).pop();
    match result {
        Some(Err(error)) if error.code == "INVALID_CROSS_REFERENCE_KEY" => Err(ApiError::not_found()),
        Some(Err(error)) => {
            let body = serde_json::json!([{
                "message": error.message, "errorCode": error.code, "fields": error.fields,
            }]);
            Ok(reply::json(400, &body))
        }
        _ => Ok(reply::empty(204)),
    }
}

fn object_of(org: &Org, record: &Members) -> Result<Arc<ObjectType>, ApiError> {
    let attributes = match record.get("attributes") {
        Some(Input::Nested(raw)) => serde_json::from_str::<Members>(raw.get()).unwrap_or_default(),
        _ => Members::default(),
    };
    let Some(Input::Text(name)) = attributes.get("type") else {
        let message = "Include an entity type in the attributes of each record: attributes.type";
        return Err(ApiError::bad("INVALID_TYPE", message));
    };
    org.object(name)
        .ok_or_else(|| ApiError::bad("INVALID_TYPE", format!("sObject type '{name}' is not supported.")))
}

fn row_update(object: &Arc<ObjectType>, record: &Members) -> Result<RowChange, ApiError> {
    let mut change = RowChange::new(object, Operation::Update);
    for (name, input) in &record.0 {
        if name == "attributes" {
            continue;
        }
        let Some(field) = object.field(name) else {
            let message = format!("No such column '{name}' on sobject of type {}", object.name);
            return Err(ApiError::bad("INVALID_FIELD", message));
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

fn write_result(result: &Result<Done, RowError>, update: &RowChange, out: &mut Vec<u8>) {
    match result {
        Ok(done) => {
            out.extend_from_slice(b"{\"id\":");
            write_json_text(&done.id, out);
            out.extend_from_slice(b",\"success\":true,\"errors\":[]}");
        }
        Err(error) => {
            out.push(b'{');
            // Innocent rows of a rolled back call carry their id although nothing was written.
            let innocent = error.code == "ALL_OR_NONE_OPERATION_ROLLED_BACK";
            if let Some(id) = update.id.as_deref().filter(|_| innocent).and_then(id::normalize) {
                out.extend_from_slice(b"\"id\":");
                write_json_text(&id, out);
                out.push(b',');
            }
            let error = serde_json::json!([{
                "statusCode": error.code, "message": error.message, "fields": error.fields,
            }]);
            out.extend_from_slice(format!("\"success\":false,\"errors\":{error}}}").as_bytes());
        }
    }
}
