//! Reading.

use async_trait::async_trait;
use connector_core::{
    Error, ErrorKind, ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Source, SyncMode,
};

use crate::connector::Postgres;
use crate::difference::DifferenceReader;
use crate::reader::{Reading, RowReader};
use crate::replication::{Log, LogReader};

#[async_trait]
impl Source for Postgres {
    fn read_capabilities(&self) -> ReadCapabilities {
        ReadCapabilities::new()
            .with_difference()
            .with_changes()
            .with_cursors()
            .with_filters()
            .with_keys()
            .with_queries()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        match &request.sync {
            SyncMode::Changed => Ok(Log::open(self, request).await?.plan()),
            SyncMode::Difference(difference) => {
                DifferenceReader::check(self, request, difference).await?;
                Ok(ReadPlan::new(format!(
                    "rows that differ from what {} has confirmed of `{}` are computed and stored in one statement",
                    difference.target.identity, difference.target.object
                )))
            }
            _ => {
                let session = self.session().await?;
                let (reading, way) = Reading::of(&session, self, request).await?;
                Ok(reading.plan(&way))
            }
        }
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        match request.sync.clone() {
            SyncMode::Changed => Ok(Box::new(LogReader::open(self, &request).await?)),
            SyncMode::Difference(difference) => Ok(Box::new(
                DifferenceReader::open(self, &request, difference).await?,
            )),
            _ => Ok(Box::new(RowReader::open(self, &request).await?)),
        }
    }
}

pub(crate) fn unsupported(mode: &SyncMode) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("PostgreSQL cannot be read in the mode {mode} in this version"),
    )
    .with_help("read it in full, or incrementally")
}
