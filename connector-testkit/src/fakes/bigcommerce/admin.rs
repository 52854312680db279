//! `/__admin/...`: what the handle of an in-process store can do, for one that runs as its own process.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::query::Query;
use super::store::Store;
use super::{customers, reply};

/// Answers one request of a test; `path` is what follows `/__admin/`.
pub(super) fn answer(store: &Store, method: &Method, path: &str, query: &str, body: &[u8]) -> Response {
    let answer = handle(store, method, path, &Query::parse(query), body);
    answer.unwrap_or_else(|(status, message)| reply::json(status, &json!({ "error": message })))
}

type Failure = (StatusCode, String);

fn bad(message: impl std::fmt::Display) -> Failure {
    (StatusCode::BAD_REQUEST, format!("{message}"))
}

fn handle(
    store: &Store,
    method: &Method,
    path: &str,
    query: &Query,
    body: &[u8],
) -> Result<Response, Failure> {
    let (head, tail) = path.split_once('/').unwrap_or((path, ""));
    match (method.as_str(), head, tail) {
        ("GET", "ledger", "") => {
            let from = usize::try_from(number(query, "from", 0)?).unwrap_or(usize::MAX);
            let entries: Vec<_> = store.ledger.entries().into_iter().skip(from).collect();
            Ok(reply::ok(&serde_json::to_value(entries).map_err(bad)?))
        }
        ("GET", "stats", "") => Ok(reply::ok(&stats(store))),
        ("GET", "customers", "") => Ok(reply::ok(&some_customers(store, query)?)),
        ("GET", "orders", "") => Ok(reply::ok(&some_orders(store, query)?)),
        ("POST", "advance", "") => {
            store
                .config
                .clock
                .advance(Duration::from_secs(number(query, "seconds", 0)?));
            Ok(reply::ok(
                &json!({ "now_micros": store.config.clock.now_micros() }),
            ))
        }
        ("POST", "quota", "") => {
            let quota = number(query, "requests", 0)?;
            store.quota.set(u32::try_from(quota).map_err(bad)?);
            Ok(reply::ok(&json!({ "quota": quota })))
        }
        ("POST", "faults", "") => {
            for fault in faults(body)? {
                store.faults.add(fault);
            }
            Ok(reply::ok(&json!({ "waiting": store.faults.len() })))
        }
        ("POST", "orders", "") => {
            let id = store.orders_mut().add(fields(body)?, store.now());
            Ok(reply::ok(&json!({ "id": id })))
        }
        ("POST", "customers", "") => {
            let id = store.customers_mut().add(fields(body)?, store.now());
            Ok(reply::ok(&json!({ "id": id })))
        }
        ("POST", "customers", id) => done(store.customers_mut().edit(parse(id)?, fields(body)?, store.now())),
        ("POST", "orders", id) => done(store.orders_mut().edit(parse(id)?, fields(body)?, store.now())),
        ("DELETE", "customers", id) => done(store.customers_mut().delete(parse(id)?)),
        ("DELETE", "orders", id) => done(store.orders_mut().delete(parse(id)?)),
        _ => Err((StatusCode::NOT_FOUND, format!("no {method} of {path:?}"))),
    }
}

fn done(found: bool) -> Result<Response, Failure> {
    if found {
        Ok(reply::ok(&json!({ "done": true })))
    } else {
        Err((StatusCode::NOT_FOUND, "no such id".to_owned()))
    }
}

fn stats(store: &Store) -> Value {
    json!({
        "requests": store.requests.load(Ordering::SeqCst),
        "too_many": store.too_many.load(Ordering::SeqCst),
        "customers": store.customers().len(),
        "orders": store.orders().len(),
        "ledger": store.ledger.len(),
        "faults": store.faults.len(),
        "now_micros": store.config.clock.now_micros(),
    })
}

/// The customers from an id on, with what the query includes.
fn some_customers(store: &Store, query: &Query) -> Result<Value, Failure> {
    let includes = customers::includes(query).map_err(|_| bad("unknown include"))?;
    let (from, count) = (number(query, "from", 0)?, number(query, "count", 50)?);
    let table = store.customers();
    let numbers = table
        .range(from, u64::MAX)
        .filter(|&number| table.key(number).is_some());
    Ok(numbers
        .take(to_usize(count))
        .map(|number| customers::show(&table, number, &includes))
        .collect())
}

/// The orders from an id on, archived or not.
fn some_orders(store: &Store, query: &Query) -> Result<Value, Failure> {
    let (from, count) = (number(query, "from", 0)?, number(query, "count", 50)?);
    let table = store.orders();
    let numbers = table
        .range(from, u64::MAX)
        .filter(|&number| table.key(number).is_some());
    Ok(numbers
        .take(to_usize(count))
        .map(|number| Value::Object(table.full(number)))
        .collect())
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn parse(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| bad(format!("{text:?} is no number")))
}

fn number(query: &Query, name: &str, default: u64) -> Result<u64, Failure> {
    query.get(name).map_or(Ok(default), parse)
}

fn fields(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    serde_json::from_slice(body).map_err(bad)
}

/// One fault, or an array of them.
fn faults(body: &[u8]) -> Result<Vec<Fault>, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(bad)?;
    let list = if value.is_array() {
        value
    } else {
        Value::Array(vec![value])
    };
    serde_json::from_value(list).map_err(bad)
}
