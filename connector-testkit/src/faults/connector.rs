//! A connector whose every call passes the hook.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    CheckReport, Connector, Destination, Error, ErrorKind, Identity, Journal, Result, Selection, Source,
    StateStore, Statements, StreamSpec, StreamSummary, Usage,
};

use super::events::Events;
use super::journal::FaultyJournal;
use super::operation::Operation;
use super::passage::Gate;
use super::state::FaultyStore;

/// A connector in all its roles, each of whose calls passes the hook of its run.
///
/// It plays the roles that the wrapped one plays, and no others. Only calls from outside are seen: what a connector
/// does with a journal of its own within a read is part of that read. Readers and writers hold their user to the
/// contract: used after an error, they answer with a [`Bug`](ErrorKind::Bug).
#[derive(Debug)]
pub struct Faulty<C: ?Sized = dyn Connector> {
    pub(super) inner: Arc<C>,
    pub(super) gate: Gate,
}

impl<C: Connector + ?Sized> Faulty<C> {
    /// `connector` in the run of `events`.
    pub fn new(connector: Arc<C>, events: &Events) -> Self {
        let gate = Gate {
            who: connector.name().into(),
            events: events.clone(),
        };
        Self {
            inner: connector,
            gate,
        }
    }

    /// The same, called `who` in events: to tell two connectors of one kind apart.
    #[must_use]
    pub fn named(mut self, who: &str) -> Self {
        self.gate.who = who.into();
        self
    }

    /// The connector itself, past the hook.
    pub fn inner(&self) -> &Arc<C> {
        &self.inner
    }

    /// What a call to a role says that [`Connector`] does not offer.
    pub(super) fn lacks(&self, role: &str) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!("`{}` is no {role}", self.inner.name()),
        )
    }
}

#[async_trait]
impl<C: Connector + ?Sized> Connector for Faulty<C> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn identity(&self) -> Result<Identity> {
        self.gate
            .pass(Operation::Identity, "", self.inner.identity())
            .await
    }

    async fn check(&self) -> Result<CheckReport> {
        self.gate.pass(Operation::Check, "", self.inner.check()).await
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        self.gate.pass(Operation::Streams, "", self.inner.streams()).await
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        self.gate
            .pass(Operation::Describe, what.to_string(), self.inner.describe(what))
            .await
    }

    fn usage(&self) -> Vec<Usage> {
        self.inner.usage()
    }

    fn as_source(&self) -> Option<&dyn Source> {
        self.inner.as_source().map(|_| self as _)
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        self.inner.as_destination().map(|_| self as _)
    }

    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        let inner = self.inner.state_store()?;
        let gate = self.gate.clone();
        Some(Arc::new(FaultyStore { inner, gate }))
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        let inner = self.inner.journal()?;
        let gate = self.gate.clone();
        Some(Arc::new(FaultyJournal { inner, gate }))
    }

    fn statements(&self) -> Option<&dyn Statements> {
        self.inner.statements().map(|_| self as _)
    }
}
