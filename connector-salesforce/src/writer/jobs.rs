//! Sending by Bulk jobs.

use std::collections::HashSet;

use connector_core::{Error, ErrorKind, Fate, Outcome, Rest, Result, Ticket};

use super::again;
use super::index::Index;
use super::operation::Operation;
use super::row::Row;
use super::{BULK_FROM, SalesforceWriter, Target};
use crate::bulk::ingest;
use crate::bulk::job::{self, Job, JobState, Kind};
use crate::bulk::results::{self, Set};
use crate::bulk::upload::{self, Upload};
use crate::limits::Limits;

/// An upload that breaks off is begun anew with another job, so often at most.
const MAX_UPLOADS: u32 = 3;

/// How often records go by jobs: what one leaves undone, the next takes.
const MAX_ROUNDS: u32 = 3;

/// Records of one of the server's own batches, of which a day has so many.
const BATCH: u64 = 10_000;

/// Whether a job can do this.
///
/// It tells which record is which by a key that each was sent with: a new one needs a key of its own. And it knows
/// neither the header that runs assignment rules nor the one that saves duplicates.
pub(super) fn can_take(target: &Target, operation: Operation) -> bool {
    let options = target.options.auto_assign || target.options.allow_duplicates;
    match operation {
        Operation::Delete => true,
        Operation::Insert => target.columns.key.is_some() && !options,
        Operation::Update | Operation::Upsert => !options,
    }
}

/// What a job left to be done.
#[derive(Debug, Default)]
struct Left {
    /// The job ended before it came to them.
    unprocessed: Vec<Row>,
    /// Somebody else stood in their way.
    passing: Vec<Row>,
}

impl SalesforceWriter {
    /// Sends `rows`, which all do the same and say something about the columns of `mask`, by jobs. What these leave
    /// undone goes by further ones, in the order of the parents that may be locked, and few records by collections.
    pub(super) async fn run_jobs(
        &mut self,
        operation: Operation,
        mask: &[bool],
        rows: Vec<Row>,
    ) -> Result<()> {
        let (mut waiting, twins) = apart(operation, rows);
        for _ in 0..MAX_ROUNDS {
            if waiting.len() <= BULK_FROM || !self.may_use_bulk(waiting.len()).await? {
                break;
            }
            let rows = again::by_parent(waiting, &self.target.columns);
            waiting = match self.run_round(operation, mask, rows).await? {
                Round::Done(left) => left,
                Round::LeftToCollections(left) => {
                    waiting = left;
                    break;
                }
            };
        }
        waiting.extend(twins);
        self.run_collections(waiting).await
    }

    /// Sends `rows` once, by as many jobs as they take; what is still to be done.
    async fn run_round(&mut self, operation: Operation, mask: &[bool], rows: Vec<Row>) -> Result<Round> {
        let (mut undone, mut rest) = (Vec::new(), rows.as_slice());
        while !rest.is_empty() {
            let upload = upload::csv(&self.target, operation, mask, rest);
            let (taken, others) = rest.split_at(upload.records);
            let Some((ended, left)) = self.run_job(operation, upload, taken).await? else {
                undone.extend_from_slice(rest);
                return Ok(Round::LeftToCollections(undone));
            };
            // A job that came to nothing will do so again.
            if left.unprocessed.len() == taken.len() {
                return Err(ended.failure().with_context("object", &self.target.object));
            }
            undone.extend(left.unprocessed);
            undone.extend(left.passing);
            rest = others;
        }
        Ok(Round::Done(undone))
    }

    /// Runs one job to its end and settles its records; returns how it ended and what it left.
    /// `None` where Bulk leaves them to collections.
    async fn run_job(
        &mut self,
        operation: Operation,
        upload: Upload,
        rows: &[Row],
    ) -> Result<Option<(Job, Left)>> {
        let Some(ticket) = self.upload(operation, upload, rows).await? else {
            return Ok(None);
        };
        let org = &self.target.org;
        let ended = async {
            ingest::complete(org, ticket.as_str()).await?;
            job::wait(org, Kind::Ingest, ticket.as_str()).await
        };
        let ended = ended.await.map_err(|error| self.at(error, &ticket))?;
        let left = self.settle_job(operation, &ended, &ticket, rows).await;
        Ok(Some((ended, left.map_err(|error| self.at(error, &ticket))?)))
    }

    /// Where an error came up. What the job has done is looked up by the next run.
    fn at(&self, error: Error, ticket: &Ticket) -> Error {
        let error = error.with_context("object", &self.target.object);
        if error.context().iter().any(|(name, _)| *name == "job") {
            return error;
        }
        error.with_context("job", ticket.as_str())
    }

    /// Makes a job, journals it, and gives it its data.
    async fn upload(&mut self, operation: Operation, upload: Upload, rows: &[Row]) -> Result<Option<Ticket>> {
        let Target {
            org, object, columns, ..
        } = &self.target;
        let key = columns.key.as_ref().map(|key| key.field.name.as_str());
        let csv = bytes::Bytes::from(upload.csv);
        let mut tries = 1;
        loop {
            let job = match ingest::create(org, object, operation, key).await {
                Ok(job) => job,
                Err(error) if ingest::leaves_it_to_collections(&error) => {
                    tracing::info!(%error, object, "written by collections instead of Bulk");
                    return Ok(None);
                }
                Err(error) => return Err(error.with_context("object", object)),
            };
            let ticket = Ticket::new(job.id.as_str());
            self.book.intend(rows, Some(&ticket)).await?;
            let Err(error) = ingest::upload(org, &job, csv.clone()).await else {
                return Ok(Some(ticket));
            };
            // The data may have arrived or not; without the word that it is whole, nothing of it is applied.
            ingest::abort(org, &job.id)
                .await
                .map_err(|error| self.at(error, &ticket))?;
            self.book.close(&ticket, Rest::Released).await?;
            if error.kind() != ErrorKind::Unavailable || tries >= MAX_UPLOADS {
                return Err(self.at(error, &ticket));
            }
            tracing::warn!(%error, job = job.id, "an upload broke off and is begun anew");
            tries += 1;
        }
    }

    /// Settles the records of a job that has ended; returns those that are still to be sent.
    async fn settle_job(
        &mut self,
        operation: Operation,
        ended: &Job,
        ticket: &Ticket,
        rows: &[Row],
    ) -> Result<Left> {
        let index = Index::new(operation, rows);
        let keys = [upload::key_name(&self.target, operation)];
        let (org, id) = (&self.target.org, ended.id.as_str());
        let failed = results::read(org, id, Set::Failed, &keys, |row| {
            Ok((index.place(row.key()?)?, row.error()))
        });
        let failed = failed.await?;
        let unprocessed = results::read(org, id, Set::Unprocessed, &keys, |row| index.place(row.key()?));
        let unprocessed = unprocessed.await?;
        let succeeded = results::read(org, id, Set::Succeeded, &keys, |row| {
            Ok((index.place(row.key()?)?, row.is_created()))
        });
        let succeeded = succeeded.await?;
        index.check_all_once(
            failed
                .iter()
                .map(|(place, _)| *place)
                .chain(unprocessed.iter().copied())
                .chain(succeeded.iter().map(|(place, _)| *place)),
        )?;

        let created = succeeded.iter().filter(|(_, created)| *created).count() as u64;
        let applied = succeeded.len() as u64;
        let counts = &mut self.report.counts;
        match operation {
            Operation::Insert => counts.created += applied,
            Operation::Update => counts.updated += applied,
            Operation::Upsert => {
                counts.created += created;
                counts.updated += applied - created;
            }
            Operation::Delete => counts.deleted += applied,
        }
        let mut fates: Vec<Fate> = Vec::with_capacity(failed.len() + unprocessed.len());
        let mut left = Left::default();
        for (place, error) in failed {
            let row = &rows[place];
            if operation == Operation::Delete && error.is_gone() {
                self.report.counts.unchanged += 1;
                fates.push(row.fate(Outcome::Deleted));
            } else if error.is_passing() {
                fates.push(row.fate(Outcome::Released));
                left.passing.push(row.clone());
            } else {
                let fate = self.refuse_row(row, error);
                fates.push(fate);
            }
        }
        for place in unprocessed {
            fates.push(rows[place].fate(Outcome::Released));
            left.unprocessed.push(rows[place].clone());
        }
        self.book.settle(&fates).await?;
        // Every record has been found in one of the sets: the rest are those that were applied.
        self.book.close(ticket, Rest::Updated).await?;
        Ok(left)
    }

    /// Whether enough of the day's batches are left for so many records; asked once a write.
    async fn may_use_bulk(&mut self, records: usize) -> Result<bool> {
        let needed = (records as u64).div_ceil(BATCH);
        let left = match self.batches_left {
            Some(left) => left,
            None => match Limits::ask(&self.target.org).await? {
                Some(limits) => self.target.org.budget().batches(&limits),
                None => u64::MAX,
            },
        };
        self.batches_left = Some(left.saturating_sub(needed));
        if left < needed {
            tracing::warn!(
                left,
                "the day's Bulk batches are used up: records go by collections"
            );
        }
        Ok(left >= needed)
    }
}

/// How a round of jobs ended.
enum Round {
    /// Every record was sent; these are still to be done.
    Done(Vec<Row>),
    /// Bulk does not take this object; these are still to be done.
    LeftToCollections(Vec<Row>),
}

/// Records apart from those whose id another one has, which only collections tell apart: different keys may lead to
/// one record.
fn apart(operation: Operation, rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    if !operation.is_by_id() {
        return (rows, Vec::new());
    }
    let mut ids = HashSet::with_capacity(rows.len());
    rows.into_iter()
        .partition(|row| row.id.is_none_or(|id| ids.insert(id)))
}

/// The fate of those records of a job, found again by another run, that no result set of their own names.
pub(super) fn rest_of(ended: &Job) -> Rest {
    match ended.state {
        JobState::JobComplete => Rest::Updated,
        _ => Rest::Released,
    }
}
