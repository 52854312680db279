//! What Salesforce's errors mean.

mod request;

use connector_core::{Error, ErrorKind};
use connector_http::{Failure, Method};
use serde::Deserialize;

use request::Known;

/// An error in Salesforce's own words; stands in the [`source`](std::error::Error::source) of the core's error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The API refused a request.
    #[error("{code}: {message}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `INVALID_FIELD`.
        code: String,
        /// The words that came with it.
        message: String,
        /// The fields it names.
        fields: Vec<String>,
    },
    /// The token endpoint refused to sign in.
    #[error("{error}: {description}")]
    OAuth {
        /// The error code, such as `invalid_grant`.
        error: String,
        /// The words that came with it.
        description: String,
    },
    /// Something in between answered, with a page for people.
    #[error("the answer, with status {status}, is no error of the API")]
    Page {
        /// The HTTP status.
        status: u16,
    },
}

#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "exceptionCode", alias = "statusCode")]
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(alias = "exceptionMessage", default)]
    message: String,
    #[serde(default)]
    fields: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct OAuthEntry {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl ApiError {
    /// Reads an error's body, of whichever shape.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let entry = match serde_json::from_slice::<Vec<Entry>>(body) {
            Ok(entries) => entries.into_iter().next(),
            Err(_) => serde_json::from_slice::<Entry>(body).ok(),
        };
        if let Some(Entry {
            code,
            message,
            fields,
        }) = entry
        {
            // Its words quote the values that were sent.
            let message = if code == "JSON_PARSER_ERROR" {
                String::new()
            } else {
                shorten(&message)
            };
            return Self::Api {
                status,
                code,
                message,
                fields: fields.unwrap_or_default(),
            };
        }
        match serde_json::from_slice::<OAuthEntry>(body) {
            Ok(OAuthEntry {
                error,
                error_description,
            }) => Self::OAuth {
                error,
                description: shorten(&error_description),
            },
            Err(_) => Self::Page { status },
        }
    }

    /// The reason a job gives for having failed, such as `QUERY_TIMEOUT: Your query was running for too long`. The request
    /// itself was answered well.
    pub(crate) fn of_job(reason: String) -> Self {
        let code: String = reason
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || *c == '_')
            .collect();
        Self::Api {
            status: 200,
            code,
            message: reason,
            fields: Vec::new(),
        }
    }

    /// The error code, where there is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { code, .. } => Some(code),
            Self::OAuth { error, .. } => Some(error),
            Self::Page { .. } => None,
        }
    }
}

/// Long texts are stack traces.
fn shorten(text: &str) -> String {
    text.chars().take(500).collect()
}

/// The vendor's error within `error`.
pub(crate) fn api_error(error: &Error) -> Option<&ApiError> {
    std::error::Error::source(error)?.downcast_ref()
}

/// The vendor's error code within `error`.
pub(crate) fn code(error: &Error) -> Option<&str> {
    api_error(error)?.code()
}

/// Makes an error of an answer that is not 2xx.
pub(crate) fn classify(failure: &Failure) -> Error {
    let status = failure.status.as_u16();
    let api = ApiError::read(status, &failure.body);
    let base = failure.to_error("Salesforce");
    let known = match &api {
        ApiError::Api { code, message, .. } => request::known(code, message, failure.attempt),
        ApiError::OAuth { error, .. } => oauth(error),
        ApiError::Page { .. } => None,
    };
    let error = match (known, api.code()) {
        (Some(known), Some(code)) => known.to_error(code, &base, may_write(failure)),
        (Some(_), None) | (None, _) => request::by_status(status, api.code(), base, may_write(failure)),
    };
    error.with_source(api)
}

/// Whether the request may change something; whether doing so twice would matter, the request itself says.
fn may_write(failure: &Failure) -> bool {
    matches!(failure.method, Method::POST | Method::PATCH)
}

/// What to do about the errors of the token endpoint.
fn oauth(error: &str) -> Option<Known> {
    Some(match error {
        "invalid_grant" => Known::fail(ErrorKind::Auth)
            .help("sign in anew: the password, the token or the app's policies do not allow it any more"),
        "invalid_client" | "invalid_client_id" => Known::fail(ErrorKind::Auth)
            .help("check `client_id` and `client_secret` against the app in Salesforce"),
        "unsupported_grant_type" | "unauthorized_client" | "invalid_request" => {
            Known::fail(ErrorKind::Auth).help("allow this `auth` in the app's settings in Salesforce")
        }
        "inactive_user" | "inactive_org" => Known::fail(ErrorKind::Auth).help(SIGN_IN),
        "rate_limit_exceeded" => Known::again(ErrorKind::RateLimited),
        _ => return None,
    })
}

const SIGN_IN: &str = "check the credentials, and that the user and the app may use the API";

#[cfg(test)]
mod tests {
    use connector_core::Retry;
    use connector_http::{HeaderMap, StatusCode};

    use super::*;

    fn classified(status: u16, body: &str) -> Error {
        classify(&Failure::new(
            "/x",
            StatusCode::from_u16(status).unwrap(),
            HeaderMap::new(),
            body.to_owned(),
        ))
    }

    #[test]
    fn every_shape_of_body_is_read() {
        let array = r#"[{"message":"No such column 'x'","errorCode":"INVALID_FIELD","fields":["x"]}]"#;
        let error = classified(400, array);
        assert_eq!(
            (error.kind(), code(&error)),
            (ErrorKind::Schema, Some("INVALID_FIELD"))
        );
        let object = r#"{"exceptionCode":"InvalidJobState","exceptionMessage":"closed"}"#;
        assert_eq!(classified(400, object).kind(), ErrorKind::Conflict);
        let oauth = r#"{"error":"invalid_grant","error_description":"authentication failure"}"#;
        let error = classified(400, oauth);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
        assert!(error.help().is_some());
        let page = classified(503, "<html><body>sorry</body></html>");
        assert_eq!(
            (page.kind(), page.retry()),
            (ErrorKind::Unavailable, Retry::Backoff)
        );
        assert!(!format!("{page:?}{}", page.report()).contains("sorry"));
    }

    #[test]
    fn a_spent_day_and_a_busy_second_are_told_apart() {
        let spent = r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
        let error = classified(403, spent);
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::RateLimited, Retry::Never)
        );
        assert!(
            error
                .help()
                .is_some_and(|help| help.contains("run again in an hour"))
        );
        let busy = r#"[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
        assert_eq!(classified(403, busy).retry(), Retry::Backoff);
    }

    #[test]
    fn kinds_and_retries_follow_the_table() {
        for (status, code, kind, retry) in [
            (401, "INVALID_SESSION_ID", ErrorKind::Auth, Retry::Never),
            (403, "INSUFFICIENT_ACCESS", ErrorKind::Forbidden, Retry::Never),
            (404, "NOT_FOUND", ErrorKind::NotFound, Retry::Never),
            (400, "INVALID_QUERY_LOCATOR", ErrorKind::Unavailable, Retry::Never),
            (500, "UNKNOWN_EXCEPTION", ErrorKind::Unavailable, Retry::Backoff),
            (503, "SERVER_UNAVAILABLE", ErrorKind::Unavailable, Retry::Backoff),
            (400, "SOMETHING_NEW", ErrorKind::Data, Retry::Never),
            (403, "SOMETHING_NEW", ErrorKind::Forbidden, Retry::Never),
        ] {
            let error = classified(status, &format!(r#"[{{"message":"m","errorCode":"{code}"}}]"#));
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status} {code}");
        }
        for (status, kind, retry) in [
            (406, ErrorKind::Unavailable, Retry::Backoff),
            (420, ErrorKind::Unavailable, Retry::Backoff),
            (429, ErrorKind::RateLimited, Retry::Backoff),
            (414, ErrorKind::Unsupported, Retry::Never),
            (410, ErrorKind::Config, Retry::Never),
        ] {
            let error = classified(status, "<html>");
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}");
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        let error = classified(
            400,
            r#"[{"message":"from VALUE_STRING value hunter2","errorCode":"JSON_PARSER_ERROR"}]"#,
        );
        assert!(!format!("{error:?}{}", error.report()).contains("hunter2"));
    }
}
