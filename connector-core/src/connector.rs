//! A connection: test it, look inside, ask what it can be.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::catalog::{Selection, StreamSpec, StreamSummary};
use crate::destination::Destination;
use crate::error::Result;
use crate::journal::Journal;
use crate::source::Source;
use crate::state::StateStore;
use crate::statements::Statements;

/// A connection to one outside system.
///
/// A handle: immutable, cheap to clone behind its [`Arc`], shared by every role it plays and every task that uses
/// it. What belongs to one run lives in the readers and writers it makes.
///
/// Calls may wait, and should not hold their thread for long: a short read or write of a local file is fine.
#[async_trait]
pub trait Connector: fmt::Debug + Send + Sync + 'static {
    /// The connector's name in job files and reports, such as `salesforce`.
    fn name(&self) -> &'static str;

    /// Which org, store or database this is. Stamped on states and journals, so that one of another is refused.
    ///
    /// Pinned by `every_handle_has_the_same_identity`, `systems_have_identities_of_their_own`.
    async fn identity(&self) -> Result<Identity>;

    /// Signs in and looks around: the "create and test" button. Shows no secret.
    ///
    /// Pinned by `a_connection_that_works_passes_its_check`, `secrets_are_never_shown`.
    ///
    /// # Errors
    /// Whatever keeps the connection from working, with what to do.
    async fn check(&self) -> Result<CheckReport>;

    /// The streams there are, by name. Cheap: no stream is described.
    ///
    /// Pinned by `the_stream_is_listed`.
    async fn streams(&self) -> Result<Vec<StreamSummary>>;

    /// One stream in full.
    ///
    /// Pinned by `a_description_stays_the_same`, `the_primary_key_can_be_read`,
    /// `a_stream_that_is_not_there_is_not_found`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound): no such stream; the help names the nearest ones.
    async fn describe(&self, what: &Selection) -> Result<StreamSpec>;

    /// What the system meters of those who use it, such as API calls; nothing where it meters nothing. Cheap: nothing
    /// is asked.
    ///
    /// Pinned by `what_was_used_is_never_used_less`.
    fn usage(&self) -> Vec<Usage> {
        Vec::new()
    }

    /// The connection as a source, if it can be one.
    fn as_source(&self) -> Option<&dyn Source> {
        None
    }

    /// The connection as a destination, if it can be one.
    fn as_destination(&self) -> Option<&dyn Destination> {
        None
    }

    /// The place to keep states, if the system has one.
    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        None
    }

    /// The journal of writes to other systems, if this one can keep it.
    fn journal(&self) -> Option<Arc<dyn Journal>> {
        None
    }

    /// The connection as a place to run statements, if it can.
    fn statements(&self) -> Option<&dyn Statements> {
        None
    }
}

/// Which outside system a connection leads to, in words that never change for it: an org id, a store hash, a
/// system identifier and database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(String);

impl Identity {
    /// `connector` and what tells its systems apart, such as `salesforce` and `00D000000000001EAA`.
    pub fn new(connector: &str, system: impl fmt::Display) -> Self {
        Self(format!("{connector}:{system}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a check found out, as lines of name and text: the server's version, who we are, its clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Name and text, in the order to show them.
    pub facts: Vec<(String, String)>,
}

impl CheckReport {
    /// Nothing found out yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.facts.push((name.into(), text.into()));
        self
    }
}

/// How much of one thing that a system meters is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// What is metered, such as `API calls`.
    pub what: &'static str,
    /// How much of it this connection has used since it was made; it only grows.
    pub here: u64,
    /// How much of it everybody has used in the system's own span of time, and how much is allowed, as the system told
    /// last.
    pub window: Option<(u64, u64)>,
}

impl Usage {
    /// So much used here.
    pub fn new(what: &'static str, here: u64) -> Self {
        Self {
            what,
            here,
            window: None,
        }
    }

    /// The same with what everybody has used and is allowed to.
    #[must_use]
    pub fn with_window(mut self, used: u64, allowed: u64) -> Self {
        self.window = Some((used, allowed));
        self
    }

    /// The same with only what was used since `before`.
    #[must_use]
    pub fn since(mut self, before: &[Self]) -> Self {
        let earlier = before.iter().find(|earlier| earlier.what == self.what);
        self.here = self
            .here
            .saturating_sub(earlier.map_or(0, |earlier| earlier.here));
        self
    }
}
