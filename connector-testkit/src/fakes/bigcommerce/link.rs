//! The part of a V2 record that is elsewhere.

use serde_json::{Value, json};

/// `{url, resource}` of a list under an order.
pub(super) fn under_order(store_hash: &str, id: u64, list: &str) -> Value {
    json!({
        "url": format!("https://api.bigcommerce.com/stores/{store_hash}/v2/orders/{id}/{list}"),
        "resource": format!("/orders/{id}/{list}"),
    })
}
