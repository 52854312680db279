//! Who gets in, and how often.

use std::time::Duration;

use serde_json::json;

use super::client::{get, send, store};
use crate::fakes::bigcommerce::{BigCommerceConfig, FakeBigCommerce};

#[tokio::test]
async fn a_wrong_token_is_refused_in_the_shape_of_the_version() {
    let store = store(1).await;
    for token in [None, Some("wrong")] {
        let answer = send(&store, "GET", "/stores/q5knl3x0aa/v3/customers", token, "")
            .await
            .unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["status"], 401);
        assert_eq!(
            answer.json()["title"],
            "The client id or token is not valid for this store."
        );
        let answer = send(&store, "GET", "/stores/q5knl3x0aa/v2/orders", token, "")
            .await
            .unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.json(),
            json!({ "error": "The client id or token is not valid for this store." })
        );
    }
}

#[tokio::test]
async fn a_missing_scope_and_a_wrong_store_look_alike() {
    let config = BigCommerceConfig {
        missing_scopes: vec!["store_v2_orders".into()],
        ..Default::default()
    };
    let store = FakeBigCommerce::start(config).await.unwrap();
    let wrong = send(
        &store,
        "GET",
        "/stores/store-q5knl3x0aa/v3/customers",
        Some("fake-bigcommerce-token"),
        "",
    );
    for answer in [
        get(&store, "v2/orders").await,
        get(&store, "v2/orders/count").await,
        wrong.await.unwrap(),
    ] {
        assert_eq!(answer.status, 403);
        let body = answer.json();
        assert_eq!(body["status"], 403);
        assert_eq!(
            body["title"],
            "You don't have a required scope to access the endpoint"
        );
        assert_eq!(body["errors"], json!({}));
        assert!(body["type"].is_string());
    }
    assert_eq!(get(&store, "v3/customers").await.status, 200);
}

#[tokio::test]
async fn unknown_paths_methods_and_trailing_slashes() {
    let store = store(1).await;
    let answer = get(&store, "v3/unicorns").await;
    assert_eq!((answer.status, &answer.json()["status"]), (404, &json!(404)));
    let answer = get(&store, "v2/unicorns").await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.json(),
        json!([{ "status": 404, "message": "The requested resource was not found." }])
    );
    let answer = get(&store, "v3/customers/").await;
    assert_eq!(
        (answer.status, &answer.json()["title"]),
        (403, &json!("Authentication Required"))
    );
    let target = format!("/stores/{}/v3/customers", store.store_hash());
    let answer = send(&store, "DELETE", &target, Some(&store.access_token()), "")
        .await
        .unwrap();
    assert_eq!(answer.status, 405);
    assert_eq!(store.requests(), 4);
    assert!(store.ledger().is_empty());
}

#[tokio::test]
async fn the_quota_ends_and_comes_back() {
    let store = FakeBigCommerce::start(BigCommerceConfig {
        quota: 3,
        ..Default::default()
    })
    .await
    .unwrap();
    for left in ["2", "1", "0"] {
        let answer = get(&store, "v2/time").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-rate-limit-requests-left"), left);
        assert_eq!(answer.header("x-rate-limit-requests-quota"), "3");
        assert_eq!(answer.header("x-rate-limit-time-window-ms"), "30000");
        assert_eq!(answer.header("x-retry-after"), "");
    }
    let answer = get(&store, "v2/orders").await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.json()[0]["status"], 429);
    assert_eq!(answer.header("x-rate-limit-requests-left"), "0");
    let reset: u64 = answer.header("x-rate-limit-time-reset-ms").parse().unwrap();
    assert!((20_000..=30_000).contains(&reset), "{reset}");
    let after: u64 = answer.header("x-retry-after").parse().unwrap();
    assert_eq!(after, reset.div_ceil(1_000));
    assert_eq!((store.requests(), store.too_many()), (4, 1));

    store.clock().advance(Duration::from_secs(after));
    let answer = get(&store, "v2/time").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-rate-limit-requests-left"), "2");
    store.spend_quota(2);
    assert_eq!(get(&store, "v2/time").await.status, 429);
    store.set_quota(4);
    assert_eq!(get(&store, "v2/time").await.status, 200);
}

#[tokio::test]
async fn the_time_is_the_clocks() {
    let store = store(1).await;
    store.clock().advance(Duration::from_secs(86_400 * 365));
    let before = store.clock().now_micros() / 1_000_000;
    let answer = get(&store, "v2/time").await;
    let after = store.clock().now_micros() / 1_000_000;
    let time = answer.json()["time"].as_i64().unwrap();
    assert!((before..=after).contains(&time));
    let date = super::super::timestamp::parse_any(answer.header("date")).unwrap() / 1_000_000;
    assert!((before..=after).contains(&date), "{}", answer.header("date"));
}

#[tokio::test]
async fn the_store_and_its_statuses() {
    let store = store(1).await;
    let shop = get(&store, "v2/store").await.json();
    assert_eq!(shop["logo"], json!([]));
    assert_eq!(shop["plan_name"], "Enterprise");
    assert_eq!(shop["timezone"]["name"], "Asia/Tokyo");
    assert_eq!(shop["features"]["checkout_type"], "optimized");
    let statuses = get(&store, "v2/order_statuses").await.json();
    assert_eq!(statuses.as_array().unwrap().len(), 15);
    assert_eq!(statuses[14]["name"], "Partially Refunded");
}

#[tokio::test]
async fn a_dropped_store_hangs_up() {
    let store = store(1).await;
    let address = store.url().strip_prefix("http://").unwrap().to_owned();
    drop(store);
    tokio::task::yield_now().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
