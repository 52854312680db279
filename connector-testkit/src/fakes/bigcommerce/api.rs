//! From a path under `/stores/{hash}/` to the endpoint that answers it.

use axum::response::Response;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::error::{Refusal, Version};
use super::query::Query;
use super::store::Store;
use super::{customers, orders, reply, status, store_info};

/// Answers a request, whether it is refused or not.
pub(super) fn answer(
    store: &Store,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Response {
    let version = if path.split('/').nth(3) == Some("v2") {
        Version::V2
    } else {
        Version::V3
    };
    let spent = store.quota.spend(store.config.clock.now_micros(), 1);
    let answer = if spent.allowed {
        route(store, method, path, &Query::parse(query), headers)
    } else {
        Err(Refusal::TooMany)
    };
    let mut response = answer.unwrap_or_else(|refusal| refusal.answer(version));
    spent.write(response.headers_mut());
    response
}

fn route(
    store: &Store,
    method: &Method,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let path = path.strip_prefix("/stores/").ok_or(Refusal::NotFound)?;
    if path.ends_with('/') {
        return Err(Refusal::TrailingSlash);
    }
    let (hash, resource) = path.split_once('/').unwrap_or((path, ""));
    if hash != store.config.store_hash {
        return Err(Refusal::Scope);
    }
    let token = headers.get("x-auth-token").and_then(|value| value.to_str().ok());
    if token != Some(store.config.access_token.as_str()) {
        return Err(Refusal::Unauthorized);
    }
    let scope = match resource.split('/').nth(1).unwrap_or_default() {
        "customers" => "store_v2_customers",
        "orders" | "order_statuses" => "store_v2_orders",
        "store" | "time" => "store_v2_information",
        _ => return Err(Refusal::NotFound),
    };
    if store.config.missing_scopes.iter().any(|missing| missing == scope) {
        return Err(Refusal::Scope);
    }
    let reading = method == Method::GET || method == Method::HEAD;
    let endpoint = Endpoint::of(resource).ok_or(Refusal::NotFound)?;
    if reading {
        endpoint.read(store, query)
    } else {
        Err(Refusal::Method)
    }
}

/// What can be read.
#[derive(Clone, Copy, Debug)]
enum Endpoint<'a> {
    Customers,
    CustomerCount,
    Orders,
    OrderCount,
    Order(&'a str),
    OrderStatuses,
    Time,
    Store,
}

impl<'a> Endpoint<'a> {
    fn of(resource: &'a str) -> Option<Self> {
        match resource {
            "v3/customers" => Some(Self::Customers),
            "v2/customers/count" => Some(Self::CustomerCount),
            "v2/orders" => Some(Self::Orders),
            "v2/orders/count" => Some(Self::OrderCount),
            "v2/order_statuses" => Some(Self::OrderStatuses),
            "v2/time" => Some(Self::Time),
            "v2/store" => Some(Self::Store),
            _ => resource
                .strip_prefix("v2/orders/")
                .filter(|id| !id.contains('/'))
                .map(Self::Order),
        }
    }

    fn read(self, store: &Store, query: &Query) -> Result<Response, Refusal> {
        match self {
            Self::Customers => customers::list(&store.customers(), query),
            Self::CustomerCount => Ok(reply::ok(&json!({ "count": store.customers().len() }))),
            Self::Orders => orders::list(&store.orders(), query),
            Self::OrderCount => orders::count(&store.orders(), query),
            Self::Order(id) => orders::one(&store.orders(), id),
            Self::OrderStatuses => {
                let all: Vec<Value> = (0..status::STATUSES.len()).map(status::describe).collect();
                Ok(reply::ok(&Value::Array(all)))
            }
            Self::Time => Ok(reply::ok(&store_info::time(store.config.clock.now_micros()))),
            Self::Store => Ok(reply::ok(&store_info::store(
                &store.config.store_hash,
                store.config.quota,
            ))),
        }
    }
}
