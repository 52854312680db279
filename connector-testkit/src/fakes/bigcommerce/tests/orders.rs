//! `GET /v2/orders` and its kin.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::timestamp;
use super::client::{get, store};
use crate::fakes::bigcommerce::{BigCommerceConfig, FakeBigCommerce};

fn ids(rows: &Value) -> Vec<u64> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn by_min_id_to_the_204() {
    let store = store(100).await;
    assert_eq!(store.order_count(), 210);
    let mut rows = Vec::new();
    let mut next = 0;
    loop {
        let answer = get(&store, &format!("v2/orders?sort=id:asc&min_id={next}&limit=100")).await;
        if answer.status == 204 {
            assert!(answer.body.is_empty());
            break;
        }
        assert_eq!(answer.status, 200);
        let page = answer.json().as_array().unwrap().clone();
        next = page.last().unwrap()["id"].as_u64().unwrap() + 1;
        rows.extend(page);
    }
    let truth: Vec<Value> = store
        .order_ids()
        .iter()
        .map(|&id| store.order(id).unwrap())
        .collect();
    assert_eq!(rows, truth);
    assert_eq!(rows.len(), 210);
    assert_eq!(rows.iter().filter(|row| row["customer_id"] == 0).count(), 10);
    assert_eq!(rows[0]["id"], 100);
}

#[tokio::test]
async fn by_page_and_with_a_limit() {
    let store = store(100).await;
    assert_eq!(
        get(&store, "v2/orders").await.json().as_array().unwrap().len(),
        50
    );
    let last = get(&store, "v2/orders?page=5").await.json();
    assert_eq!(ids(&last), store.order_ids()[200..]);
    assert_eq!(get(&store, "v2/orders?page=6").await.status, 204);
    assert_eq!(get(&store, "v2/orders?limit=251").await.status, 413);
    let bad = get(&store, "v2/orders?min_id=x").await;
    assert_eq!(bad.status, 400);
    assert_eq!(bad.json()[0]["message"], "The field 'min_id' is invalid.");
}

#[tokio::test]
async fn filters_agree_with_the_count() {
    let store = store(100).await;
    let all: Vec<Value> = store
        .order_ids()
        .iter()
        .map(|&id| store.order(id).unwrap())
        .collect();
    let customer = all.iter().find(|row| row["customer_id"] != 0).unwrap()["customer_id"]
        .as_u64()
        .unwrap();
    let email = all[7]["billing_address"]["email"]
        .as_str()
        .unwrap()
        .to_lowercase();
    type Passes = Box<dyn Fn(&Value) -> bool>;
    let cases: Vec<(String, Passes)> = vec![
        (
            format!("customer_id={customer}"),
            Box::new(move |row| row["customer_id"] == customer),
        ),
        ("customer_id=0".into(), Box::new(|row| row["customer_id"] == 0)),
        ("status_id=10".into(), Box::new(|row| row["status_id"] == 10)),
        ("channel_id=2".into(), Box::new(|row| row["channel_id"] == 2)),
        (
            "min_id=150&max_id=160".into(),
            Box::new(|row| (150..=160).contains(&row["id"].as_u64().unwrap())),
        ),
        (
            "payment_method=Credit+Card".into(),
            Box::new(|row| row["payment_method"] == "Credit Card"),
        ),
        (
            format!("email={email}"),
            Box::new(move |row| row["billing_address"]["email"].as_str().unwrap().to_lowercase() == email),
        ),
        (
            "min_total=100".into(),
            Box::new(|row| row["total_inc_tax"].as_str().unwrap().parse::<f64>().unwrap() >= 100.0),
        ),
    ];
    for (filter, passes) in cases {
        let expected: Vec<u64> = all
            .iter()
            .filter(|row| passes(row))
            .map(|row| row["id"].as_u64().unwrap())
            .collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{filter}");
        assert_eq!(
            ids(&get(&store, &format!("v2/orders?limit=250&{filter}")).await.json()),
            expected,
            "{filter}"
        );
        let count = get(&store, &format!("v2/orders/count?{filter}")).await.json();
        assert_eq!(count["count"], expected.len(), "{filter}");
        let by_status: u64 = count["statuses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|status| status["count"].as_u64().unwrap())
            .sum();
        assert_eq!(by_status, expected.len() as u64);
    }
    assert_eq!(
        get(&store, "v2/customers/count").await.json(),
        json!({ "count": 100 })
    );
}

#[tokio::test]
async fn a_closed_window_in_either_form_of_dates() {
    let store = store(200).await;
    let modified =
        |id: u64| timestamp::parse_any(store.order(id).unwrap()["date_modified"].as_str().unwrap()).unwrap();
    let mut stamps: Vec<i64> = store.order_ids().into_iter().map(modified).collect();
    stamps.sort_unstable();
    let (lo, hi) = (stamps[150], stamps[300]);
    let expected: Vec<u64> = store
        .order_ids()
        .into_iter()
        .filter(|&id| (lo..=hi).contains(&modified(id)))
        .collect();
    assert!(expected.len() >= 151);
    let (lo, hi) = (lo / 1_000_000, hi / 1_000_000);
    let iso = (timestamp::iso(lo, "Z"), timestamp::iso(hi, "%2B00:00"));
    let rfc = (timestamp::rfc2822(lo, "%2B0000"), timestamp::rfc2822(hi, "GMT"));
    for (lo, hi) in [iso, rfc] {
        let target =
            format!("v2/orders?min_date_modified={lo}&max_date_modified={hi}&limit=250").replace(' ', "%20");
        assert_eq!(ids(&get(&store, &target).await.json()), expected);
    }
    let bad = get(&store, "v2/orders?min_date_modified=2024-01-01T00:00:00+00:00").await;
    assert_eq!(bad.status, 400);
    let newest = get(&store, "v2/orders?sort=date_modified:desc&limit=1")
        .await
        .json();
    assert_eq!(
        modified(newest[0]["id"].as_u64().unwrap()),
        *stamps.last().unwrap()
    );
}

#[tokio::test]
async fn edits_additions_and_single_orders() {
    let store = store(10).await;
    let since = timestamp::iso(store.clock().now_micros() / 1_000_000, "Z");
    store.clock().advance(Duration::from_secs(60));
    let edit = json!({ "status_id": 2, "total_inc_tax": "12345678901234.5678" })
        .as_object()
        .unwrap()
        .clone();
    assert!(store.edit_order(104, edit));
    let added = store.add_order(
        json!({ "customer_id": 4, "staff_notes": "new" })
            .as_object()
            .unwrap()
            .clone(),
    );
    let changed = get(&store, &format!("v2/orders?min_date_modified={since}"))
        .await
        .json();
    assert_eq!(ids(&changed), [104, added]);
    assert_eq!(changed[0]["total_inc_tax"], "12345678901234.5678");
    assert_eq!(changed[1]["customer_id"], 4);
    assert_eq!(
        get(&store, "v2/orders/104").await.json(),
        store.order(104).unwrap()
    );
    let answer = get(&store, "v2/orders/103").await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.json(),
        json!([{ "status": 404, "message": "The requested resource was not found." }])
    );
    assert!(store.delete_order(added));
    assert_eq!(get(&store, &format!("v2/orders/{added}")).await.status, 404);
}

#[tokio::test]
async fn archived_orders_are_in_a_list_of_their_own() {
    let config = BigCommerceConfig {
        customers: 20,
        archived_every: 7,
        ..Default::default()
    };
    let store = FakeBigCommerce::start(config).await.unwrap();
    let archived = get(&store, "v2/orders?is_deleted=true").await.json();
    assert_eq!(archived.as_array().unwrap().len(), 6);
    assert!(
        archived
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["is_deleted"] == true)
    );
    assert_eq!(get(&store, "v2/orders/count").await.json()["count"], 36);
    assert_eq!(store.order_count(), 42);
}
