//! Faults on demand: at any I/O of a run, or on the wire.
//!
//! [`Faulty`] wraps a connector and every role it plays, so that each call passes a [`Hook`], numbered, before and
//! after it is carried out. What the hook answers happens to the call: it is refused, its answer is lost, it hangs,
//! it takes its time, the process dies. A [`Script`] says so by operation, [`At`] by number; a [`Recorder`] lists
//! what there is to number. [`cancel_at`] drops a run at one of its waits. [`proxy::Proxy`] stands between a client
//! and a server and breaks their connections.
//!
//! ```
//! use std::sync::Arc;
//!
//! use connector_core::Connector;
//! use connector_testkit::faults::{Action, Events, Faulty, Operation, Script, nth};
//!
//! /// The second commit is carried out, and its answer is lost.
//! fn with_a_lost_answer(destination: Arc<dyn Connector>) -> Arc<dyn Connector> {
//!     let script = Script::new().on(Operation::Commit, nth(2), Action::apply_then_fail());
//!     Arc::new(Faulty::new(destination, &Events::new(script)))
//! }
//! ```

mod action;
mod at;
mod cancel;
mod connector;
mod destination;
mod event;
mod events;
mod journal;
mod operation;
mod passage;
pub mod proxy;
mod random;
mod recorder;
mod script;
mod source;
mod state;
mod statements;
#[cfg(test)]
mod tests;

pub use action::{Action, Failure, is_injected};
pub use at::At;
pub use cancel::cancel_at;
pub use connector::Faulty;
pub use event::{IoEvent, Phase};
pub use events::{Events, Hook};
pub use operation::Operation;
pub use recorder::Recorder;
pub use script::{Occasion, Script, chance, every, nth};
