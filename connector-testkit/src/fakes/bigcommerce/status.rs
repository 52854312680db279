//! The fifteen statuses of an order.

use serde_json::{Value, json};

/// Names of the statuses, by id.
pub(super) const STATUSES: [&str; 15] = [
    "Incomplete",
    "Pending",
    "Shipped",
    "Partially Shipped",
    "Refunded",
    "Cancelled",
    "Declined",
    "Awaiting Payment",
    "Awaiting Pickup",
    "Awaiting Shipment",
    "Completed",
    "Awaiting Fulfillment",
    "Manual Verification Required",
    "Disputed",
    "Partially Refunded",
];

/// The name of a status; unknown ids have none.
pub(super) fn name(id: u64) -> &'static str {
    usize::try_from(id)
        .ok()
        .and_then(|id| STATUSES.get(id))
        .copied()
        .unwrap_or_default()
}

/// What an order in this status has been paid.
pub(super) fn payment(id: u64, n: u64) -> &'static str {
    match id {
        0 => "",
        1 => "capture pending",
        4 => "refunded",
        5 => "void",
        6 => "declined",
        7 => "pending",
        12 => "held for review",
        14 => "partially refunded",
        _ if n.is_multiple_of(3) => "authorized",
        _ => "captured",
    }
}

/// A status as `/v2/order_statuses` shows it.
pub(super) fn describe(id: usize) -> Value {
    let name = STATUSES.get(id).copied().unwrap_or_default();
    json!({
        "id": id,
        "name": name,
        "system_label": name,
        "custom_label": name,
        "system_description": format!("An order that is in the status {name}."),
    })
}
