//! What single records look like.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::store;
use crate::fakes::bigcommerce::ids::{CUSTOMER_IDS, ORDER_IDS};
use crate::fakes::bigcommerce::timestamp;

#[test]
fn ids_lead_back_to_numbers() {
    for scheme in [CUSTOMER_IDS, ORDER_IDS] {
        let mut last = 0;
        for number in 1..2_000 {
            let id = scheme.id(number);
            assert!(id > last);
            assert_eq!(scheme.number(id), Some(number));
            assert_eq!(scheme.numbers_below(id), number - 1);
            assert!((last + 1..id).all(|gap| scheme.number(gap).is_none()));
            last = id;
        }
        assert_eq!(scheme.number(0), None);
    }
}

#[tokio::test]
async fn orders_have_every_column_in_its_form() {
    let store = store(300).await;
    let orders: Vec<Value> = store
        .order_ids()
        .iter()
        .map(|&id| store.order(id).unwrap())
        .collect();
    let now = store.clock().now_micros();
    let mut statuses = BTreeSet::new();
    for order in &orders {
        assert_eq!(order.as_object().unwrap().len(), 74);
        let total = order["total_inc_tax"].as_str().unwrap();
        assert_eq!(total.split_once('.').unwrap().1.len(), 4);
        assert_eq!(order["currency_exchange_rate"], "1.0000000000");
        let created = timestamp::parse_rfc2822(order["date_created"].as_str().unwrap()).unwrap();
        let modified = timestamp::parse_rfc2822(order["date_modified"].as_str().unwrap()).unwrap();
        assert!(created <= modified && modified < now - 86_000_000_000);
        assert!(order["date_modified"].as_str().unwrap().ends_with(" +0000"));
        let id = order["id"].as_u64().unwrap();
        assert_eq!(order["products"]["resource"], format!("/orders/{id}/products"));
        statuses.insert(order["status_id"].as_u64().unwrap());
    }
    assert_eq!(statuses, (0..15).collect());
    let any = |passes: &dyn Fn(&Value) -> bool| orders.iter().any(passes);
    assert!(
        any(&|order| order["total_ex_tax"].as_str().unwrap().len() >= 19),
        "more digits than a float holds"
    );
    assert!(any(&|order| order["date_shipped"] == ""));
    assert!(any(&|order| order["external_merchant_id"] == json!([])));
    assert!(any(&|order| order["external_merchant_id"] == Value::Null));
    assert!(any(&|order| order["refunded_amount"] == 0));
    assert!(any(&|order| order["billing_address"]["form_fields"] == json!([])));
    assert!(any(&|order| order["customer_message"]
        .as_str()
        .unwrap()
        .contains('\n')));
}

#[tokio::test]
async fn orders_of_a_customer_carry_the_address_of_the_person() {
    let store = store(80).await;
    let mut by_customer = std::collections::BTreeMap::<u64, u64>::new();
    for id in store.order_ids() {
        let order = store.order(id).unwrap();
        let customer_id = order["customer_id"].as_u64().unwrap();
        *by_customer.entry(customer_id).or_default() += 1;
        let email = order["billing_address"]["email"].as_str().unwrap().to_lowercase();
        if customer_id == 0 {
            assert!(email.starts_with("person"));
        } else {
            let customer = store.customer(customer_id).unwrap();
            assert_eq!(email, customer["email"].as_str().unwrap().to_lowercase());
        }
    }
    assert_eq!(by_customer.remove(&0), Some(8));
    assert_eq!(by_customer.values().sum::<u64>(), 160);
    assert_eq!(by_customer.values().max(), Some(&6));
    assert_eq!(by_customer.len(), 70, "one customer in eight has no orders");
}

#[tokio::test]
async fn customers_of_a_large_store_are_made_when_asked_for() {
    let store = store(1_000_000).await;
    assert_eq!(store.customer_count(), 1_000_000);
    let last = CUSTOMER_IDS.id(1_000_000);
    let customer = store.customer(last).unwrap();
    assert_eq!(
        customer["email"].as_str().unwrap().to_lowercase(),
        "person1000000@example.com"
    );
    assert_eq!(store.customer(last + 1), None);
    assert_eq!(store.order_count(), 2_100_000);
    let page = super::client::get(&store, "v2/orders?min_id=1000000&limit=1")
        .await
        .json();
    assert_eq!(page[0], store.order(1_000_000).unwrap());
}
