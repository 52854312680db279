//! The test's own endpoints, for an org that runs as a process of its own. They need no token and are never counted,
//! delayed or failed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::fault::{Fault, RowFault};
use super::json_in::Members;
use super::org::Org;
use super::{bulk_query, ingest, oauth, query, reply, router};

/// Largest number of leads in one answer.
const MAX_LEADS: u64 = 10_000;
/// The API version whose URLs the truth is shown with.
const VERSION: u32 = 66;

/// What `POST /__admin/faults` takes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Script {
    Request(Fault),
    Row(RowFault),
    Ingest { stop_ingest_after: u64 },
}

pub(super) async fn handle(org: &Arc<Org>, head: &Parts, body: Body) -> Response {
    match router::read(body).await {
        Ok(body) => answer(org, head, &body).unwrap_or_else(ApiError::into_response),
        Err(error) => error.into_response(),
    }
}

fn answer(org: &Org, head: &Parts, body: &[u8]) -> Result<Response, ApiError> {
    let params = oauth::form(head.uri.query().unwrap_or_default().as_bytes());
    let number = |name: &str| params.get(name).and_then(|text| text.parse::<u64>().ok());
    let segments: Vec<&str> = head.uri.path().trim_matches('/').split('/').skip(1).collect();
    let done = || reply::json(200, &json!({}));
    match (head.method.as_str(), segments.as_slice()) {
        ("GET", ["ledger"]) => {
            let from = usize::try_from(number("from").unwrap_or_default()).unwrap_or(usize::MAX);
            let entries = org.ledger.entries();
            Ok(reply::json(200, &json!(entries.get(from..).unwrap_or_default())))
        }
        ("GET", ["ledger", "summary"]) => Ok(reply::json(200, &summary(org))),
        ("POST", ["advance"]) => {
            let seconds = number("seconds").ok_or_else(|| wrong("seconds is missing"))?;
            org.config.clock.advance(Duration::from_secs(seconds));
            Ok(done())
        }
        ("GET", ["leads"]) => {
            let from = number("from").unwrap_or(1).max(1);
            let count = number("count").unwrap_or(MAX_LEADS).min(MAX_LEADS);
            Ok(leads(org, from, count))
        }
        ("POST", ["leads", n]) => {
            let n = n.parse().map_err(|_| wrong("the lead's number is no number"))?;
            let fields: Members = serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
            let visible_at = number("visible_after").map(|seconds| later(org, seconds));
            org.human_edit(n, &fields.0, visible_at)
                .map_err(|error| wrong(&error))?;
            Ok(done())
        }
        ("DELETE", ["leads", n]) => {
            let n = n.parse().map_err(|_| wrong("the lead's number is no number"))?;
            org.human_delete(n).map_err(|error| wrong(&error))?;
            Ok(done())
        }
        ("POST", ["expire-tokens"]) => {
            org.sessions.expire();
            Ok(done())
        }
        ("POST", ["revoke-refresh-tokens"]) => {
            org.sessions.revoke_refresh();
            Ok(done())
        }
        ("POST", ["faults"]) => {
            match serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))? {
                Script::Request(fault) => org.faults.add(fault),
                Script::Row(fault) => org.faults.add_row(fault),
                Script::Ingest { stop_ingest_after } => org.faults.stop_ingest(stop_ingest_after),
            }
            Ok(done())
        }
        ("GET", ["stats"]) => Ok(reply::json(200, &stats(org))),
        ("GET", ["info"]) => Ok(reply::json(200, &info(org))),
        _ => Err(ApiError::not_found()),
    }
}

fn wrong(message: &str) -> ApiError {
    ApiError::bad("ADMIN", message)
}

fn later(org: &Org, seconds: u64) -> i64 {
    let micros = i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(super::timestamp::SECOND);
    org.now().saturating_add(micros)
}

/// Counts of the ledger: all, by object and operation, of distinct records and requests.
fn summary(org: &Org) -> Value {
    let entries = org.ledger.entries();
    let mut by_kind: BTreeMap<String, u64> = BTreeMap::new();
    let (mut ids, mut requests) = (HashSet::new(), HashSet::new());
    for entry in &entries {
        *by_kind
            .entry(format!("{} {}", entry.operation, entry.object))
            .or_default() += 1;
        ids.insert(entry.id.as_str());
        requests.insert(entry.request);
    }
    json!({ "entries": entries.len(), "by_kind": by_kind, "records": ids.len(), "requests": requests.len() })
}

/// The truth, in the form of REST.
fn leads(org: &Org, from: u64, count: u64) -> Response {
    let view = org.view();
    let lead = org.lead();
    let fields: Vec<usize> = (0..lead.fields.len()).collect();
    let mut out = vec![b'['];
    let last = from.saturating_add(count).saturating_sub(1);
    let rows = view
        .numbers(&lead)
        .skip_while(|&n| n < from)
        .take_while(|&n| n <= last)
        .filter_map(|n| view.row(&lead, n));
    for (place, row) in rows.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        query::write_record(row, VERSION, &fields, &mut out);
    }
    out.push(b']');
    reply::raw_json(200, out)
}

/// Counters, open jobs and the clock.
pub(super) fn stats(org: &Org) -> Value {
    let mut all = org.stats.to_json();
    all["open_query_jobs"] = bulk_query::open_jobs(org).into();
    all["open_ingest_jobs"] = ingest::open_jobs(org).into();
    all["clock_micros"] = org.now().into();
    all["leads"] = org.leads().into();
    all
}

/// What a client needs to connect.
fn info(org: &Org) -> Value {
    json!({
        "url": org.url(),
        "org_id": org.org_id(),
        "client_id": oauth::CLIENT_ID,
        "client_secret": oauth::CLIENT_SECRET,
        "username": oauth::USERNAME,
        "password": oauth::PASSWORD,
        "access_token": org.sessions.issue_access(&org.org_id(), org.now()),
        "refresh_token": org.sessions.issue_refresh(),
    })
}
