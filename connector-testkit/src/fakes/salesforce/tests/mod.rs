//! The org through HTTP.

mod bulk_query;
mod client;
mod collections;
mod describe;
mod edits;
mod faults;
mod ingest;
mod oauth;
mod objects;
mod query;
mod seeds;
