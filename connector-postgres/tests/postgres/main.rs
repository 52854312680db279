//! The connector against a real PostgreSQL: one throwaway server, one database per test.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

#[path = "../tunnel/program.rs"]
#[expect(
    dead_code,
    reason = "as whom a server runs matters where one signs in to it only"
)]
mod program;

mod pgbouncer;
mod support;
mod tls_server;

mod deletes;
mod echo;
mod errors;
mod evolve;
mod fence;
mod few_changes;
mod history;
mod keep_payload;
mod limits;
mod load;
mod migrations;
mod overflow;
mod overwrite;
mod partial;
mod pooler;
mod prune;
mod refused;
mod rejections;
mod retention;
mod rights;
mod role;
mod source;
mod statements;
mod tables;
mod time_limits;
mod tls;
mod types;
mod update;
mod volume;
mod write_back;
