//! What every customer holds before anybody changes it, from its number alone.

use serde_json::{Map, Value, json};

use super::table::Kind;
use super::timestamp::{self, DAY, SECOND};
use crate::fakes::seed::{self, mix, pick};

/// Seconds over which records were made and changed: two years.
pub(super) const SPAN: i64 = 2 * 365 * DAY;

/// What a request may include, by parameter and field.
pub(super) const INCLUDES: [(&str, &str); 6] = [
    ("addresses", "addresses"),
    ("attributes", "attributes"),
    ("formfields", "form_fields"),
    ("segment_ids", "segment_ids"),
    ("shopper_profile_id", "shopper_profile_id"),
    ("storecredit", "store_credit_amounts"),
];

/// Nested lists are cut here.
const NESTED: u64 = 10;

/// What customers are filtered and sorted by.
#[derive(Clone, Copy, Debug)]
pub(super) struct CustomerKey {
    /// Microseconds.
    pub(super) created: i64,
    /// Microseconds.
    pub(super) modified: i64,
    pub(super) group: u64,
}

/// Makes customers.
#[derive(Clone, Copy, Debug)]
pub(super) struct CustomerSeed {
    /// Number of seeded customers.
    pub(super) count: u64,
    /// Seconds; no seeded stamp is later.
    pub(super) until: i64,
}

const CITIES: &[&str] = &["Austin", "Zürich", "東京", "São Paulo", "Łódź", "N/A"];
const COUNTRIES: &[(&str, &str)] = &[
    ("United States", "US"),
    ("Japan", "JP"),
    ("Côte d'Ivoire", "CI"),
    ("Germany", "DE"),
];

/// A country's name and code.
pub(super) fn country(n: u64, salt: u64) -> (&'static str, &'static str) {
    COUNTRIES[usize::try_from(mix(n, salt) % COUNTRIES.len() as u64).unwrap_or_default()]
}

/// A city's name.
pub(super) fn city(n: u64, salt: u64) -> &'static str {
    pick(CITIES, n, salt)
}

/// An IP address from the ranges kept for examples.
pub(super) fn ip(n: u64, salt: u64) -> String {
    let draw = mix(n, salt);
    let net = ["192.0.2", "198.51.100", "203.0.113"][usize::try_from(draw % 3).unwrap_or_default()];
    format!("{net}.{}", draw / 3 % 256)
}

/// A UUID that is the same for the same record and salt.
pub(super) fn uuid(n: u64, salt: u64) -> String {
    let (a, b) = (mix(n, salt), mix(n, salt + 1));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xFFFF,
        a & 0xFFF,
        b >> 48 & 0xFFF,
        b & 0xFFFF_FFFF_FFFF
    )
}

/// The person that a lower-case e-mail address is seeded for.
pub(super) fn person(email: &str) -> Option<u64> {
    let digits = email.strip_prefix("person")?.strip_suffix("@example.com")?;
    let person = digits.parse().ok()?;
    (seed::email(person) == email).then_some(person)
}

/// One of `choices` for `percent` of the records, an empty text for the rest.
pub(super) fn some<'a>(choices: &[&'a str], n: u64, salt: u64, percent: u64) -> &'a str {
    if mix(n, salt + 1_000) % 100 < percent {
        pick(choices, n, salt)
    } else {
        ""
    }
}

impl CustomerSeed {
    /// Seconds: later for larger numbers.
    fn created(&self, n: u64) -> i64 {
        let share = i128::from(SPAN) * i128::from(n) / i128::from(self.count.max(n).max(1));
        self.until - SPAN + i64::try_from(share).unwrap_or_default()
    }

    /// Seconds: one customer in five shares a single second (an import), the others share 400 with many more.
    fn modified(&self, n: u64) -> i64 {
        let draw = mix(n, 60);
        let bucket = if draw.is_multiple_of(5) {
            200
        } else {
            i64::try_from(draw / 5 % 400).unwrap_or_default()
        };
        (self.until - bucket * (SPAN / 400) - 17).max(self.created(n))
    }

    fn stamp_of(n: u64, seconds: i64) -> String {
        timestamp::iso(
            seconds,
            if mix(n, 61).is_multiple_of(8) {
                "+00:00"
            } else {
                "Z"
            },
        )
    }

    fn address_count(n: u64) -> u64 {
        match mix(n, 62) % 16 {
            0..=3 => 0,
            4..=12 => 1,
            13 | 14 => 3,
            _ => 12,
        }
    }

    fn attribute_count(n: u64) -> u64 {
        if mix(n, 63).is_multiple_of(10) {
            11
        } else {
            mix(n, 64) % 4
        }
    }

    fn group(n: u64) -> u64 {
        mix(n, 65) % 4
    }

    /// The customer's e-mail address.
    pub(super) fn email(n: u64) -> String {
        seed::email_as_typed(n, 66)
    }

    /// Everything but what a request has to ask for.
    pub(super) fn flat(&self, n: u64, id: u64) -> Map<String, Value> {
        let channels = match mix(n, 67) % 3 {
            0 => Value::Null,
            1 => json!([1]),
            _ => json!([1, 2]),
        };
        let phone = if mix(n, 68).is_multiple_of(4) {
            String::new()
        } else {
            format!("0{:09}", mix(n, 69) % 1_000_000_000)
        };
        let record = json!({
            "id": id,
            "email": Self::email(n),
            "first_name": pick(seed::FIRST_NAMES, n, 70),
            "last_name": pick(seed::LAST_NAMES, n, 71),
            "company": some(seed::COMPANIES, n, 72, 60),
            "phone": phone,
            "registration_ip_address": if mix(n, 73).is_multiple_of(5) { String::new() } else { ip(n, 74) },
            "notes": some(seed::NOTES, n, 75, 50),
            "tax_exempt_category": some(&["A", "E", "0"], n, 76, 10),
            "customer_group_id": Self::group(n),
            "date_created": Self::stamp_of(n, self.created(n)),
            "date_modified": Self::stamp_of(n, self.modified(n)),
            "address_count": Self::address_count(n),
            "attribute_count": Self::attribute_count(n),
            "authentication": { "force_password_reset": mix(n, 77).is_multiple_of(9) },
            "accepts_product_review_abandoned_cart_emails": mix(n, 78).is_multiple_of(2),
            "origin_channel_id": 1,
            "channel_ids": channels,
        });
        into_map(record)
    }

    /// A field that a request has to ask for.
    pub(super) fn nested(&self, field: &str, n: u64, id: u64) -> Value {
        match field {
            "addresses" => (1..=Self::address_count(n).min(NESTED))
                .map(|k| Self::address(n, id, k))
                .collect(),
            "attributes" => (1..=Self::attribute_count(n).min(NESTED))
                .map(|k| self.attribute(n, id, k))
                .collect(),
            "form_fields" => match mix(n, 79) % 3 {
                0 => json!([]),
                1 => {
                    json!([{ "name": "How did you hear about us?", "value": pick(seed::NOTES, n, 80), "customer_id": id }])
                }
                _ => json!([
                    { "name": "Interests", "value": ["Tea", "Coffee ☕"], "customer_id": id },
                    { "name": "Age", "value": (18 + mix(n, 81) % 60).to_string(), "customer_id": id },
                ]),
            },
            "store_credit_amounts" => match mix(n, 82) % 4 {
                0 => json!([{ "amount": 43.15 }]),
                1 => json!([{ "amount": 12345678.91 }]),
                _ => json!([{ "amount": 0 }]),
            },
            "shopper_profile_id" if mix(n, 83).is_multiple_of(2) => uuid(n, 84).into(),
            "segment_ids" if mix(n, 83).is_multiple_of(2) => json!([uuid(n % 10, 86)]),
            "segment_ids" => json!([]),
            _ => Value::Null,
        }
    }

    fn address(n: u64, customer: u64, k: u64) -> Value {
        let key = n * 16 + k;
        let (country, code) = country(key, 90);
        json!({
            "id": key,
            "customer_id": customer,
            "first_name": pick(seed::FIRST_NAMES, n, 70),
            "last_name": pick(seed::LAST_NAMES, n, 71),
            "company": some(seed::COMPANIES, key, 91, 30),
            "address1": format!("{k} Main St, \"The Mill\""),
            "address2": some(&["Apt. 5\nBack door", "2F"], key, 92, 30),
            "city": city(key, 93),
            "state_or_province": some(&["Texas", "Tōkyō-to"], key, 94, 60),
            "postal_code": pick(seed::POSTAL_CODES, key, 95),
            "country": country,
            "country_code": code,
            "phone": "",
            "address_type": if key.is_multiple_of(3) { "commercial" } else { "residential" },
        })
    }

    fn attribute(&self, n: u64, customer: u64, k: u64) -> Value {
        let stamp = timestamp::iso(self.created(n), "Z");
        json!({
            "id": n * 16 + k,
            "attribute_id": k,
            "attribute_value": pick(&["007", "3.50", "2024-02-29", "VIP, gold", ""], n * 16 + k, 96),
            "customer_id": customer,
            "date_created": stamp,
            "date_modified": stamp,
        })
    }
}

/// The fields of a JSON object.
pub(super) fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Microseconds of a date field; 0 for what is no date.
pub(super) fn micros(record: &Map<String, Value>, field: &str) -> i64 {
    record
        .get(field)
        .and_then(Value::as_str)
        .and_then(timestamp::parse_any)
        .unwrap_or_default()
}

/// A whole number; 0 for what is none.
pub(super) fn whole(record: &Map<String, Value>, field: &str) -> u64 {
    record.get(field).and_then(Value::as_u64).unwrap_or_default()
}

impl Kind for CustomerSeed {
    type Key = CustomerKey;

    fn seeded_key(&self, n: u64, _: u64) -> CustomerKey {
        CustomerKey {
            created: self.created(n) * SECOND,
            modified: self.modified(n) * SECOND,
            group: Self::group(n),
        }
    }

    fn key_of(&self, record: &Map<String, Value>) -> CustomerKey {
        CustomerKey {
            created: micros(record, "date_created"),
            modified: micros(record, "date_modified"),
            group: whole(record, "customer_group_id"),
        }
    }

    fn seeded(&self, n: u64, id: u64) -> Map<String, Value> {
        let mut record = self.flat(n, id);
        for (_, field) in INCLUDES {
            record.insert(field.to_owned(), self.nested(field, n, id));
        }
        record
    }

    fn stamp(&self, seconds: i64) -> String {
        timestamp::iso(seconds, "Z")
    }
}
