//! `GET /v3/customers`.

use super::def::{FieldDef, Paging, Pass, StreamDef, Version};

/// Registered customers; guests have none. Fields of the API reference `customers.v3`.
pub(super) const CUSTOMERS: StreamDef = StreamDef {
    name: "customers",
    label: "Customers",
    path: "v3/customers",
    version: Version::V3,
    paging: Paging::Cursor,
    key: "id",
    cursor: "date_modified",
    window: ("date_modified:min", "date_modified:max"),
    count: None,
    passes: Pass::ALL,
    fields: &[
        FieldDef::integer("id"),
        FieldDef::text("email").editable(),
        FieldDef::text("first_name").editable(),
        FieldDef::text("last_name").editable(),
        FieldDef::text("company").editable(),
        FieldDef::text("phone").editable(),
        FieldDef::text("registration_ip_address").editable(),
        FieldDef::text("notes").editable(),
        FieldDef::text("tax_exempt_category").editable(),
        FieldDef::integer("customer_group_id").editable(),
        FieldDef::instant("date_created"),
        FieldDef::instant("date_modified"),
        FieldDef::integer("address_count"),
        FieldDef::integer("attribute_count"),
        FieldDef::json("authentication").editable(),
        FieldDef::boolean("accepts_product_review_abandoned_cart_emails").editable(),
        FieldDef::integer("origin_channel_id").editable(),
        FieldDef::json("channel_ids").editable(),
    ],
    left_out: &[
        ("addresses", NESTED),
        ("attributes", NESTED),
        ("form_fields", INCLUDED),
        ("store_credit_amounts", INCLUDED),
        ("shopper_profile_id", INCLUDED),
        ("segment_ids", INCLUDED),
    ],
};

const NESTED: &str = "the list shows at most ten per customer";
const INCLUDED: &str = "sent only when asked for with `include`, which this connector does not do yet";
