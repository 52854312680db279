//! Bulk API 2.0 query jobs.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::HeaderValue;
use serde_json::{Value, json};

use super::bulk_csv::{self, Snapshot};
use super::bulk_job::{CsvFormat, JobHead, JobState, asked_state, list, wrong_state};
use super::error::ApiError;
use super::org::Org;
use super::query;
use super::reply;
use super::soql::{self, Query, Select};

/// Most result pages one answer of `resultPages` names.
const MAX_RESULT_PAGES: usize = 5;

/// A query job.
#[derive(Clone, Debug)]
pub(super) struct QueryJob {
    head: JobHead,
    query: Query,
    fields: Arc<Vec<usize>>,
    /// Set when the job completes.
    snapshot: Option<Snapshot>,
}

impl QueryJob {
    fn created_json(&self) -> Value {
        self.head.to_json()
    }

    fn to_json(&self) -> Value {
        let mut all = self.head.to_json();
        all["jobType"] = "V2Query".into();
        all["numberRecordsProcessed"] = self
            .snapshot
            .as_ref()
            .map_or(0, |snapshot| snapshot.rows.len())
            .into();
        all["retries"] = 0.into();
        all["totalProcessingTime"] = 334.into();
        all["isPkChunkingSupported"] = true.into();
        all
    }
}

/// `POST /jobs/query`
pub(super) fn create(org: &Org, version: u32, body: &[u8]) -> Result<Response, ApiError> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    let format = CsvFormat::parse(&body)?;
    let operation = body
        .get("operation")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if !matches!(operation.as_str(), "query" | "queryAll") {
        return Err(ApiError::json_parser(format!(
            "Cannot deserialize value of type operation from String \"{operation}\""
        )));
    }
    let text = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let query = soql::parse(&org.schema(), text)?;
    let object = Arc::clone(&query.object);
    if !object.bulk {
        let message = format!("Entity '{}' is not supported by the Bulk API.", object.name);
        return Err(ApiError::bad("INVALIDENTITY", message));
    }
    let Select::Fields(fields) = query.select.clone() else {
        return Err(ApiError::bad(
            "API_ERROR",
            "Aggregate Relationships not supported in Bulk Query",
        ));
    };
    if fields.iter().any(|&field| query::is_compound(&object, field)) {
        return Err(ApiError::bad(
            "API_ERROR",
            "Selecting compound data not supported in Bulk Query",
        ));
    }
    if query.has_offset() {
        return Err(ApiError::bad(
            "API_ERROR",
            "OFFSET is not supported in Bulk Query",
        ));
    }
    let now = org.now();
    let head = JobHead {
        id: org.new_id("750"),
        operation,
        object: object.name.clone(),
        version,
        created: now,
        changed: now,
        state: JobState::UploadComplete,
        polls: 0,
        format,
        error: None,
    };
    let job = QueryJob {
        head,
        query,
        fields: Arc::new(fields),
        snapshot: None,
    };
    let answer = job.created_json();
    org.query_jobs().push(job);
    Ok(reply::json(200, &answer))
}

/// `GET /jobs/query`
pub(super) fn all(org: &Org) -> Response {
    let jobs: Vec<Value> = org.query_jobs().iter().map(QueryJob::to_json).collect();
    reply::json(200, &list(&jobs))
}

/// `GET /jobs/query/{id}`: also moves the job on.
pub(super) async fn poll(org: &Arc<Org>, id: &str) -> Result<Response, ApiError> {
    let (query, all) = {
        let mut jobs = org.query_jobs();
        let job = find(&mut jobs, id)?;
        let next = job.head.next_state(org.config.bulk_polls);
        if next != JobState::JobComplete || job.snapshot.is_some() {
            job.head.state = next;
            return Ok(reply::json(200, &job.to_json()));
        }
        (job.query.clone(), job.head.operation == "queryAll")
    };
    let object = Arc::clone(&query.object);
    let (rows, view) = query::find(org, query, all).await?;
    let mut jobs = org.query_jobs();
    let job = find(&mut jobs, id)?;
    // Another poll may have been faster, or the job was aborted meanwhile.
    if job.snapshot.is_none() && !job.head.state.is_final() {
        let fields = Arc::clone(&job.fields);
        job.snapshot = Some(Snapshot {
            view: Arc::new(view),
            rows: Arc::new(rows),
            object,
            fields,
        });
        job.head.state = JobState::JobComplete;
        job.head.changed = org.now();
    }
    Ok(reply::json(200, &job.to_json()))
}

/// `GET /jobs/query/{id}/results`
pub(super) fn results(
    org: &Org,
    version: u32,
    id: &str,
    locator: Option<&str>,
    max_records: Option<&str>,
) -> Result<Response, ApiError> {
    let (snapshot, format) = finished(org, version, id)?;
    let from = match locator {
        None | Some("") => 0,
        Some(locator) => offset(locator)
            .filter(|&from| from < snapshot.rows.len())
            .ok_or_else(|| ApiError::bad("INVALID_QUERY_LOCATOR", "invalid query locator"))?,
    };
    // What is asked for is the most: the server may send less.
    let max = match max_records {
        None => org.config.bulk_page_size,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|&max| max > 0)
            .ok_or_else(|| ApiError::bad("API_ERROR", "maxRecords must be a positive number"))?
            .min(org.config.bulk_page_size),
    };
    let to = from.saturating_add(max.max(1)).min(snapshot.rows.len());
    let next = if to < snapshot.rows.len() {
        locator_of(to)
    } else {
        "null".to_owned()
    };
    let mut response = reply::with_body(200, "text/csv", bulk_csv::body(snapshot, format, from, to));
    let headers = response.headers_mut();
    if let Ok(next) = HeaderValue::from_str(&next) {
        headers.insert("sforce-locator", next);
    }
    headers.insert("sforce-numberofrecords", HeaderValue::from(to - from));
    Ok(response)
}

/// `GET /jobs/query/{id}/resultPages`
pub(super) fn result_pages(
    org: &Org,
    version: u32,
    id: &str,
    from: Option<&str>,
) -> Result<Response, ApiError> {
    let (snapshot, _) = finished(org, version, id)?;
    let base = format!("/services/data/v{version}.0/jobs/query/{id}");
    let first = from.and_then(offset).unwrap_or_default();
    let size = org.config.bulk_page_size.max(1);
    let starts: Vec<usize> = (first..snapshot.rows.len().max(first + 1))
        .step_by(size)
        .collect();
    let shown = &starts[..starts.len().min(MAX_RESULT_PAGES)];
    let pages: Vec<Value> = shown
        .iter()
        .map(|&start| {
            let locator = if start == 0 {
                String::new()
            } else {
                format!("locator={}&", locator_of(start))
            };
            json!({ "resultUrl": format!("{base}/results?{locator}maxRecords={size}") })
        })
        .collect();
    let next = starts
        .get(MAX_RESULT_PAGES)
        .map(|&start| format!("{base}/resultPages?locator={}", locator_of(start)));
    Ok(reply::json(
        200,
        &json!({ "resultPages": pages, "nextRecordsUrl": next, "done": next.is_none() }),
    ))
}

/// `PATCH /jobs/query/{id}`
pub(super) fn patch(org: &Org, id: &str, body: &[u8]) -> Result<Response, ApiError> {
    let state = asked_state(body)?;
    let mut jobs = org.query_jobs();
    let job = find(&mut jobs, id)?;
    if state != "Aborted" {
        return Err(wrong_state(&format!("A query job cannot be set to {state}")));
    }
    job.head.abort(false, org.now())?;
    Ok(reply::json(200, &job.to_json()))
}

/// `DELETE /jobs/query/{id}`
pub(super) fn delete(org: &Org, id: &str) -> Result<Response, ApiError> {
    let mut jobs = org.query_jobs();
    let job = find(&mut jobs, id)?;
    if !job.head.state.is_final() {
        let message = format!("Deleting a job in state {} is not allowed", job.head.state.name());
        return Err(ApiError::bad("API_ERROR", message));
    }
    jobs.retain(|job| job.head.id != id);
    Ok(reply::empty(204))
}

/// Number of jobs that have not come to an end.
pub(super) fn open_jobs(org: &Org) -> usize {
    org.query_jobs()
        .iter()
        .filter(|job| !job.head.state.is_final())
        .count()
}

fn find<'a>(jobs: &'a mut [QueryJob], id: &str) -> Result<&'a mut QueryJob, ApiError> {
    jobs.iter_mut()
        .find(|job| job.head.id == id || job.head.id[..15] == *id)
        .ok_or_else(ApiError::not_found)
}

fn finished(org: &Org, version: u32, id: &str) -> Result<(Snapshot, CsvFormat), ApiError> {
    let mut jobs = org.query_jobs();
    let job = find(&mut jobs, id)?;
    if job.head.version != version {
        let message = "The API version of the results request must be that of the job";
        return Err(ApiError::new(409, "API_ERROR", message));
    }
    match &job.snapshot {
        Some(snapshot) => Ok((snapshot.clone(), job.head.format)),
        None => Err(wrong_state(&format!(
            "The job is in state {}, it has no results",
            job.head.state.name()
        ))),
    }
}

/// The opaque locator of a place in the result.
fn locator_of(place: usize) -> String {
    STANDARD_NO_PAD.encode(place.to_string())
}

fn offset(locator: &str) -> Option<usize> {
    String::from_utf8(STANDARD_NO_PAD.decode(locator).ok()?)
        .ok()?
        .parse()
        .ok()
}
