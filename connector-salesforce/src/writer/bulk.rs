//! Records by Bulk jobs.

use std::collections::HashMap;

use connector_core::{Error, ErrorKind, Fate, Key, Outcome, Rest, Result, Ticket};

use super::SalesforceWriter;
use super::row::Row;
use crate::bulk::job::{self, Job, JobState, Kind};
use crate::bulk::{ingest, results, upload};

impl SalesforceWriter {
    /// Sends `rows`: a job for those that say something about the same fields, collections for what Bulk cannot carry.
    pub(super) async fn send_by_bulk(&mut self, rows: Vec<Row>) -> Result<()> {
        let mut jobs: Vec<(Vec<bool>, Vec<Row>)> = Vec::new();
        let mut by_json = Vec::new();
        for row in rows {
            if row.needs_json(&self.target.columns) {
                by_json.push(row);
                continue;
            }
            let mask = row.mask(&self.target.columns);
            match jobs.iter_mut().find(|(other, _)| *other == mask) {
                Some((_, rows)) => rows.push(row),
                None => jobs.push((mask, vec![row])),
            }
        }
        for (mask, rows) in jobs {
            self.run_job(&mask, rows).await?;
        }
        self.send_by_collections(by_json).await
    }

    /// One job, from its making to the fate of each of its records.
    async fn run_job(&mut self, mask: &[bool], rows: Vec<Row>) -> Result<()> {
        let org = &self.target.org;
        let job = match ingest::create(org, &self.target.object).await {
            Err(error) if ingest::leaves_it_to_collections(&error) => {
                tracing::info!(%error, "Bulk does not take the object; collections do");
                return self.send_by_collections(rows).await;
            }
            created => created.map_err(|error| error.with_context("object", &self.target.object))?,
        };
        let ticket = Ticket::new(job.id.as_str());
        // The job's id is stored before its data is sent: whoever comes after a crash can ask what became of it.
        self.book.intend(&rows, Some(&ticket)).await?;
        let csv = upload::csv(&self.target, mask, &rows);
        let handed_over = match ingest::upload(org, &job, csv).await {
            Ok(()) => ingest::complete(org, &job.id).await,
            Err(error) => Err(error),
        };
        if let Err(error) = handed_over {
            return Err(self.give_up(&ticket, error).await);
        }
        let job = job::wait(org, Kind::Ingest, &job.id).await?;
        self.settle_job(&ticket, &job, rows).await
    }

    /// Stops a job whose data could not be handed over: nothing of it is applied once it is stopped.
    async fn give_up(&self, ticket: &Ticket, error: Error) -> Error {
        if let Err(stop) = ingest::abort(&self.target.org, ticket.as_str()).await {
            // The ticket stays open, and the next run finds out.
            tracing::warn!(error = %stop, job = ticket.as_str(), "the job could not be stopped");
            return error;
        }
        if let Err(journal) = self.book.close(ticket, Rest::Released).await {
            tracing::warn!(error = %journal, job = ticket.as_str(), "the job could not be closed in the journal");
        }
        error
    }

    /// Reads what became of each record, settles it, and sends again what may pass now.
    async fn settle_job(&mut self, ticket: &Ticket, job: &Job, rows: Vec<Row>) -> Result<()> {
        let results = results::read(&self.target.org, &job.id).await?;
        if results.len() != rows.len() {
            let message = format!("the Bulk job accounts for {} of its {} records", results.len(), rows.len());
            return Err(Error::new(ErrorKind::Unavailable, message).with_context("job", job.id.as_str()));
        }
        let by_key: HashMap<&Key, &Row> = rows.iter().map(|row| (&row.key, row)).collect();
        let find = |key: &Key| {
            by_key.get(key).copied().ok_or_else(|| {
                Error::new(ErrorKind::Data, "the Bulk job answers for a record that was not sent")
                    .with_context("job", job.id.as_str())
            })
        };
        let mut fates = Vec::new();
        let mut again = Vec::new();
        for (key, error) in results.failed {
            let row = find(&key)?;
            if error.is_passing() {
                again.push(row.clone());
                fates.push(Fate { key, outcome: Outcome::Released });
            } else {
                fates.push(self.fate_of_refused(row, error));
            }
        }
        for key in results.unprocessed {
            again.push(find(&key)?.clone());
            fates.push(Fate { key, outcome: Outcome::Released });
        }
        self.report.counts.updated += results.succeeded.len() as u64;
        let rest = if job.state == JobState::JobComplete {
            Rest::Updated
        } else {
            fates.extend(results.succeeded.into_iter().map(|key| Fate { key, outcome: Outcome::Updated }));
            Rest::Released
        };
        self.book.settle(&fates).await?;
        self.book.close(ticket, rest).await?;
        if job.state != JobState::JobComplete {
            return Err(job.failure());
        }
        self.send_by_collections(again).await
    }
}
