//! Stateful HTTP servers that answer as BigCommerce and Salesforce do, with a clock a test can move and a
//! ledger of every write they applied.

pub mod bigcommerce;
mod clock;
mod ledger;
pub mod salesforce;
mod seed;
mod server;
mod tls;

pub use clock::FakeClock;
pub use ledger::{Ledger, LedgerEntry};
pub use server::Server;
pub use tls::Certificate;
