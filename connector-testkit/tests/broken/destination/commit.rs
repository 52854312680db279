//! Commits as the defect has them.

use connector_core::{
    CommitReport, Counts, Destination, Error, ErrorKind, Identity, Record, Result, State, StateStore,
    WriteMode, WriteRequest,
};
use tokio::task::yield_now;

use super::defect::Defect;
use super::system::This;
use super::writer::UnreliableWriter;
use crate::rebuild::kept;

impl This {
    /// Whether the writer itself looks at the fence, or at some of it, or should.
    pub(super) fn looks_at_fences(&self, request: &WriteRequest) -> bool {
        match self.defect {
            Some(Defect::EpochIgnored | Defect::CommitNumberIgnored | Defect::CheckpointAfterRows) => true,
            Some(Defect::OverwriteUnfenced) => request.mode == WriteMode::Overwrite,
            _ => false,
        }
    }
}

impl UnreliableWriter {
    /// The last commit, where nothing is left to be abandoned.
    pub(super) async fn finish_with(&mut self, checkpoint: Option<&State>) -> Result<CommitReport> {
        let table = self.request.stream.as_str().to_owned();
        match self.this.defect {
            Some(Defect::FinishWaitsForConnection) if self.is_connected() => {
                return Ok(CommitReport::default());
            }
            Some(Defect::EmptyOverwriteSkipped) if self.overwrites() && !self.has_written => {
                self.inner = None;
                return Ok(CommitReport::default());
            }
            Some(Defect::EmptyPruneEmpties) if self.prunes() && !self.has_written => {
                self.this.remove(&table, |_| true);
                self.inner = None;
                return Ok(CommitReport::default());
            }
            Some(Defect::PruneBeginsLate) if self.prunes() => {
                let mut late = self.this.memory.writer(self.request.clone()).await?;
                for batch in std::mem::take(&mut self.all) {
                    late.write(batch).await?;
                }
                self.inner = Some(late);
            }
            Some(Defect::EmptyRunTruncates) if !self.has_written => self.this.remove(&table, |_| true),
            _ => {}
        }
        let before = self.this.memory.rows(&table);
        let report = self.store(checkpoint, true).await?;
        match (self.this.defect, before) {
            (Some(Defect::UpdateRemovesOthers), _) if self.request.mode == WriteMode::Update => {
                let is_named =
                    |record: &Record<'_>| record.source_key().is_some_and(|key| self.ever.contains(&key));
                self.this.remove(&table, |record| !is_named(record));
            }
            (Some(Defect::OverwriteKeepsOld), Some(before)) if self.overwrites() => {
                let is_written =
                    |record: &Record<'_>| record.source_key().is_some_and(|key| self.ever.contains(&key));
                let old = kept(&before, |_, record| !is_written(record));
                self.this.memory.put(&table, &old)?;
            }
            _ => {}
        }
        Ok(report)
    }

    pub(super) async fn commit_with(&mut self, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.store(checkpoint, false).await
    }

    /// Rows and checkpoint, in the order and the number of transactions that the defect has.
    async fn store(&mut self, checkpoint: Option<&State>, is_last: bool) -> Result<CommitReport> {
        let late;
        let checkpoint = match self.this.defect {
            Some(Defect::CheckpointIgnored) => None,
            Some(Defect::CheckpointOneCommitLate) => {
                late = std::mem::replace(&mut self.late, checkpoint.cloned());
                if is_last {
                    checkpoint.or(late.as_ref())
                } else {
                    late.as_ref()
                }
            }
            _ => checkpoint,
        };
        if let (Some(Defect::CheckpointBeforeRows), Some(fence), Some(checkpoint)) =
            (self.this.defect, &self.request.fence, checkpoint)
        {
            self.this.memory.save(fence, checkpoint).await?;
            yield_now().await;
        }
        self.look_at_fence()?;
        let inner_checkpoint = checkpoint.filter(|_| self.fence.is_none());
        let report = if is_last {
            let spent = || Error::new(ErrorKind::Bug, "the writer is finished");
            let inner = self.inner.take().ok_or_else(spent)?;
            inner.finish(inner_checkpoint).await?
        } else {
            self.inner()?.commit(inner_checkpoint).await?
        };
        self.commits += 1;
        if let Some(fence) = &mut self.fence {
            let newest = {
                let mut server = self.this.server.lock();
                server.commits += 1;
                fence.commit_no = server.commits;
                server.fence.clone()
            };
            if self.this.has(Defect::CheckpointAfterRows) {
                yield_now().await;
            }
            if let (Some(checkpoint), Some(newest)) = (checkpoint, newest) {
                self.this.memory.save(&newest, checkpoint).await?;
            }
        }
        if let (Some(Defect::NoCheckpointClears), Some(fence), None) =
            (self.this.defect, &self.request.fence, checkpoint)
        {
            let none = State::new(Identity::new("conformance", "there"), "things", 1, &())?;
            self.this.memory.save(fence, &none).await?;
        }
        Ok(report)
    }

    /// Refuses a commit as far as the writer itself looks at its fence.
    fn look_at_fence(&self) -> Result<()> {
        let Some(fence) = &self.fence else {
            return Ok(());
        };
        let server = self.this.server.lock();
        let epoch = server.fence.as_ref().map(|newest| newest.epoch);
        let is_old = epoch != Some(fence.epoch) && self.this.defect != Some(Defect::EpochIgnored);
        let missed =
            server.commits != fence.commit_no && self.this.defect != Some(Defect::CommitNumberIgnored);
        if (is_old || missed) && self.this.defect != Some(Defect::OverwriteUnfenced) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "another run has taken over the task",
            ));
        }
        Ok(())
    }

    /// The report as the defect tells it.
    pub(super) fn told(&mut self, mut report: CommitReport) -> CommitReport {
        let mine = std::mem::take(&mut self.report);
        report.add(mine);
        let (batches, last) = (std::mem::take(&mut self.batches), self.last as u64);
        self.seen.clear();
        let counts = &mut report.counts;
        let mode = self.request.mode;
        match self.this.defect {
            Some(Defect::InsertedCountedAsFound) if mode == WriteMode::Insert => {
                counts.unchanged += std::mem::take(&mut counts.created);
            }
            Some(Defect::CreatedCountedAsUpdated) if mode == WriteMode::Upsert => {
                counts.updated += std::mem::take(&mut counts.created);
            }
            Some(Defect::UnchangedCountedAsCreated) if mode == WriteMode::Upsert => {
                counts.created += std::mem::take(&mut counts.unchanged);
            }
            Some(Defect::UnchangedNotCounted) => counts.unchanged = 0,
            Some(Defect::NotFoundNotCounted) if mode == WriteMode::Update => {
                counts.rejected = 0;
                report.rejected.clear();
            }
            Some(Defect::LastBatchNotCounted) if batches > 1 => take(counts, last),
            Some(Defect::RecoveredInvented) => counts.recovered += counts.updated + counts.created,
            Some(Defect::RejectedNotCounted) => counts.rejected = 0,
            Some(Defect::RejectedCountedAsSent) => counts.updated += counts.rejected,
            Some(Defect::RejectionShowsValue) => {
                for rejection in &mut report.rejected {
                    rejection.message.push_str(&format!(": {}", self.refused));
                }
            }
            Some(Defect::RejectionWithoutKey) => {
                report
                    .rejected
                    .iter_mut()
                    .for_each(|rejection| rejection.key = None);
            }
            Some(Defect::RejectionWithoutCode) => {
                let refused = report.rejected.iter_mut().filter(|one| one.code == "too_long");
                refused.for_each(|rejection| rejection.code.clear());
            }
            Some(Defect::EarlierRejectionsUntold) => report.rejected.retain(|one| one.code != "not_a_number"),
            Some(Defect::UnansweredNotCounted) => counts.ambiguous = 0,
            Some(Defect::UnansweredIsDone) => counts.created += std::mem::take(&mut counts.ambiguous),
            Some(Defect::ReportsAddUp) => {
                self.total.add(report);
                return self.total.clone();
            }
            _ => {}
        }
        report
    }
}

/// Takes `records` out of what was created or updated.
fn take(counts: &mut Counts, records: u64) {
    let created = counts.created.min(records);
    counts.created -= created;
    counts.updated = counts.updated.saturating_sub(records - created);
}
