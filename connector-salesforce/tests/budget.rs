//! The org's API calls: what is used is known, a reserve is left for people, and a spent day is no loss.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scripted::*;
use common::{Bench, MemoryJournal, read_all, request, score_schema, scores, update};
use connector_core::{Connector, ErrorKind, Retry, Secret, SyncMode};
use connector_salesforce::{ApiReserve, Auth, Config, Salesforce};
use connector_testkit::fakes::salesforce::{Fault, FaultAction, SalesforceConfig};
use serde_json::json;
use wiremock::MockServer;

/// An org that allows so many calls, and a connection that leaves `reserve` of them.
async fn bench(daily_limit: u64, reserve: ApiReserve, leads: u64) -> (Bench, Salesforce) {
    let config = SalesforceConfig {
        leads,
        daily_limit,
        ..SalesforceConfig::default()
    };
    let bench = Bench::start(config).await;
    let auth = Auth::ClientCredentials {
        client_id: bench.org.client_id(),
        client_secret: Secret::new(bench.org.client_secret()),
    };
    let config = Config::new(auth)
        .with_login_url(&bench.org.url())
        .unwrap()
        .with_api_reserve(reserve);
    let crm = Salesforce::new(&config, Arc::new(common::TestClock(bench.clock.clone()))).unwrap();
    (bench, crm)
}

#[tokio::test]
async fn every_call_is_counted_and_signing_in_is_none() {
    let (bench, crm) = bench(15_000, ApiReserve::default(), 5_000).await;
    assert_eq!(crm.usage()[0].here, 0);
    read_all(&crm, request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    let usage = &crm.usage()[0];
    assert_eq!((usage.what, usage.here), ("API calls", bench.org.calls()));
    assert_eq!(usage.window, Some((bench.org.calls(), 15_000)));
    assert!(usage.here > 0);
}

#[tokio::test]
async fn a_check_shows_what_is_left() {
    let (_bench, crm) = bench(15_000, ApiReserve::default(), 1).await;
    let facts = crm.check().await.unwrap().facts;
    let fact = |name: &str| {
        facts
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.clone())
    };
    assert_eq!(
        fact("API calls of the last 24 hours").as_deref(),
        Some("1 of 15000")
    );
    assert_eq!(
        fact("Bulk batches left to write").as_deref(),
        Some("15000 of 15000")
    );
    assert!(fact("Bulk jobs left to read").is_some());
}

#[tokio::test]
async fn a_user_who_may_not_see_the_limits_passes_the_check() {
    let (bench, crm) = bench(15_000, ApiReserve::default(), 1).await;
    let body = r#"[{"errorCode":"INSUFFICIENT_ACCESS","message":"You must have the View Setup permission"}]"#;
    let refusal = FaultAction::Answer {
        status: 403,
        headers: Vec::new(),
        body: body.to_owned(),
    };
    bench.org.fail_next(Fault::next("/limits", refusal));
    let facts = crm.check().await.unwrap().facts;
    assert!(facts.iter().all(|(name, _)| !name.starts_with("Bulk")));
}

#[tokio::test]
async fn the_reserve_is_left_for_people_and_the_next_day_goes_on() {
    // Three calls write 500 records, one describes: the second write reaches the reserve of 5.
    let (bench, crm) = bench(10, ApiReserve::Calls(5), 1_000).await;
    let journal = MemoryJournal::new();
    let write = |crm: Salesforce, journaled, leads: std::ops::RangeInclusive<u64>| {
        let batch = scores(&bench.org, leads);
        async move {
            let request = update(score_schema()).with_journal(Some(journaled));
            let mut writer = crm.as_destination().unwrap().writer(request).await?;
            writer.write(batch).await?;
            writer.finish(None).await
        }
    };
    let identity = bench.identity().await;
    let error = write(crm.clone(), journal.claim(&identity), 1..=1_000)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::RateLimited, Retry::Never)
    );
    assert_eq!(
        error.to_string(),
        "the API calls of the org are used up: 5 of 10 in 24 hours, and 5 are kept for people"
    );
    assert!(error.help().unwrap().starts_with("run again in an hour or later"));
    assert_eq!(bench.org.calls(), 5, "nothing of the reserve was used");
    // What went is settled; what did not go is still to be done.
    let settled = journal.count(|outcome| *outcome == connector_core::Outcome::Updated);
    assert_eq!((settled, bench.org.ledger().len()), (800, 800));
    // Soon after, the same connection does not ask again.
    assert!(
        write(crm.clone(), journal.claim(&identity), 801..=1_000)
            .await
            .is_err()
    );
    assert_eq!(bench.org.calls(), 5);
    // A day later the calls have stopped counting.
    bench.clock.advance(Duration::from_secs(24 * 3_600));
    let report = write(crm, journal.claim(&identity), 801..=1_000).await.unwrap();
    assert_eq!(report.counts.updated, 200);
    assert_eq!(bench.org.ledger().len(), 1_000);
}

#[tokio::test]
async fn a_job_that_was_begun_is_brought_to_its_end_out_of_the_reserve() {
    // Describing and creating the job are two calls; all others end the job.
    let (bench, crm) = bench(20, ApiReserve::Calls(17), 2_500).await;
    let journal = MemoryJournal::new();
    let request = update(score_schema()).with_journal(Some(journal.claim(&bench.identity().await)));
    let mut writer = crm.as_destination().unwrap().writer(request).await.unwrap();
    writer.write(scores(&bench.org, 1..=2_500)).await.unwrap();
    let report = writer.finish(None).await.unwrap();
    assert_eq!(report.counts.updated, 2_500);
    assert!(bench.org.calls() > 3);
    assert_eq!((journal.open(), journal.unsettled()), (0, 0));
}

#[tokio::test]
async fn a_read_that_the_org_refuses_is_not_tried_again_and_again() {
    let (bench, crm) = bench(3, ApiReserve::Calls(0), 6_000).await;
    let error = read_all(&crm, request(SyncMode::FullRefresh, None))
        .await
        .err()
        .unwrap();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::RateLimited, Retry::Never)
    );
    assert_eq!(bench.org.calls(), 3);
}

#[tokio::test]
async fn an_app_s_own_limit_stops_it() {
    let server = MockServer::start().await;
    let answer = ok(json!({ "sobjects": [] }));
    let info = "api-usage=25/5000, per-app-api-usage=250/250(appName=scores)";
    on(
        &server,
        "GET",
        &format!("{API}/sobjects"),
        answer.insert_header("sforce-limit-info", info),
    )
    .await;
    let crm = signed_in(&server);
    crm.streams().await.unwrap();
    let error = crm.streams().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::RateLimited, Retry::Never)
    );
    assert!(
        error.to_string().contains("of the app are used up: 250 of 250"),
        "{error}"
    );
    assert_eq!(requests(&server, &format!("{API}/sobjects")).await, 1);
}

#[test]
fn the_reserve_is_a_key_of_the_connection() {
    let read = |reserve: &str| {
        let keys = [
            ("auth", "client_credentials"),
            ("client_id", "x"),
            ("client_secret", "x"),
            ("api_reserve", reserve),
        ];
        Config::from_properties(keys.map(|(key, value)| (key.to_owned(), Secret::new(value))))
    };
    assert!(read("25%").is_ok() && read("500").is_ok());
    let error = read("a lot").unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.help().unwrap()),
        (
            "`api_reserve` is neither a share nor a number of calls",
            "write it as `10%` or as a number of API calls, such as `1500`"
        )
    );
}
