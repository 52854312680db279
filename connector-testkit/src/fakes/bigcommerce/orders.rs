//! `GET /v2/orders`, one order, and their count.

use axum::response::Response;
use serde_json::{Value, json};

use super::error::Refusal;
use super::order_filter::{OrderFilter, text};
use super::order_seed::{OrderKey, OrderSeed};
use super::page::{Page, Sort};
use super::query::Query;
use super::table::Table;
use super::{reply, status};

const SORTS: [&str; 7] = [
    "id",
    "customer_id",
    "date_created",
    "date_modified",
    "status_id",
    "channel_id",
    "external_id",
];

/// Answers the list: a bare array, or 204 where it would be empty.
pub(super) fn list(table: &Table<OrderSeed>, query: &Query) -> Result<Response, Refusal> {
    let page = Page::parse(query)?;
    let filter = OrderFilter::parse(query)?;
    let sort = Sort::parse(query, &SORTS)?.filter(|sort| sort.field != "id" || sort.descending);
    let numbers: Vec<u64> = match sort {
        None => filter
            .numbers(table)
            .skip(page.skip())
            .take(page.take())
            .map(|(number, _)| number)
            .collect(),
        Some(sort) => {
            let mut rows: Vec<(u64, OrderKey)> = filter.numbers(table).collect();
            match sort.field {
                "id" => sort.apply(&mut rows, |(number, _)| *number),
                "customer_id" => sort.apply(&mut rows, |(_, key)| key.customer),
                "date_created" => sort.apply(&mut rows, |(_, key)| key.created),
                "date_modified" => sort.apply(&mut rows, |(_, key)| key.modified),
                "status_id" => sort.apply(&mut rows, |(_, key)| key.status),
                "channel_id" => sort.apply(&mut rows, |(_, key)| key.channel),
                _ => sort.apply(&mut rows, |(number, _)| {
                    text(&table.full(*number), "external_id").to_owned()
                }),
            }
            rows.iter()
                .skip(page.skip())
                .take(page.take())
                .map(|(number, _)| *number)
                .collect()
        }
    };
    if numbers.is_empty() {
        return Ok(reply::no_content());
    }
    let data = numbers
        .iter()
        .map(|&number| Value::Object(table.full(number)))
        .collect();
    Ok(reply::ok(&Value::Array(data)))
}

/// Answers one order, archived or not.
pub(super) fn one(table: &Table<OrderSeed>, id: &str) -> Result<Response, Refusal> {
    let number = id
        .parse()
        .ok()
        .and_then(|id| table.number(id))
        .ok_or(Refusal::NotFound)?;
    Ok(reply::ok(&Value::Object(table.full(number))))
}

/// Answers how many orders pass the filters, in all and by status.
pub(super) fn count(table: &Table<OrderSeed>, query: &Query) -> Result<Response, Refusal> {
    let filter = OrderFilter::parse(query)?;
    let mut counts = [0_u64; status::STATUSES.len()];
    let mut total = 0_u64;
    for (_, key) in filter.numbers(table) {
        total += 1;
        if let Some(count) = usize::try_from(key.status).ok().and_then(|id| counts.get_mut(id)) {
            *count += 1;
        }
    }
    let statuses: Vec<Value> = counts
        .iter()
        .enumerate()
        .map(|(id, count)| {
            let mut status = status::describe(id);
            status["count"] = (*count).into();
            status["sort_order"] = id.into();
            status
        })
        .collect();
    Ok(reply::ok(&json!({ "count": total, "statuses": statuses })))
}
