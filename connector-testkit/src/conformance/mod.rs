//! Suites that say where a connector breaks the contract of `connector-core`.
//!
//! Write down how a test gets at the system behind the connector – how records come to be there, and what is truly
//! there afterwards – and hand that to a suite, in a test without a harness of its own (`harness = false`):
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use connector_testkit::conformance::{self, Suite, memory::MemorySystem};
//!
//! fn main() -> ExitCode {
//!     conformance::run([
//!         Suite::source("memory", || async { MemorySystem::source() }),
//!         Suite::destination("memory", || async { MemorySystem::database() }),
//!     ])
//! }
//! ```
//!
//! Each check starts from a system of its own, and is one trial by name. A check that needs what the connector does
//! not declare is *ignored*, and says which capability that is; it never passes unseen. Each compares values: what a
//! perfect connector would deliver with what this one did.

mod cancel;
mod limits;
pub mod memory;
mod need;
mod rows;
mod run;
mod suite;
mod taken;
mod verdict;

mod destination;
mod journal;
pub mod sample;
mod source;
mod state_store;

pub use destination::DestinationSystem;
pub use journal::JournalSystem;
pub use need::Need;
pub use run::run;
pub use source::{SourceSystem, source_task};
pub use state_store::StateStoreSystem;
pub use suite::{Outcome, Suite};
pub use verdict::{Failure, Verdict};
