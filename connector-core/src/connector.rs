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
