//! A fake BigCommerce store: customers of V3 and orders of V2, made from their number, with the habits of the real
//! thing that hurt a client: ids with gaps, ties in the modified dates, two forms of dates, `204` for the end of a
//! list, containers that are arrays when empty, a request quota per 30 seconds, links to a next page that is empty.
//!
//! The store is read-only over its API, so a sync that keeps to its promise leaves the [`Ledger`](super::Ledger)
//! empty; tests change records with [`FakeBigCommerce::edit_customer`] and its siblings.

mod admin;
mod api;
mod bounds;
mod config;
mod cursor;
mod customer_filter;
mod customer_seed;
mod customers;
mod error;
mod fake;
mod fault;
mod ids;
mod link;
mod order_filter;
mod order_money;
mod order_plan;
mod order_seed;
mod orders;
mod page;
mod query;
mod quota;
mod reply;
mod serve;
mod status;
mod store;
mod store_info;
mod table;
#[cfg(test)]
mod tests;
mod timestamp;

pub use config::BigCommerceConfig;
pub use fake::FakeBigCommerce;
pub use fault::{Fault, FaultAction};
