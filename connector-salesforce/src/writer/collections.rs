//! Sending by sObject Collections.

use std::time::Duration;

use connector_core::{Fate, Outcome, Result};

use super::SalesforceWriter;
use super::row::Row;
use super::row_error::RowError;
use crate::rest::collections::{MAX_RECORDS, body, update};

/// Records of a call that tries locked records again: fewer each time, so that one lock holds up fewer others.
const AGAIN: [usize; 3] = [50, 10, 1];

impl SalesforceWriter {
    /// Updates `rows`, one call at a time; a record whose lock somebody else holds is tried up to three times more.
    pub(super) async fn run_collections(&mut self, rows: Vec<Row>) -> Result<()> {
        let mut locked = self.send(&rows, MAX_RECORDS).await?;
        for (attempt, most) in (1_u32..).zip(AGAIN) {
            if locked.is_empty() {
                return Ok(());
            }
            self.target
                .org
                .clock()
                .sleep(Duration::from_secs(1 << attempt))
                .await;
            let again: Vec<Row> = locked.into_iter().map(|(row, _)| row).collect();
            locked = self.send(&again, most).await?;
        }
        let fates: Vec<Fate> = locked
            .into_iter()
            .map(|(row, error)| self.refuse_row(&row, error))
            .collect();
        self.book.settle(&fates).await
    }

    /// Sends `rows` once; returns those that are locked.
    async fn send(&mut self, rows: &[Row], most: usize) -> Result<Vec<(Row, RowError)>> {
        let mut locked = Vec::new();
        let mut rest = rows;
        while !rest.is_empty() {
            let (text, taken) = body(&self.target, rest, most);
            let (chunk, others) = rest.split_at(taken.end);
            rest = others;
            self.book.intend(chunk, None).await?;
            let results = update(&self.target, text, chunk).await?;
            let mut fates = Vec::with_capacity(chunk.len());
            for (row, result) in chunk.iter().zip(results) {
                match result {
                    Ok(()) => {
                        self.report.counts.updated += 1;
                        fates.push(Fate {
                            key: row.key.clone(),
                            outcome: Outcome::Updated,
                        });
                    }
                    Err(error) if error.is_passing() => locked.push((row.clone(), error)),
                    Err(error) => {
                        let fate = self.refuse_row(row, error);
                        fates.push(fate);
                    }
                }
            }
            self.book.settle(&fates).await?;
        }
        Ok(locked)
    }
}
