//! `/query` and `/queryAll`, and single records.

use std::sync::Arc;

use axum::response::Response;

use super::error::ApiError;
use super::object::ObjectType;
use super::org::Org;
use super::reply;
use super::row_set::RowSet;
use super::soql::{self, Query, Select};
use super::timestamp::{DAY, SECOND};
use super::value::write_json_text;
use super::view::{RowView, View};

/// Microseconds a cursor lives.
const CURSOR_LIFE: i64 = 2 * DAY * SECOND;
/// Smallest batch a client may ask for.
const MIN_BATCH: usize = 200;
/// Largest batch a client may ask for.
const MAX_BATCH: usize = 2_000;

/// A query whose answer takes several pages: which records, not what they hold.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    object: Arc<ObjectType>,
    fields: Arc<Vec<usize>>,
    rows: Arc<RowSet>,
    /// The org when the query ran: shows what was deleted for good since.
    view: View,
    batch: usize,
    created: i64,
}

/// The batch size for a `Sforce-Query-Options` header.
pub(super) fn batch_size(org: &Org, options: Option<&str>) -> usize {
    let asked = options
        .and_then(|options| {
            options
                .split(',')
                .find_map(|option| option.trim().strip_prefix("batchSize="))
        })
        .and_then(|size| size.trim().parse::<usize>().ok())
        .map_or(MAX_BATCH, |size| size.clamp(MIN_BATCH, MAX_BATCH));
    asked.min(org.config.page_size).max(1)
}

/// The first page of a query.
pub(super) async fn first(
    org: &Arc<Org>,
    version: u32,
    text: &str,
    all: bool,
    batch: usize,
) -> Result<Response, ApiError> {
    let query = soql::parse(&org.schema(), text)?;
    let Select::Fields(fields) = query.select.clone() else {
        let (rows, _) = find(org, query, all).await?;
        return Ok(reply::json(
            200,
            &serde_json::json!({ "totalSize": rows.len(), "done": true, "records": [] }),
        ));
    };
    let object = Arc::clone(&query.object);
    let (rows, view) = find(org, query, all).await?;
    let cursor = Cursor {
        object,
        fields: Arc::new(fields),
        rows: Arc::new(rows),
        view: view.clone(),
        batch,
        created: org.now(),
    };
    let locator = org.new_id("01g");
    let answer = page(&view, &cursor, version, &locator, 0);
    if cursor.rows.len() > batch {
        let now = org.now();
        let mut cursors = org.cursors();
        cursors.retain(|_, cursor| now - cursor.created <= CURSOR_LIFE);
        cursors.insert(locator, cursor);
    }
    Ok(answer)
}

/// A further page: `locator` is `{id}-{offset}`.
pub(super) fn next(org: &Org, version: u32, locator: &str) -> Result<Response, ApiError> {
    let unknown = || ApiError::bad("INVALID_QUERY_LOCATOR", "invalid query locator");
    let (id, offset) = locator.split_once('-').ok_or_else(unknown)?;
    let offset = offset.parse::<usize>().map_err(|_| unknown())?;
    let cursor = org.cursors().get(id).cloned().ok_or_else(unknown)?;
    if org.now() - cursor.created > CURSOR_LIFE || offset > cursor.rows.len() {
        return Err(unknown());
    }
    Ok(page(&org.view(), &cursor, version, id, offset))
}

/// The records a query finds now, and the moment they were looked at.
pub(super) async fn find(org: &Arc<Org>, query: Query, all: bool) -> Result<(RowSet, View), ApiError> {
    let view = org.view();
    let found = tokio::task::spawn_blocking(move || (soql::run(&query, &view, all), view)).await;
    found.map_err(|_| ApiError::new(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."))
}

/// `GET /sobjects/X/{id}`
pub(super) fn record(
    org: &Org,
    version: u32,
    object: &ObjectType,
    id: &str,
    fields: Option<&str>,
) -> Result<Response, ApiError> {
    let view = org.view();
    let row = view.by_id(object, id).filter(|row| !row.is_deleted());
    let row = row.ok_or_else(ApiError::not_found)?;
    let fields: Vec<usize> = match fields {
        None => object.visible().map(|(field, _)| field).collect(),
        Some(names) => names
            .split(',')
            .map(|name| {
                object.field(name.trim()).ok_or_else(|| {
                    let message = format!(
                        "No such column '{}' on sobject of type {}",
                        name.trim(),
                        object.name
                    );
                    ApiError::bad("INVALID_FIELD", message)
                })
            })
            .collect::<Result<_, _>>()?,
    };
    let mut out = Vec::new();
    write_record(row, version, &fields, &mut out);
    Ok(reply::raw_json(200, out))
}

fn page(view: &View, cursor: &Cursor, version: u32, id: &str, offset: usize) -> Response {
    let end = (offset + cursor.batch).min(cursor.rows.len());
    let done = end == cursor.rows.len();
    let mut out = format!("{{\"totalSize\":{},\"done\":{done}", cursor.rows.len()).into_bytes();
    if !done {
        out.extend_from_slice(
            format!(",\"nextRecordsUrl\":\"/services/data/v{version}.0/query/{id}-{end}\"").as_bytes(),
        );
    }
    out.extend_from_slice(b",\"records\":[");
    let rows = cursor.rows.slice(offset, cursor.batch).filter_map(|n| {
        let now = view.row(&cursor.object, n);
        now.or_else(|| cursor.view.row(&cursor.object, n))
    });
    for (place, row) in rows.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_record(row, version, &cursor.fields, &mut out);
    }
    out.extend_from_slice(b"]}");
    reply::raw_json(200, out)
}

/// Appends a record as REST shows it, `attributes` first.
pub(super) fn write_record(row: RowView<'_>, version: u32, fields: &[usize], out: &mut Vec<u8>) {
    let object = row.object;
    let id = row.id();
    out.extend_from_slice(
        format!(
            "{{\"attributes\":{{\"type\":\"{0}\",\"url\":\"/services/data/v{version}.0/sobjects/{0}/{id}\"}}",
            object.name
        )
        .as_bytes(),
    );
    for &field in fields {
        let meta = &object.fields[field];
        out.push(b',');
        write_json_text(&meta.name, out);
        out.push(b':');
        row.value(field).write_json(meta.kind, out);
    }
    out.push(b'}');
}

/// Whether the field is one of those only REST can read.
pub(super) fn is_compound(object: &ObjectType, field: usize) -> bool {
    object.fields[field].kind.is_compound()
}
