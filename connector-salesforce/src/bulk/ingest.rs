//! Jobs that write.

use bytes::Bytes;
use connector_core::{Error, ErrorKind, Result};
use connector_http::Request;
use serde_json::json;

use super::job::{self, Job, JobState, Kind};
use crate::org::Org;
use crate::writer::Operation;

/// Makes a job that waits for its data; an upsert finds its records by `key`.
pub(crate) async fn create(org: &Org, object: &str, operation: Operation, key: Option<&str>) -> Result<Job> {
    let mut body = json!({
        "object": object,
        "operation": operation.to_string(),
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    });
    if operation == Operation::Upsert {
        body["externalIdFieldName"] = key.unwrap_or("Id").into();
    }
    // A second job, without data, does nothing and goes by itself.
    let request = Request::post(org.url(Kind::Ingest.path()).await?)
        .json(&body)?
        .idempotent();
    org.send(&request).await?.json()
}

/// Sends the job its data, once: a job takes only one upload.
pub(crate) async fn upload(org: &Org, job: &Job, csv: Bytes) -> Result<()> {
    let url = match &job.content_url {
        Some(url) => org.follow(url).await?,
        None => {
            org.url(&format!("{}/{}/batches", Kind::Ingest.path(), job.id))
                .await?
        }
    };
    let request = Request::put(url)
        .body("text/csv; charset=UTF-8", csv)
        .not_idempotent();
    org.send(&request).await.map(drop)
}

/// Tells the server that the data is whole: from here on it is applied.
///
/// # Errors
/// The job still waits for its data, and nothing was applied; or nobody knows, and the job has to be looked up.
pub(crate) async fn complete(org: &Org, id: &str) -> Result<()> {
    set_state(org, id, "UploadComplete", |state| state != JobState::Open).await
}

/// Stops a job that still waits for its data: nothing of it is ever applied.
///
/// # Errors
/// [`ErrorKind::Conflict`]: it has gone on. Otherwise nobody knows, and the job has to be looked up.
pub(crate) async fn abort(org: &Org, id: &str) -> Result<()> {
    set_state(org, id, "Aborted", |state| state == JobState::Aborted).await
}

async fn set_state(org: &Org, id: &str, state: &str, is_there: impl Fn(JobState) -> bool) -> Result<()> {
    let url = org.url(&format!("{}/{id}", Kind::Ingest.path())).await?;
    let request = Request::patch(url).json(&json!({ "state": state }))?.idempotent();
    let Err(error) = org.send(&request).await else {
        return Ok(());
    };
    // The answer may have been lost, or a second try found the first one done: the job itself knows.
    match job::get(org, Kind::Ingest, id).await {
        Ok(job) if is_there(job.state) => Ok(()),
        _ => Err(error),
    }
}

/// Stops a job that still waits for its data; where it is past that, waits for its end instead.
///
/// Returns how it ended, or `None` where it was stopped before anything of it could be applied.
pub(crate) async fn abort_or_wait(org: &Org, id: &str) -> Result<Option<Job>> {
    let job = job::get(org, Kind::Ingest, id).await?;
    if job.state == JobState::Open {
        match abort(org, id).await {
            Ok(()) => return Ok(None),
            // It moved on in between.
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    job::wait(org, Kind::Ingest, id).await.map(Some)
}

/// Whether the error of [`create`] means that collections can do what Bulk cannot.
pub(crate) fn leaves_it_to_collections(error: &Error) -> bool {
    super::query::leaves_it_to_rest(error)
}
