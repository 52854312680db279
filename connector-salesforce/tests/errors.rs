//! Scripted exchanges: what goes wrong, and what must not follow from it.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use common::scripted::*;
use common::{read_all, request};
use connector_core::{Connector, ErrorKind, Retry, Secret, Selection, SyncMode};
use connector_salesforce::Auth;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test]
async fn many_refused_together_sign_in_once() {
    let server = MockServer::start().await;
    once(&server, "POST", "/services/oauth2/token", token(&server, "old")).await;
    on(&server, "POST", "/services/oauth2/token", token(&server, "new")).await;
    let at = format!("{API}/sobjects");
    Mock::given(method("GET"))
        .and(path(&at))
        .and(header("authorization", "Bearer old"))
        .respond_with(refused(401, "INVALID_SESSION_ID", "Session expired or invalid"))
        .mount(&server)
        .await;
    on(
        &server,
        "GET",
        &at,
        ok(json!({ "sobjects": [{ "name": "Lead", "label": "Lead", "queryable": true }] })),
    )
    .await;
    let crm = client_credentials(&server);
    let all = futures::future::join_all((0..8).map(|_| crm.streams())).await;
    assert!(all.into_iter().all(|streams| streams.unwrap().len() == 1));
    assert_eq!(requests(&server, "/services/oauth2/token").await, 2);
}

#[tokio::test]
async fn a_refused_sign_in_is_not_repeated_and_shows_no_secret() {
    let server = MockServer::start().await;
    let answer = json!({ "error": "invalid_grant", "error_description": "authentication failure" });
    on(
        &server,
        "POST",
        "/services/oauth2/token",
        ResponseTemplate::new(400).set_body_json(answer),
    )
    .await;
    let error = client_credentials(&server).check().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
    assert!(error.help().is_some_and(|help| help.starts_with("sign in anew")));
    assert_eq!(requests(&server, "/services/oauth2/token").await, 1);
    assert!(!format!("{error:?}{}", error.report()).contains("hunter2"));
    let form = &server.received_requests().await.unwrap()[0];
    assert!(
        form.url.query().is_none() && !form.headers.contains_key("authorization"),
        "secrets travel in the body"
    );
}

#[tokio::test]
async fn a_given_token_that_ended_says_so() {
    let server = MockServer::start().await;
    on(
        &server,
        "GET",
        &format!("{API}/sobjects"),
        refused(401, "INVALID_SESSION_ID", "Session expired"),
    )
    .await;
    let error = signed_in(&server).streams().await.unwrap_err();
    assert_eq!(error.to_string(), "Salesforce no longer accepts the access token");
    assert_eq!(requests(&server, &format!("{API}/sobjects")).await, 1);
}

#[tokio::test]
async fn an_instance_without_encryption_is_never_asked() {
    let server = MockServer::start().await;
    let answer =
        json!({ "access_token": "hunter2", "token_type": "Bearer", "instance_url": "http://acme.example" });
    on(&server, "POST", "/services/oauth2/token", ok(answer)).await;
    let error = client_credentials(&server).streams().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!format!("{error:?}{}", error.report()).contains("hunter2"));
}

#[tokio::test]
async fn a_next_page_elsewhere_is_never_asked() {
    let other = MockServer::start().await;
    for next in [
        format!("{}/services/data/v62.0/query/1-2", other.uri()),
        "//evil.example/query".to_owned(),
    ] {
        let server = MockServer::start().await;
        describe(&server).await;
        let page = json!({
            "totalSize": 2, "done": false, "nextRecordsUrl": next, "records": [{ "Id": "00Q000000000001AAA", "N": 1 }],
        });
        on(&server, "GET", &format!("{API}/query"), ok(page)).await;
        let error = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None))
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains("outside the org"), "{error}");
        assert_eq!(error.retry(), Retry::Never);
    }
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn pages_that_do_not_add_up_are_refused() {
    let row = json!({ "Id": "00Q000000000001AAA", "N": 1 });
    for (page, wanted) in [
        (
            json!({ "totalSize": 2, "done": true, "records": [row] }),
            "another number of records",
        ),
        (
            json!({ "totalSize": 2, "done": false, "records": [row] }),
            "names no next one",
        ),
        (
            json!({ "totalSize": 2, "done": false, "nextRecordsUrl": "/x", "records": [] }),
            "is empty",
        ),
        (
            json!({ "totalSize": 1, "done": true, "records": [{ "Id": "00Q000000000001AAA" }] }),
            "lacks `N`",
        ),
    ] {
        let server = MockServer::start().await;
        describe(&server).await;
        on(&server, "GET", &format!("{API}/query"), ok(page)).await;
        let error = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None))
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[tokio::test]
async fn numbers_keep_every_digit_and_one_bad_value_costs_one_record() {
    let server = MockServer::start().await;
    describe(&server).await;
    let body = r#"{"totalSize":3,"done":true,"records":[
        {"attributes":{},"Id":"00Q000000000001AAA","N":12345678901234567890.123456789},
        {"attributes":{},"Id":"00Q000000000002AAA","N":"hunter2"},
        {"attributes":{},"Id":"00Q000000000003AAA","N":9.5E8}]}"#;
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    on(&server, "GET", &format!("{API}/query"), answer).await;
    let harvest = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    let numbers: Vec<_> = harvest.batches[0]
        .records()
        .map(|record| record.get("N").to_string())
        .collect();
    assert_eq!(numbers, ["12345678901234567890.123456789", "950000000"]);
    let rejection = &harvest.rejected[0];
    assert_eq!(
        (rejection.code.as_str(), rejection.fields.as_slice()),
        ("bad_value", &["N".to_owned()][..])
    );
    assert_eq!(
        rejection.key.as_ref().map(connector_core::Key::as_str),
        Some("00Q000000000002AAA")
    );
    assert!(!rejection.message.contains("hunter2"));
}

/// A Bulk job of `total` records whose one page is `csv`, said to hold `declared`.
async fn bulk(server: &MockServer, job: Value, declared: u64, csv: &str) {
    describe(server).await;
    on(
        server,
        "GET",
        &format!("{API}/query"),
        ok(json!({ "totalSize": 5_000, "done": true, "records": [] })),
    )
    .await;
    on(
        server,
        "POST",
        &format!("{API}/jobs/query"),
        ok(json!({ "id": "750x", "state": "UploadComplete" })),
    )
    .await;
    on(server, "GET", &format!("{API}/jobs/query/750x"), ok(job)).await;
    let page = ResponseTemplate::new(200)
        .set_body_raw(csv, "text/csv")
        .insert_header("sforce-locator", "null")
        .insert_header("sforce-numberofrecords", declared.to_string());
    on(server, "GET", &format!("{API}/jobs/query/750x/results"), page).await;
}

fn complete(total: u64) -> Value {
    json!({ "id": "750x", "state": "JobComplete", "numberRecordsProcessed": total })
}

#[tokio::test]
async fn results_that_do_not_add_up_are_an_error() {
    let csv = "\"N\",\"id\"\n\"1\",\"00Q000000000001AAA\"\n";
    for (declared, total, wanted) in [
        (2, 2, "a page of the Bulk job holds 1 records, not 2"),
        (1, 3, "the result of the Bulk job holds 1 records, not 3"),
    ] {
        let server = MockServer::start().await;
        bulk(&server, complete(total), declared, csv).await;
        let error = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None))
            .await
            .err()
            .unwrap();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Unavailable, wanted)
        );
    }
    let server = MockServer::start().await;
    bulk(&server, complete(1), 1, csv).await;
    let harvest = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    assert_eq!(harvest.rows(), 1, "columns in another order and letter case");
}

#[tokio::test]
async fn a_job_that_failed_says_why() {
    let server = MockServer::start().await;
    let job =
        json!({ "id": "750x", "state": "Failed", "errorMessage": "InternalServerError : out of order" });
    bulk(&server, job, 0, "").await;
    let error = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None))
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "the Bulk job failed: InternalServerError : out of order"
    );
}

#[tokio::test]
async fn a_job_without_rows_may_have_no_body() {
    let server = MockServer::start().await;
    bulk(&server, complete(0), 0, "").await;
    let harvest = read_all(&signed_in(&server), request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    assert_eq!((harvest.rows(), harvest.states.len()), (0, 2));
}

#[tokio::test]
async fn passing_trouble_is_waited_out_and_a_spent_day_is_not() {
    let at = format!("{API}/sobjects");
    for trouble in [
        refused(503, "SERVER_UNAVAILABLE", "m").insert_header("retry-after", "3"),
        refused(
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ),
        refused(500, "UNKNOWN_EXCEPTION", "m"),
        ResponseTemplate::new(420).set_body_string("<html>"),
    ] {
        let server = MockServer::start().await;
        once(&server, "GET", &at, trouble).await;
        on(&server, "GET", &at, ok(json!({ "sobjects": [] }))).await;
        assert!(signed_in(&server).streams().await.unwrap().is_empty());
    }
    let server = MockServer::start().await;
    on(
        &server,
        "GET",
        &at,
        refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    )
    .await;
    let error = signed_in(&server).streams().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::RateLimited, Retry::Never)
    );
    assert_eq!(code(&error).as_deref(), Some("REQUEST_LIMIT_EXCEEDED"));
    assert_eq!(requests(&server, &at).await, 1);
}

#[tokio::test]
async fn a_page_for_people_is_no_answer() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw("<html>hunter2</html>", "text/html");
    on(&server, "GET", &format!("{API}/sobjects"), page).await;
    let error = signed_in(&server).streams().await.unwrap_err();
    assert!(error.to_string().contains("HTML page"), "{error}");
    assert!(!format!("{error:?}{}", error.report()).contains("hunter2"));
}

#[tokio::test]
async fn names_that_are_none_are_not_put_into_addresses() {
    let server = MockServer::start().await;
    on(
        &server,
        "GET",
        &format!("{API}/sobjects"),
        ok(json!({ "sobjects": [] })),
    )
    .await;
    let error = signed_in(&server)
        .describe(&Selection::stream("Lead/../../x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let asked = server.received_requests().await.unwrap();
    assert!(
        asked
            .iter()
            .all(|request| request.url.path() == format!("{API}/sobjects"))
    );
}

#[tokio::test]
async fn an_opaque_token_s_org_is_looked_up() {
    let server = MockServer::start().await;
    let answer = ok(json!({ "organization_id": "00DD0000000IRFmMAO" }));
    Mock::given(path_regex("/services/oauth2/userinfo"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let instance_url = server.uri().parse().unwrap();
    let crm = connect_to(
        &server,
        Auth::AccessToken {
            access_token: Secret::new("eyJhbGciOi"),
            instance_url,
        },
    );
    assert_eq!(
        crm.identity().await.unwrap().as_str(),
        "salesforce:00DD0000000IRFmMAO"
    );
}
