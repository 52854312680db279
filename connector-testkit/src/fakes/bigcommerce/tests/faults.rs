//! Scripted misbehaviour, and what a store in another process offers.

use serde_json::{Value, json};

use super::client::{get, send, store};
use crate::fakes::bigcommerce::{Fault, FaultAction};

#[tokio::test]
async fn a_scripted_answer_at_the_nth_request() {
    let store = store(5).await;
    let answer = FaultAction::Answer {
        status: 503,
        headers: [("Retry-After".to_owned(), "7".to_owned())].into(),
        body: "<html>busy</html>".to_owned(),
    };
    store.add_fault(Fault::new("/v3/customers", answer).nth(2).times(2));
    let mut statuses = Vec::new();
    for resource in [
        "v3/customers",
        "v2/orders",
        "v3/customers",
        "v3/customers",
        "v3/customers",
    ] {
        let answer = get(&store, resource).await;
        if answer.status == 503 {
            assert_eq!(answer.body, b"<html>busy</html>");
            assert_eq!(answer.header("retry-after"), "7");
            assert_eq!(answer.header("x-rate-limit-requests-left"), "");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 503, 503, 200]);
    assert_eq!(store.waiting_faults(), 0);
}

#[tokio::test]
async fn a_dropped_connection_a_cut_body_and_a_delay() {
    let store = store(50).await;
    let whole = get(&store, "v3/customers").await.body;
    store.add_fault(Fault::new("customers", FaultAction::Drop));
    store.add_fault(Fault::new("customers", FaultAction::CutBody(100)).nth(2));
    store.add_fault(Fault::new("customers", FaultAction::Delay(30)).nth(3));
    let target = format!("/stores/{}/v3/customers", store.store_hash());
    let token = store.access_token();
    assert!(send(&store, "GET", &target, Some(&token), "").await.is_none());
    let cut = send(&store, "GET", &target, Some(&token), "").await.unwrap();
    assert_eq!(cut.status, 200);
    assert_eq!(cut.header("content-length"), whole.len().to_string());
    assert_eq!(cut.body, whole[..100]);
    let begun = tokio::time::Instant::now();
    assert_eq!(get(&store, "v3/customers").await.body, whole);
    assert!(begun.elapsed().as_millis() >= 30);
}

#[tokio::test]
async fn the_admin_endpoints() {
    let store = store(20).await;
    let admin = async |method: &str, path: &str, body: Value| {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        send(&store, method, &format!("/__admin/{path}"), None, &body)
            .await
            .unwrap()
    };
    assert_eq!(admin("GET", "ledger?from=0", Value::Null).await.json(), json!([]));
    let before = store.clock().now_micros();
    admin("POST", "advance?seconds=100", Value::Null).await;
    assert!(store.clock().now_micros() >= before + 100_000_000);
    assert_eq!(
        admin("POST", "customers/4", json!({ "company": "New" }))
            .await
            .status,
        200
    );
    assert_eq!(store.customer(4).unwrap()["company"], "New");
    assert_eq!(
        admin("POST", "customers/3", json!({ "company": "New" }))
            .await
            .status,
        404
    );
    assert_eq!(
        admin("POST", "orders/100", json!({ "status_id": 5 }))
            .await
            .status,
        200
    );
    assert_eq!(store.order(100).unwrap()["status_id"], 5);
    let id = admin("POST", "orders", json!({ "customer_id": 4 })).await.json()["id"]
        .as_u64()
        .unwrap();
    assert_eq!(store.order(id).unwrap()["customer_id"], 4);
    let customers = admin("GET", "customers?from=4&count=2", Value::Null).await.json();
    assert_eq!(customers, json!([store.customer(4), store.customer(5)]));
    let full = admin("GET", "customers?from=4&count=1&include=addresses", Value::Null)
        .await
        .json();
    assert!(full[0]["addresses"].is_array());
    let orders = admin("GET", &format!("orders?from={id}&count=9"), Value::Null)
        .await
        .json();
    assert_eq!(orders, json!([store.order(id)]));
    let fault = json!({ "method": "GET", "path": "v2/time", "action": { "answer": { "status": 429 } } });
    assert_eq!(
        admin("POST", "faults", json!([fault, { "action": "drop", "nth": 9 }]))
            .await
            .json()["waiting"],
        2
    );
    assert_eq!(
        admin("POST", "faults", json!({ "action": "explode" }))
            .await
            .status,
        400
    );
    assert_eq!(get(&store, "v2/time").await.status, 429);
    let stats = admin("GET", "stats", Value::Null).await.json();
    assert_eq!(
        (&stats["requests"], &stats["too_many"], &stats["faults"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&stats["customers"], &stats["orders"]), (&json!(20), &json!(43)));
    assert_eq!(admin("GET", "nonsense", Value::Null).await.status, 404);
}
