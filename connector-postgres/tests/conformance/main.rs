//! The contract of every role, checked against a real PostgreSQL: one throwaway server, one database per check.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own system: what goes wrong with it ends the test"
)]

mod cell;
mod journal;
mod source;
mod system;

use std::process::ExitCode;

use connector_testkit::conformance::{self, Suite};

use source::Table;
use system::Database;

fn main() -> ExitCode {
    conformance::run([
        Suite::source("postgres::source", Table::new),
        Suite::destination("postgres::destination", Database::new),
        Suite::state_store("postgres::states", Database::new),
        Suite::journal("postgres::journal", Database::new),
    ])
}
