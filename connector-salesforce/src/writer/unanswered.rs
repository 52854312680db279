//! Inserts whose answer was lost: such a record is never sent again blindly.

use connector_core::value::Instant;
use connector_core::{Error, Fate, Outcome, Result, Standing};

use super::SalesforceWriter;
use super::again::Passing;
use super::operation::Operation;
use super::resolve::{Found, look_up};
use super::row::Row;
use super::row_error::RowError;
use crate::rest::collections::{Call, MAX_RECORDS};

/// A call whose answer is lost again and again is looked up so often at most.
const MAX_LOOK_UPS: u32 = 3;

impl SalesforceWriter {
    /// Leaves out of an insert what an earlier run may have created: what is there already, and what nobody knows.
    pub(super) async fn leave_out_what_is_known(
        &mut self,
        operation: Operation,
        rows: Vec<Row>,
    ) -> Result<Vec<Row>> {
        if operation != Operation::Insert {
            return Ok(rows);
        }
        if self.target.columns.key.is_some() && self.since.is_none() {
            self.since = Some(self.target.org.now().await?.floor_to_second());
        }
        let standings = self.book.standings(&rows).await?;
        let (mut new, mut unknown, mut fates) = (Vec::new(), Vec::new(), Vec::new());
        for (row, standing) in rows.into_iter().zip(standings) {
            match standing {
                Some(Standing::Confirmed) => self.report.counts.unchanged += 1,
                Some(Standing::Sent) => unknown.push(row),
                _ => new.push(row),
            }
        }
        let Some(column) = &self.target.columns.key else {
            // Nobody can tell which record of the org it would be.
            self.report.counts.ambiguous += unknown.len() as u64;
            return Ok(new);
        };
        let lookup = look_up(&self.target, column, &unknown).await?;
        for row in unknown {
            match lookup.of(&row, column).first() {
                Some(found) => {
                    self.report.counts.unchanged += 1;
                    let id = Some(found.id.as_str().to_owned());
                    fates.push(row.fate(Outcome::Created { id }));
                }
                None => new.push(row),
            }
        }
        self.book.settle(&fates).await?;
        Ok(new)
    }

    /// Looks after an insert of `rows` whose answer was lost with `error`.
    pub(super) async fn look_after(
        &mut self,
        rows: &[Row],
        error: Error,
        passing: &mut Vec<Passing>,
    ) -> Result<()> {
        if self.target.columns.key.is_none() {
            tracing::warn!(%error, records = rows.len(), "nobody knows whether these records were created");
            self.report.counts.ambiguous += rows.len() as u64;
            let fates = rows.iter().map(|row| row.fate(Outcome::Ambiguous));
            return self.book.settle(&fates.collect::<Vec<_>>()).await;
        }
        let mut left = rows.to_vec();
        let mut error = error;
        for _ in 0..MAX_LOOK_UPS {
            left = self.settle_what_is_there(left).await?;
            if left.is_empty() {
                return Ok(());
            }
            self.book.intend(&left, None).await?;
            let call = Call::new(&self.target, Operation::Insert, &left, MAX_RECORDS);
            // What a call takes of its own rows, it takes again.
            match call.send(&self.target, &left).await {
                Ok(results) => return self.take(&left, results, passing).await,
                Err(lost) if lost.may_have_applied() => error = lost,
                Err(refused) => {
                    let fates = left.iter().map(|row| row.fate(Outcome::Released));
                    self.book.settle(&fates.collect::<Vec<_>>()).await?;
                    return Err(refused);
                }
            }
        }
        Err(error.with_help("run again: what was created is looked up by its key before anything is sent"))
    }

    /// Counts and settles the records that the org has; returns the others.
    async fn settle_what_is_there(&mut self, rows: Vec<Row>) -> Result<Vec<Row>> {
        let Some(column) = self.target.columns.key.clone() else {
            return Ok(rows);
        };
        let name = column.field.name.clone();
        let lookup = look_up(&self.target, &column, &rows).await?;
        let user = self.target.org.user().await?;
        let (mut left, mut fates): (Vec<Row>, Vec<Fate>) = (Vec::new(), Vec::new());
        for row in rows {
            let found = lookup.of(&row, &column).first().copied().cloned();
            let Some(found) = found else {
                left.push(row);
                continue;
            };
            if is_ours(&found, self.since, user) {
                self.report.counts.created += 1;
                let id = Some(found.id.as_str().to_owned());
                fates.push(row.fate(Outcome::Created { id }));
            } else {
                let message = format!("a record with this `{name}` was there before");
                let error = RowError::new(
                    "DUPLICATE_VALUE",
                    &message,
                    vec![name.clone()],
                    std::iter::empty(),
                );
                fates.push(self.refuse_row(&row, error));
            }
        }
        self.book.settle(&fates).await?;
        Ok(left)
    }
}

/// Whether a record was made since this writer began, by this user.
fn is_ours(found: &Found, since: Option<Instant>, user: Option<crate::id::Id>) -> bool {
    let by_us = match (user, found.created_by) {
        (Some(user), Some(by)) => user == by,
        _ => true,
    };
    let since_then = match (since, found.created) {
        (Some(since), Some(created)) => created >= since,
        _ => true,
    };
    by_us && since_then
}
