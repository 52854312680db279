//! Reading tables.

use async_trait::async_trait;
use connector_core::{
    Connector, Error, ErrorKind, ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Source, SyncMode,
};

use crate::connector::Postgres;
use crate::difference::DifferenceReader;
use crate::reader::{Shape, TableReader};
use crate::replication::{Log, LogReader};

#[async_trait]
impl Source for Postgres {
    fn read_capabilities(&self) -> ReadCapabilities {
        ReadCapabilities::new().with_difference().with_changes()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        match &request.sync {
            SyncMode::FullRefresh => {
                let schema = self.describe(&request.selection).await?.schema;
                Shape::of(&schema, &request.fields)?;
                Ok(ReadPlan::new(
                    "the whole table is read in one statement, as of one moment",
                ))
            }
            SyncMode::Changed => Ok(Log::open(self, request).await?.plan()),
            SyncMode::Difference(difference) => {
                DifferenceReader::check(self, request, difference).await?;
                Ok(ReadPlan::new(format!(
                    "rows that differ from what {} has confirmed of `{}` are computed and stored in one statement",
                    difference.target.identity, difference.target.object
                )))
            }
            other => Err(unsupported(other)),
        }
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        match request.sync.clone() {
            SyncMode::FullRefresh => Ok(Box::new(TableReader::open(self, &request).await?)),
            SyncMode::Changed => Ok(Box::new(LogReader::open(self, &request).await?)),
            SyncMode::Difference(difference) => Ok(Box::new(
                DifferenceReader::open(self, &request, difference).await?,
            )),
            other => Err(unsupported(&other)),
        }
    }
}

fn unsupported(mode: &SyncMode) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("PostgreSQL cannot be read in the mode {mode} in this version"),
    )
    .with_help("say sync = \"full\", or write back with write = \"update\", which sends only what changed")
}
