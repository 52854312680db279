//! Properties that hold for any schema and any record.
//!
//! `PROPTEST_CASES` sets how many cases each is tried with.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

mod json;
mod strategy;
mod typed;

use proptest::test_runner::Config;

/// As many cases as the environment says, else 2 000; what fails is printed whole, so that no file is kept.
fn config() -> Config {
    let environment = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        environment.cases
    } else {
        2_000
    };
    Config {
        cases,
        failure_persistence: None,
        ..environment
    }
}
