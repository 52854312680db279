//! Tables as logs of their changes, by logical replication over an ordinary connection.
//!
//! A task that reads [`Changed`](connector_core::SyncMode::Changed) has a slot and a publication of its own, which
//! [`Replication`] makes, shows and drops; nothing else does. A slot keeps the server's log from where it was
//! acknowledged last, and so costs disk while it is not read, whether or not anybody remembers it. Each slot decodes the
//! whole database's log for itself: with many tables, that is what it costs.
//!
//! The first read is the table, then the log from the slot's start: what committed in between comes twice, and merged
//! by key leads to what is there. Every later read is the log from its state up to where the server was when it began.
//! Checkpoints lie between transactions. The server forgets nothing before a checkpoint is acknowledged.
//!
//! What the log does not say is read from the table as it is now: a large value that a change left alone (unless the
//! table's replica identity is `FULL`), a generated column, a column younger than the change. Such a record may be newer
//! than its place in the log; what made it so follows in the log.

mod changes;
mod complete;
mod decode;
mod layout;
mod lsn;
mod name;
mod open;
mod peek;
mod pgoutput;
mod position;
mod publication;
mod reader;
mod relation;
mod rights;
mod slot;
mod transactions;
mod verbs;
mod written;

pub(crate) use open::Log;
pub(crate) use reader::LogReader;
pub use slot::Slot;
pub use verbs::Replication;

/// What to do when a log no longer leads from the state to what is there.
const READ_ANEW: &str = "read the table anew: drop the task's slot and make it again with `Postgres::replication`, then \
                         reset the state of the task; rows that were deleted in between stay at the other side until it \
                         is pruned or overwritten";
