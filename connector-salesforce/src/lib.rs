//! Salesforce as a source and a destination.
//!
//! A [`Salesforce`] is a connection to one org. As a source it reads any object: small ones over REST, page by page
//! in the order of their ids, large ones by a Bulk API 2.0 job that a restart re-attaches to. As a destination it
//! updates records: up to 2,000 by sObject Collections, more by Bulk jobs whose ids are journalled before any data
//! is sent, so that a killed run never sends the same records blindly again.
//!
//! ```no_run
//! # async fn example() -> connector_core::Result<()> {
//! use std::sync::Arc;
//! use connector_core::{Connector, Secret};
//! use connector_salesforce::{Auth, Config, Salesforce};
//!
//! # let clock: Arc<dyn connector_core::Clock> = Arc::new(connector_core::SystemClock);
//! let auth = Auth::ClientCredentials { client_id: "3MVG9…".into(), client_secret: Secret::new("…") };
//! let config = Config::new(auth).with_login_url("https://acme.my.salesforce.com")?;
//! let crm = Salesforce::new(&config, clock)?;
//! for (name, text) in crm.check().await?.facts {
//!     println!("{name}: {text}");
//! }
//! # Ok(()) }
//! ```

mod connector;

mod auth;
mod config;
mod limits;
mod org;

mod describe;
pub mod types;

mod cell;
mod id;
mod soql;

mod bulk;
mod rest;

mod passing;
mod progress;
mod query;
mod reader;
mod scope;
mod source;

mod destination;
mod writer;

mod error;

pub use {
    config::{Auth, Config},
    connector::Salesforce,
    describe::{Picklist, PicklistValue},
    error::ApiError,
};
