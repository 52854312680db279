//! Writing tables.

use async_trait::async_trait;
use connector_core::{
    Capabilities, Destination, Error, ErrorKind, Result, WriteMode, WritePlan, WriteRequest, Writer,
};

use crate::connector::Postgres;
use crate::table::Layout;
use crate::writer::TableWriter;
use crate::{rights, swap};

#[async_trait]
impl Destination for Postgres {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(vec![
            WriteMode::Upsert,
            WriteMode::Insert,
            WriteMode::Update,
            WriteMode::Overwrite,
        ])
        .transactional()
        .creating()
        .partial()
        .deleting()
        .keeping()
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        check_mode(request.mode)?;
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
        check_mode(request.mode)?;
        Ok(Box::new(TableWriter::open(self.clone(), request).await?))
    }
}

fn check_mode(mode: WriteMode) -> Result<()> {
    match mode {
        WriteMode::Upsert | WriteMode::Insert | WriteMode::Update | WriteMode::Overwrite => Ok(()),
        other => Err(Error::new(
            ErrorKind::Unsupported,
            format!("PostgreSQL cannot be written in the mode {other} in this version"),
        )
        .with_help("say write = \"upsert\", \"update\", \"insert\" or \"overwrite\"")),
    }
}
