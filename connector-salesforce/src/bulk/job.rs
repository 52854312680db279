//! What query and ingest jobs have in common.

use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use connector_http::Request;
use serde::Deserialize;

use crate::error::ApiError;
use crate::org::Org;

/// A job as the server shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) state: JobState,
    #[serde(default)]
    pub(crate) number_records_processed: Option<u64>,
    #[serde(default)]
    error_message: Option<String>,
    #[serde(default)]
    pub(crate) content_url: Option<String>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum JobState {
    /// Waits for its data.
    Open,
    /// Has its data, or its query, and waits for its turn.
    UploadComplete,
    /// Is being worked on.
    InProgress,
    /// Done; single records may have failed.
    JobComplete,
    /// Given up; part of it may be done.
    Failed,
    /// Stopped by somebody; part of it may be done.
    Aborted,
    /// A state this version does not know: not an end.
    #[serde(other)]
    Other,
}

impl JobState {
    /// Whether nothing will change any more.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::JobComplete | Self::Failed | Self::Aborted)
    }
}

/// Which kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Query,
    Ingest,
}

impl Kind {
    /// The path of this kind's jobs.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Query => "jobs/query",
            Self::Ingest => "jobs/ingest",
        }
    }
}

/// The job as it is now.
pub(crate) async fn get(org: &Org, kind: Kind, id: &str) -> Result<Job> {
    org.get(&format!("{}/{id}", kind.path())).await?.json()
}

/// Asks again and again until the job has come to an end: after 1 s, 2 s, and so on up to 30 s.
pub(crate) async fn wait(org: &Org, kind: Kind, id: &str) -> Result<Job> {
    let mut pause = Duration::from_secs(1);
    loop {
        let job = get(org, kind, id).await?;
        if job.state.is_final() {
            return Ok(job);
        }
        tracing::debug!(job = id, state = ?job.state, "waiting for the job");
        org.clock().sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}

/// Takes the job and its results away; they would go by themselves after seven days.
pub(crate) async fn delete(org: &Org, kind: Kind, id: &str) -> Result<()> {
    let url = org.url(&format!("{}/{id}", kind.path())).await?;
    org.send(&Request::delete(url)).await.map(drop)
}

impl Job {
    /// The error of a job that did not complete.
    pub(crate) fn failure(&self) -> Error {
        let how = if self.state == JobState::Aborted {
            "was aborted"
        } else {
            "failed"
        };
        let why = self.error_message.as_deref().unwrap_or("it gives no reason");
        let why: String = why.chars().take(500).collect();
        let message = format!("the Bulk job {how}: {why}");
        Error::new(ErrorKind::Unavailable, message)
            .with_context("job", self.id.as_str())
            .with_retry(connector_core::Retry::Never)
            .with_source(ApiError::of_job(why))
            .with_help("look the job up under Bulk Data Load Jobs in the org's setup")
    }
}
