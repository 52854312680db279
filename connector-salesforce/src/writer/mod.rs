//! Writing: records wait in a buffer; a small one goes by collections, a large one by a Bulk job. Whatever is sent is
//! journalled first; what becomes of it is settled as answers arrive.

mod again;
mod book;
mod buffer;
mod collections;
mod columns;
mod jobs;
mod operation;
mod parent;
mod picklist;
mod recover;
mod resolve;
mod row;
mod row_error;
mod unanswered;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{
    Batch, CommitReport, Fate, Journaled, Key, Outcome, Rejection, Result, State, TaskId, Writer,
};

use crate::config::WriteOptions;
use crate::id::Id;
use crate::org::Org;
use book::{Book, refused, refused_here};
use buffer::{Buffer, Group};

pub(crate) use columns::{WriteColumn, WriteColumns, clears};
pub(crate) use operation::Operation;
pub(crate) use parent::Parents;
use row::Admitted;
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
    pub(crate) options: WriteOptions,
}

/// A write in progress.
pub(crate) struct SalesforceWriter {
    target: Target,
    book: Book,
    buffer: Buffer,
    report: CommitReport,
    /// Fates of records that were refused here, to be settled with the next others.
    unsettled: Vec<Fate>,
    /// The org's clock before the first insert.
    since: Option<Instant>,
}

impl SalesforceWriter {
    /// A writer that first looks up what an earlier run left open.
    pub(crate) async fn open(target: Target, journaled: Option<Journaled>, task: &TaskId) -> Result<Self> {
        let book = Book::new(journaled, target.columns.operation, task);
        let mut report = CommitReport::default();
        report.counts.recovered = recover::recover(&target, &book).await?;
        Ok(Self {
            target,
            book,
            buffer: Buffer::default(),
            report,
            unsettled: Vec::new(),
            since: None,
        })
    }

    /// Takes a record in, or refuses it.
    async fn admit(&mut self, batch: &Arc<Batch>, index: usize) -> Result<()> {
        match Row::admit(batch, index, &self.target.columns) {
            Ok(Some(Admitted::Row(row))) => {
                if let Err(row) = self.buffer.push(row) {
                    // Both are sent, in their order: the later one wins.
                    self.flush().await?;
                    drop(self.buffer.push(row));
                }
            }
            Ok(Some(Admitted::Ignored)) => self.report.counts.unchanged += 1,
            Ok(None) => {}
            Err(rejection) => {
                // Where the key is missing the record is not known to the journal by what it has instead.
                if let Some(key) = rejection.key.clone().filter(|_| rejection.code != "missing_key") {
                    self.unsettled.push(refused_here(key, &rejection));
                }
                self.report.reject(rejection);
            }
        }
        if self.buffer.is_full() {
            self.flush().await?;
        }
        Ok(())
    }

    /// Whether the journal knows a record refused upstream by this key: what finds it may be another field.
    fn is_known_by(&self, key: &Key) -> bool {
        match &self.target.columns.key {
            Some(column) => column.is_id() && Id::parse(key.as_str()).is_some(),
            None => true,
        }
    }

    /// Sends everything that waits.
    async fn flush(&mut self) -> Result<()> {
        self.settle_refused().await?;
        for group in self.buffer.take(&self.target.columns) {
            if self.says_nothing(&group) {
                self.leave(&group.rows).await?;
                continue;
            }
            let rows = self.find(group.operation, group.rows).await?;
            let rows = self.leave_out_what_is_known(group.operation, rows).await?;
            let (json, bulk): (Vec<Row>, Vec<Row>) =
                if rows.len() > BULK_FROM && jobs::can_take(&self.target.columns, group.operation) {
                    rows.into_iter()
                        .partition(|row| row.needs_json(&self.target.columns))
                } else {
                    (rows, Vec::new())
                };
            if !bulk.is_empty() {
                self.run_jobs(&group.mask, bulk).await?;
            }
            self.run_collections(json).await?;
        }
        Ok(())
    }

    /// Whether there is nothing to send: an update that says nothing about any field.
    fn says_nothing(&self, group: &Group) -> bool {
        group.operation == Operation::Update && !group.mask.contains(&true)
    }

    /// Records for which nothing is to be done.
    async fn leave(&mut self, rows: &[Row]) -> Result<()> {
        self.report.counts.unchanged += rows.len() as u64;
        let fates = rows.iter().map(|row| row.fate(Outcome::Updated));
        self.book.settle(&fates.collect::<Vec<_>>()).await
    }

    async fn settle_refused(&mut self) -> Result<()> {
        let fates = std::mem::take(&mut self.unsettled);
        self.book.settle(&fates).await
    }

    /// Counts a record that Salesforce refused for good, and gives its fate.
    fn refuse_row(&mut self, row: &Row, error: RowError) -> Fate {
        let mut rejection = row.refuse(&error.code, error.message.as_str());
        rejection.fields.clone_from(&error.fields);
        self.report.reject(rejection);
        refused(row.key.clone(), error)
    }

    /// Counts a record that is refused before it is sent, and gives its fate.
    fn refuse_unsent(&mut self, row: &Row, rejection: Rejection) -> Fate {
        let fate = refused_here(row.key.clone(), &rejection);
        self.report.reject(rejection);
        fate
    }
}

#[async_trait]
impl Writer for SalesforceWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        let batch = Arc::new(batch);
        for index in 0..batch.len() {
            self.admit(&batch, index).await?;
        }
        Ok(())
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        for rejection in rejected {
            if let Some(key) = rejection.key.clone().filter(|key| self.is_known_by(key)) {
                self.unsettled.push(refused_here(key, &rejection));
            }
            self.report.reject(rejection);
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
