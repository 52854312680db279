//! What a hook is told.

use std::fmt;
use std::sync::Arc;

use super::operation::Operation;

/// One I/O of a run, before or after it is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IoEvent {
    /// The call's number within its run, from 1; the same before and after.
    pub number: u64,
    /// The call.
    pub operation: Operation,
    /// Before or after it is carried out.
    pub phase: Phase,
    /// The connector's name, or the one that [`Faulty::named`](super::Faulty::named) gave it.
    pub who: Arc<str>,
    /// What it is about: a stream, a task, a number of records. After a reader's `next`, what came; after a call
    /// that failed by itself, its error.
    pub detail: String,
}

/// Where in a call an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing was done yet.
    Before,
    /// The call was carried out, and has not answered yet. A refused call has no such event.
    After,
}

impl fmt::Display for IoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            operation,
            phase,
            who,
            detail,
        } = self;
        write!(f, "#{number} {phase} {operation} at {who}")?;
        if !detail.is_empty() {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}
