//! Updates the records of one object.
//!
//! Records wait in a buffer until a commit, or until there are enough for a Bulk job. Whatever is sent is journalled
//! first; what becomes of it is settled as answers arrive.

mod book;
mod buffer;
mod collections;
mod columns;
mod jobs;
mod recover;
mod row;
mod row_error;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Batch, CommitReport, Fate, Journaled, Outcome, Rejection, Result, State, Writer};

use crate::id::Id;
use crate::org::Org;
use book::{Book, refused, refused_here};
use buffer::Buffer;

pub(crate) use columns::{WriteColumns, clears};
pub(crate) use row::Row;
pub(crate) use row_error::RowError;

/// Up to how many records go by collections.
pub(crate) const BULK_FROM: usize = 2_000;

/// What is written to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) org: Org,
    pub(crate) object: String,
    pub(crate) columns: WriteColumns,
}

/// A write in progress.
pub(crate) struct SalesforceWriter {
    target: Target,
    book: Book,
    buffer: Buffer,
    report: CommitReport,
    /// Fates of records that were refused here, to be settled with the next others.
    unsettled: Vec<Fate>,
}

impl SalesforceWriter {
    /// A writer that first looks up what an earlier run left open.
    pub(crate) async fn open(target: Target, journaled: Option<Journaled>) -> Result<Self> {
        let book = Book(journaled);
        let mut report = CommitReport::default();
        report.counts.recovered = recover::recover(&target, &book).await?;
        Ok(Self {
            target,
            book,
            buffer: Buffer::default(),
            report,
            unsettled: Vec::new(),
        })
    }

    fn refuse(&mut self, rejection: Rejection) {
        // Only by its id is the record known to the journal; a record refused upstream may carry another key.
        if let Some(key) = rejection
            .key
            .clone()
            .filter(|key| Id::parse(key.as_str()).is_some())
        {
            self.unsettled.push(refused_here(key, &rejection));
        }
        self.report.reject(rejection);
    }

    /// Sends everything that waits.
    async fn flush(&mut self) -> Result<()> {
        self.settle_refused().await?;
        for (mask, rows) in self.buffer.take(&self.target.columns) {
            if !mask.contains(&true) {
                // Nothing is said about any field: there is nothing to send.
                self.report.counts.unchanged += rows.len() as u64;
                let fate = |row: Row| Fate {
                    key: row.key,
                    outcome: Outcome::Updated,
                };
                self.book
                    .settle(&rows.into_iter().map(fate).collect::<Vec<_>>())
                    .await?;
                continue;
            }
            let (json, bulk): (Vec<Row>, Vec<Row>) = if rows.len() > BULK_FROM {
                rows.into_iter()
                    .partition(|row| row.needs_json(&self.target.columns))
            } else {
                (rows, Vec::new())
            };
            if !bulk.is_empty() {
                self.run_jobs(&mask, bulk).await?;
            }
            self.run_collections(json).await?;
        }
        Ok(())
    }

    async fn settle_refused(&mut self) -> Result<()> {
        self.book.settle(&self.unsettled).await?;
        self.unsettled.clear();
        Ok(())
    }

    /// Counts a record that Salesforce refused for good, and gives its fate.
    fn refuse_row(&mut self, row: &Row, error: RowError) -> Fate {
        let mut rejection = Rejection::new(
            row.sequence(),
            Some(row.key.clone()),
            error.code.as_str(),
            error.message.as_str(),
        );
        rejection.fields.clone_from(&error.fields);
        self.report.reject(rejection);
        refused(row.key.clone(), error)
    }
}

#[async_trait]
impl Writer for SalesforceWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        let batch = Arc::new(batch);
        for index in 0..batch.len() {
            match Row::admit(&batch, index, &self.target.columns) {
                Ok(Some(row)) => {
                    if let Err(row) = self.buffer.push(row) {
                        let message = "the batch holds another record with this `Id`, which is sent";
                        let rejection =
                            Rejection::new(row.sequence(), Some(row.key.clone()), "duplicate_key", message);
                        // The journal knows one record by this key, and that one is sent.
                        self.report.reject(rejection.with_field("Id"));
                    }
                }
                Ok(None) => {}
                Err(rejection) => self.refuse(rejection),
            }
            if self.buffer.is_full() {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        for rejection in rejected {
            self.refuse(rejection);
        }
        Ok(())
    }

    async fn commit(&mut self, _checkpoint: Option<&State>) -> Result<CommitReport> {
        // The checkpoint has no place here: Salesforce takes part in no transaction.
        self.flush().await?;
        Ok(std::mem::take(&mut self.report))
    }

    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.commit(checkpoint).await
    }
}
