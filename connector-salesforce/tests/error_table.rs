//! Every row of the tables of Salesforce's errors: how often the request is sent, and what is said in the end.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use common::scripted::*;
use common::{Bench, read_all, request};
use connector_core::ErrorKind::{
    Auth, Bug, Config, Conflict, Data, Forbidden, NotFound, RateLimited, Schema, Unavailable, Unsupported,
};
use connector_core::{Connector, Error, ErrorKind, Retry, SyncMode};
use connector_testkit::fakes::salesforce::{Fault, FaultAction};
use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

/// A request's error: status, code and message; how often the request is sent; kind and help of the error.
type Row = (u16, &'static str, &'static str, usize, ErrorKind, &'static str);

/// Sent once, and failed for good.
const ONCE: usize = 1;
/// Sent as often as the policy allows.
const OFTEN: usize = 5;

const REQUESTS: &[Row] = &[
    // Retry.
    (
        503,
        "SERVER_UNAVAILABLE",
        "server is busy",
        OFTEN,
        Unavailable,
        "",
    ),
    (
        503,
        "API_CURRENTLY_DISABLED",
        "maintenance",
        OFTEN,
        Unavailable,
        "",
    ),
    (
        500,
        "UNKNOWN_EXCEPTION",
        "unexpected, ErrorId: 1",
        3,
        Unavailable,
        "run again later",
    ),
    (
        500,
        "INTERNAL_ERROR",
        "internal",
        3,
        Unavailable,
        "run again later",
    ),
    (
        400,
        "TXN_SECURITY_METERING_ERROR",
        "metering",
        OFTEN,
        Unavailable,
        "",
    ),
    (
        400,
        "TOO_MANY_APEX_REQUESTS",
        "apex",
        OFTEN,
        Unavailable,
        "quieter time",
    ),
    (
        503,
        "REQUEST_RUNNING_TOO_LONG",
        "too long",
        OFTEN,
        Unavailable,
        "",
    ),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        OFTEN,
        RateLimited,
        "fewer jobs side by side",
    ),
    // What only the reader knows how to repeat.
    (
        400,
        "QUERY_TIMEOUT",
        "took too long",
        ONCE,
        Unavailable,
        "a shorter span",
    ),
    (
        400,
        "INVALID_QUERY_LOCATOR",
        "invalid query locator",
        ONCE,
        Unavailable,
        "run again",
    ),
    // Defer.
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
        ONCE,
        RateLimited,
        "in an hour or later",
    ),
    (
        400,
        "STORAGE_LIMIT_EXCEEDED",
        "storage limit exceeded",
        ONCE,
        RateLimited,
        "free some",
    ),
    (
        400,
        "LIMIT_EXCEEDED",
        "Max bulk v2 query jobs (10000) per 24 hrs has been reached",
        ONCE,
        RateLimited,
        "in some hours",
    ),
    (
        400,
        "EXCEEDEDQUOTA",
        "ApiBatchItems Limit exceeded.",
        ONCE,
        RateLimited,
        "in some hours",
    ),
    (
        400,
        "ExceededQuota",
        "ApiBatchItems Limit exceeded.",
        ONCE,
        RateLimited,
        "in some hours",
    ),
    // Sign-in.
    (
        401,
        "INVALID_SESSION_ID",
        "Session expired or invalid",
        ONCE,
        Auth,
        "give a new `access_token`",
    ),
    (
        403,
        "INVALID_SESSION_ID",
        "This session is not valid for use with the REST API",
        ONCE,
        Auth,
        "scope `api`",
    ),
    (
        401,
        "INVALID_AUTH_HEADER",
        "INVALID_HEADER_TYPE",
        ONCE,
        Auth,
        "give a new `access_token`",
    ),
    (
        401,
        "INVALID_JWT_FORMAT",
        "invalid jwt",
        ONCE,
        Auth,
        "give a new `access_token`",
    ),
    (
        400,
        "InvalidSessionId",
        "Invalid session id",
        ONCE,
        Auth,
        "check the credentials",
    ),
    // Rights.
    (
        403,
        "API_DISABLED_FOR_ORG",
        "API is not enabled",
        ONCE,
        Forbidden,
        "does not include the API",
    ),
    (
        403,
        "FUNCTIONALITY_NOT_ENABLED",
        "not enabled",
        ONCE,
        Forbidden,
        "switch the feature on",
    ),
    (
        400,
        "FEATURENOTENABLED",
        "bulk is not enabled",
        ONCE,
        Forbidden,
        "switch the feature on",
    ),
    (
        403,
        "INSUFFICIENT_ACCESS",
        "no access",
        ONCE,
        Forbidden,
        "grant the user access",
    ),
    (
        400,
        "OPERATION_TOO_LARGE",
        "exceeded",
        ONCE,
        Forbidden,
        "`View All Data`",
    ),
    (
        400,
        "INVALIDUSER",
        "API is disabled for this User",
        ONCE,
        Forbidden,
        "`API Enabled`",
    ),
    // Fail.
    (
        404,
        "NOT_FOUND",
        "The requested resource does not exist",
        ONCE,
        NotFound,
        "",
    ),
    (
        400,
        "INVALID_FIELD",
        "No such column 'x' on entity 'Lead'",
        ONCE,
        Schema,
        "describe the object anew",
    ),
    (
        400,
        "INVALID_TYPE",
        "sObject type 'x' is not supported",
        ONCE,
        Schema,
        "the object's name",
    ),
    (400, "MALFORMED_QUERY", "unexpected token", ONCE, Data, ""),
    (
        400,
        "QUERY_TOO_COMPLICATED",
        "too complicated",
        ONCE,
        Data,
        "fewer fields",
    ),
    (
        400,
        "EXCEEDED_ID_LIMIT",
        "too many ids",
        ONCE,
        Unavailable,
        "in full",
    ),
    (
        400,
        "INVALID_REPLICATION_DATE",
        "out of range",
        ONCE,
        Unavailable,
        "in full",
    ),
    (
        400,
        "INVALIDENTITY",
        "Entity 'X' is not supported by the Bulk API.",
        ONCE,
        Schema,
        "the object's name",
    ),
    (400, "INVALIDJOBSTATE", "job is not open", ONCE, Conflict, ""),
    (400, "INVALIDJOB", "wrong job", ONCE, Data, "report it"),
    (
        400,
        "INVALIDBATCH",
        "Field name not found : X",
        ONCE,
        Data,
        "report it",
    ),
    (
        410,
        "UNSUPPORTED_API_VERSION",
        "retired",
        ONCE,
        Config,
        "`api_version`",
    ),
    (400, "InvalidVersion", "retired", ONCE, Config, "`api_version`"),
    (412, "BATCH_PROCESSING_HALTED", "halted", ONCE, Conflict, ""),
    (
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'GET' not allowed",
        ONCE,
        Bug,
        "report it",
    ),
    (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "wrong type",
        ONCE,
        Bug,
        "report it",
    ),
    // A code that nobody knows: the status decides.
    (400, "SOMETHING_NEW", "m", ONCE, Data, ""),
    (403, "SOMETHING_NEW", "m", ONCE, Forbidden, ""),
    (409, "SOMETHING_NEW", "m", ONCE, Conflict, ""),
    (429, "SOMETHING_NEW", "m", OFTEN, RateLimited, ""),
    (500, "SOMETHING_NEW", "m", OFTEN, Unavailable, ""),
];

/// Asks for the objects of an org that always gives `answer`; how often it was asked, and the error.
async fn always(answer: ResponseTemplate) -> (usize, Error) {
    let server = MockServer::start().await;
    let at = format!("{API}/sobjects");
    on(&server, "GET", &at, answer).await;
    let error = signed_in(&server).streams().await.unwrap_err();
    (requests(&server, &at).await, error)
}

/// Whether an org that gives `answer` once is asked again.
async fn passes_by_itself(answer: ResponseTemplate) -> bool {
    let server = MockServer::start().await;
    let at = format!("{API}/sobjects");
    once(&server, "GET", &at, answer).await;
    on(&server, "GET", &at, ok(json!({ "sobjects": [] }))).await;
    signed_in(&server).streams().await.is_ok()
}

#[tokio::test]
async fn requests_are_repeated_and_given_up_as_the_table_says() {
    for &(status, code, message, sent, kind, help) in REQUESTS {
        let answer = refused(status, code, message);
        let (asked, error) = always(answer.clone()).await;
        let row = format!("{status} {code} {message:?}: {error:?}");
        assert_eq!(
            (asked, error.kind(), error.retry()),
            (sent, kind, Retry::Never),
            "{row}"
        );
        assert!(error.help().unwrap_or_default().contains(help), "{row}");
        // Of a session that is over, the code says nothing to anybody.
        if error.kind() != Auth {
            assert!(error.to_string().contains(code) || sent == OFTEN, "{row}");
            assert_eq!(common::scripted::code(&error).as_deref(), Some(code), "{row}");
        }
        assert_eq!(passes_by_itself(answer).await, sent > ONCE, "{row}");
    }
}

/// What stands between us and the org answers with pages for people.
const EDGES: &[(u16, usize, ErrorKind, &str)] = &[
    (300, ONCE, Data, "several records of Salesforce have the key"),
    (400, ONCE, Data, "refuses the request (status 400)"),
    (403, ONCE, Forbidden, "does not allow the request (status 403)"),
    (404, ONCE, NotFound, "does not know the path (status 404)"),
    (405, ONCE, Bug, "does not take such a request (status 405)"),
    (406, OFTEN, Unavailable, "cannot answer right now (status 406)"),
    (
        408,
        OFTEN,
        Unavailable,
        "waited too long for the request (status 408)",
    ),
    (
        409,
        ONCE,
        Conflict,
        "refuses the request for a conflict (status 409)",
    ),
    (410, ONCE, Config, "this version of the API is retired"),
    (
        412,
        ONCE,
        Conflict,
        "refuses the request for a conflict (status 412)",
    ),
    (413, ONCE, Unsupported, "larger than Salesforce takes"),
    (414, ONCE, Unsupported, "too long for Salesforce (status 414)"),
    (415, ONCE, Bug, "does not take such a request (status 415)"),
    (420, OFTEN, Unavailable, "cannot answer right now (status 420)"),
    (
        428,
        ONCE,
        Conflict,
        "which version of the record is meant (status 428)",
    ),
    (429, OFTEN, RateLimited, "asks for a pause (status 429)"),
    (431, ONCE, Unsupported, "too long for Salesforce (status 431)"),
    (500, OFTEN, Unavailable, "fails (status 500)"),
    (502, OFTEN, Unavailable, "fails (status 502)"),
    (503, OFTEN, Unavailable, "fails (status 503)"),
    (504, OFTEN, Unavailable, "fails (status 504)"),
];

#[tokio::test]
async fn a_page_of_an_edge_is_known_by_its_status_alone() {
    for &(status, sent, kind, message) in EDGES {
        let page = "<html><title>INVALID_SESSION_ID</title>hunter2</html>";
        let answer = ResponseTemplate::new(status).set_body_raw(page, "text/html");
        let (asked, error) = always(answer.clone()).await;
        assert_eq!(
            (asked, error.kind(), error.retry()),
            (sent, kind, Retry::Never),
            "{status}: {error:?}"
        );
        assert!(error.to_string().contains(message), "{status}: {error}");
        let shown = format!("{error:?}{}", error.report());
        assert!(
            !shown.contains("hunter2") && !shown.contains("INVALID_SESSION"),
            "{shown}"
        );
        assert_eq!(passes_by_itself(answer).await, sent > ONCE, "{status}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_made_again() {
    for action in [
        FaultAction::Drop,
        FaultAction::ApplyThenDrop,
        FaultAction::Cut { bytes: 20 },
    ] {
        let bench = Bench::with_leads(1).await;
        bench.org.fail_next(Fault::next("/sobjects", action.clone()));
        assert!(!bench.crm.streams().await.unwrap().is_empty(), "{action:?}");
    }
}

#[tokio::test]
async fn the_pause_that_is_asked_for_is_kept() {
    let server = MockServer::start().await;
    let at = format!("{API}/sobjects");
    once(
        &server,
        "GET",
        &at,
        refused(503, "SERVER_UNAVAILABLE", "m").insert_header("retry-after", "77"),
    )
    .await;
    on(&server, "GET", &at, ok(json!({ "sobjects": [] }))).await;
    let (crm, clock) = signed_in_by_clock(&server);
    let before = clock.now_micros();
    crm.streams().await.unwrap();
    assert!(clock.now_micros() - before >= 77_000_000);
}

/// What the creation of a Bulk job is refused with, and whether REST does it instead.
const CREATIONS: &[(&str, &str, bool)] = &[
    (
        "INVALIDENTITY",
        "Entity 'X' is not supported by the Bulk API.",
        true,
    ),
    (
        "INVALID_FIELD",
        "Selecting compound data not supported in Bulk Query",
        true,
    ),
    (
        "FUNCTIONALITY_NOT_ENABLED",
        "Selecting compound data not supported in Bulk Query",
        true,
    ),
    (
        "API_ERROR",
        "Selecting compound data not supported in Bulk Query",
        true,
    ),
    ("API_ERROR", "Entity X does not support query", true),
    (
        "API_ERROR",
        "Implementation restriction: X requires a filter",
        true,
    ),
    (
        "FEATURENOTENABLED",
        "The operation is not enabled in this org",
        true,
    ),
    (
        "LIMIT_EXCEEDED",
        "Max bulk v2 query jobs (10000) per 24 hrs has been reached",
        true,
    ),
    (
        "LIMIT_EXCEEDED",
        "Max bulk v2 query result size stored (1000000000 kb) per 24 hrs has been exceeded",
        true,
    ),
    ("EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded.", true),
    ("INVALID_FIELD", "No such column 'N' on entity 'Lead'", false),
    ("MALFORMED_QUERY", "unexpected token", false),
    ("API_ERROR", "something else", false),
];

#[tokio::test]
async fn a_query_job_that_is_refused_is_left_to_rest_as_the_table_says() {
    for &(code, message, falls_back) in CREATIONS {
        let server = MockServer::start().await;
        describe(&server).await;
        let count = json!({ "totalSize": 5_000, "done": true, "records": [] });
        once(&server, "GET", &format!("{API}/query"), ok(count)).await;
        let row = json!({ "Id": "00Q000000000001AAA", "N": 1 });
        let page = json!({ "totalSize": 1, "done": true, "records": [row] });
        on(&server, "GET", &format!("{API}/query"), ok(page)).await;
        on(
            &server,
            "POST",
            &format!("{API}/jobs/query"),
            refused(400, code, message),
        )
        .await;
        let read = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None)).await;
        assert_eq!(read.is_ok(), falls_back, "{code} {message}: {:?}", read.err());
    }
}
