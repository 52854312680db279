//! Writing tables.

use async_trait::async_trait;
use connector_core::{Capabilities, Destination, Result, WriteMode, WritePlan, WriteRequest, Writer};

use crate::connector::Postgres;
use crate::table::Layout;
use crate::writer::TableWriter;
use crate::{rights, swap};

/// What messages call it.
const PRODUCT: &str = "PostgreSQL";

#[async_trait]
impl Destination for Postgres {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(vec![
            WriteMode::Upsert,
            WriteMode::Insert,
            WriteMode::Update,
            WriteMode::Overwrite,
            WriteMode::History,
            WriteMode::Delete,
            WriteMode::Prune,
        ])
        .transactional()
        .creating()
        .partial()
        .deleting()
        .marking_deleted()
        .ignoring_deletes()
        .keeping()
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        self.capabilities().admit(PRODUCT, request)?;
        let session = self.session().await?;
        let layout = Layout::plan(&session, self, request).await?;
        let obstacles = match request.mode {
            WriteMode::Overwrite if layout.exists => swap::obstacles(&session, &layout).await?,
            _ => Vec::new(),
        };
        rights::check(&session, self, request, &layout, &obstacles).await?;
        Ok(layout.write_plan(request.mode, &obstacles))
    }

    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        self.capabilities().admit(PRODUCT, &request)?;
        Ok(Box::new(TableWriter::open(self.clone(), request).await?))
    }
}
