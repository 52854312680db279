//! The error bodies of both API versions.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::reply;

/// Which shape an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Arrays of `{status, message}`.
    V2,
    /// Objects of `{status, title, type, ...}`.
    V3,
}

/// The page every V3 error names as its type.
const TYPE: &str = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes";

/// The title of every 403 that has to do with scopes, and of several that have not.
const SCOPE: &str = "You don't have a required scope to access the endpoint";

/// A request that is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No token, or not this store's.
    Unauthorized,
    /// The token lacks a scope, or the store hash is unknown.
    Scope,
    /// The path ends with a slash.
    TrailingSlash,
    /// No such path or record.
    NotFound,
    /// The path has no such method.
    Method,
    /// More requests than the quota allows.
    TooMany,
    /// `limit` above the maximum.
    LimitTooLarge,
    /// A parameter with a value that can't be read.
    Invalid {
        /// Name of the parameter.
        field: String,
        /// What was wrong with it.
        message: String,
    },
}

impl Refusal {
    /// A parameter with a value that can't be read.
    pub(super) fn invalid(field: &str, message: &str) -> Self {
        Self::Invalid {
            field: field.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The answer, in the shape of an API version.
    pub(super) fn answer(&self, version: Version) -> Response {
        match (self, version) {
            // A missing scope answers alike in both versions.
            (Self::Scope, _) | (_, Version::V3) => self.v3(),
            (_, Version::V2) => self.v2(),
        }
    }

    fn status(&self, version: Version) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Scope | Self::TrailingSlash => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::LimitTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid { .. } if version == Version::V3 => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Unauthorized => "The client id or token is not valid for this store.".to_owned(),
            Self::Scope => SCOPE.to_owned(),
            Self::TrailingSlash => "Authentication Required".to_owned(),
            Self::NotFound => "The requested resource was not found.".to_owned(),
            Self::Method => "The method is not allowed for this resource.".to_owned(),
            Self::TooMany => "Too many requests".to_owned(),
            Self::LimitTooLarge => "The limit is above the maximum of 250.".to_owned(),
            Self::Invalid { field, .. } => format!("The field '{field}' is invalid."),
        }
    }

    fn v3(&self) -> Response {
        let status = self.status(Version::V3);
        let mut errors = Map::new();
        if let Self::Invalid { field, message } = self {
            errors.insert(field.clone(), Value::from(message.as_str()));
        }
        let body = json!({
            "status": status.as_u16(),
            "title": self.message(),
            "type": TYPE,
            "errors": errors,
        });
        reply::json(status, &body)
    }

    fn v2(&self) -> Response {
        let status = self.status(Version::V2);
        if matches!(self, Self::Unauthorized) {
            return reply::json(status, &json!({ "error": self.message() }));
        }
        let mut body = json!({ "status": status.as_u16(), "message": self.message() });
        if let Self::Invalid { message, .. } = self {
            body["details"] = json!({ "invalid_reason": message });
        }
        reply::json(status, &Value::Array(vec![body]))
    }
}
