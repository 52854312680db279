//! A BigCommerce store as a source: customers and orders as tables.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # fn main() -> connector_core::Result<()> {
//! use connector_bigcommerce::{BigCommerce, Config};
//! use connector_core::{Secret, SystemClock};
//!
//! let token = Secret::new("…");
//! let store = BigCommerce::new(Config::new("abc123", token)?, Arc::new(SystemClock))?;
//! # Ok(())
//! # }
//! ```
//!
//! What a token needs: the read-only scope of each family that is read, such as `store_v2_customers_read_only`, and
//! `store_v2_information_read_only` for the store's name and clock.
//!
//! How it reads:
//! - Every stream is a row of one table: path, key, filters, fields. A column arrives
//!   as the store has it; fields that the table does not know yet arrive in the column `_extra`.
//! - Pages follow each other by key, never by page number, so that records which change meanwhile move no others.
//! - An incremental read is a window of `date_modified` that is closed by the *store's* clock minus a settle time.
//!   Both ends are inclusive, and the next window begins where the last one ended, so that ties come twice rather
//!   than never.
//! - Requests keep a tenth of the store's quota free for its other apps, and wait when that is reached.
//! - BigCommerce has no feed of deleted records: they stay where they were copied to.

mod config;
mod connector;

mod progress;
mod reader;
mod source;

mod streams;
mod types;
mod wire;

mod account;
mod check;
mod error;
mod limits;
mod requests;

pub use config::Config;
pub use connector::BigCommerce;
pub use error::ApiError;
