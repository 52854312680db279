//! Sending by sObject Collections.

use connector_core::{Fate, Outcome, Result};

use super::SalesforceWriter;
use super::again::{self, Passing};
use super::row::Row;
use crate::rest::collections::{Call, Done, MAX_RECORDS, RowResult};

impl SalesforceWriter {
    /// Sends `rows`, which all do the same, one call at a time. Those that somebody else stands in the way of are
    /// tried again, in smaller calls each time; in the end they are refused.
    pub(super) async fn run_collections(&mut self, rows: Vec<Row>) -> Result<()> {
        let mut passing = self.send(&rows, MAX_RECORDS).await?;
        for attempt in 1.. {
            let (again, spent): (Vec<Passing>, Vec<Passing>) =
                passing.into_iter().partition(|passing| passing.may_try(attempt));
            let fates: Vec<Fate> = spent
                .into_iter()
                .map(|passing| self.refuse_row(&passing.row, passing.error))
                .collect();
            self.book.settle(&fates).await?;
            if again.is_empty() {
                return Ok(());
            }
            self.target.org.clock().sleep(again::pause(attempt)).await;
            let rows = again::sorted(again, &self.target.columns);
            passing = self.send(&rows, again::most(attempt)).await?;
        }
        Ok(())
    }

    /// Sends `rows` once; returns those that may pass a little later.
    async fn send(&mut self, rows: &[Row], most: usize) -> Result<Vec<Passing>> {
        let mut passing = Vec::new();
        let mut rest = rows;
        while let [first, ..] = rest {
            let operation = first.operation;
            let call = Call::new(&self.target, operation, rest, most);
            let (chunk, others) = rest.split_at(call.records);
            rest = others;
            self.book.intend(chunk, None).await?;
            match call.send(&self.target, chunk).await {
                Ok(results) => self.take(chunk, results, &mut passing).await?,
                Err(error) if operation.is_repeatable() => return Err(error),
                Err(error) if error.may_have_applied() => {
                    self.look_after(chunk, error, &mut passing).await?;
                }
                Err(error) => {
                    // Not one of its tries was carried out.
                    let fates = chunk.iter().map(|row| row.fate(Outcome::Released));
                    self.book.settle(&fates.collect::<Vec<_>>()).await?;
                    return Err(error);
                }
            }
        }
        Ok(passing)
    }

    /// Counts and settles what became of `rows`.
    pub(super) async fn take(
        &mut self,
        rows: &[Row],
        results: Vec<RowResult>,
        passing: &mut Vec<Passing>,
    ) -> Result<()> {
        let mut fates = Vec::with_capacity(rows.len());
        for (row, result) in rows.iter().zip(results) {
            let counts = &mut self.report.counts;
            let outcome = match result {
                Ok(Done::Created(id)) => {
                    counts.created += 1;
                    Outcome::Created { id }
                }
                Ok(Done::Updated) => {
                    counts.updated += 1;
                    Outcome::Updated
                }
                Ok(Done::Deleted) => {
                    counts.deleted += 1;
                    Outcome::Deleted
                }
                Ok(Done::Gone) => {
                    counts.unchanged += 1;
                    Outcome::Deleted
                }
                Err(error) if error.is_passing() => {
                    passing.push(Passing::new(row.clone(), error));
                    // It was certainly not applied.
                    Outcome::Released
                }
                Err(error) => {
                    fates.push(self.refuse_row(row, error));
                    continue;
                }
            };
            fates.push(row.fate(outcome));
        }
        self.book.settle(&fates).await
    }
}
