//! The contract of destinations, checked against a real PostgreSQL: one throwaway server, one database per check.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own system: what goes wrong with it ends the test"
)]

mod cell;
mod system;

use std::process::ExitCode;

use connector_testkit::conformance::{self, Suite};

use system::Database;

fn main() -> ExitCode {
    conformance::run([Suite::destination("postgres", Database::new)])
}
