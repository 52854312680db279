//! What every order holds before anybody changes it, from its number alone.

use serde_json::{Map, Value, json};

use super::customer_seed::{SPAN, city, country, into_map, ip, micros, some, uuid, whole};
use super::ids::CUSTOMER_IDS;
use super::order_plan::OrderPlan;
use super::table::Kind;
use super::timestamp::{self, SECOND};
use super::{link, order_money, status};
use crate::fakes::seed::{self, mix, pick};

/// What orders are filtered and sorted by.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderKey {
    /// Microseconds.
    pub(super) created: i64,
    /// Microseconds.
    pub(super) modified: i64,
    /// 0 for a guest.
    pub(super) customer: u64,
    pub(super) status: u64,
    pub(super) channel: u64,
    /// Whether the order is out of the default list.
    pub(super) deleted: bool,
}

/// Makes orders.
#[derive(Clone, Debug)]
pub(super) struct OrderSeed {
    pub(super) plan: OrderPlan,
    /// Number of persons a guest is taken from.
    pub(super) persons: u64,
    pub(super) archived_every: u64,
    /// Seconds; no seeded stamp is later.
    pub(super) until: i64,
    pub(super) store_hash: String,
}

const PAYMENT_METHODS: &[&str] = &["Credit Card", "Manual", "Bank Deposit", "PayPal", "代金引換"];
const STREETS: &[&str] = &[
    "1 Main St",
    "12 Rue de l'Église\nBât. B",
    "千代田区1-1\r\n霞が関",
    "Unit 7, \"The Mill\"",
];

impl OrderSeed {
    /// Seconds: later for larger numbers, and the same for a few neighbours in a large store.
    fn created(&self, n: u64) -> i64 {
        let share = i128::from(SPAN) * i128::from(n) / i128::from(self.plan.total().max(n).max(1));
        self.until - SPAN + i64::try_from(share).unwrap_or_default()
    }

    /// Seconds: a third was never changed, one in six shares a single second, the others share 400 with many more.
    fn modified(&self, n: u64) -> i64 {
        let draw = mix(n, 130);
        let bucket = match draw % 6 {
            0 | 1 => return self.created(n),
            2 => 120,
            _ => i64::try_from(draw / 6 % 400).unwrap_or_default(),
        };
        (self.until - bucket * (SPAN / 400) - 43).max(self.created(n))
    }

    fn status(n: u64) -> u64 {
        mix(n, 131) % 15
    }

    fn channel(n: u64) -> u64 {
        1 + u64::from(mix(n, 132).is_multiple_of(9))
    }

    fn customer_id(&self, n: u64) -> u64 {
        self.plan
            .customer(n)
            .map_or(0, |customer| CUSTOMER_IDS.id(customer))
    }

    fn is_archived(&self, n: u64) -> bool {
        self.archived_every > 0 && n.is_multiple_of(self.archived_every)
    }

    /// The person who placed order `n`.
    pub(super) fn person(&self, n: u64) -> u64 {
        self.plan
            .customer(n)
            .unwrap_or_else(|| 1 + mix(n, 133) % self.persons.max(1))
    }

    fn billing_address(&self, n: u64) -> Value {
        let person = self.person(n);
        let (country, code) = country(n, 134);
        let form_fields = if mix(n, 135).is_multiple_of(5) {
            json!([{ "name": "VAT \"number\"", "value": "00123" }])
        } else {
            json!([])
        };
        json!({
            "first_name": pick(seed::FIRST_NAMES, person, 70),
            "last_name": pick(seed::LAST_NAMES, person, 71),
            "company": some(seed::COMPANIES, n, 136, 40),
            "street_1": pick(STREETS, n, 137),
            "street_2": some(&["2F", "c/o \"Bob\""], n, 138, 20),
            "city": city(n, 139),
            "state": some(&["Texas", "Tōkyō-to"], n, 140, 60),
            "zip": pick(seed::POSTAL_CODES, n, 141),
            "country": country,
            "country_iso2": code,
            "phone": if n.is_multiple_of(3) { String::new() } else { format!("0{:09}", mix(n, 142) % 1_000_000_000) },
            "email": seed::email_as_typed(person, 143),
            "form_fields": form_fields,
        })
    }

    fn dates_and_state(&self, n: u64, id: u64) -> Value {
        let status_id = Self::status(n);
        let shipped = matches!(status_id, 2 | 3 | 10);
        let items = 1 + mix(n, 144) % 5;
        json!({
            "id": id,
            "customer_id": self.customer_id(n),
            "date_created": self.stamp(self.created(n)),
            "date_modified": self.stamp(self.modified(n)),
            "date_shipped": if shipped { self.stamp(self.modified(n)) } else { String::new() },
            "status_id": status_id,
            "status": status::name(status_id),
            "custom_status": status::name(status_id),
            "cart_id": if mix(n, 145).is_multiple_of(4) { Value::Null } else { uuid(n, 146).into() },
            "channel_id": Self::channel(n),
            "order_source": pick(&["www", "manual", "external", "iphone"], n, 148),
            "payment_method": pick(PAYMENT_METHODS, n, 149),
            "payment_provider_id": if n.is_multiple_of(4) { Value::Null } else { format!("ch_{:x}", mix(n, 150)).into() },
            "payment_status": status::payment(status_id, n),
            "items_total": items,
            "items_shipped": if shipped { items } else { 0 },
            "shipping_address_count": 1,
            "order_is_digital": mix(n, 151).is_multiple_of(10),
            "is_deleted": self.is_archived(n),
            "is_email_opt_in": mix(n, 152).is_multiple_of(2),
            "is_tax_inclusive_pricing": mix(n, 153).is_multiple_of(3),
            "shipping_cost_tax_class_id": 2,
            "handling_cost_tax_class_id": 2,
            "wrapping_cost_tax_class_id": 3,
        })
    }

    fn texts_and_places(&self, n: u64) -> Value {
        let (country, code) = if mix(n, 154).is_multiple_of(5) {
            ("", "")
        } else {
            country(n, 134)
        };
        let v6 = mix(n, 155).is_multiple_of(4);
        let currency = pick(&["USD", "EUR", "JPY"], n, 156);
        json!({
            "ip_address": if v6 { String::new() } else { ip(n, 157) },
            "ip_address_v6": if v6 { format!("2001:db8::{:x}", mix(n, 158) % 65_536) } else { String::new() },
            "geoip_country": country,
            "geoip_country_iso2": code,
            "currency_id": 1,
            "currency_code": currency,
            "currency_exchange_rate": "1.0000000000",
            "default_currency_id": 1,
            "default_currency_code": currency,
            "store_default_currency_code": "USD",
            "store_default_to_transactional_exchange_rate": if currency == "USD" { "1.0000000000" } else { "149.1234567891" },
            "staff_notes": if n.is_multiple_of(11) { Value::Null } else { some(seed::NOTES, n, 159, 40).into() },
            "customer_message": some(seed::NOTES, n, 160, 30),
            "ebay_order_id": "0",
            "external_id": if n.is_multiple_of(7) { format!("{:06}", n % 1_000_000).into() } else { Value::Null },
            "external_merchant_id": if n.is_multiple_of(2) { json!([]) } else { Value::Null },
            "external_source": some(&["POS", "Marketplace, EU"], n, 161, 10),
            "external_order_id": if n.is_multiple_of(7) { format!("EXT-{n}") } else { String::new() },
            "tax_provider_id": some(&["BasicTaxProvider", "AvaTaxProvider"], n, 162, 80),
            "customer_locale": pick(&["en", "ja", "de"], n, 163),
            "credit_card_type": null,
            "billing_address": self.billing_address(n),
        })
    }
}

impl Kind for OrderSeed {
    type Key = OrderKey;

    fn seeded_key(&self, n: u64, _: u64) -> OrderKey {
        OrderKey {
            created: self.created(n) * SECOND,
            modified: self.modified(n) * SECOND,
            customer: self.customer_id(n),
            status: Self::status(n),
            channel: Self::channel(n),
            deleted: self.is_archived(n),
        }
    }

    fn key_of(&self, record: &Map<String, Value>) -> OrderKey {
        OrderKey {
            created: micros(record, "date_created"),
            modified: micros(record, "date_modified"),
            customer: whole(record, "customer_id"),
            status: whole(record, "status_id"),
            channel: whole(record, "channel_id"),
            deleted: record
                .get("is_deleted")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
        }
    }

    fn seeded(&self, n: u64, id: u64) -> Map<String, Value> {
        let mut record = into_map(self.dates_and_state(n, id));
        record.append(&mut into_map(self.texts_and_places(n)));
        order_money::write(n, &mut record);
        for list in [
            "products",
            "shipping_addresses",
            "coupons",
            "fees",
            "consignments",
        ] {
            record.insert(list.to_owned(), link::under_order(&self.store_hash, id, list));
        }
        record
    }

    fn stamp(&self, seconds: i64) -> String {
        timestamp::rfc2822(seconds, "+0000")
    }
}
