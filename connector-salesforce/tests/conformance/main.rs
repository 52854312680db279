//! The contract of every role, checked against a fake org: one of its own per check.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own system: what goes wrong with it ends the test"
)]

#[path = "../common/mod.rs"]
mod common;

mod source;
mod thing;

use std::process::ExitCode;

use connector_testkit::conformance::{self, Suite};

use source::Org;

fn main() -> ExitCode {
    conformance::run([
        Suite::source("salesforce::source", || Org::of_object("Thing__c")),
        // No recycle bin, no Bulk, no SystemModstamp: what is left is read over REST and by the org's list of deletions.
        Suite::source("salesforce::plain", || Org::of_object("Plain__c")),
        // Fields with names so long that a query of all of them is longer than an address.
        Suite::source("salesforce::wide", || Org::of_object("Wide__c")),
        Suite::source("salesforce::query", Org::of_query),
    ])
}
