//! One stream, from claim to account.

use std::sync::Arc;

use connector_core::{Backoff, Claim, Connector, Counts, Event, Reader, Result, Retry, State, Writer};

use crate::job::{Job, Task};
use crate::observe::{Observer, Progress};
use crate::options::RunOptions;
use crate::plan::Prepared;
use crate::report::TaskReport;

/// Runs a task; after a failure that may pass, goes on from the last checkpoint.
pub(crate) async fn run_task(
    job: &Job,
    task: &Task,
    source: &Arc<dyn Connector>,
    destination: &Arc<dyn Connector>,
    options: &RunOptions,
    observer: &dyn Observer,
) -> TaskReport {
    let id = task.id(&job.name);
    let mut report = TaskReport::new(id.clone());
    let mut pauses = Backoff::new(
        &options.retry,
        options.clock.now().unix_micros().unsigned_abs() | 1,
    );
    loop {
        let attempt = async {
            let mut prepared = Prepared::new(job, task, source, destination, options).await?;
            move_records(&mut prepared, task, options, observer, &mut report).await
        };
        let Err(error) = attempt.await else {
            return report.conclude(None);
        };
        let error = error.with_context("task", id.as_str());
        let pause = match error.retry() {
            Retry::Never => None,
            Retry::Backoff => pauses.next(),
            Retry::After(pause) => pauses.next().map(|backoff| backoff.max(pause)),
        };
        let Some(pause) = pause else {
            return report.conclude(Some(error));
        };
        tracing::warn!(%error, ?pause, "goes on from the last checkpoint");
        observer.observe(&Progress::Retrying {
            task: &id,
            error: &error,
        });
        options.clock.sleep(pause).await;
    }
}

/// The loop of one stream: read ahead while writing, commit at checkpoints.
async fn move_records(
    prepared: &mut Prepared<'_>,
    task: &Task,
    options: &RunOptions,
    observer: &dyn Observer,
    report: &mut TaskReport,
) -> Result<()> {
    let claim = prepared.store.claim(&prepared.id, &options.holder).await?;
    observer.observe(&Progress::TaskStarted {
        task: &prepared.id,
        records: prepared.estimate(task, &claim).await?,
    });
    // The writer first: it settles what an earlier run left open, before a difference is computed.
    let mut writer = prepared.writer(task, &claim).await?;
    let mut reader = prepared.reader(task, &claim).await?;
    let mut pending = Pending::new(options);

    let mut ahead = reader.next().await?;
    while let Some(event) = ahead.take() {
        match event {
            Event::Records(batch) => {
                let (records, bytes) = (batch.len() as u64, batch.byte_len());
                pending.add(records, bytes);
                let (batch, filtered) = prepared.filtering.apply(batch)?;
                pending.filtered += filtered;
                let batch = prepared.mapping.apply(batch)?;
                let (written, next) = futures::join!(writer.write(batch), reader.next());
                written?;
                ahead = next?;
                observer.observe(&Progress::Read {
                    task: &prepared.id,
                    records,
                    bytes: bytes as u64,
                });
            }
            Event::Rejected(rejected) => {
                pending.add(rejected.len() as u64, 0);
                writer.reject(rejected).await?;
                ahead = reader.next().await?;
            }
            Event::Unchanged(records) => {
                pending.add(records, 0);
                pending.unchanged += records;
                ahead = reader.next().await?;
            }
            Event::Checkpoint { state, urgent } => {
                if urgent || pending.is_due(task, options) {
                    commit(
                        prepared,
                        &claim,
                        &mut *writer,
                        &mut *reader,
                        &state,
                        &mut pending,
                        observer,
                        report,
                    )
                    .await?;
                    pending = Pending::new(options);
                } else {
                    pending.checkpoint = Some(state);
                }
                ahead = reader.next().await?;
            }
        }
    }
    finish(prepared, &claim, writer, reader, pending, observer, report).await
}

/// What was read since the last commit.
struct Pending {
    records: u64,
    /// Those of them that the source itself found unchanged.
    unchanged: u64,
    /// Those of them that do not pass the task's filter.
    filtered: u64,
    bytes: usize,
    /// The last checkpoint, if it was not due; records may have come since.
    checkpoint: Option<State>,
    since: connector_core::value::Instant,
}

impl Pending {
    fn new(options: &RunOptions) -> Self {
        Self {
            records: 0,
            unchanged: 0,
            filtered: 0,
            bytes: 0,
            checkpoint: None,
            since: options.clock.now(),
        }
    }

    fn add(&mut self, records: u64, bytes: usize) {
        self.records += records;
        self.bytes += bytes;
        // A checkpoint covers what came before it, not what comes now.
        self.checkpoint = None;
    }

    fn is_due(&self, task: &Task, options: &RunOptions) -> bool {
        self.bytes >= task.commit_every.bytes
            || options.clock.now() >= self.since.plus(task.commit_every.time)
    }
}

/// Commit, then state, then acknowledge.
#[expect(
    clippy::too_many_arguments,
    reason = "the loop's own variables, named once more"
)]
async fn commit(
    prepared: &Prepared<'_>,
    claim: &Claim,
    writer: &mut dyn Writer,
    reader: &mut dyn Reader,
    state: &State,
    pending: &mut Pending,
    observer: &dyn Observer,
    report: &mut TaskReport,
) -> Result<()> {
    let Some(state) = prepared.worth_keeping(Some(state)) else {
        let committed = writer.commit(None).await?;
        account(prepared, committed, pending, observer, report);
        return Ok(());
    };
    let committed = writer.commit(Some(state)).await?;
    account(prepared, committed, pending, observer, report);
    if prepared.saves_state() {
        prepared.store.save(&claim.fence, state).await?;
    }
    reader.acknowledge(state).await
}

/// The last commit, with the last checkpoint if nothing came after it.
async fn finish(
    prepared: &Prepared<'_>,
    claim: &Claim,
    writer: Box<dyn Writer>,
    mut reader: Box<dyn Reader>,
    pending: Pending,
    observer: &dyn Observer,
    report: &mut TaskReport,
) -> Result<()> {
    let state = prepared.worth_keeping(pending.checkpoint.as_ref());
    let committed = writer.finish(state).await?;
    account(prepared, committed, &pending, observer, report);
    let Some(state) = state else {
        return Ok(());
    };
    if prepared.saves_state() {
        prepared.store.save(&claim.fence, state).await?;
    }
    // The rows are durable and the state is stored: what cannot be acknowledged is left for the source to clean up.
    if let Err(error) = reader.acknowledge(state).await {
        tracing::warn!(%error, "the source did not take the acknowledgement");
    }
    Ok(())
}

fn account(
    prepared: &Prepared<'_>,
    committed: connector_core::CommitReport,
    pending: &Pending,
    observer: &dyn Observer,
    report: &mut TaskReport,
) {
    report.read += pending.records;
    report.counts.add(&Counts::of_unchanged(pending.unchanged));
    report.counts.add(&Counts::of_filtered(pending.filtered));
    report.commits += 1;
    report.counts.add(&committed.counts);
    report.rejected.extend(committed.rejected);
    report.rejected.truncate(connector_core::CommitReport::SAMPLE);
    observer.observe(&Progress::Committed {
        task: &prepared.id,
        counts: &committed.counts,
    });
}

#[cfg(test)]
mod tests {
    use crate::{NoObserver, RunOptions};

    /// A run can be moved between threads: hosts spawn it.
    #[test]
    fn a_run_can_be_spawned() {
        fn spawnable<F: Future + Send>(_: &F) {}
        spawnable(&crate::run(&[], &RunOptions::default(), &NoObserver));
    }
}
