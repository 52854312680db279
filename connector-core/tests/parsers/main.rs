//! What the parsers promise for any input, not only for examples.

#![expect(clippy::unwrap_used, reason = "a test ends where a helper of it fails")]

mod connection_strings;
mod dates;
mod decimals;
mod keys;

#[path = "../../fuzz/properties/mod.rs"]
mod properties;

use proptest::test_runner::Config;

/// `cases` inputs per property. A failure prints its input, and belongs into a corpus or a test of its own.
fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}
