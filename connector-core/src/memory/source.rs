//! Reading: what can be asked for, and how it is read.

use async_trait::async_trait;

use super::Memory;
use super::connector::table_name;
use super::difference::DifferenceReader;
use super::reader::RowReader;
use crate::error::Result;
use crate::source::{ReadCapabilities, ReadPlan, ReadRequest, Reader, Source, SyncMode};

#[async_trait]
impl Source for Memory {
    fn read_capabilities(&self) -> ReadCapabilities {
        ReadCapabilities::new()
            .with_keys()
            .with_difference()
            .with_deletes()
            .with_changes()
            .with_filters()
            .with_cursors()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        let note = match &request.sync {
            SyncMode::Difference(difference) => {
                let table = table_name(&request.selection)?;
                DifferenceReader::check(self, request, difference)?;
                return Ok(ReadPlan::new(format!(
                    "rows of `{table}` that differ from what {} has confirmed of `{}` are stored, then read",
                    difference.target.identity, difference.target.object
                )));
            }
            SyncMode::FullRefresh => "the whole table is read, as of one moment",
            SyncMode::Incremental | SyncMode::Changed => {
                "what has changed since the state is read, in the order of the changes"
            }
            SyncMode::Keys(_) => "the records with these keys are read, as they are",
        };
        let reader = RowReader::open(self, request)?;
        Ok(ReadPlan::new(note).with_records(Some(reader.records() as u64)))
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        match &request.sync {
            SyncMode::Difference(difference) => {
                Ok(Box::new(DifferenceReader::open(self, &request, difference)?))
            }
            _ => Ok(Box::new(RowReader::open(self, &request)?)),
        }
    }
}
