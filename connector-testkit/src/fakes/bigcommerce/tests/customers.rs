//! `GET /v3/customers`.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{get, store};
use crate::fakes::bigcommerce::FakeBigCommerce;

fn ids(answer: &Value) -> Vec<u64> {
    answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_u64().unwrap())
        .collect()
}

/// Every customer that passes `filter`, by cursor.
async fn by_cursor(store: &FakeBigCommerce, filter: &str) -> (Vec<Value>, Value) {
    let mut rows = Vec::new();
    let first = get(store, &format!("v3/customers?limit=100{filter}"))
        .await
        .json();
    let mut page = first.clone();
    loop {
        let data = page["data"].as_array().unwrap().clone();
        let cursor = &page["meta"]["cursor_pagination"];
        assert_eq!(cursor["count"], data.len());
        assert_eq!(cursor["per_page"], 100);
        if data.is_empty() {
            assert_eq!(cursor.get("end_cursor"), None);
            assert_eq!(cursor["links"].get("next"), None);
            return (rows, first["meta"].clone());
        }
        rows.extend(data);
        let end = cursor["end_cursor"].as_str().unwrap().replace('+', "%2B");
        assert!(
            cursor["links"]["next"]
                .as_str()
                .unwrap()
                .starts_with("?limit=100&after=")
        );
        page = get(store, &format!("v3/customers?limit=100&after={end}{filter}"))
            .await
            .json();
        assert_eq!(page["meta"].get("pagination"), None);
    }
}

#[tokio::test]
async fn by_cursor_to_the_end() {
    let store = store(517).await;
    let (rows, meta) = by_cursor(&store, "").await;
    assert_eq!(meta["pagination"]["total"], 517);
    let truth: Vec<Value> = store
        .customer_ids()
        .iter()
        .map(|&id| store.customer(id).unwrap())
        .collect();
    assert_eq!(rows, truth);
    assert_eq!(rows.len(), 517);
    assert!(rows.is_sorted_by_key(|row| row["id"].as_u64()));
    assert_ne!(rows[516]["id"], 517, "ids have gaps");
}

#[tokio::test]
async fn a_cursor_is_the_id_in_base64_and_leads_back() {
    let store = store(30).await;
    let first = get(&store, "v3/customers?limit=10").await.json();
    assert_eq!(
        first["meta"]["cursor_pagination"]["end_cursor"], "eyJpZCI6MTR9",
        "{{\"id\":14}}"
    );
    assert_eq!(ids(&first), [1, 2, 4, 5, 6, 8, 10, 11, 12, 14]);
    let second = get(&store, "v3/customers?limit=10&page=7&after=eyJpZCI6MTR9")
        .await
        .json();
    assert_eq!(ids(&second), [15, 16, 18, 20, 21, 22, 24, 25, 26, 28]);
    let start = second["meta"]["cursor_pagination"]["start_cursor"]
        .as_str()
        .unwrap();
    let back = get(
        &store,
        &format!("v3/customers?limit=10&before={}", start.replace('=', "%3D")),
    )
    .await
    .json();
    assert_eq!(ids(&back), ids(&first));
    assert_eq!(get(&store, "v3/customers?after=nonsense").await.status, 422);
}

#[tokio::test]
async fn by_page_to_past_the_end() {
    let store = store(120).await;
    let mut rows = Vec::new();
    for page in 1..=3 {
        let answer = get(&store, &format!("v3/customers?page={page}&limit=50"))
            .await
            .json();
        let pagination = &answer["meta"]["pagination"];
        assert_eq!(pagination["total"], 120);
        assert_eq!(pagination["total_pages"], 3);
        assert_eq!(pagination["current_page"], page);
        assert_eq!(pagination["links"]["current"], format!("?page={page}&limit=50"));
        assert_eq!(pagination["links"].get("previous").is_some(), page > 1);
        assert_eq!(pagination["links"].get("next").is_some(), page < 3);
        assert_eq!(answer["meta"].get("cursor_pagination").is_some(), page == 1);
        rows.extend(ids(&answer));
    }
    assert_eq!(rows, store.customer_ids());
    let past = get(&store, "v3/customers?page=4&limit=50").await;
    assert_eq!(past.status, 200);
    assert_eq!(past.json()["data"], json!([]));
    assert_eq!(
        get(&store, "v3/customers").await.json()["data"]
            .as_array()
            .unwrap()
            .len(),
        50
    );
    assert_eq!(get(&store, "v3/customers?limit=250").await.status, 200);
    assert_eq!(get(&store, "v3/customers?limit=251").await.status, 413);
    assert_eq!(get(&store, "v3/customers?page=0").await.status, 422);
}

#[tokio::test]
async fn a_closed_window_of_modified_dates_by_cursor() {
    let store = store(400).await;
    let mut dates: Vec<String> = store
        .customer_ids()
        .iter()
        .map(|&id| store.customer(id).unwrap()["date_modified"].as_str().unwrap()[..19].to_owned())
        .collect();
    dates.sort();
    let distinct = {
        let mut d = dates.clone();
        d.dedup();
        d.len()
    };
    assert!(distinct < 360, "stamps have ties: {distinct}");
    let (lo, hi) = (dates[100].clone(), dates[250].clone());
    let expected: Vec<u64> = store
        .customer_ids()
        .into_iter()
        .filter(|&id| {
            let customer = store.customer(id).unwrap();
            let at = customer["date_modified"].as_str().unwrap()[..19].to_owned();
            lo <= at && at <= hi
        })
        .collect();
    assert!(expected.len() >= 151);
    let raw = format!("&date_modified:min={lo}Z&date_modified:max={hi}Z");
    let escaped = format!("&date_modified%3Amin={lo}%2B00%3A00&date_modified%3Amax={hi}Z");
    for filter in [raw, escaped] {
        let (rows, meta) = by_cursor(&store, &filter).await;
        assert_eq!(
            rows.iter()
                .map(|row| row["id"].as_u64().unwrap())
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(meta["pagination"]["total"], expected.len());
    }
    // A bare plus is a space, and a time has to have a zone.
    for bad in [format!("{lo}+00:00"), lo, "yesterday".to_owned()] {
        let answer = get(&store, &format!("v3/customers?date_modified:min={bad}")).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["errors"]["date_modified:min"], "Not a valid date.");
    }
}

#[tokio::test]
async fn an_edit_moves_a_customer_out_of_the_window_and_into_the_next() {
    let store = store(50).await;
    let now = super::super::timestamp::iso(store.clock().now_micros() / 1_000_000, "Z");
    store.clock().advance(Duration::from_secs(3_600));
    let edit = json!({ "last_name": "New", "customer_group_id": 9, "addresses": [] })
        .as_object()
        .unwrap()
        .clone();
    assert!(store.edit_customer(14, edit));
    assert!(!store.edit_customer(13, serde_json::Map::new()), "13 is a gap");
    let before = get(&store, &format!("v3/customers?date_modified:max={now}"))
        .await
        .json();
    assert_eq!(before["meta"]["pagination"]["total"], 49);
    let after = get(&store, &format!("v3/customers?date_modified:min={now}"))
        .await
        .json();
    assert_eq!(ids(&after), [14]);
    assert_eq!(after["data"][0], store.customer(14).unwrap());
    assert_eq!(after["data"][0]["last_name"], "New");
    assert_eq!(after["data"][0].get("addresses"), None);
    assert_eq!(
        ids(&get(&store, "v3/customers?customer_group_id:in=9,10").await.json()),
        [14]
    );

    assert!(store.delete_customer(14));
    assert_eq!(store.customer(14), None);
    assert_eq!(
        get(&store, "v2/customers/count").await.json(),
        json!({ "count": 49 })
    );
    let new = store.add_customer(json!({ "email": "new@example.com" }).as_object().unwrap().clone());
    assert_eq!(store.customer_ids().last(), Some(&new));
    assert_eq!(
        ids(&get(&store, "v3/customers?email:in=NEW@example.com").await.json()),
        [new]
    );
}

#[tokio::test]
async fn lists_of_ids_and_of_addresses() {
    let store = store(50).await;
    let answer = get(&store, "v3/customers?id:in=14,2,3,9999").await.json();
    assert_eq!(ids(&answer), [2, 14]);
    assert_eq!(answer["meta"]["pagination"]["total"], 2);
    // Customer 10 is the seventh; its address is that of person 7.
    assert_eq!(
        ids(&get(&store, "v3/customers?email:in=person7@example.com")
            .await
            .json()),
        [10]
    );
    let name = store.customer(10).unwrap()["last_name"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_name = get(&store, "v3/customers?sort=last_name:desc&limit=250")
        .await
        .json();
    let names: Vec<&str> = by_name["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["last_name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&name.as_str()) && names.is_sorted_by(|a, b| a >= b));
    assert_eq!(get(&store, "v3/customers?sort=id:asc").await.status, 422);
    assert_eq!(get(&store, "v3/customers?id:in=x").await.status, 422);
    assert_eq!(get(&store, "v3/customers?nonsense:in=x").await.status, 200);
}

#[tokio::test]
async fn includes_show_what_is_hidden_otherwise() {
    let store = store(200).await;
    let all = "addresses,storecredit,attributes,formfields,shopper_profile_id,segment_ids";
    let answer = get(&store, &format!("v3/customers?limit=250&include={all}"))
        .await
        .json();
    let mut cut = 0;
    for row in answer["data"].as_array().unwrap() {
        let id = row["id"].as_u64().unwrap();
        assert_eq!(*row, store.customer_in_full(id).unwrap());
        let count = row["address_count"].as_u64().unwrap();
        assert_eq!(row["addresses"].as_array().unwrap().len() as u64, count.min(10));
        assert_eq!(
            row["attributes"].as_array().unwrap().len() as u64,
            row["attribute_count"].as_u64().unwrap().min(10)
        );
        assert!(row["store_credit_amounts"][0]["amount"].is_number());
        cut += u64::from(count > 10);
        assert_eq!(store.customer(id).unwrap().as_object().unwrap().len(), 18);
    }
    assert!(cut > 0);
    assert_eq!(get(&store, "v3/customers?include=secrets").await.status, 422);
}
