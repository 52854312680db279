//! The memory of writes to a system that takes part in no transaction.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::difference::Target;
use crate::error::Result;
use crate::key::Key;
use crate::report::{Counts, Fate, Outcome};
use crate::state::Fence;

/// Keeps intents before they are sent and fates when they are known.
///
/// What the other side has confirmed becomes a *fingerprint*: the next [`Difference`](crate::Difference) leaves
/// such a record out while its values stay the same. A journal checks a fence with the states that it is kept with: the
/// claim must be of the same system's [`StateStore`](crate::StateStore). Each method names the checks of
/// `connector-testkit`'s conformance suite that pin it.
#[async_trait]
pub trait Journal: fmt::Debug + Send + Sync {
    /// Stores that the records of `intent` are about to be sent. Durable when it returns; nothing is sent before. Each key
    /// stands once. A record belongs to its last intent, and what was confirmed of it is known no longer.
    ///
    /// Pinned by `what_is_intended_is_sent_until_settled`, `what_is_intended_survives_a_new_handle`,
    /// `intending_again_what_was_confirmed_makes_it_sent`, `a_record_belongs_to_its_last_intent`,
    /// `twenty_thousand_keys_are_all_kept`, `an_old_fence_cannot_intend`, `a_dropped_intend_stores_all_or_nothing`, and
    /// beside a difference `an_old_fence_stores_nothing_in_the_journal`.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict): the fence is no longer the newest; nothing was stored.
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()>;

    /// Stores what became of records, intended before or not; each key stands once. A ticket whose records all have
    /// fates stays open until it is closed.
    ///
    /// Pinned by `every_outcome_leads_to_its_standing`, `the_last_fate_stands`,
    /// `the_fate_of_what_was_never_sent_is_kept`, `settling_every_record_leaves_its_ticket_open`,
    /// `targets_are_apart`, `odd_keys_are_kept_apart`, `an_old_fence_cannot_settle`.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict): the fence is no longer the newest; nothing was stored.
    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()>;

    /// Stores that every record of `ticket` that has no fate of its own yet met `rest`, and that the other side's
    /// work is over. Returns how many met which fate through this call. An ambiguous record has a fate of its own.
    ///
    /// Pinned by `closing_ends_the_ticket`, `closing_confirms_the_rest_and_counts_it`,
    /// `closing_returns_the_rest_to_be_done`, `closing_leaves_fates_alone`, `closing_touches_no_other_ticket`,
    /// `closing_twice_counts_nothing_more`, `an_old_fence_cannot_close`, `a_dropped_close_can_be_made_again`.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict): the fence is no longer the newest; nothing was stored.
    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts>;

    /// What is known of each of `keys`, in their order; `None`: nothing. Whoever must not send a record twice asks
    /// before sending it.
    ///
    /// Pinned by `standings_are_told_in_the_order_of_the_keys`.
    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>>;
}

/// Records about to be sent together.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// The records' keys in this write.
    pub keys: &'a [Key],
    /// The other side's work that will carry them, where it is known before they are sent: a Bulk job's id.
    pub ticket: Option<&'a Ticket>,
}

/// A piece of work of the other side, by its name there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(String);

impl Ticket {
    /// A ticket by the other side's name for it.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fate of those records of a ticket that have none of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The other side applied them.
    Updated,
    /// They were certainly not applied: still to be done.
    Released,
}

/// What a journal knows of one record at the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Still to be sent: what was intended last was certainly not applied.
    Planned,
    /// About to be sent or sent, and no answer says whether it was applied.
    Sent,
    /// The other side has confirmed what was sent last.
    Confirmed,
    /// The other side refused what was sent last, or was edited since: the record is offered again.
    Unconfirmed,
}

impl Standing {
    /// That of a record with a fate of its own.
    pub const fn after(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Created { .. } | Outcome::Updated | Outcome::Deleted => Self::Confirmed,
            Outcome::Rejected { .. } => Self::Unconfirmed,
            Outcome::Ambiguous => Self::Sent,
            Outcome::Released => Self::Planned,
        }
    }

    /// That of the other records of a ticket that is closed.
    pub const fn of_rest(rest: Rest) -> Self {
        match rest {
            Rest::Updated => Self::Confirmed,
            Rest::Released => Self::Planned,
        }
    }
}
