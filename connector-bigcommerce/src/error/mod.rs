//! What the store says when it refuses.

mod classify;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use classify::classify;

/// An error in the store's own words: the cause of an [`Error`](connector_core::Error).
///
/// Its bodies have four shapes, and none at all: V3 objects with a `title`, V2 arrays of `{status, message}`, objects
/// with an `error`, and pages of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What the store says; empty where it says nothing that can be read.
    pub message: String,
    /// Parameters that it names.
    pub fields: Vec<String>,
}

/// The members that any of the shapes may have.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

impl ApiError {
    /// Reads what can be read of an error's body.
    pub(crate) fn parse(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        let single = serde_json::from_str::<Body<'_>>(text).ok();
        let body = single.or_else(|| {
            serde_json::from_str::<Vec<Body<'_>>>(text)
                .ok()?
                .into_iter()
                .next()
        });
        let Some(body) = body else {
            let message = if text.starts_with('<') {
                "an HTML page, which is no answer of the API"
            } else {
                ""
            };
            return Self {
                status,
                message: message.to_owned(),
                fields: Vec::new(),
            };
        };
        let parts = [body.title, body.detail, body.message, body.error]
            .into_iter()
            .flatten()
            .filter_map(words);
        let mut message: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        message.dedup();
        Self {
            status,
            message: shorten(&message.join("; ")),
            fields: body.errors.map(names).unwrap_or_default(),
        }
    }
}

/// A text, or the message within an object.
fn words(raw: &RawValue) -> Option<String> {
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        return Some(text.trim().to_owned());
    }
    let inner = serde_json::from_str::<Body<'_>>(raw.get()).ok()?;
    serde_json::from_str(inner.message?.get()).ok()
}

/// The names of the parameters; what is said of them may quote their values.
fn names(raw: &RawValue) -> Vec<String> {
    let fields: Result<std::collections::BTreeMap<Cow<'_, str>, &RawValue>, _> =
        serde_json::from_str(raw.get());
    fields
        .map(|fields| fields.into_keys().map(Cow::into_owned).take(10).collect())
        .unwrap_or_default()
}

fn shorten(text: &str) -> String {
    text.chars().take(500).collect()
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if !self.fields.is_empty() {
            write!(f, " ({})", self.fields.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read() {
        for (body, said) in [
            (
                r#"{"status":403,"title":"No scope","type":"https://x","errors":{}}"#,
                "status 400: No scope",
            ),
            (
                r#"{"title":"Invalid","detail":"limit","errors":{"limit":"must be …"}}"#,
                "status 400: Invalid; limit (limit)",
            ),
            (
                r#"[{"status":404,"message":"Not found.","details":{}}]"#,
                "status 400: Not found.",
            ),
            (
                r#"{"error":"scope does not include this"}"#,
                "status 400: scope does not include this",
            ),
            (
                r#"{"status":400,"error":{"message":"inner"}}"#,
                "status 400: inner",
            ),
            (r#"{"code":401,"message":"who"}"#, "status 400: who"),
            (r#"{"title":"","errors":[]}"#, "status 400"),
            (
                "<html>hunter2</html>",
                "status 400: an HTML page, which is no answer of the API",
            ),
            ("hunter2", "status 400"),
            ("[]", "status 400"),
            ("", "status 400"),
        ] {
            assert_eq!(ApiError::parse(400, body.as_bytes()).to_string(), said, "{body}");
        }
        assert_eq!(ApiError::parse(500, &[0xff, 0xfe]).to_string(), "status 500");
    }
}
