//! Every check of the conformance suites can fail.
//!
//! Each check has at least one connector that breaks just what it is about: the connectors in memory, wrapped, with one
//! defect that connectors in the field have had. A table says for each defect which checks find it, all of them; a
//! check that has no defect here, and a defect that is found by other checks than the table says, fail these tests.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

mod case;
mod rebuild;
mod secrets;
mod stored;

mod destination;
mod source;
