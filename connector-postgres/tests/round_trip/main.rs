//! Random values of every type, there and back, bit for bit.
//!
//! `CONNECTOR_ROUND_TRIP_VALUES` says how many values of each type, 100,000 unless told; `CONNECTOR_ROUND_TRIP_SEED`
//! repeats a run that failed.

#![expect(clippy::unwrap_used, reason = "a test ends where a helper of it fails")]

mod database;
mod from_core;
mod from_server;
mod literal;
mod random;

use std::str::FromStr;

/// Values of each type.
fn values() -> u64 {
    number("CONNECTOR_ROUND_TRIP_VALUES").unwrap_or(100_000)
}

/// The seed of this run; a failure shows it.
fn seed() -> u64 {
    let seed = number("CONNECTOR_ROUND_TRIP_SEED").unwrap_or(0x5EED);
    println!("repeat with CONNECTOR_ROUND_TRIP_SEED={seed}");
    seed
}

#[expect(clippy::disallowed_methods, reason = "a test's size is its runner's choice")]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(u64::from_str(&text).unwrap())
}
