//! Which orders a request asks for.

use serde_json::{Map, Value};

use super::bounds::{Bounds, Side};
use super::customer_seed::person;
use super::error::Refusal;
use super::order_seed::{OrderKey, OrderSeed};
use super::query::Query;
use super::table::Table;
use super::{order_money, timestamp};

/// Parameters that compare a text field of the order.
const TEXTS: [&str; 3] = ["cart_id", "payment_method", "external_order_id"];

/// The filters of `GET /v2/orders` and of its count.
#[derive(Debug)]
pub(super) struct OrderFilter {
    min_id: u64,
    max_id: u64,
    customer: Option<u64>,
    status: Option<u64>,
    channel: Option<u64>,
    created: Bounds,
    modified: Bounds,
    deleted: bool,
    email: Option<String>,
    /// Who seeded orders with that address belong to.
    person: Option<u64>,
    min_total: Option<f64>,
    max_total: Option<f64>,
    texts: Vec<(&'static str, String)>,
}

impl OrderFilter {
    /// Reads the parameters it knows; others are ignored, as the endpoint does.
    pub(super) fn parse(query: &Query) -> Result<Self, Refusal> {
        let mut filter = Self {
            min_id: number(query, "min_id")?.unwrap_or(0),
            max_id: number(query, "max_id")?.unwrap_or(u64::MAX),
            customer: number(query, "customer_id")?,
            status: number(query, "status_id")?,
            channel: number(query, "channel_id")?,
            created: Bounds::OPEN,
            modified: Bounds::OPEN,
            deleted: matches!(query.get("is_deleted"), Some("true" | "1")),
            email: None,
            person: None,
            min_total: number(query, "min_total")?,
            max_total: number(query, "max_total")?,
            texts: Vec::new(),
        };
        for (prefix, side) in [("min", Side::Min), ("max", Side::Max)] {
            filter.created.narrow(
                query,
                &format!("{prefix}_date_created"),
                side,
                timestamp::parse_any,
            )?;
            filter.modified.narrow(
                query,
                &format!("{prefix}_date_modified"),
                side,
                timestamp::parse_any,
            )?;
        }
        filter.email = query.get("email").map(str::to_lowercase);
        filter.person = filter.email.as_deref().and_then(person);
        filter.texts = TEXTS
            .iter()
            .filter_map(|&name| Some((name, query.get(name)?.to_owned())))
            .collect();
        Ok(filter)
    }

    /// The numbers of the orders that pass, by id.
    pub(super) fn numbers<'a>(
        &'a self,
        table: &'a Table<OrderSeed>,
    ) -> impl Iterator<Item = (u64, OrderKey)> + 'a {
        table.range(self.min_id, self.max_id).filter_map(move |number| {
            let key = table.key(number)?;
            (self.passes_key(key) && self.passes_record(table, number)).then_some((number, key))
        })
    }

    fn passes_key(&self, key: OrderKey) -> bool {
        let equal = |asked: Option<u64>, value: u64| asked.is_none_or(|asked| asked == value);
        key.deleted == self.deleted
            && self.created.holds(key.created)
            && self.modified.holds(key.modified)
            && equal(self.customer, key.customer)
            && equal(self.status, key.status)
            && equal(self.channel, key.channel)
    }

    fn passes_record(&self, table: &Table<OrderSeed>, number: u64) -> bool {
        self.passes_email(table, number)
            && self.passes_total(table, number)
            && self.passes_texts(table, number)
    }

    fn passes_email(&self, table: &Table<OrderSeed>, number: u64) -> bool {
        let Some(asked) = &self.email else { return true };
        match table.changed(number) {
            Some(record) => {
                let email = record
                    .get("billing_address")
                    .and_then(|billing| billing.get("email"));
                email
                    .and_then(Value::as_str)
                    .is_some_and(|email| email.to_lowercase() == *asked)
            }
            None => self.person == Some(table.kind().person(number)),
        }
    }

    fn passes_total(&self, table: &Table<OrderSeed>, number: u64) -> bool {
        if self.min_total.is_none() && self.max_total.is_none() {
            return true;
        }
        let total = match table.changed(number) {
            Some(record) => text(record, "total_inc_tax").parse().unwrap_or(0.0),
            None => order_money::text(order_money::total_inc_tax(number))
                .parse()
                .unwrap_or(0.0),
        };
        self.min_total.is_none_or(|min| min <= total) && self.max_total.is_none_or(|max| total <= max)
    }

    fn passes_texts(&self, table: &Table<OrderSeed>, number: u64) -> bool {
        if self.texts.is_empty() {
            return true;
        }
        let record = table.full(number);
        self.texts
            .iter()
            .all(|(field, value)| text(&record, field) == value)
    }
}

/// A text field; empty where it is absent.
pub(super) fn text<'a>(record: &'a Map<String, Value>, field: &str) -> &'a str {
    record.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number<T: std::str::FromStr>(query: &Query, name: &str) -> Result<Option<T>, Refusal> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| Refusal::invalid(name, "Not a number."))
}
