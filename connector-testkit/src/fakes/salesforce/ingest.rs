//! Bulk API 2.0 ingest jobs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use serde_json::{Value, json};

use super::bulk_job::{CsvFormat, JobHead, JobState, asked_state, list, wrong_state};
use super::error::ApiError;
use super::ingest_results::{self, Outcome, ResultKind};
use super::org::Org;
use super::reply;

/// An ingest job.
#[derive(Clone, Debug)]
pub(super) struct IngestJob {
    pub(super) head: JobHead,
    /// The upload.
    pub(super) body: Option<Bytes>,
    /// Set while one poll works on the job.
    processing: bool,
    pub(super) header: Arc<Vec<String>>,
    pub(super) outcomes: Arc<Vec<Outcome>>,
}

impl IngestJob {
    fn created_json(&self) -> Value {
        let mut all = self.head.to_json();
        all["contentUrl"] = format!(
            "services/data/v{}.0/jobs/ingest/{}/batches",
            self.head.version, self.head.id
        )
        .into();
        all
    }

    fn to_json(&self) -> Value {
        let failed = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.kind() == ResultKind::Failed)
            .count();
        let done = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.kind() == ResultKind::Successful)
            .count();
        let mut all = self.created_json();
        if let (Value::Object(all), Value::Object(more)) = (
            &mut all,
            json!({
                "jobType": "V2Ingest", "numberRecordsProcessed": done + failed, "numberRecordsFailed": failed,
                "retries": 0, "totalProcessingTime": 412, "apiActiveProcessingTime": 301,
                "apexProcessingTime": 0,
            }),
        ) {
            all.extend(more);
        }
        all
    }
}

/// `POST /jobs/ingest`
pub(super) fn create(org: &Org, version: u32, body: &[u8]) -> Result<Response, ApiError> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    let format = CsvFormat::parse(&body)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(object) = org.object(text("object")) else {
        let message = format!("Unable to find object: {}", text("object"));
        return Err(ApiError::bad("INVALIDENTITY", message));
    };
    match text("operation") {
        "update" => {}
        "upsert" if text("externalIdFieldName").is_empty() => {
            return Err(ApiError::bad(
                "INVALIDJOB",
                "externalIdFieldName is required for upsert",
            ));
        }
        operation @ ("insert" | "upsert" | "delete" | "hardDelete") => {
            let message = format!("The operation {operation} is not enabled in this org");
            return Err(ApiError::bad("FEATURENOTENABLED", message));
        }
        other => {
            let message = format!("Cannot deserialize value of type operation from String \"{other}\"");
            return Err(ApiError::json_parser(message));
        }
    }
    if !object.bulk {
        let message = format!("Entity '{}' is not supported by the Bulk API.", object.name);
        return Err(ApiError::bad("INVALIDENTITY", message));
    }
    let now = org.now();
    let head = JobHead {
        id: org.new_id("750"),
        operation: text("operation").to_owned(),
        object: object.name.clone(),
        version,
        created: now,
        changed: now,
        state: JobState::Open,
        polls: 0,
        format,
        error: None,
    };
    let job = IngestJob {
        head,
        body: None,
        processing: false,
        header: Arc::default(),
        outcomes: Arc::default(),
    };
    let answer = job.created_json();
    org.ingest_jobs().push(job);
    Ok(reply::json(200, &answer))
}

/// `PUT /jobs/ingest/{id}/batches`
pub(super) fn upload(
    org: &Org,
    id: &str,
    content_type: Option<&str>,
    body: Bytes,
) -> Result<Response, ApiError> {
    if !content_type
        .unwrap_or_default()
        .to_ascii_lowercase()
        .starts_with("text/csv")
    {
        let message = "The Content-Type of an upload must be text/csv";
        return Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    let mut jobs = org.ingest_jobs();
    let job = find(&mut jobs, id)?;
    if job.head.state != JobState::Open || job.body.is_some() {
        return Err(wrong_state(
            "Found multiple contents for job, please 'Close' / 'Abort' / 'Delete' the current Job",
        ));
    }
    job.body = Some(body);
    Ok(reply::empty(201))
}

/// `PATCH /jobs/ingest/{id}`
pub(super) fn patch(org: &Org, id: &str, body: &[u8]) -> Result<Response, ApiError> {
    let state = asked_state(body)?;
    let mut jobs = org.ingest_jobs();
    let job = find(&mut jobs, id)?;
    match state.as_str() {
        "Aborted" => job.head.abort(true, org.now())?,
        "UploadComplete" if job.head.state == JobState::Open => {
            job.head.state = JobState::UploadComplete;
            job.head.changed = org.now();
        }
        other => {
            let message = format!(
                "A job in state {} cannot be set to {other}",
                job.head.state.name()
            );
            return Err(wrong_state(&message));
        }
    }
    Ok(reply::json(200, &job.created_json()))
}

/// `GET /jobs/ingest`
pub(super) fn all(org: &Org) -> Response {
    let jobs: Vec<Value> = org.ingest_jobs().iter().map(IngestJob::to_json).collect();
    reply::json(200, &list(&jobs))
}

/// `GET /jobs/ingest/{id}`: also moves the job on.
pub(super) async fn poll(org: &Arc<Org>, id: &str) -> Result<Response, ApiError> {
    let work = {
        let mut jobs = org.ingest_jobs();
        let job = find(&mut jobs, id)?;
        let before = job.head.state;
        let next = job.head.next_state(org.config.bulk_polls);
        if before.is_final() || next != JobState::JobComplete || job.processing {
            job.head.state = if job.processing { before } else { next };
            return Ok(reply::json(200, &job.to_json()));
        }
        job.processing = true;
        job.clone()
    };
    let shared = Arc::clone(org);
    let processed = tokio::task::spawn_blocking(move || ingest_results::process(&shared, &work)).await;
    let processed =
        processed.map_err(|_| ApiError::new(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."))?;
    let mut jobs = org.ingest_jobs();
    let job = find(&mut jobs, id)?;
    job.processing = false;
    job.header = Arc::new(processed.header);
    job.outcomes = Arc::new(processed.outcomes);
    job.head.state = if processed.error.is_some() {
        JobState::Failed
    } else {
        JobState::JobComplete
    };
    job.head.error = processed.error;
    job.head.changed = org.now();
    Ok(reply::json(200, &job.to_json()))
}

/// `GET /jobs/ingest/{id}/successfulResults` and its two siblings.
pub(super) fn results(org: &Org, id: &str, kind: ResultKind) -> Result<Response, ApiError> {
    let job = {
        let mut jobs = org.ingest_jobs();
        find(&mut jobs, id)?.clone()
    };
    if !job.head.state.is_final() {
        let message = format!("The job is in state {}, it has no results", job.head.state.name());
        return Err(wrong_state(&message));
    }
    Ok(reply::with_body(
        200,
        "text/csv",
        ingest_results::csv(&job, kind, org.config.shuffle_results),
    ))
}

/// `DELETE /jobs/ingest/{id}`
pub(super) fn delete(org: &Org, id: &str) -> Result<Response, ApiError> {
    let mut jobs = org.ingest_jobs();
    let job = find(&mut jobs, id)?;
    if !(job.head.state.is_final() || job.head.state == JobState::UploadComplete) {
        let message = format!("Deleting a job in state {} is not allowed", job.head.state.name());
        return Err(wrong_state(&message));
    }
    jobs.retain(|job| job.head.id != id);
    Ok(reply::empty(204))
}

/// Number of jobs that have not come to an end.
pub(super) fn open_jobs(org: &Org) -> usize {
    org.ingest_jobs()
        .iter()
        .filter(|job| !job.head.state.is_final())
        .count()
}

fn find<'a>(jobs: &'a mut [IngestJob], id: &str) -> Result<&'a mut IngestJob, ApiError> {
    jobs.iter_mut()
        .find(|job| job.head.id == id || job.head.id[..15] == *id)
        .ok_or_else(ApiError::not_found)
}
