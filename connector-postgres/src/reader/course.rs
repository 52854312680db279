//! The statements of a read, one after the other.

use std::collections::VecDeque;

use connector_core::Result;
use tokio_postgres::Client;

use super::keys::Keys;
use super::progress::{Point, key_list, key_texts};
use super::reading::Reading;
use super::relation::Relation;

/// What is still to be read.
pub(crate) enum Course {
    /// One statement.
    Once(Option<String>),
    /// The same, in the order of the key, whose texts stand behind each row.
    Ordered(Option<String>),
    /// Rows by their keys.
    Keys(Keys),
    /// Chunks in the order of the key.
    Chunks(Chunks),
}

/// What a session is to do next.
pub(crate) enum Next {
    /// Look where the next chunk ends.
    Look(String),
    /// Read the rows of a statement, which is the one of this number.
    Read { select: String, number: u64 },
}

impl Course {
    /// What is to be done next; `None` where there is nothing, or nothing yet.
    pub(crate) fn next(&mut self, reading: &Reading) -> Result<Option<Next>> {
        let select = match self {
            Self::Once(select) | Self::Ordered(select) => select.take(),
            Self::Keys(keys) => keys
                .next(&reading.relation)
                .map(|found| reading.select(&[], [found])),
            Self::Chunks(chunks) => return Ok(chunks.next(reading)),
        };
        Ok(select.map(|select| Next::Read { select, number: 0 }))
    }

    /// Whether nothing is to be done any more.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Once(select) | Self::Ordered(select) => select.is_none(),
            Self::Keys(keys) => keys.len() == 0,
            Self::Chunks(chunks) => chunks.is_over(),
        }
    }

    /// Cells that stand behind those of the columns.
    pub(crate) fn behind(&self, reading: &Reading) -> usize {
        match self {
            Self::Ordered(_) => reading.relation.key.len(),
            _ => 0,
        }
    }

    /// The next chunk's end was looked up.
    pub(crate) fn found(&mut self, bound: Option<Point>) {
        if let Self::Chunks(chunks) = self {
            chunks.bound = Bound::Found(bound);
        }
    }

    /// The statement of this number was read to its end; returns the point up to which everything was read now, if
    /// that is news.
    pub(crate) fn ended(&mut self, number: u64) -> Option<Point> {
        match self {
            Self::Chunks(chunks) => chunks.ended(number),
            _ => None,
        }
    }
}

/// A table in chunks of so many rows in the order of its primary key. Where one ends is looked up by the index.
pub(crate) struct Chunks {
    rows: usize,
    /// Everything up to here is read, or being read.
    after: Option<Point>,
    /// Where the next chunk ends.
    bound: Bound,
    /// How many chunks have begun.
    begun: u64,
    /// Chunks that are being read, or wait for one before them: the end of each, and whether it was read.
    open: VecDeque<(Option<Point>, bool)>,
}

/// Where a chunk ends.
enum Bound {
    Unknown,
    /// A session looks it up.
    Looked,
    /// There; `None`: it is the last one.
    Found(Option<Point>),
    /// There is no next chunk.
    Over,
}

impl Chunks {
    /// Begins behind a point, or at the start, and looks where the first chunk ends.
    pub(crate) async fn begin(
        client: &Client,
        relation: &Relation,
        after: Option<Point>,
        rows: usize,
    ) -> Result<Self> {
        let bound = look(client, &end_sql(relation, after.as_ref(), rows), relation).await?;
        Ok(Self {
            rows,
            after,
            bound: Bound::Found(bound),
            begun: 0,
            open: VecDeque::new(),
        })
    }

    /// Whether there are more than one.
    pub(crate) fn are_many(&self) -> bool {
        matches!(&self.bound, Bound::Found(Some(_)))
    }

    fn is_over(&self) -> bool {
        matches!(self.bound, Bound::Over)
    }

    fn next(&mut self, reading: &Reading) -> Option<Next> {
        match std::mem::replace(&mut self.bound, Bound::Looked) {
            Bound::Unknown => {
                let sql = end_sql(&reading.relation, self.after.as_ref(), self.rows);
                Some(Next::Look(sql))
            }
            Bound::Found(bound) => {
                let relation = &reading.relation;
                let conditions = self
                    .after
                    .iter()
                    .map(|after| after.condition(">", relation))
                    .chain(bound.iter().map(|bound| bound.condition("<=", relation)));
                let select = reading.select(&[], conditions);
                self.bound = if bound.is_some() {
                    Bound::Unknown
                } else {
                    Bound::Over
                };
                self.after.clone_from(&bound);
                self.open.push_back((bound, false));
                self.begun += 1;
                Some(Next::Read {
                    select,
                    number: self.begun - 1,
                })
            }
            Bound::Looked => None,
            Bound::Over => {
                self.bound = Bound::Over;
                None
            }
        }
    }

    fn ended(&mut self, number: u64) -> Option<Point> {
        let first = self.begun - self.open.len() as u64;
        let place = usize::try_from(number - first).ok()?;
        if let Some((_, read)) = self.open.get_mut(place) {
            *read = true;
        }
        let mut point = None;
        while let Some((bound, true)) = self.open.front() {
            point = bound.clone();
            self.open.pop_front();
        }
        point
    }
}

/// Finds the last row of a chunk; there is none where fewer rows are left.
fn end_sql(relation: &Relation, after: Option<&Point>, rows: usize) -> String {
    let condition = after.map_or(String::new(), |after| {
        format!(" WHERE {}", after.condition(">", relation))
    });
    format!(
        "SELECT {} FROM {}{condition} ORDER BY {} OFFSET {} LIMIT 1",
        key_texts(relation).join(", "),
        relation.from,
        key_list(relation),
        rows - 1
    )
}

/// Looks up where a chunk ends.
pub(crate) async fn look(client: &Client, sql: &str, relation: &Relation) -> Result<Option<Point>> {
    let row = client
        .query_opt(sql, &[])
        .await
        .map_err(|error| relation.failed(error))?;
    Ok(row.map(|row| Point::new(relation, (0..row.len()).map(|i| row.get(i)))))
}
