//! The "create and test" button.

use connector_core::value::Instant;
use connector_core::{CheckReport, Error, ErrorKind, Result};
use serde::Deserialize;

use crate::connector::BigCommerce;
use crate::streams::STREAMS;

/// What of `/v2/store` is shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Store {
    name: Option<String>,
    domain: Option<String>,
    plan_name: Option<String>,
    status: Option<String>,
}

/// Signs in, looks around, and says which streams the token opens.
pub(crate) async fn check(store: &BigCommerce) -> Result<CheckReport> {
    let clock = store.server_time().await?;
    let (info, refusal) = match store.rest.send(&store.requests.store()?).await {
        Ok(response) => (response.json::<Store>()?, None),
        Err(error) if error.kind() == ErrorKind::Forbidden => (Store::default(), Some(error)),
        Err(error) => return Err(error),
    };
    let (open, closed) = probe(store).await?;
    // A wrong store hash is refused like a missing scope, but everywhere.
    if let (Some(refusal), true) = (refusal, open.is_empty()) {
        return Err(refusal);
    }
    let mut report = CheckReport::new();
    for (name, text) in [
        ("store", info.name),
        ("domain", info.domain),
        ("plan", info.plan_name),
        ("status", info.status),
    ] {
        if let Some(text) = text {
            report = report.with(name, text);
        }
    }
    report = report.with(
        "store hash",
        store.identity.as_str().trim_start_matches("bigcommerce:"),
    );
    report = report.with("clock", shown(clock, store.rest.clock().now()));
    if let Some(quota) = store.account.quota() {
        report = report.with(
            "quota",
            format!("{quota} requests per 30 s, shared by all apps of the store"),
        );
    }
    report = report.with(
        "readable",
        if open.is_empty() {
            "nothing".to_owned()
        } else {
            open.join(", ")
        },
    );
    for (stream, error) in closed {
        report = report.with(format!("not readable: {stream}"), error.message());
    }
    Ok(report)
}

type Closed = Vec<(&'static str, Error)>;

/// Asks each stream for a record: which are open, and why others are not.
async fn probe(store: &BigCommerce) -> Result<(Vec<&'static str>, Closed)> {
    let (mut open, mut closed) = (Vec::new(), Closed::new());
    for stream in STREAMS {
        match store.rest.send(&store.requests.probe(stream)?).await {
            Ok(_) => open.push(stream.name),
            Err(error) if error.kind() == ErrorKind::Forbidden => closed.push((stream.name, error)),
            Err(error) => return Err(error),
        }
    }
    Ok((open, closed))
}

fn shown(server: Instant, local: Instant) -> String {
    let ahead = (local.unix_micros() - server.unix_micros()) / 1_000_000;
    match ahead {
        -5..=5 => server.to_string(),
        _ => format!(
            "{server}; this machine is {} s {}",
            ahead.abs(),
            if ahead > 0 { "ahead" } else { "behind" }
        ),
    }
}
