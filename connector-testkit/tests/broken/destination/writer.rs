//! A writer that hands everything on, but for its defect.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, Weak};

use async_trait::async_trait;
use connector_core::{
    Batch, CommitReport, Deletes, Destination, Error, ErrorKind, Fate, Fence, Intent, Key, Op, Outcome,
    Rejection, Result, State, WriteMode, WriteRequest, Writer,
};
use futures::FutureExt;
use tokio::task::yield_now;

use super::columns::Columns;
use super::connection::Shared;
use super::defect::Defect;
use super::journal::MisusedJournal;
use super::system::This;

pub(super) struct UnreliableWriter {
    pub(super) this: This,
    /// `None` once it is finished.
    pub(super) inner: Option<Box<dyn Writer>>,
    pub(super) request: WriteRequest,
    columns: Option<Columns>,
    /// What the connection's writers share, while the connection is there.
    shared: Weak<Shared>,
    /// The fence, where the writer looks at it itself.
    pub(super) fence: Option<Fence>,
    /// The checkpoint of the commit before.
    pub(super) late: Option<State>,
    /// What is to be in the next report beside what the inner writer says.
    pub(super) report: CommitReport,
    /// Every report so far.
    pub(super) total: CommitReport,
    /// Batches of this commit, and the records of the last.
    pub(super) batches: usize,
    pub(super) last: usize,
    pub(super) commits: usize,
    /// The keys written in this commit, and ever.
    pub(super) seen: BTreeSet<Key>,
    pub(super) ever: BTreeSet<Key>,
    /// A text that was refused.
    pub(super) refused: String,
    pub(super) has_written: bool,
    has_ended: bool,
    pub(super) all: Vec<Batch>,
}

impl UnreliableWriter {
    pub(super) async fn open(this: This, shared: &Arc<Shared>, mut request: WriteRequest) -> Result<Self> {
        if this.has(Defect::UnjournalledRefused) && request.journal.is_none() {
            return Err(Error::new(ErrorKind::Config, "a write needs a journal"));
        }
        this.begin(&mut request);
        let columns = Columns::of(&this, &mut request);
        let mut asked = request.clone();
        if let Some(journaled) = &mut asked.journal {
            let given = Arc::clone(&journaled.journal);
            journaled.journal = Arc::new(MisusedJournal::new(given, this.defect));
        }
        let mut fence = None;
        if this.looks_at_fences(&request) {
            fence = asked.fence.take();
        }
        let inner = this.memory.writer(asked).await?;
        Ok(Self {
            this,
            inner: Some(inner),
            request,
            columns,
            shared: Arc::downgrade(shared),
            fence,
            late: None,
            report: CommitReport::default(),
            total: CommitReport::default(),
            batches: 0,
            last: 0,
            commits: 0,
            seen: BTreeSet::new(),
            ever: BTreeSet::new(),
            refused: String::new(),
            has_written: false,
            has_ended: false,
            all: Vec::new(),
        })
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.this.has(defect)
    }

    pub(super) fn overwrites(&self) -> bool {
        self.request.mode == WriteMode::Overwrite
    }

    pub(super) fn prunes(&self) -> bool {
        self.request.mode == WriteMode::Prune
    }

    /// The writer that does everything right.
    pub(super) fn inner(&mut self) -> Result<&mut Box<dyn Writer>> {
        let spent = || Error::new(ErrorKind::Bug, "the writer is finished");
        self.inner.as_mut().ok_or_else(spent)
    }

    /// Whether a batch is not written at all; what of it is counted, is counted here.
    fn drops(&mut self, batch: &Batch) -> bool {
        let drops = match self.this.defect {
            Some(Defect::LaterCommitsLost) => self.commits > 0 && !self.overwrites(),
            Some(Defect::OverwriteTakesFirstBatch) => self.overwrites() && self.batches > 0,
            Some(Defect::EmptyBatchEnds) => self.has_ended,
            Some(Defect::PruneByFirstCommit) => self.commits > 0 && self.prunes(),
            _ => false,
        };
        self.has_ended |= batch.is_empty();
        if drops {
            self.report.counts.updated += batch.len() as u64;
        }
        drops
    }

    async fn refuse_all(&mut self, batch: &Batch, code: &str) -> Result<()> {
        let rejections = batch.records().map(|record| {
            Rejection::new(
                record.sequence(),
                record.source_key(),
                code,
                "the batch was refused",
            )
        });
        let rejections = rejections.collect();
        self.inner()?.reject(rejections).await
    }

    /// Hands a batch to the inner writer, unless the defect has it end elsewhere.
    async fn hand_on(&mut self, batch: Batch) -> Result<()> {
        match self.this.defect {
            Some(Defect::FlawedSinksBatch) if has_flaw(&batch).is_some() => {
                return self.refuse_all(&batch, "batch_refused").await;
            }
            Some(Defect::FlawedEndsWrite) if has_flaw(&batch).is_some() => {
                return Err(Error::new(ErrorKind::Data, "value too long for its column"));
            }
            Some(Defect::DuplicateSinksBatch)
                if self.request.mode == WriteMode::Insert && self.finds(&batch) =>
            {
                return self.refuse_all(&batch, "duplicate").await;
            }
            Some(Defect::SecondInBatchFails) if keys(&batch).len() < batch.len() => {
                return Err(Error::new(
                    ErrorKind::Data,
                    "a row cannot be affected a second time",
                ));
            }
            Some(Defect::DeletingNothingFails) if deletes(&batch) && !self.finds_all(&batch) => {
                return Err(Error::new(ErrorKind::NotFound, "there is no record to delete"));
            }
            Some(Defect::UnsentIsDone) if self.loses() => return self.pretend(&batch).await,
            Some(Defect::MarkStays) if self.request.deletes == Deletes::Soft && !deletes(&batch) => {
                let mut request = self.request.clone().with_deletes(Deletes::Hard);
                request.fence = None;
                let mut outside = self.this.memory.writer(request).await?;
                outside.write(batch).await?;
                self.report.add(outside.finish(None).await?);
                return Ok(());
            }
            Some(Defect::HistoryAlwaysBegins) if self.request.mode == WriteMode::History => {
                self.inner()?.write(crate::rebuild::deletes(&batch)).await?;
                self.inner()?.commit(None).await?;
            }
            Some(Defect::HistoryOfBatches) if self.request.mode == WriteMode::History => {
                self.inner()?.write(batch).await?;
                let report = self.inner()?.commit(None).await?;
                self.report.add(report);
                return Ok(());
            }
            Some(Defect::PruneBeginsLate) if self.prunes() => {
                self.all.push(batch.clone());
            }
            Some(Defect::RowsOutsideTransaction) if !self.overwrites() && !self.prunes() => {
                let mut request = self.request.clone();
                request.fence = None;
                let mut outside = self.this.memory.writer(request).await?;
                outside.write(batch).await?;
                self.report.add(outside.finish(None).await?);
                return Ok(());
            }
            Some(Defect::SharedStaging) => {
                if let Some(shared) = self.shared.upgrade() {
                    let mut staging = shared.staging.lock().unwrap_or_else(PoisonError::into_inner);
                    staging.push(batch);
                    return Ok(());
                }
            }
            Some(Defect::InsertsSentTwice) if self.request.mode == WriteMode::Insert => {
                self.inner()?.write(batch.clone()).await?;
            }
            Some(Defect::InsertSentAgain) if self.request.mode == WriteMode::Insert && self.loses() => {
                self.inner()?.write(batch.clone()).await?;
                // The first attempt is not spoken of.
                self.inner()?.commit(None).await?;
            }
            Some(Defect::UnansweredLeftOut) if self.loses() => {
                self.this.server.lock().unanswered.extend(keys(&batch));
            }
            _ => {}
        }
        self.inner()?.write(batch).await
    }

    /// Whether the next answer gets lost.
    fn loses(&self) -> bool {
        let mut server = self.this.server.lock();
        let loses = server.to_lose > 0;
        server.to_lose = server.to_lose.saturating_sub(1);
        loses
    }

    /// Says that records were applied which were not sent.
    async fn pretend(&mut self, batch: &Batch) -> Result<()> {
        self.report.counts.updated += batch.len() as u64;
        let Some(journaled) = &self.request.journal else {
            return Ok(());
        };
        let keys: Vec<Key> = keys(batch).into_iter().collect();
        let intent = Intent {
            keys: &keys,
            ticket: None,
        };
        let (journal, fence, target) = (&journaled.journal, &journaled.fence, &journaled.target);
        journal.intend(fence, target, &intent).await?;
        let fate = |key| Fate {
            key,
            outcome: Outcome::Updated,
        };
        let fates: Vec<_> = keys.into_iter().map(fate).collect();
        journal.settle(fence, target, &fates).await
    }

    fn there(&self) -> BTreeSet<Key> {
        let rows = self.this.memory.rows(self.request.stream.as_str());
        rows.map(|rows| keys(&rows)).unwrap_or_default()
    }

    /// Whether a record of `batch` is there.
    fn finds(&self, batch: &Batch) -> bool {
        !self.there().is_disjoint(&keys(batch))
    }

    fn finds_all(&self, batch: &Batch) -> bool {
        self.there().is_superset(&keys(batch))
    }

    /// The keys that are there, for defects that tell new records from old ones.
    pub(super) fn known(&self) -> BTreeSet<Key> {
        match self.this.defect {
            Some(Defect::UnsetIsEmptyInNew) => self.there(),
            _ => BTreeSet::new(),
        }
    }

    /// Whether the connection it was made by is still there.
    pub(super) fn is_connected(&self) -> bool {
        self.shared.strong_count() > 0
    }

    /// What other writers of the connection left in the staging table comes along.
    pub(super) async fn unstage(&mut self) -> Result<()> {
        let Some(shared) = self.shared.upgrade() else {
            return Ok(());
        };
        let batches = std::mem::take(&mut *shared.staging.lock().unwrap_or_else(PoisonError::into_inner));
        for batch in batches {
            self.inner()?.write(batch).await?;
        }
        Ok(())
    }
}

/// The keys of a batch.
pub(super) fn keys(batch: &Batch) -> BTreeSet<Key> {
    batch.records().filter_map(|record| record.source_key()).collect()
}

fn deletes(batch: &Batch) -> bool {
    batch.records().any(|record| record.op() == Op::Delete)
}

/// The text of a record that the system will refuse.
fn has_flaw(batch: &Batch) -> Option<String> {
    let texts = batch.records().map(|record| record.get("name").to_string());
    texts.into_iter().find(|text| text.chars().count() > 80)
}

#[async_trait]
impl Writer for UnreliableWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        if self.has(Defect::EmptyBatchFails) && batch.is_empty() {
            return Err(Error::new(ErrorKind::Data, "a statement has no values"));
        }
        if self.has(Defect::LockLeaks) && std::mem::replace(&mut self.this.server.lock().is_locked, true) {
            return Err(Error::new(ErrorKind::Unavailable, "the table is locked"));
        }
        // As if there were something to wait for.
        yield_now().await;
        if self.has(Defect::LockLeaks) {
            self.this.server.lock().is_locked = false;
        }
        if self.has(Defect::KeepsWhatItWrites) {
            self.all.push(batch.clone());
        }
        if let Some(text) = has_flaw(&batch) {
            self.refused = text;
        }
        self.has_written = true;
        let drops = self.drops(&batch);
        self.batches += 1;
        self.last = batch.len();
        if drops {
            return Ok(());
        }
        let batch = match &self.columns {
            Some(columns) => columns.fill(&batch),
            None => batch,
        };
        let batch = self.values(batch);
        let batch = self.chosen(batch);
        self.ever.extend(keys(&batch));
        self.hand_on(batch).await
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        let is_deaf = self.has(Defect::PruneDespiteRejections) && self.prunes();
        if self.has(Defect::EarlierRejectionsDropped) || is_deaf {
            return Ok(());
        }
        self.inner()?.reject(rejected).await
    }

    async fn commit(&mut self, checkpoint: Option<&State>) -> Result<CommitReport> {
        yield_now().await;
        if self.has(Defect::SharedStaging) {
            self.unstage().await?;
        }
        let report = self.commit_with(checkpoint).await;
        let report = report.map_err(|error| self.this.tell_fence(error))?;
        Ok(self.told(report))
    }

    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        yield_now().await;
        if self.has(Defect::SharedStaging) {
            self.unstage().await?;
        }
        let report = self.finish_with(checkpoint).await;
        let report = report.map_err(|error| self.this.tell_fence(error))?;
        Ok(self.told(report))
    }
}

impl Drop for UnreliableWriter {
    fn drop(&mut self) {
        let Some(mut inner) = self.inner.take() else {
            return;
        };
        let publishes = (self.has(Defect::DroppedOverwritePublishes) && self.overwrites())
            || (self.has(Defect::DroppedPruneRemoves) && self.prunes());
        if publishes {
            drop(inner.finish(None).now_or_never());
        } else if self.has(Defect::DroppedWriterCommits) {
            drop(inner.commit(None).now_or_never());
        }
    }
}
