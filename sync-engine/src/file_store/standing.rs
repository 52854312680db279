//! What is known of one record at the other side.

use connector_core::{Outcome, Rest};
use serde::{Deserialize, Serialize};

/// What is known of one record at the other side of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Still to be sent: it was released, so that what was intended last was certainly not applied.
    Planned,
    /// About to be sent or sent, and no answer says whether it was applied: the run is at it, was cut short, or got
    /// no answer.
    Sent,
    /// The other side has confirmed what was sent last.
    Confirmed,
    /// The other side refused what was sent last.
    Unconfirmed,
}

impl Standing {
    /// That of a record with a fate of its own.
    pub(super) fn after(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Created { .. } | Outcome::Updated | Outcome::Deleted => Self::Confirmed,
            Outcome::Rejected { .. } => Self::Unconfirmed,
            Outcome::Ambiguous => Self::Sent,
            // `Released`, and whatever may come: still to be done.
            _ => Self::Planned,
        }
    }

    /// That of the other records of a ticket that is closed.
    pub(super) fn of_rest(rest: Rest) -> Self {
        match rest {
            Rest::Updated => Self::Confirmed,
            Rest::Released => Self::Planned,
        }
    }
}
