//! Single records by their id or an external id.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::change::{Done, Operation, RowChange};
use super::coerce::coerce;
use super::error::{ApiError, RowError};
use super::field::FieldType;
use super::id;
use super::json_change::row_change;
use super::json_in::{Input, Members};
use super::object::ObjectType;
use super::org::Org;
use super::record_json::{own, write_record};
use super::reply;

/// Most records in one retrieve.
const MAX_RETRIEVE: usize = 2_000;

/// `POST /sobjects/X`
pub(super) fn create(org: &Org, object: &Arc<ObjectType>, body: &[u8]) -> Result<Response, ApiError> {
    let change = change(org, object, Operation::Insert, body)?;
    let done = write(org, change)?;
    Ok(reply::json(
        201,
        &json!({ "id": done.id, "success": true, "errors": [] }),
    ))
}

/// `PATCH /sobjects/X/{id}`
pub(super) fn update(
    org: &Org,
    object: &Arc<ObjectType>,
    id: &str,
    body: &[u8],
) -> Result<Response, ApiError> {
    let mut change = change(org, object, Operation::Update, body)?;
    change.id = Some(id.to_owned());
    write(org, change)?;
    Ok(reply::empty(204))
}

/// `DELETE /sobjects/X/{id}`
pub(super) fn delete(org: &Org, object: &Arc<ObjectType>, id: &str) -> Result<Response, ApiError> {
    let mut change = RowChange::new(object, Operation::Delete);
    change.id = Some(id.to_owned());
    write(org, change)?;
    Ok(reply::empty(204))
}

/// `PATCH /sobjects/X/{field}/{value}`: creates unless a record holds the value; `update_only` forbids that.
pub(super) fn upsert(
    org: &Org,
    object: &Arc<ObjectType>,
    version: u32,
    (field, value): (&str, &str),
    update_only: bool,
    body: &[u8],
) -> Result<Response, ApiError> {
    let key = key(object, field)?;
    let holders = holders(org, object, key, value)?;
    if holders.len() > 1 {
        return Ok(several(object, version, &holders));
    }
    if holders.is_empty() && update_only {
        return Err(ApiError::not_found());
    }
    let mut change = change(org, object, Operation::Upsert { key }, body)?;
    change.fields.retain(|(given, _)| *given != key);
    change.fields.push((key, Input::Text(value.to_owned())));
    let done = write(org, change)?;
    let status = if done.created { 201 } else { 200 };
    let body = json!({ "id": done.id, "success": true, "errors": [], "created": done.created });
    Ok(reply::json(status, &body))
}

/// The id of the record that holds the value of an external id, for GET and DELETE.
pub(super) fn by_key(
    org: &Org,
    object: &Arc<ObjectType>,
    version: u32,
    field: &str,
    value: &str,
) -> Result<Result<String, Response>, ApiError> {
    let key = key(object, field)?;
    match holders(org, object, key, value)?[..] {
        [] => Err(ApiError::not_found()),
        [n] => Ok(Ok(id::make(&object.key_prefix, n))),
        ref holders => Ok(Err(several(object, version, holders))),
    }
}

/// `GET /sobjects/X/{id}/{field}`: the bytes of a blob.
pub(super) fn blob(org: &Org, object: &ObjectType, id: &str, field: &str) -> Result<Response, ApiError> {
    let field = object
        .field(field)
        .filter(|&field| object.fields[field].kind == FieldType::Base64)
        .ok_or_else(ApiError::not_found)?;
    let view = org.view();
    let row = view.by_id(object, id).ok_or_else(ApiError::not_found)?;
    let text = row.value(field).text().ok_or_else(ApiError::not_found)?;
    let bytes = STANDARD.decode(text).unwrap_or_default();
    Ok(reply::with_body(200, "application/octet-stream", bytes))
}

#[derive(Deserialize)]
struct Wanted {
    ids: Vec<String>,
    fields: Vec<String>,
}

/// `POST /composite/sobjects/X`: null stands for what is missing.
pub(super) fn retrieve(
    org: &Org,
    object: &ObjectType,
    version: u32,
    body: &[u8],
) -> Result<Response, ApiError> {
    let wanted: Wanted =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    retrieve_listed(org, object, version, &wanted.ids, &wanted.fields)
}

/// `GET /composite/sobjects/X?ids=&fields=`
pub(super) fn retrieve_listed(
    org: &Org,
    object: &ObjectType,
    version: u32,
    ids: &[String],
    names: &[String],
) -> Result<Response, ApiError> {
    if ids.len() > MAX_RETRIEVE {
        let message = "record limit reached. cannot retrieve more than 2000 records in this call";
        return Err(ApiError::bad("EXCEEDED_ID_LIMIT", message));
    }
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        let field = object.field(name.trim()).ok_or_else(|| {
            let message = format!("No such column '{name}' on sobject of type {}", object.name);
            ApiError::bad("INVALID_FIELD", message)
        })?;
        fields.push(field);
    }
    let paths = own(fields);
    let view = org.view();
    let mut out = vec![b'['];
    for (place, id) in ids.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match view.by_id(object, id).filter(|row| !row.is_deleted()) {
            Some(row) => write_record(&view, row, version, &paths, &mut out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b']');
    Ok(reply::raw_json(200, out))
}

fn change(
    org: &Org,
    object: &Arc<ObjectType>,
    operation: Operation,
    body: &[u8],
) -> Result<RowChange, ApiError> {
    let record: Members =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    let change = row_change(&org.schema(), object, operation, &record)?;
    if change.id.is_some() {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(ApiError::bad("INVALID_FIELD", message));
    }
    Ok(change)
}

fn write(org: &Org, change: RowChange) -> Result<Done, ApiError> {
    let deletes = change.operation == Operation::Delete;
    match org.write(org.next_request(), &[change], false).pop() {
        Some(Ok(done)) => Ok(done),
        Some(Err(error)) => Err(refusal(error, deletes)),
        None => Err(ApiError::not_found()),
    }
}

fn refusal(error: RowError, deletes: bool) -> ApiError {
    let gone = error.code == "INVALID_CROSS_REFERENCE_KEY" && error.fields.is_empty();
    if gone || (deletes && error.code == "ENTITY_IS_DELETED") {
        let mut missing = ApiError::not_found();
        if error.code == "ENTITY_IS_DELETED" {
            missing.code = "ENTITY_IS_DELETED".into();
            missing.message = error.message;
        }
        return missing;
    }
    ApiError {
        status: 400,
        code: error.code.into(),
        message: error.message,
        fields: error.fields,
    }
}

fn key(object: &ObjectType, field: &str) -> Result<usize, ApiError> {
    let known = object
        .field(field)
        .filter(|&field| object.fields[field].external_id || object.fields[field].id_lookup);
    known.ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {field}");
        ApiError::new(404, "NOT_FOUND", message)
    })
}

fn holders(org: &Org, object: &ObjectType, key: usize, value: &str) -> Result<Vec<u64>, ApiError> {
    let meta = &object.fields[key];
    let value = coerce(meta, &Input::Text(value.to_owned())).map_err(|error| refusal(error, false))?;
    if meta.kind == FieldType::Id {
        let n = value.text().and_then(|id| id::number(&object.key_prefix, &id));
        return Ok(n.into_iter().collect());
    }
    Ok(org.holders(&org.data(), object, key, &value))
}

/// 300: the addresses of the records that hold the value.
fn several(object: &ObjectType, version: u32, holders: &[u64]) -> Response {
    let urls: Vec<Value> = holders
        .iter()
        .map(|&n| {
            let id = id::make(&object.key_prefix, n);
            json!(format!(
                "/services/data/v{version}.0/sobjects/{}/{id}",
                object.name
            ))
        })
        .collect();
    reply::json(300, &Value::Array(urls))
}
