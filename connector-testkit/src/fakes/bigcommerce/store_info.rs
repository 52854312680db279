//! `GET /v2/store` and `GET /v2/time`.

use serde_json::{Value, json};

use super::customer_seed::into_map;
use super::timestamp::SECOND;

/// The clock, as `/v2/time` shows it.
pub(super) fn time(now_micros: i64) -> Value {
    json!({ "time": now_micros.div_euclid(SECOND) })
}

/// The store itself; its unset logo is an empty array.
pub(super) fn store(store_hash: &str, quota: u32) -> Value {
    let plan = match quota {
        0..=150 => "Standard",
        151..=450 => "Pro",
        _ => "Enterprise",
    };
    let shop = json!({
        "id": store_hash,
        "account_uuid": "8d3c7f7e-55a4-4c1b-a6a1-0d8f9b1c2e3f",
        "domain": format!("store-{store_hash}.example.com"),
        "secure_url": format!("https://store-{store_hash}.example.com"),
        "control_panel_base_url": format!("https://store-{store_hash}.example.com"),
        "status": "live",
        "name": "Tea & \"Coffee\" 🍵",
        "first_name": "Ada",
        "last_name": "O'Neil",
        "address": "1 Main St\nAustin, TX 78701",
        "country": "United States",
        "country_code": "US",
        "infrastructure_region": "us-central1",
        "phone": "",
        "admin_email": "admin@example.com",
        "order_email": "orders@example.com",
        "favicon_url": "",
        "timezone": {
            "name": "Asia/Tokyo",
            "raw_offset": 32_400,
            "dst_offset": 32_400,
            "dst_correction": false,
            "date_format": {
                "display": "M jS Y",
                "export": "M jS Y",
                "extended_display": "M jS Y @ g:i A",
            },
        },
        "language": "en",
    });
    let mut store = into_map(shop);
    store.append(&mut into_map(formats()));
    store.insert("plan_name".to_owned(), plan.into());
    store.insert("plan_level".to_owned(), plan.into());
    Value::Object(store)
}

fn formats() -> Value {
    json!({
        "currency": "USD",
        "currency_symbol": "$",
        "decimal_separator": ".",
        "thousands_separator": ",",
        "decimal_places": 2,
        "currency_symbol_location": "left",
        "weight_units": "KGS",
        "dimension_units": "Centimeters",
        "dimension_decimal_places": 2,
        "dimension_decimal_token": ".",
        "dimension_thousands_token": ",",
        "plan_is_trial": false,
        "industry": "Food & Drink",
        "logo": [],
        "is_price_entered_with_tax": false,
        "store_id": 1_000_123,
        "default_channel_id": 1,
        "default_site_id": 1_000,
        "active_comparison_modules": [],
        "features": {
            "stencil_enabled": true,
            "sitewidehttps_enabled": true,
            "facebook_catalog_id": "",
            "checkout_type": "optimized",
            "wishlists_enabled": false,
            "graphql_storefront_api_enabled": true,
            "shopper_consent_tracking_enabled": false,
            "multi_storefront_enabled": true,
            "storefront_limits": { "active": 3, "total_including_inactive": 5 },
        },
    })
}
