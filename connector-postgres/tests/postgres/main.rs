//! The connector against a real PostgreSQL: one throwaway server, one database per test.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

mod support;
mod tls_server;

mod echo;
mod errors;
mod evolve;
mod fence;
mod limits;
mod load;
mod overwrite;
mod partial;
mod refused;
mod rejections;
mod source;
mod statements;
mod tables;
mod time_limits;
mod tls;
mod types;
mod update;
mod volume;
mod write_back;
