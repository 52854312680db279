//! Changes read from the log of a real PostgreSQL that writes one: one throwaway server, one database per test.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

mod support;

mod columns;
mod lost;
mod order;
mod random;
mod rows;
mod verbs;
