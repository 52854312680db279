//! `/composite/batch`: several requests in one.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::Method;
use http::request::Parts;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::ApiError;

/// Most requests in one batch.
const MAX_REQUESTS: usize = 25;
/// Most bytes of one answer.
const MAX_ANSWER: usize = 50_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Batch {
    #[serde(default)]
    pub(super) halt_on_error: bool,
    #[serde(rename = "batchRequests")]
    pub(super) requests: Vec<Sub>,
}

/// One of its requests.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sub {
    method: String,
    url: String,
    rich_input: Option<Box<RawValue>>,
}

impl Sub {
    /// The request as if it had come by itself, signed in as the batch is.
    pub(super) fn parts(&self, outer: &Parts) -> Result<(Parts, Body), ApiError> {
        let wrong = || ApiError::json_parser(format!("no request: {} {}", self.method, self.url));
        let mut head = outer.clone();
        head.method = Method::from_bytes(self.method.as_bytes()).map_err(|_| wrong())?;
        let path = self.url.trim_start_matches('/');
        let path = path.strip_prefix("services/data/").unwrap_or(path);
        head.uri = format!("/services/data/{path}").parse().map_err(|_| wrong())?;
        let body = self.rich_input.as_ref().map(|raw| raw.get().to_owned());
        Ok((head, Body::from(body.unwrap_or_default())))
    }
}

pub(super) fn read(body: &[u8]) -> Result<Batch, ApiError> {
    let batch: Batch =
        serde_json::from_slice(body).map_err(|error| ApiError::json_parser(error.to_string()))?;
    if batch.requests.len() > MAX_REQUESTS {
        return Err(ApiError::bad("LIMIT_EXCEEDED", "a batch has at most 25 requests"));
    }
    Ok(batch)
}

/// What a request answers that stands behind one that failed.
pub(super) fn halted() -> Value {
    let error = json!([{
        "errorCode": "BATCH_PROCESSING_HALTED",
        "message": "Batch processing halted per request",
    }]);
    json!({ "statusCode": 412, "result": error })
}

pub(super) async fn shown(answer: Response) -> Result<Value, ApiError> {
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), MAX_ANSWER)
        .await
        .map_err(|_| ApiError::new(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."))?;
    let result: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(json!({ "statusCode": status, "result": result }))
}
