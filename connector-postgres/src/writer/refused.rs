//! Rows that only the server refuses: found by halves, so that the others land.

use connector_core::{CommitReport, Error, ErrorKind, Key, Rejection, Result};
use tokio_postgres::Client;

use super::counters::Counters;
use super::payload::Payload;
use super::reason::{Refused, is_answer, reason};
use super::rejections::Rejections;
use crate::difference::key_text;
use crate::error::failed;
use crate::merge::Merge;
use crate::shape::Shape;
use crate::stage::{self, NUMBER, SEQUENCE, STAGE};
use crate::table::Layout;

/// The most rows of one commit that are looked for one by one; each takes about as many statements as the logarithm
/// of the commit's rows.
const MAX_REFUSED: usize = 1_000;
/// How often rows are looked at again that somebody else made meanwhile, or that wait for others of the same commit.
const ROUNDS: usize = 8;

/// What a merge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
    /// Rows to be looked at again.
    pub(super) again: u64,
}

impl Merged {
    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.deleted += other.deleted;
    }
}

/// Merges the staging table; rows that the server refuses are rejected, each with the server's reason.
pub(super) async fn merge(
    client: &Client,
    layout: &Layout,
    shape: &Shape,
    kind: Merge,
    rejections: &mut Rejections,
    report: &mut CommitReport,
) -> Result<Merged> {
    let step = Step {
        client,
        layout,
        shape,
        kind,
    };
    // For every other kind that has been done before.
    let mut last_words = kind != Merge::Upsert;
    loop {
        match step.whole().await? {
            Ok(merged) => return Ok(merged),
            // A key that comes twice; or a refused row that a later one of its key makes superfluous.
            Err(error) if !last_words => {
                last_words = true;
                if deduplicate(client, layout).await? == 0 {
                    return step.by_halves(error, rejections, report).await;
                }
            }
            Err(error) => return step.by_halves(error, rejections, report).await,
        }
    }
}

/// Leaves the last record of each key in the staging table; returns the number of the others.
pub(super) async fn deduplicate(client: &Client, layout: &Layout) -> Result<u64> {
    client
        .execute(&stage::deduplicate(layout), &[])
        .await
        .map_err(|error| failed("merge rows", error))
}

type Tried = std::result::Result<Merged, tokio_postgres::Error>;

struct Step<'a> {
    client: &'a Client,
    layout: &'a Layout,
    shape: &'a Shape,
    kind: Merge,
}

impl Step<'_> {
    async fn run(&self, sql: &str) -> Result<()> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|error| failed("merge rows", error))
    }

    async fn whole(&self) -> Result<Tried> {
        self.attempt(None).await
    }

    /// Runs the statement.
    async fn once(&self, part: Option<(i64, i64)>) -> Tried {
        if part.is_none()
            && let Some(sql) = self.kind.silent_sql(self.layout, self.shape)
            && let Some(counters) = Counters::read(self.client, self.layout).await?
        {
            let touched = self.client.execute(&sql, &[]).await?;
            return counters.tell(touched).await;
        }
        let sql = self.kind.sql(self.layout, self.shape, part);
        let row = self.client.query_one(&sql, &[]).await?;
        let number = |i: usize| u64::try_from(row.get::<_, i64>(i)).unwrap_or(0);
        Ok(Merged {
            created: number(0),
            updated: number(1),
            deleted: number(2),
            again: number(3),
        })
    }

    /// Tries all rows or a part of them; on failure it is as if nothing had been tried.
    async fn attempt(&self, part: Option<(i64, i64)>) -> Result<Tried> {
        self.run("SAVEPOINT merge").await?;
        let mut total = Merged::default();
        for _ in 0..ROUNDS {
            match self.once(part).await {
                Ok(merged) => {
                    total.add(&merged);
                    if merged.again == 0 {
                        self.run("RELEASE merge").await?;
                        return Ok(Ok(total));
                    }
                }
                Err(error) if is_answer(&error) => {
                    self.run("ROLLBACK TO merge").await?;
                    return Ok(Err(error));
                }
                Err(error) => return Err(failed("merge rows", error)),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "somebody else keeps writing the same rows of {}",
                self.layout.table
            ),
        )
        .with_retry(connector_core::Retry::Backoff))
    }

    /// The server refused some of the rows with `first`: halves them until each refused row is alone.
    async fn by_halves(
        &self,
        first: tokio_postgres::Error,
        rejections: &mut Rejections,
        report: &mut CommitReport,
    ) -> Result<Merged> {
        let Some(reason) = reason(&first) else {
            return Err(failed("merge rows", first));
        };
        let rows = self.number_rows().await?;
        let mut total = Merged::default();
        let mut refused: Vec<(i64, Refused)> = Vec::new();
        if rows == 1 {
            refused.push((1, reason));
        } else {
            let mut parts = vec![(rows / 2 + 1, rows), (1, rows / 2)];
            while let Some((from, to)) = parts.pop() {
                match self.attempt(Some((from, to))).await? {
                    Ok(merged) => total.add(&merged),
                    Err(error) => {
                        let Some(reason) = self::reason(&error) else {
                            return Err(failed("merge rows", error));
                        };
                        if from < to {
                            let middle = from + (to - from) / 2;
                            parts.extend([(middle + 1, to), (from, middle)]);
                        } else if refused.len() < MAX_REFUSED {
                            refused.push((from, reason));
                        } else {
                            return Err(failed("merge rows", error).with_context(
                                "rows refused",
                                format!("more than {MAX_REFUSED} in one commit"),
                            ));
                        }
                    }
                }
            }
        }
        self.try_again(&mut refused, &mut total).await?;
        for (number, reason) in refused {
            let payload = rejections.staged_payload(self.layout, self.shape);
            let (rejection, payload) = self.rejection(number, reason, &payload).await?;
            rejections.add(rejection, payload, report);
        }
        Ok(total)
    }

    /// Numbers the staged rows, unless that was done for another step; returns the last number.
    async fn number_rows(&self) -> Result<i64> {
        let one = async |sql: &str| {
            let row = self.client.query_one(sql, &[]).await;
            row.map_err(|error| failed("merge rows", error))
        };
        if !one(&stage::is_numbered()).await?.get::<_, bool>(0) {
            self.run(&stage::number()).await?;
        }
        let last = one(&format!("SELECT coalesce(max({NUMBER}), 0) FROM {STAGE}")).await?;
        Ok(last.get(0))
    }

    /// A row may have been refused only because another one of the same commit was not there yet.
    async fn try_again(&self, refused: &mut Vec<(i64, Refused)>, total: &mut Merged) -> Result<()> {
        for _ in 0..ROUNDS {
            let mut still = Vec::new();
            let before = refused.len();
            for (number, reason) in refused.drain(..) {
                match self.attempt(Some((number, number))).await? {
                    Ok(merged) => total.add(&merged),
                    Err(_) => still.push((number, reason)),
                }
            }
            *refused = still;
            if refused.len() == before || refused.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// The column of a refused row whose value the server cannot read, where that is why; it does not say so itself.
    async fn unreadable(&self, number: i64) -> Result<Option<String>> {
        for (_, column) in stage::carried(self.layout, self.shape) {
            if !column.is_checked_by_server() {
                continue;
            }
            let value = column.staged_value("s");
            self.run("SAVEPOINT merge").await?;
            let sql = format!("SELECT {value} FROM {STAGE} s WHERE s.{NUMBER} = {number}");
            match self.client.batch_execute(&sql).await {
                Ok(()) => self.run("RELEASE merge").await?,
                Err(error) if is_answer(&error) => {
                    self.run("ROLLBACK TO merge").await?;
                    return Ok(Some(column.name.clone()));
                }
                Err(error) => return Err(failed("name a refused field", error)),
            }
        }
        Ok(None)
    }

    async fn rejection(
        &self,
        number: i64,
        reason: Refused,
        payload: &str,
    ) -> Result<(Rejection, Option<Payload>)> {
        let positions = if self.layout.key.is_empty() {
            &self.layout.primary
        } else {
            &self.layout.key
        };
        let columns: Vec<String> = positions
            .iter()
            .map(|&position| format!("s.{}", self.layout.columns[position].ident()))
            .collect();
        let key = if columns.is_empty() {
            "NULL::text".to_owned()
        } else {
            key_text(columns.iter().map(String::as_str))
        };
        let sql =
            format!("SELECT s.{SEQUENCE}, {key}, {payload}::text FROM {STAGE} s WHERE s.{NUMBER} = {number}");
        let row = self
            .client
            .query_one(&sql, &[])
            .await
            .map_err(|error| failed("name a refused record", error))?;
        let key: Option<String> = row.get(1);
        let sequence = row.get::<_, i64>(0) as u64;
        let column = match reason.column {
            Some(column) => Some(column),
            None => self.unreadable(number).await?,
        };
        let mut rejection = Rejection::new(sequence, key.map(Key::new), reason.code, reason.message);
        if let Some(column) = &column {
            let field = self.layout.columns.iter().find(|one| one.name == *column);
            rejection.fields.extend(field.map(|field| field.field.clone()));
        }
        let payload: Option<String> = row.get(2);
        Ok((rejection, payload.map(Payload::from_server)))
    }
}
