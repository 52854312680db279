//! A fake Salesforce org: OAuth, describe, SOQL over REST, sObject Collections and Bulk API 2.0, with leads that are
//! made from their number and with the habits of the real thing that hurt a client: expiring tokens, repeated CSV
//! headers, ties in `SystemModstamp`, rows that become visible late, results in another order than the upload.
//!
//! Leads are numbered from 1. Numbers are exact decimal texts everywhere, never floats.

mod admin;
mod apply;
mod bulk_csv;
mod bulk_job;
mod bulk_query;
mod by_hand;
mod change;
mod check;
mod coerce;
mod collections;
mod config;
mod csv_rows;
mod decimal;
mod describe;
mod error;
mod external_key;
mod fake;
mod fault;
mod field;
mod field_spec;
mod id;
mod ingest;
mod ingest_results;
mod json_in;
mod keys;
mod lead_pools;
mod lead_seed;
mod limits;
mod oauth;
mod object;
mod org;
mod query;
mod records;
mod reply;
mod router;
mod row_set;
mod schema;
mod sessions;
mod soql;
mod spec;
mod stats;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod timestamp;
mod value;
mod view;

pub use config::SalesforceConfig;
pub use error::EditError;
pub use fake::FakeSalesforce;
pub use fault::{Fault, FaultAction, RecordFault, RowFault};
pub use field_spec::FieldSpec;
pub use spec::ObjectSpec;
pub use value::FieldValue;
