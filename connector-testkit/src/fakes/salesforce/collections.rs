//! sObject Collections: up to 200 records in one call.

use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;

use super::change::{Done, Operation, RowChange};
use super::error::{ApiError, RowError};
use super::field::FieldType;
use super::id;
use super::json_change::{attribute_type, row_change};
use super::json_in::Members;
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

impl Body {
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        let body: Self =
            serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
        within_limit(body.records.len())?;
        Ok(body)
    }
}

fn within_limit(records: usize) -> Result<(), ApiError> {
    if records > MAX_RECORDS {
        let message = "record limit reached. cannot submit more than 200 records in this call";
        return Err(ApiError::bad("EXCEEDED_ID_LIMIT", message));
    }
    Ok(())
}

/// `POST /composite/sobjects`
pub(super) fn insert(org: &Org, body: &[u8]) -> Result<Response, ApiError> {
    mixed(org, Operation::Insert, body)
}

/// `PATCH /composite/sobjects`
pub(super) fn update(org: &Org, body: &[u8]) -> Result<Response, ApiError> {
    mixed(org, Operation::Update, body)
}

/// Records that may be of several objects.
fn mixed(org: &Org, operation: Operation, body: &[u8]) -> Result<Response, ApiError> {
    let body = Body::read(body)?;
    let objects: Vec<Arc<ObjectType>> = body
        .records
        .iter()
        .map(|record| object_of(org, record))
        .collect::<Result<_, _>>()?;
    if objects.chunk_by(|left, right| left.name == right.name).count() > MAX_CHUNKS {
        let message = "The request contains more than 10 chunks; sort the records by type";
        return Err(ApiError::bad("LIMIT_EXCEEDED", message));
    }
    let schema = org.schema();
    let mut changes = Vec::with_capacity(body.records.len());
    for (record, object) in body.records.iter().zip(&objects) {
        let change = row_change(&schema, object, operation, record)?;
        if operation == Operation::Insert && change.id.is_some() {
            return Err(no_id());
        }
        changes.push(change);
    }
    Ok(write(org, &changes, body.all_or_none, false))
}

/// `PATCH /composite/sobjects/{object}/{field}`
pub(super) fn upsert(
    org: &Org,
    object: &Arc<ObjectType>,
    field: &str,
    body: &[u8],
) -> Result<Response, ApiError> {
    let can = |field: &usize| object.fields[*field].external_id || object.fields[*field].id_lookup;
    let known = object.field(field).filter(can);
    let Some(key) = known else {
        let message = format!("Provided external ID field does not exist or is not accessible: {field}");
        return Err(ApiError::new(404, "NOT_FOUND", message));
    };
    let body = Body::read(body)?;
    let schema = org.schema();
    let mut changes = Vec::with_capacity(body.records.len());
    for record in &body.records {
        if object_of(org, record)?.name != object.name {
            let message = "all records of an upsert must be of the object in the address";
            return Err(ApiError::bad("INVALID_TYPE", message));
        }
        let change = row_change(&schema, object, Operation::Upsert { key }, record)?;
        if change.id.is_some() && object.fields[key].kind != FieldType::Id {
            return Err(no_id());
        }
        changes.push(change);
    }
    Ok(write(org, &changes, body.all_or_none, true))
}

/// `DELETE /composite/sobjects?ids=`
pub(super) fn delete(org: &Org, ids: &str, all_or_none: Option<&str>) -> Result<Response, ApiError> {
    let ids: Vec<&str> = ids.split(',').filter(|id| !id.is_empty()).collect();
    within_limit(ids.len())?;
    let schema = org.schema();
    let mut changes = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(object) = schema.of_id(id) else {
            let message = format!("malformed id {id}");
            return Err(ApiError::bad("MALFORMED_ID", message));
        };
        let mut change = RowChange::new(object, Operation::Delete);
        change.id = Some(id.to_owned());
        changes.push(change);
    }
    Ok(write(org, &changes, all_or_none == Some("true"), false))
}

fn no_id() -> ApiError {
    let message = "The Id field should not be specified in the sobject data.";
    ApiError::bad("INVALID_FIELD", message)
}

fn write(org: &Org, changes: &[RowChange], all_or_none: bool, tells_created: bool) -> Response {
    let results = org.write(org.next_request(), changes, all_or_none);
    let mut out = vec![b'['];
    for (place, (result, change)) in results.iter().zip(changes).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_result(result, change, tells_created, &mut out);
    }
    out.push(b']');
    reply::raw_json(200, out)
}

fn object_of(org: &Org, record: &Members) -> Result<Arc<ObjectType>, ApiError> {
    let Some(name) = attribute_type(record) else {
        let message = "Include an entity type in the attributes of each record: attributes.type";
        return Err(ApiError::bad("INVALID_TYPE", message));
    };
    org.object(&name)
        .ok_or_else(|| ApiError::bad("INVALID_TYPE", format!("sObject type '{name}' is not supported.")))
}

fn write_result(result: &Result<Done, RowError>, change: &RowChange, tells_created: bool, out: &mut Vec<u8>) {
    match result {
        Ok(done) => {
            out.extend_from_slice(b"{\"id\":");
            write_json_text(&done.id, out);
            out.extend_from_slice(b",\"success\":true,\"errors\":[]");
            if tells_created {
                out.extend_from_slice(format!(",\"created\":{}", done.created).as_bytes());
            }
            out.push(b'}');
        }
        Err(error) => {
            out.push(b'{');
            // Innocent rows of a rolled back call carry their id although nothing was written.
            let innocent = error.code == "ALL_OR_NONE_OPERATION_ROLLED_BACK";
            if let Some(id) = change.id.as_deref().filter(|_| innocent).and_then(id::normalize) {
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
