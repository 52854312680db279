//! What an error of the store means.

use connector_core::{Error, ErrorKind, Retry};
use connector_http::Failure;

use super::ApiError;
use crate::limits::pause;

/// The scope that opens each family of paths; `_read_only` behind it is enough to read.
const SCOPES: &[(&str, &str)] = &[
    ("customers", "store_v2_customers"),
    ("orders", "store_v2_orders"),
    ("order_statuses", "store_v2_orders"),
    ("store", "store_v2_information"),
    ("time", "store_v2_information"),
];

/// Makes an error of an answer of the store `store_hash` that is not 2xx.
pub(crate) fn classify(failure: &Failure, store_hash: &str) -> Error {
    let said = ApiError::parse(failure.status.as_u16(), &failure.body);
    let error = match failure.status.as_u16() {
        401 => rejected_token(store_hash),
        403 => forbidden(&failure.path, store_hash),
        404 => Error::new(
            ErrorKind::NotFound,
            format!("the store `{store_hash}` does not have what was asked for"),
        )
        .with_help("check `store_id` and `api_url`; the record may have been deleted meanwhile"),
        400 | 413 | 422 => Error::new(ErrorKind::Data, "BigCommerce refuses the request's parameters"),
        429 => Error::new(
            ErrorKind::RateLimited,
            "BigCommerce asks for a pause: the store's quota is used up",
        ),
        503 => Error::new(
            ErrorKind::Unavailable,
            "the store is busy, in maintenance or suspended (status 503)",
        ),
        507 => Error::new(
            ErrorKind::Forbidden,
            "a limit of the store's plan is reached (status 507)",
        ),
        _ => failure.to_error("BigCommerce"),
    };
    let error = match pause(&failure.headers).or(failure.retry_after()) {
        // A quota that says when it ends; without a word of it, the platform is overloaded and pauses must grow.
        Some(pause) if matches!(failure.status.as_u16(), 429 | 503) => error.with_retry(Retry::After(pause)),
        _ => error,
    };
    error.with_source(said)
}

fn rejected_token(store_hash: &str) -> Error {
    Error::new(ErrorKind::Auth, format!("BigCommerce does not accept the access token for the store `{store_hash}`"))
        .with_help(
            "make an API account in the control panel (Settings > Store-level API accounts) and set \
             `oauth_access_token` to its token; deleting an account or changing an app's scopes ends the old one",
        )
}

/// The one answer for many mistakes: the help names them all, the likeliest first.
fn forbidden(path: &str, store_hash: &str) -> Error {
    let family = path
        .split_once("/stores/")
        .and_then(|(_, rest)| rest.split('/').nth(2));
    let scope = SCOPES
        .iter()
        .find(|(known, _)| Some(*known) == family)
        .map(|(_, scope)| *scope);
    let others = format!(
        "if it has it, check that `{store_hash}` is the store of the token, that `api_url` has no path too many, that \
         the plan includes the API, and that the app was not installed anew by another owner"
    );
    match scope {
        Some(scope) => Error::new(
            ErrorKind::Forbidden,
            format!("the access token may not use `{scope}` of the store `{store_hash}`"),
        )
        .with_help(format!(
            "make an API account with the scope `{scope}` (read-only is enough); {others}"
        )),
        None => Error::new(
            ErrorKind::Forbidden,
            format!("BigCommerce does not allow the request to the store `{store_hash}`"),
        )
        .with_help(format!(
            "make an API account with the scope that the path needs; {others}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use connector_http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn failure(path: &str, status: u16, body: &str) -> Failure {
        let path = format!("/stores/abc123/{path}");
        Failure::new(
            path,
            StatusCode::from_u16(status).unwrap(),
            HeaderMap::new(),
            body.to_owned(),
        )
    }

    #[test]
    fn a_missing_scope_is_named_by_its_family() {
        let body =
            r#"{"status":403,"title":"You don't have a required scope to access the endpoint","errors":{}}"#;
        let error = classify(&failure("v2/orders/count", 403, body), "abc123");
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        assert_eq!(
            error.message(),
            "the access token may not use `store_v2_orders` of the store `abc123`"
        );
        let report = error.report().to_string();
        assert!(
            report.contains("You don't have a required scope") && report.contains("read-only is enough"),
            "{report}"
        );
        let error = classify(&failure("v3/customers", 403, ""), "abc123");
        assert!(error.help().unwrap().contains("`store_v2_customers`"));
        assert!(
            classify(&failure("v3/elsewhere", 403, ""), "abc123")
                .help()
                .unwrap()
                .contains("`abc123`")
        );
    }

    #[test]
    fn each_status_says_what_to_do() {
        for (status, kind, retry) in [
            (400, ErrorKind::Data, Retry::Never),
            (401, ErrorKind::Auth, Retry::Never),
            (404, ErrorKind::NotFound, Retry::Never),
            (409, ErrorKind::Conflict, Retry::Never),
            (422, ErrorKind::Data, Retry::Never),
            (423, ErrorKind::Unavailable, Retry::Backoff),
            (429, ErrorKind::RateLimited, Retry::Backoff),
            (500, ErrorKind::Unavailable, Retry::Backoff),
            (501, ErrorKind::Unsupported, Retry::Never),
            (503, ErrorKind::Unavailable, Retry::Backoff),
            (507, ErrorKind::Forbidden, Retry::Never),
        ] {
            let error = classify(&failure("v3/customers", status, "<html></html>"), "abc123");
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}");
        }
    }

    #[test]
    fn a_quota_that_says_when_it_ends_is_waited_for() {
        let mut failure = failure("v2/orders", 429, "");
        failure.headers.insert("x-retry-after", HeaderValue::from(3));
        failure
            .headers
            .insert("x-rate-limit-time-reset-ms", HeaderValue::from(7_500));
        assert_eq!(
            classify(&failure, "abc123").retry(),
            Retry::After(Duration::from_millis(7_500))
        );
    }
}
