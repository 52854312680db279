//! Quotas, faults, refusals, and lists that do not end.

#![allow(clippy::unwrap_used, reason = "a test ends where a helper of it fails")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use connector_bigcommerce::{BigCommerce, Config};
use connector_core::{Connector, ErrorKind, Secret, Selection, SyncMode, SystemClock};
use connector_testkit::fakes::bigcommerce::{BigCommerceConfig, Fault, FaultAction};
use serde_json::json;
use support::{config, connect, connect_as, fake, fake_of, read, request};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test]
async fn a_store_of_the_smallest_plan_is_read_without_a_429() {
    let fake = fake(BigCommerceConfig {
        customers: 5_000,
        quota: 150,
        ..BigCommerceConfig::default()
    })
    .await;
    // Other apps are busy on the store: 150 - 130 are left, of which 15 stay theirs.
    fake.spend_quota(130);
    let (store, clock) = connect(&fake);
    let brought = read(&store, request("customers", SyncMode::FullRefresh))
        .await
        .unwrap();
    assert_eq!(brought.ids().len(), 5_000);
    assert_eq!(fake.too_many(), 0);
    let [pause] = clock.sleeps()[..] else {
        panic!("{:?}", clock.sleeps())
    };
    assert!(
        pause > Duration::from_secs(20) && pause <= Duration::from_secs(30),
        "{pause:?}"
    );

    fake.set_quota(20);
    let brought = read(&store, request("customers", SyncMode::FullRefresh))
        .await
        .unwrap();
    assert_eq!((brought.ids().len(), fake.too_many()), (5_000, 0));
    assert!(clock.sleeps().len() >= 2, "{:?}", clock.sleeps());
}

#[tokio::test]
async fn faults_on_the_way_change_nothing() {
    let fake = fake_of(600).await;
    let answer = |status: u16, headers: &[(&str, &str)]| FaultAction::Answer {
        status,
        headers: headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: "<html>oops</html>".to_owned(),
    };
    fake.add_fault(Fault::new("/v3/customers", FaultAction::Drop));
    fake.add_fault(Fault::new("/v3/customers", FaultAction::CutBody(1000)).nth(3));
    fake.add_fault(Fault::new("/v3/customers", answer(502, &[])).nth(4).times(2));
    fake.add_fault(Fault::new("/v3/customers", answer(429, &[("x-retry-after", "11")])).nth(6));
    let (store, clock) = connect(&fake);
    let brought = read(&store, request("customers", SyncMode::FullRefresh))
        .await
        .unwrap();
    let wanted: Vec<i64> = fake.customer_ids().into_iter().map(u64::cast_signed).collect();
    assert_eq!(brought.ids(), wanted);
    assert_eq!(fake.waiting_faults(), 0);
    assert!(clock.sleeps().contains(&Duration::from_secs(11)));
}

#[tokio::test]
async fn a_wrong_token_is_said_at_once() {
    let fake = fake_of(1).await;
    let (store, clock) = connect_as(&fake, config(&fake, "hunter2"));
    let error = store.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(
        error
            .message()
            .starts_with("BigCommerce does not accept the access token")
    );
    assert!(!format!("{error:?} {} {store:?}", error.report()).contains("hunter2"));
    assert_eq!((clock.sleeps().len(), fake.requests()), (0, 1));
}

#[tokio::test]
async fn a_missing_scope_closes_one_stream_only() {
    let missing_scopes = vec!["store_v2_orders".to_owned()];
    let fake = fake(BigCommerceConfig {
        customers: 3,
        missing_scopes,
        ..BigCommerceConfig::default()
    })
    .await;
    let (store, _) = connect(&fake);
    assert_eq!(
        read(&store, request("customers", SyncMode::FullRefresh))
            .await
            .unwrap()
            .ids()
            .len(),
        3
    );
    let error = read(&store, request("orders", SyncMode::FullRefresh))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error.message().contains("`store_v2_orders`")
            && error.help().unwrap().contains("read-only is enough")
    );
    let report = store.check().await.unwrap();
    let fact = |name: &str| {
        report
            .facts
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    };
    assert_eq!(fact("readable"), Some("customers"));
    assert!(
        fact("not readable: orders")
            .unwrap()
            .contains("`store_v2_orders`")
    );
}

#[tokio::test]
async fn a_token_without_the_information_scope_still_reads() {
    let missing_scopes = vec!["store_v2_information".to_owned()];
    let fake = fake(BigCommerceConfig {
        customers: 3,
        missing_scopes,
        ..BigCommerceConfig::default()
    })
    .await;
    let (store, _) = connect(&fake);
    assert_eq!(
        read(&store, request("customers", SyncMode::Incremental))
            .await
            .unwrap()
            .ids()
            .len(),
        3
    );
    assert_eq!(
        store.check().await.unwrap().facts.last().unwrap().1,
        "customers, orders"
    );
}

#[tokio::test]
async fn another_stores_hash_is_refused_with_what_to_check() {
    let fake = fake_of(1).await;
    let config = Config::new("other1", Secret::new(fake.access_token())).unwrap();
    let (store, _) = connect_as(&fake, config.with_api_url(&fake.url()).unwrap());
    let error = store.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error
            .help()
            .unwrap()
            .contains("check that `other1` is the store of the token")
    );
}

#[tokio::test]
async fn a_check_shows_the_store() {
    let fake = fake_of(1).await;
    let (store, _) = connect(&fake);
    let report = store.check().await.unwrap();
    let names: Vec<&str> = report.facts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "store",
            "domain",
            "plan",
            "status",
            "store hash",
            "clock",
            "quota",
            "readable"
        ]
    );
    assert_eq!(
        store.identity().await.unwrap().as_str(),
        format!("bigcommerce:{}", fake.store_hash())
    );
}

#[tokio::test]
async fn a_state_of_another_store_is_refused() {
    let (one, other) = (
        fake_of(1).await,
        fake(BigCommerceConfig {
            store_hash: "zzz9".to_owned(),
            ..Default::default()
        })
        .await,
    );
    let state = read(&connect(&one).0, request("customers", SyncMode::Incremental))
        .await
        .unwrap()
        .last_state();
    let foreign = request("customers", SyncMode::Incremental).with_state(Some(state.clone()));
    assert_eq!(
        read(&connect(&other).0, foreign).await.unwrap_err().kind(),
        ErrorKind::State
    );
    let elsewhere = request("orders", SyncMode::Incremental).with_state(Some(state));
    assert_eq!(
        read(&connect(&one).0, elsewhere).await.unwrap_err().kind(),
        ErrorKind::State
    );
}

/// A store that answers what it is told.
async fn scripted() -> (MockServer, BigCommerce) {
    let server = MockServer::start().await;
    let time = ResponseTemplate::new(200).set_body_json(json!({ "time": 1_700_000_000 }));
    Mock::given(path("/stores/abc123/v2/time"))
        .respond_with(time)
        .mount(&server)
        .await;
    let config = Config::new("abc123", Secret::new("token"))
        .unwrap()
        .with_api_url(&server.uri())
        .unwrap();
    let store = BigCommerce::new(config, Arc::new(SystemClock)).unwrap();
    (server, store)
}

#[tokio::test]
async fn a_list_that_goes_in_circles_is_left() {
    let (server, store) = scripted().await;
    let page = |cursor: &str| {
        let meta = json!({ "cursor_pagination": { "end_cursor": cursor } });
        ResponseTemplate::new(200).set_body_json(json!({ "data": [{ "id": 1 }, { "id": 2 }], "meta": meta }))
    };
    let customers = || Mock::given(method("GET")).and(path("/stores/abc123/v3/customers"));
    customers()
        .and(query_param_is_missing("after"))
        .respond_with(page("a"))
        .mount(&server)
        .await;
    customers()
        .and(query_param("after", "a"))
        .respond_with(page("b"))
        .mount(&server)
        .await;
    let orders = ResponseTemplate::new(200).set_body_json(json!([{ "id": 5 }, { "id": 6 }]));
    Mock::given(path("/stores/abc123/v2/orders"))
        .respond_with(orders)
        .mount(&server)
        .await;
    for stream in ["customers", "orders"] {
        let error = read(&store, request(stream, SyncMode::FullRefresh))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Data, "BigCommerce sent the same page twice")
        );
    }
}

#[tokio::test]
async fn records_out_of_order_and_pages_without_a_place_are_refused() {
    let (server, store) = scripted().await;
    let orders = ResponseTemplate::new(200).set_body_json(json!([{ "id": 6 }, { "id": 5 }]));
    Mock::given(path("/stores/abc123/v2/orders"))
        .respond_with(orders)
        .mount(&server)
        .await;
    let customers = ResponseTemplate::new(200).set_body_json(json!({ "data": [{ "id": 1 }], "meta": [] }));
    Mock::given(path("/stores/abc123/v3/customers"))
        .respond_with(customers)
        .mount(&server)
        .await;
    for (stream, said) in [
        ("orders", "records out of order"),
        ("customers", "a page that does not say where to go on"),
    ] {
        let error = read(&store, request(stream, SyncMode::FullRefresh))
            .await
            .unwrap_err();
        assert_eq!(error.message(), format!("BigCommerce sent {said}"));
    }
}

#[tokio::test]
async fn a_store_that_ignores_the_archive_filter_makes_no_order_come_twice() {
    let (server, store) = scripted().await;
    let page = json!([{ "id": 5, "is_deleted": false }, { "id": 6, "is_deleted": true }, { "id": 7, "is_deleted": false }]);
    let orders = || Mock::given(path("/stores/abc123/v2/orders"));
    orders()
        .and(query_param("min_id", "8"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    orders()
        .respond_with(ResponseTemplate::new(200).set_body_json(page))
        .mount(&server)
        .await;
    let brought = read(&store, request("orders", SyncMode::FullRefresh))
        .await
        .unwrap();
    assert_eq!(brought.ids(), [5, 7, 6]);
}

#[tokio::test]
async fn streams_are_listed_and_described() {
    let (_server, store) = scripted().await;
    let names: Vec<String> = store
        .streams()
        .await
        .unwrap()
        .into_iter()
        .map(|stream| stream.name.to_string())
        .collect();
    assert_eq!(names, ["customers", "orders"]);
    let spec = store.describe(&Selection::stream("customers")).await.unwrap();
    assert_eq!(spec.cursor.as_deref(), Some("date_modified"));
    assert!(spec.left_out.iter().any(|(field, _)| field == "addresses"));
    let field = spec.schema.field("email").unwrap();
    assert!(field.access.readable && field.access.updatable && !field.access.creatable);
}
