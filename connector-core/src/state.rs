//! Where a stream was left off, and who may say so.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::connector::Identity;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Ticket;

/// A stream's resume value: opaque to everyone but the connector that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The format of `data`; counts up per connector.
    version: u32,
    /// The system it was read from.
    source: Identity,
    /// The stream, or a name for the query.
    stream: String,
    data: serde_json::Value,
}

impl State {
    /// A state of `stream` at `source`, in the connector's format `version`.
    ///
    /// # Errors
    /// [`ErrorKind::Bug`]: `data` does not become JSON.
    pub fn new(
        source: Identity,
        stream: impl Into<String>,
        version: u32,
        data: &impl Serialize,
    ) -> Result<Self> {
        let data = serde_json::to_value(data)
            .map_err(|error| Error::new(ErrorKind::Bug, "a state does not become JSON").with_source(error))?;
        Ok(Self {
            version,
            source,
            stream: stream.into(),
            data,
        })
    }

    /// The data, after a check that it is of this source and stream, and of a version that is known.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: it is of another system or stream, or newer, or not in this format.
    pub fn open<T: for<'de> Deserialize<'de>>(
        &self,
        source: &Identity,
        stream: &str,
        version: u32,
    ) -> Result<T> {
        let foreign = |what: &str, stored: &str, here: &str| {
            Error::new(
                ErrorKind::State,
                format!("the stored state is of the {what} `{stored}`, not of `{here}`"),
            )
            .with_help("start this task anew under another name, or reset its state")
        };
        if self.source != *source {
            return Err(foreign("source", self.source.as_str(), source.as_str()));
        }
        if self.stream != stream {
            return Err(foreign("stream", &self.stream, stream));
        }
        if self.version > version {
            let message = format!(
                "the stored state has format {}; this version knows up to {version}",
                self.version
            );
            return Err(
                Error::new(ErrorKind::State, message).with_help("run the newer version that wrote it")
            );
        }
        T::deserialize(&self.data).map_err(|error| {
            Error::new(ErrorKind::State, "the stored state cannot be read")
                .with_source(error)
                .with_help("reset the state of this task")
        })
    }

    /// The format of the data.
    pub fn version(&self) -> u32 {
        self.version
    }
}

/// One stream of one job: what a state, a fence and a lease belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(String);

impl TaskId {
    /// The task that reads `stream` in `job`: `job/stream`, a slash or percent sign in the job's name escaped so that no
    /// two tasks share an id.
    pub fn new(job: &str, stream: impl fmt::Display) -> Self {
        let job = job.replace('%', "%25").replace('/', "%2F");
        Self(format!("{job}/{stream}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right to commit for a task: whoever holds an older epoch, or has missed a commit, cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The task.
    pub task: TaskId,
    /// Counts the claims of the task.
    pub epoch: i64,
    /// Counts the commits of the task, as of the claim.
    pub commit_no: i64,
}

/// Who claims a task: shown to whoever is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(String);

impl Holder {
    /// A holder by description, such as `process 4711 on db1`.
    pub fn new(description: impl Into<String>) -> Self {
        Self(description.into())
    }

    /// The description.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A task claimed.
#[non_exhaustive]
pub struct Claim {
    /// The right to commit.
    pub fence: Fence,
    /// Where the task was left off.
    pub state: Option<State>,
    /// Work that an earlier holder left open at the other side of a write-back.
    pub open: Vec<Ticket>,
    /// Ends when dropped: courtesy towards others, the fence is what protects.
    lease: Option<Box<dyn Any + Send + Sync>>,
}

impl Claim {
    /// A claim without a lease.
    pub fn new(fence: Fence, state: Option<State>, open: Vec<Ticket>) -> Self {
        Self {
            fence,
            state,
            open,
            lease: None,
        }
    }

    /// The same, holding something whose drop ends the lease.
    #[must_use]
    pub fn with_lease(mut self, lease: impl Any + Send + Sync) -> Self {
        self.lease = Some(Box::new(lease));
        self
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("fence", &self.fence)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Where states are kept.
///
/// A claim is a lease that ends with its [`Claim`], and a fence that ends with the next claim. The lease is courtesy: it
/// keeps two runs from doing the same work. The fence is what protects. Each method names the checks of
/// `connector-testkit`'s conformance suite that pin it.
#[async_trait]
pub trait StateStore: fmt::Debug + Send + Sync {
    /// Takes the task over: its epoch goes up, and every older fence is worth nothing from now on.
    ///
    /// Pinned by `the_first_claim_finds_nothing`, `every_claim_raises_the_epoch`,
    /// `a_held_task_is_refused_and_its_holder_named`, `a_refused_claim_takes_nothing_from_the_holder`,
    /// `dropping_a_claim_frees_the_task`, `of_simultaneous_claims_one_wins`, `tasks_are_apart`,
    /// `odd_task_names_are_tasks_of_their_own`, `a_takeover_goes_on_from_the_last_state`,
    /// `open_tickets_come_back_in_order`, `a_dropped_claim_holds_nothing`, and beside a destination
    /// `a_task_that_is_held_cannot_be_claimed`.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`]: somebody alive holds it; the message says who.
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim>;

    /// Stores `state`: for destinations that keep no state themselves. One fence serves for any number of saves; whole
    /// or not at all, also when the call is dropped, after which the task is claimed anew.
    ///
    /// Pinned by `a_saved_state_comes_back`, `the_last_of_several_saves_wins`, `a_large_state_comes_back`,
    /// `an_old_fence_cannot_save`, `a_fence_of_another_task_cannot_save`, `a_dropped_save_leaves_a_whole_state`, and
    /// beside a destination `an_old_fence_cannot_save_a_state`.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`]: the fence is no longer the newest.
    async fn save(&self, fence: &Fence, state: &State) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tasks_share_an_id() {
        assert_eq!(TaskId::new("leads", "Lead").as_str(), "leads/Lead");
        assert_ne!(TaskId::new("a/b", "c"), TaskId::new("a", "b/c"));
        assert_ne!(TaskId::new("a%2Fb", "c"), TaskId::new("a/b", "c"));
    }

    #[test]
    fn a_foreign_or_newer_state_is_refused_by_name() {
        let here = Identity::new("salesforce", "00D1");
        let state = State::new(here.clone(), "Lead", 2, &7).unwrap();
        assert_eq!(state.open::<i32>(&here, "Lead", 2).ok(), Some(7));
        let other = state
            .open::<i32>(&Identity::new("salesforce", "00D2"), "Lead", 2)
            .unwrap_err();
        assert_eq!(
            other.to_string(),
            "the stored state is of the source `salesforce:00D1`, not of `salesforce:00D2`"
        );
        assert_eq!(
            state.open::<i32>(&here, "Contact", 2).unwrap_err().kind(),
            ErrorKind::State
        );
        let newer = state.open::<i32>(&here, "Lead", 1).unwrap_err();
        assert_eq!(
            newer.to_string(),
            "the stored state has format 2; this version knows up to 1"
        );
    }
}
