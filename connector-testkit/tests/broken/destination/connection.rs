//! A connection that hands everything on, but for its defect.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    Batch, Capabilities, CheckReport, ColumnPlan, Connector, Deletes, Destination, Error, ErrorKind,
    Identity, Journal, Result, Selection, StateStore, StreamName, StreamSpec, StreamSummary, WriteMode,
    WritePlan, WriteRequest, Writer,
};

use super::defect::Defect;
use super::states::WatchedStates;
use super::system::This;
use super::writer::UnreliableWriter;
use crate::secrets::{IN_A_HEADER, IN_A_URL, SECRETS};

pub(super) struct Connection {
    this: This,
    shared: Arc<Shared>,
}

/// What the writers of one connection share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) staging: Mutex<Vec<Batch>>,
}

impl Connection {
    pub(super) fn new(this: This) -> Self {
        Self {
            this,
            shared: Arc::default(),
        }
    }

    fn tell(&self, error: Error) -> Error {
        match self.this.defect {
            Some(Defect::SecretInErrors) => error.with_context("request", IN_A_URL),
            Some(Defect::SecretInHeaders) => error.with_context("headers", IN_A_HEADER),
            Some(Defect::UnknownMatchUnnamed) if error.kind() == ErrorKind::Schema => {
                Error::new(ErrorKind::Schema, "a field of the key is not there")
            }
            _ => self.this.tell_fence(error),
        }
    }

    /// The request as it is carried out, or why it cannot be.
    fn asked(&self, mut request: WriteRequest) -> Result<WriteRequest> {
        let modes = self.this.capabilities().modes;
        if !modes.contains(&request.mode) {
            if !self.this.has(Defect::MissingModeIsAnother) {
                let message = format!("this destination cannot be written in the mode {}", request.mode);
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            request.mode = WriteMode::Upsert;
        }
        let deletes = self.this.capabilities().deletes;
        if self.this.has(Defect::MissingDeletesIsAnother) && !deletes.contains(&request.deletes) {
            request.deletes = Deletes::Hard;
        }
        let is_there = self.this.memory.rows(request.stream.as_str()).is_some();
        if self.this.has(Defect::MissingObjectIsAnother) && !is_there {
            request.stream = StreamName::new("things");
        }
        Ok(request)
    }

    async fn plan(&self, request: WriteRequest) -> Result<WritePlan> {
        let request = self.asked(request)?;
        let plan = self.this.memory.plan_write(&request).await?;
        if self.this.has(Defect::PlanMakesTheTable) {
            drop(self.this.memory.writer(request).await?);
        }
        Ok(plan)
    }
}

/// A plan that is made from the request alone.
fn blind(request: &WriteRequest) -> WritePlan {
    let columns = request.schema.fields().iter().map(|field| ColumnPlan {
        name: field.name.clone(),
        from: field.data_type.to_string(),
        to: field.data_type.to_string(),
        lossless: true,
        reason: None,
    });
    WritePlan::new("writes").with_columns(columns.collect())
}

#[async_trait]
impl Connector for Connection {
    fn name(&self) -> &'static str {
        self.this.memory.name()
    }

    async fn identity(&self) -> Result<Identity> {
        self.this.memory.identity().await
    }

    async fn check(&self) -> Result<CheckReport> {
        let report = self.this.memory.check().await?;
        if self.this.has(Defect::SecretInFacts) {
            return Ok(report.with("password", SECRETS[1]));
        }
        Ok(report)
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        self.this.memory.streams().await
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        self.this.memory.describe(what).await
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        Some(self)
    }

    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        Some(Arc::new(WatchedStates(self.this.clone())))
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        self.this.memory.journal()
    }
}

#[async_trait]
impl Destination for Connection {
    fn capabilities(&self) -> Capabilities {
        self.this.capabilities()
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        if self.this.has(Defect::PlanDoesNotLook) {
            return Ok(blind(request));
        }
        let planned = self.plan(request.clone()).await;
        let mut plan = planned.map_err(|error| self.tell(error))?;
        match self.this.defect {
            Some(Defect::PlanWithoutColumns) => plan.columns.clear(),
            Some(Defect::PlanWithoutTypes) => plan.columns.iter_mut().for_each(|column| column.to.clear()),
            Some(Defect::SecretInPlan) => plan.notes.push(format!("POST {IN_A_URL}")),
            _ => {}
        }
        Ok(plan)
    }

    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let request = self.asked(request).map_err(|error| self.tell(error))?;
        let writer = UnreliableWriter::open(self.this.clone(), &self.shared, request).await;
        Ok(Box::new(writer.map_err(|error| self.tell(error))?))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Connection");
        if self.this.has(Defect::SecretInDebug) {
            debug.field("password", &SECRETS[1]);
        }
        debug.field("kind", &self.this.kind).finish_non_exhaustive()
    }
}
