//! Errors: those the org answers with, and those of the test's own calls.

use std::borrow::Cow;

use axum::response::Response;

use super::reply;

/// A request the org refuses, as the array of one error that REST and Bulk 2.0 answer with.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: Cow<'static, str>,
    pub(super) message: String,
    pub(super) fields: Vec<String>,
}

impl ApiError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: Cow::Borrowed(code),
            message: message.into(),
            fields: Vec::new(),
        }
    }

    pub(super) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    pub(super) fn session() -> Self {
        Self::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    pub(super) fn json_parser(message: impl Into<String>) -> Self {
        Self::bad("JSON_PARSER_ERROR", message)
    }

    pub(super) fn into_response(self) -> Response {
        let mut error = serde_json::json!({ "message": self.message, "errorCode": self.code });
        if !self.fields.is_empty() {
            error["fields"] = serde_json::json!(self.fields);
        }
        reply::json(self.status, &serde_json::Value::Array(vec![error]))
    }
}

/// One record the org refuses to write.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowError {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) fields: Vec<String>,
}

impl RowError {
    pub(super) fn new(code: &str, message: impl Into<String>, fields: &[&str]) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
        }
    }

    /// The form of the column `sf__Error`.
    pub(super) fn bulk_text(&self) -> String {
        format!("{}:{}:{} --", self.code, self.message, self.fields.join(","))
    }
}

/// A human edit that the org would refuse as well: an unknown field, a value of the wrong kind, no such lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditError(pub(super) String);

impl std::fmt::Display for EditError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for EditError {}
