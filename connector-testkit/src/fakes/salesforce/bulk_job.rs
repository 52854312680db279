//! What query and ingest jobs have in common.

use serde_json::{Value, json};

use super::error::ApiError;
use super::lead_seed::integration_user;
use super::timestamp;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobState {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

impl JobState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
        }
    }

    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::JobComplete | Self::Failed | Self::Aborted)
    }
}

/// How a job's CSV looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct CsvFormat {
    delimiter: (&'static str, u8),
    pub(super) crlf: bool,
}

impl CsvFormat {
    /// From the members `columnDelimiter` and `lineEnding` of a job's JSON.
    pub(super) fn parse(body: &Value) -> Result<Self, ApiError> {
        const DELIMITERS: [(&str, u8); 6] = [
            ("COMMA", b','),
            ("BACKQUOTE", b'`'),
            ("CARET", b'^'),
            ("PIPE", b'|'),
            ("SEMICOLON", b';'),
            ("TAB", b'\t'),
        ];
        let text = |name: &str, default: &'static str| match body.get(name) {
            None | Some(Value::Null) => default.to_owned(),
            Some(value) => value.as_str().unwrap_or_default().to_owned(),
        };
        let wrong = |name: &str, value: &str| {
            ApiError::json_parser(format!(
                "Cannot deserialize value of type {name} from String \"{value}\""
            ))
        };
        let content_type = text("contentType", "CSV");
        if content_type != "CSV" {
            return Err(wrong("contentType", &content_type));
        }
        let delimiter = text("columnDelimiter", "COMMA");
        let delimiter = DELIMITERS
            .into_iter()
            .find(|(name, _)| *name == delimiter)
            .ok_or_else(|| wrong("columnDelimiter", &delimiter))?;
        let crlf = match text("lineEnding", "LF").as_str() {
            "LF" => false,
            "CRLF" => true,
            other => return Err(wrong("lineEnding", other)),
        };
        Ok(Self { delimiter, crlf })
    }

    pub(super) fn delimiter(self) -> u8 {
        self.delimiter.1
    }

    pub(super) fn end_line(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.crlf { b"\r\n" } else { b"\n" });
    }
}

/// What any job knows of itself.
#[derive(Clone, Debug)]
pub(super) struct JobHead {
    pub(super) id: String,
    pub(super) operation: String,
    pub(super) object: String,
    pub(super) version: u32,
    pub(super) created: i64,
    pub(super) changed: i64,
    pub(super) state: JobState,
    /// Polls that saw the job in progress.
    pub(super) polls: u32,
    pub(super) format: CsvFormat,
    pub(super) error: Option<String>,
}

impl JobHead {
    /// The members of the job's JSON that both kinds share.
    pub(super) fn to_json(&self) -> Value {
        let mut all = json!({
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": integration_user().to_json(),
            "createdDate": timestamp::rest(self.created),
            "systemModstamp": timestamp::rest(self.changed),
            "state": self.state.name(),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": f64::from(self.version),
            "lineEnding": if self.format.crlf { "CRLF" } else { "LF" },
            "columnDelimiter": self.format.delimiter.0,
        });
        if let Some(error) = &self.error {
            all["errorMessage"] = error.as_str().into();
        }
        all
    }

    /// The next state at a poll, where the job spends `in_progress` polls at work.
    pub(super) fn next_state(&mut self, in_progress: u32) -> JobState {
        match self.state {
            JobState::UploadComplete | JobState::InProgress if self.polls < in_progress => {
                self.polls += 1;
                JobState::InProgress
            }
            JobState::UploadComplete | JobState::InProgress => JobState::JobComplete,
            other => other,
        }
    }

    pub(super) fn abort(&mut self, also_open: bool, now: i64) -> Result<(), ApiError> {
        match self.state {
            JobState::UploadComplete | JobState::InProgress => {}
            JobState::Open if also_open => {}
            _ => {
                return Err(wrong_state(&format!(
                    "Aborting a job in state {} is not allowed",
                    self.state.name()
                )));
            }
        }
        self.state = JobState::Aborted;
        self.changed = now;
        Ok(())
    }
}

/// 400 `INVALIDJOBSTATE`
pub(super) fn wrong_state(message: &str) -> ApiError {
    ApiError::bad("INVALIDJOBSTATE", message)
}

/// The state a PATCH asks for.
pub(super) fn asked_state(body: &[u8]) -> Result<String, ApiError> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    body.get("state")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| ApiError::json_parser("state is missing"))
}

/// The answer of a job list.
pub(super) fn list(records: &[Value]) -> Value {
    json!({ "done": true, "records": records, "nextRecordsUrl": null })
}
