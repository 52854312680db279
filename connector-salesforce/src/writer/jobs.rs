//! Sending by Bulk jobs.

use std::collections::HashMap;

use connector_core::{Error, ErrorKind, Fate, Key, Outcome, Rest, Result, Ticket};

use super::columns::WriteColumns;
use super::operation::Operation;
use super::row::Row;
use super::{BULK_FROM, SalesforceWriter};
use crate::bulk::job::{self, Job, JobState, Kind};
use crate::bulk::{ingest, results, upload};
use crate::id::Id;

/// An upload that breaks off is begun anew with another job, so often at most.
const MAX_UPLOADS: u32 = 3;

/// Whether a job can do this: it tells which record is which by a key that each was sent with.
pub(super) fn can_take(_columns: &WriteColumns, operation: Operation) -> bool {
    operation == Operation::Update
}

impl SalesforceWriter {
    /// Updates `rows` by a job; what it left unprocessed is sent once more.
    pub(super) async fn run_jobs(&mut self, mask: &[bool], rows: Vec<Row>) -> Result<()> {
        let Some((ended, left)) = self.run_job(mask, &rows).await? else {
            return self.run_collections(rows).await;
        };
        match left.len() {
            0 => Ok(()),
            1..=BULK_FROM => self.run_collections(left).await,
            _ => match self.run_job(mask, &left).await? {
                None => self.run_collections(left).await,
                Some((_, again)) if again.is_empty() => Ok(()),
                Some(_) => Err(ended.failure().with_context("object", &self.target.object)),
            },
        }
    }

    /// Runs one job to its end and settles its records; returns how it ended and the records it left unprocessed.
    /// `None` where Bulk leaves them to collections.
    async fn run_job(&mut self, mask: &[bool], rows: &[Row]) -> Result<Option<(Job, Vec<Row>)>> {
        let Some(ticket) = self.upload(mask, rows).await? else {
            return Ok(None);
        };
        ingest::complete(&self.target.org, ticket.as_str()).await?;
        let ended = job::wait(&self.target.org, Kind::Ingest, ticket.as_str()).await?;
        let left = self.settle_job(&ended, &ticket, rows).await?;
        Ok(Some((ended, left)))
    }

    /// Makes a job, journals it, and gives it its data.
    async fn upload(&mut self, mask: &[bool], rows: &[Row]) -> Result<Option<Ticket>> {
        let org = &self.target.org;
        let mut tries = 1;
        loop {
            let job = match ingest::create(org, &self.target.object).await {
                Ok(job) => job,
                Err(error) if ingest::leaves_it_to_collections(&error) => {
                    tracing::info!(%error, object = self.target.object, "written by collections instead of Bulk");
                    return Ok(None);
                }
                Err(error) => return Err(error.with_context("object", &self.target.object)),
            };
            let ticket = Ticket::new(job.id.as_str());
            self.book.intend(rows, Some(&ticket)).await?;
            let Err(error) = ingest::upload(org, &job, upload::csv(&self.target, mask, rows)).await else {
                return Ok(Some(ticket));
            };
            // The data may have arrived or not; without the word that it is whole, nothing of it is applied.
            ingest::abort(org, &job.id).await?;
            self.book.close(&ticket, Rest::Released).await?;
            if error.kind() != ErrorKind::Unavailable || tries >= MAX_UPLOADS {
                return Err(error.with_context("job", job.id.as_str()));
            }
            tracing::warn!(%error, job = job.id, "an upload broke off and is begun anew");
            tries += 1;
        }
    }

    /// Settles the records of a job that has ended; returns those that are still to be sent.
    async fn settle_job(&mut self, ended: &Job, ticket: &Ticket, rows: &[Row]) -> Result<Vec<Row>> {
        let found = results::read(&self.target.org, &ended.id).await?;
        if found.len() != rows.len() {
            let message = format!(
                "the results of the Bulk job hold {} records, not {}",
                found.len(),
                rows.len()
            );
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with_context("job", ended.id.as_str())
                .with_help("run again: the job's results are read anew before anything is sent"));
        }
        let by_id: HashMap<Id, &Row> = rows.iter().filter_map(|row| Some((row.id?, row))).collect();
        let row_of = |key: &Key| {
            Id::parse(key.as_str())
                .and_then(|id| by_id.get(&id).copied())
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::Unavailable,
                        "the results of the Bulk job hold a record that was not sent",
                    )
                    .with_context("job", ended.id.as_str())
                })
        };
        let mut fates = Vec::new();
        let (mut left, mut locked) = (Vec::new(), Vec::new());
        self.report.counts.updated += found.succeeded.len() as u64;
        if ended.state != JobState::JobComplete {
            for key in &found.succeeded {
                fates.push(Fate {
                    key: row_of(key)?.key.clone(),
                    outcome: Outcome::Updated,
                });
            }
        }
        for (key, error) in found.failed {
            let row = row_of(&key)?;
            if error.is_passing() {
                locked.push(row.clone());
            } else {
                let fate = self.refuse_row(row, error);
                fates.push(fate);
            }
        }
        for key in &found.unprocessed {
            left.push(row_of(key)?.clone());
        }
        fates.extend(locked.iter().chain(&left).map(|row| Fate {
            key: row.key.clone(),
            outcome: Outcome::Released,
        }));
        self.book.settle(&fates).await?;
        self.book.close(ticket, rest_of(ended)).await?;
        self.run_collections(locked).await?;
        Ok(left)
    }
}

/// The fate of those records of a job that no result set of their own names.
pub(super) fn rest_of(ended: &Job) -> Rest {
    match ended.state {
        JobState::JobComplete => Rest::Updated,
        _ => Rest::Released,
    }
}
