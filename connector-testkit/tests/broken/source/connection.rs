//! A connection that hands everything on, but for its defect.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    CheckReport, Connector, DataType, Destination, Error, ErrorKind, Event, Field, Identity, Journal, Key,
    ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Schema, Selection, Source, State, StateStore,
    StreamSpec, StreamSummary, SyncMode, TaskId, Usage,
};
use serde_json::json;

use super::defect::Defect;
use super::journal::UnreliableJournal;
use super::reader::UnreliableReader;
use super::request::Asked;
use super::states::WatchedStates;
use super::system::Server;
use crate::rebuild::changed;
use crate::secrets::{IN_A_HEADER, IN_A_URL, SECRETS};

#[derive(Clone)]
pub(super) struct Connection {
    inner: Arc<dyn Connector>,
    pub(super) defect: Option<Defect>,
    pub(super) server: Server,
    session: usize,
}

impl Connection {
    pub(super) fn new(inner: Arc<dyn Connector>, defect: Option<Defect>, server: Server) -> Self {
        let mut remembered = server.lock();
        remembered.sessions += 1;
        let session = remembered.sessions;
        drop(remembered);
        Self {
            inner,
            defect,
            server,
            session,
        }
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// The source that does everything right.
    pub(super) fn source(&self) -> &dyn Source {
        self.inner.as_source().unwrap()
    }

    pub(super) fn inner(&self) -> &Arc<dyn Connector> {
        &self.inner
    }

    /// The schema of the stream that is read.
    pub(super) async fn describe_things(&self) -> Result<Arc<Schema>> {
        Ok(self.inner.describe(&Selection::stream("things")).await?.schema)
    }

    /// Everything that has changed since `state`: the keys, and the last state.
    async fn changes(&self, state: Option<State>) -> Result<(Vec<Key>, Option<State>)> {
        let task = TaskId::new("a look", "at changes");
        let request = ReadRequest::new(Selection::stream("things"), task)
            .with_sync(SyncMode::Incremental)
            .with_state(state);
        let mut reader = self.source().reader(request).await?;
        let (mut keys, mut last) = (Vec::new(), None);
        while let Some(event) = reader.next().await? {
            match event {
                Event::Records(batch) => {
                    keys.extend(batch.records().filter_map(|record| record.source_key()));
                }
                Event::Checkpoint { state, .. } => last = Some(state),
                _ => {}
            }
        }
        Ok((keys, last))
    }

    /// The keys of the records that were edited since the first of them came.
    pub(super) async fn edited(&self) -> Result<Vec<Key>> {
        let first = json!({ "changes": { "change": 1, "slot": null } });
        let state = State::new(self.inner.identity().await?, "things", 1, &first)?;
        Ok(self.changes(Some(state)).await?.0)
    }

    /// The state of a read that ends now.
    pub(super) async fn state_of_now(&self) -> Result<State> {
        Ok(self.changes(None).await?.1.unwrap())
    }

    fn tell(&self, error: Error) -> Error {
        match self.defect {
            Some(Defect::SecretInErrors) => error.with_context("request", IN_A_URL),
            Some(Defect::SecretInHeaders) => error.with_context("headers", IN_A_HEADER),
            Some(Defect::SecretInCause) => error.with_source(format!("token {} refused", SECRETS[0])),
            Some(Defect::UnknownFieldUnnamed) if error.kind() == ErrorKind::Schema => {
                Error::new(ErrorKind::Schema, "a field is not there")
            }
            Some(Defect::ForeignStateUnnamed) if error.kind() == ErrorKind::State => Error::new(
                ErrorKind::State,
                "the stored state is of another source or stream",
            ),
            Some(Defect::DamagedStateIsAnOutage) if error.message().ends_with("cannot be read") => {
                Error::new(ErrorKind::Unavailable, "the answer cannot be read")
            }
            Some(Defect::NotFoundWithoutHelp) if error.kind() == ErrorKind::NotFound => {
                Error::new(ErrorKind::NotFound, error.message().to_owned())
            }
            Some(Defect::NotFoundIsAnOutage) if error.kind() == ErrorKind::NotFound => {
                let help = error.help().unwrap_or_default().to_owned();
                Error::new(ErrorKind::Unavailable, "the server says 404").with_help(help)
            }
            _ => error,
        }
    }
}

/// Whether the defect declares a field as what it is not.
pub(super) fn redeclares(defect: Option<Defect>) -> bool {
    matches!(
        defect,
        Some(
            Defect::KeyMayBeNull
                | Defect::KeyIsUnreadable
                | Defect::KeyIsAFloat
                | Defect::NullInNotNull
                | Defect::TextLongerThanDeclared
        )
    )
}

/// A field as the defect has it declared, in descriptions and in batches.
pub(super) fn declared(defect: Option<Defect>, field: &Field) -> Field {
    let mut field = field.clone();
    match (defect, field.name.as_str()) {
        (Some(Defect::KeyMayBeNull), "id") => field.nullable = true,
        (Some(Defect::KeyIsUnreadable), "id") => field.access.readable = false,
        (Some(Defect::NullInNotNull), "flag") => field.nullable = false,
        (Some(Defect::TextLongerThanDeclared), "name") => {
            field.data_type = DataType::Text { max_chars: Some(5) };
        }
        (Some(Defect::KeyIsAFloat), "id") => field.data_type = DataType::Float64,
        _ => {}
    }
    field
}

#[async_trait]
impl Connector for Connection {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn identity(&self) -> Result<Identity> {
        let identity = self.inner.identity().await?;
        Ok(match self.defect {
            Some(Defect::IdentityOfTheSession) => {
                Identity::new("memory", format!("{identity}, session {}", self.session))
            }
            Some(Defect::IdentityOfTheKind) => Identity::new("memory", "a database"),
            _ => identity,
        })
    }

    fn usage(&self) -> Vec<Usage> {
        let calls = self.server.lock().checks;
        match self.defect {
            Some(Defect::UsageCountsDown) => vec![Usage::new("calls", 1_000_u64.saturating_sub(calls))],
            Some(Defect::UsageSaidTwice) => vec![Usage::new("calls", calls), Usage::new("calls", calls)],
            _ => self.inner.usage(),
        }
    }

    async fn check(&self) -> Result<CheckReport> {
        self.server.lock().checks += 1;
        let report = self.inner.check().await?;
        match self.defect {
            Some(Defect::CheckSaysNothing) => Ok(CheckReport::new()),
            Some(Defect::CheckWantsTooMuch) => Err(Error::new(
                ErrorKind::Forbidden,
                "the right to administer is missing",
            )),
            Some(Defect::SecretInFacts) => Ok(report.with("token", SECRETS[0])),
            _ => Ok(report),
        }
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        let mut streams = self.inner.streams().await?;
        match self.defect {
            Some(Defect::FirstPageOfStreams) => streams.truncate(1),
            Some(Defect::StreamListedTwice) => streams.extend(streams.last().cloned()),
            _ => {}
        }
        Ok(streams)
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        let described = match (self.inner.describe(what).await, self.defect) {
            (Err(_), Some(Defect::MisspeltStreamIsFound)) => {
                self.inner.describe(&Selection::stream("things")).await
            }
            (described, _) => described,
        };
        let mut spec = described.map_err(|error| self.tell(error))?;
        spec.schema = Arc::new(changed(&spec.schema, |field| declared(self.defect, field)));
        match self.defect {
            Some(Defect::DescribedFromRecords) => {
                let task = TaskId::new("describe", what);
                let plan = self
                    .source()
                    .plan_read(&ReadRequest::new(what.clone(), task))
                    .await?;
                if plan.records == Some(0) {
                    spec.left_out
                        .push(("note".to_owned(), "no record has it".to_owned()));
                }
            }
            Some(Defect::DescribedUnderAnotherName) => {
                spec.selection = Selection::stream(format!("public.{what}"));
            }
            _ => {}
        }
        Ok(spec)
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        self.inner.as_destination()
    }

    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        let inner = self.inner.state_store()?;
        Some(Arc::new(WatchedStates::new(inner, self.server.clone())))
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        let inner = self.inner.journal()?;
        Some(Arc::new(UnreliableJournal::new(
            inner,
            self.defect,
            self.server.clone(),
        )))
    }
}

#[async_trait]
impl Source for Connection {
    fn read_capabilities(&self) -> ReadCapabilities {
        self.source().read_capabilities()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        if self.has(Defect::PlanDoesNotLook) {
            return Ok(ReadPlan::new("everything is read"));
        }
        let request = self
            .plan(request.clone())
            .await
            .map_err(|error| self.tell(error))?;
        let mut plan = self
            .source()
            .plan_read(&request)
            .await
            .map_err(|error| self.tell(error))?;
        if self.has(Defect::SecretInPlan) {
            plan.notes.push(format!("GET {IN_A_URL}"));
        }
        Ok(plan)
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let given = self
            .plan(request.clone())
            .await
            .map_err(|error| self.tell(error))?;
        let Asked { request: asked, keys } = self.asked(given).await.map_err(|error| self.tell(error))?;
        if request.sync == SyncMode::FullRefresh {
            self.server.lock().full_reads += 1;
        }
        let inner = self
            .source()
            .reader(asked)
            .await
            .map_err(|error| self.tell(error))?;
        let reader = UnreliableReader::open(self.clone(), inner, request, keys).await?;
        Ok(Box::new(reader))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Connection");
        if self.has(Defect::SecretInDebug) {
            debug.field("password", &SECRETS[1]);
        }
        debug.field("session", &self.session).finish_non_exhaustive()
    }
}
