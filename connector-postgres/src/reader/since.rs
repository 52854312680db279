//! What an incremental read has seen, and what is new to it.
//!
//! A transaction takes the value of a cursor (`now()`, `nextval`) long before it commits, and even before it has a
//! number of its own: a row can become visible below any value that was read. What cannot be missed is the number of
//! the transaction that wrote a row: whatever a snapshot did not see has a number that is not below the snapshot's
//! xmin, that of a subtransaction included. No index has it, so that finding such rows is a pass over the table.

use std::time::Duration;

use connector_core::{DataType, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use super::relation::Relation;
use crate::catalog::{self, ColumnInfo};
use crate::error::failed;
use crate::ident::{Ident, Literal, Table};

/// How far back a read by time goes for rows that became visible late, unless told.
const SETTLE: Duration = Duration::from_secs(300);
/// Numbers of transactions are compared within half of their circle, less what may be given out meanwhile.
const HALF: u64 = (1 << 31) - (1 << 20);

/// How an incremental read finds what is new.
#[derive(Clone, Debug)]
pub(crate) enum Advance {
    /// By the number of the transaction that wrote a row.
    Written(Table),
    /// By the value of a column, going back a while where it is a time.
    Value {
        column: ColumnInfo,
        settle: Option<Duration>,
    },
}

/// What was seen as of one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Since {
    /// Whatever was written by transactions that had ended.
    Written {
        /// All below it had ended.
        xmin: u64,
        /// The server's history: a server that takes another's place gives out numbers again.
        timeline: u64,
        /// The tables that the rows were in, by their numbers.
        tables: Vec<u32>,
    },
    /// Whatever is below this value; `None`: nothing at all.
    Value(Option<String>),
}

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum New {
    /// Everything.
    All,
    /// What this condition finds.
    Where(String),
    /// Nothing can have changed.
    Nothing,
}

impl Advance {
    /// How to read `relation` on, by the field called `cursor` if one is.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: there is no such field, or its values have no order. [`ErrorKind::Config`]: a field is
    /// needed and none is named.
    pub(crate) fn of(
        relation: &Relation,
        table: Option<Table>,
        cursor: Option<&str>,
        settle: Option<Duration>,
    ) -> Result<Self> {
        let table = table.filter(|_| relation.stamped);
        let column = match cursor {
            Some("xmin") if table.is_some() && relation.schema.field("xmin").is_none() => None,
            Some(name) => Some(relation.column(name)?),
            None => None,
        };
        if let Some(column) = column {
            check_order(column)?;
        }
        match (table, column) {
            (Some(_), Some(column)) if settle.is_some() && is_time(column) => Ok(Self::Value {
                column: column.clone(),
                settle,
            }),
            (Some(table), _) => Ok(Self::Written(table)),
            (None, Some(column)) => Ok(Self::Value {
                column: column.clone(),
                settle: is_time(column).then(|| settle.unwrap_or(SETTLE)),
            }),
            (None, None) => Err(Error::new(
                ErrorKind::Config,
                format!("nothing says which rows of {} are new", relation.name),
            )
            .with_help("name a column that grows with every change as `cursor`, or read it in full")),
        }
    }

    /// What there is to be seen as of the transaction that `client` is in.
    pub(crate) async fn look(&self, client: &Client, relation: &Relation) -> Result<Seen> {
        match self {
            Self::Written(table) => written(client, table).await,
            Self::Value { column, settle } => {
                let value = value_sql(column, *settle, relation);
                let row = client
                    .query_opt(&value, &[])
                    .await
                    .map_err(|error| relation.failed(error))?;
                Ok(Seen {
                    since: Since::Value(row.and_then(|row| row.get(0))),
                    xmax: 0,
                })
            }
        }
    }

    /// What is new `now` to a read that has seen `before`.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: `before` knows of transactions that this server has not seen.
    pub(crate) fn new_to(&self, before: &Since, now: &Seen) -> Result<New> {
        match (self, before, &now.since) {
            (
                Self::Written(_),
                Since::Written {
                    xmin,
                    timeline,
                    tables,
                },
                Since::Written {
                    timeline: here,
                    tables: there,
                    ..
                },
            ) => {
                if timeline != here {
                    return Ok(New::All);
                }
                if *xmin > now.xmax {
                    let message = "the stored state knows of transactions that this server has not seen";
                    return Err(Error::new(ErrorKind::State, message).with_help(
                        "the database was set back to an earlier moment, or this is a replica that lags behind: reset \
                         the state of this task, or read where it was read before",
                    ));
                }
                if now.xmax - xmin >= HALF {
                    return Ok(New::All);
                }
                let added: Vec<String> = there
                    .iter()
                    .filter(|table| !tables.contains(table))
                    .map(u32::to_string)
                    .collect();
                // A row that was frozen long ago shows a number that may have come round since. Then it is read once
                // more; one that is new is never taken for old, since less than half the circle lies between.
                let mut conditions = Vec::new();
                if *xmin < now.xmax {
                    let number = xmin % (1 << 32);
                    conditions.push(format!("age(xmin) BETWEEN 0 AND age('{number}'::xid)"));
                }
                if !added.is_empty() {
                    conditions.push(format!("tableoid = ANY ('{{{}}}'::oid[])", added.join(",")));
                }
                Ok(match conditions.as_slice() {
                    [] => New::Nothing,
                    conditions => New::Where(format!("({})", conditions.join(" OR "))),
                })
            }
            (Self::Value { column, .. }, Since::Value(Some(value)), _) => {
                let name = Ident(&column.name);
                Ok(New::Where(format!(
                    "({name} >= {}::{} OR {name} IS NULL)",
                    Literal(value),
                    column.declared
                )))
            }
            // What the state counts by is not what is counted by now: repeats are harmless, gaps are not.
            _ => Ok(New::All),
        }
    }

    /// What a plan says of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        match self {
            Self::Written(_) => vec![
                "rows are new that were written by transactions which had not ended when the last read began, whatever \
                 their cursor holds, and whether it is null: rows that are committed late are not lost"
                    .to_owned(),
                "such rows are found in a pass over the table, for no index has them; nothing is read where nothing at \
                 all was written since. With `settle`, a cursor that is a time is read by its index instead, and no row \
                 may become visible later than that"
                    .to_owned(),
            ],
            Self::Value {
                column,
                settle: Some(settle),
            } => vec![format!(
                "rows are new whose `{}` is not more than {settle:?} below the newest one that was read, or is null; one \
                 that becomes visible later than that is missed",
                column.field
            )],
            Self::Value { column, settle: None } => vec![format!(
                "rows are new whose `{}` is not below the greatest one that was read, or is null; one that becomes \
                 visible below it is missed",
                column.field
            )],
        }
    }
}

/// What was seen, and how far transactions have been numbered.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) since: Since,
    xmax: u64,
}

async fn written(client: &Client, table: &Table) -> Result<Seen> {
    let doing = "look which transactions have ended";
    let sql = format!(
        "{} SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint,
                   CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
                   ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END,
                   ARRAY(SELECT oid FROM part ORDER BY oid)
         FROM pg_current_snapshot() AS s",
        catalog::parts_of(table)
    );
    let row = client
        .query_one(&sql, &[])
        .await
        .map_err(|error| failed(doing, error))?;
    let number = |position: usize| {
        u64::try_from(row.get::<_, i64>(position))
            .map_err(|_| Error::new(ErrorKind::Bug, "PostgreSQL numbers its transactions below zero"))
    };
    Ok(Seen {
        xmax: number(1)?,
        since: Since::Written {
            xmin: number(0)?,
            timeline: number(2)?,
            tables: row.get(3),
        },
    })
}

/// The greatest value there is, as text; a time goes back by `settle`, and is not taken from the future.
fn value_sql(column: &ColumnInfo, settle: Option<Duration>, relation: &Relation) -> String {
    let name = Ident(&column.name);
    let newest = match (settle, column.pg_type.to_core()) {
        (None, _) => "newest".to_owned(),
        (Some(settle), DataType::Date) => {
            let days = settle.as_secs().div_ceil(86_400).max(1);
            format!("(least(newest, current_date) - {days})")
        }
        (Some(settle), data_type) => {
            let now = if data_type == DataType::Instant {
                "now()"
            } else {
                "localtimestamp"
            };
            format!(
                "(least(newest, {now}) - {} * interval '1 microsecond')",
                settle.as_micros()
            )
        }
    };
    format!(
        "SELECT {newest}::text FROM (SELECT {name} AS newest FROM {} WHERE {name} IS NOT NULL \
         ORDER BY {name} DESC LIMIT 1) AS last",
        relation.from
    )
}

fn is_time(column: &ColumnInfo) -> bool {
    matches!(
        column.pg_type.to_core(),
        DataType::Date | DataType::Timestamp | DataType::Instant
    )
}

fn check_order(column: &ColumnInfo) -> Result<()> {
    let data_type = column.pg_type.to_core();
    let orderable = !matches!(
        data_type,
        DataType::Bool | DataType::Bytes | DataType::Json | DataType::Array(_)
    );
    if orderable {
        return Ok(());
    }
    let message = format!(
        "`{}` of type {} cannot be a cursor: its values do not grow",
        column.field, column.declared
    );
    Err(Error::new(ErrorKind::Schema, message)
        .with_help("name a column of times or numbers that grow with every change"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(xmin: u64, xmax: u64, timeline: u64, tables: &[u32]) -> Seen {
        Seen {
            since: Since::Written {
                xmin,
                timeline,
                tables: tables.to_vec(),
            },
            xmax,
        }
    }

    fn new(before: &Seen, now: &Seen) -> Result<New> {
        let table = Table::parse("t", "public").unwrap();
        Advance::Written(table).new_to(&before.since, now)
    }

    #[test]
    fn what_is_new_is_told_across_the_circle_of_numbers() {
        let circle = 1_u64 << 32;
        for (before, now, wanted) in [
            (
                at(10, 12, 1, &[5]),
                at(20, 20, 1, &[5]),
                "(age(xmin) BETWEEN 0 AND age('10'::xid))",
            ),
            (
                at(circle - 1, circle, 1, &[5]),
                at(circle + 90, circle + 99, 1, &[5]),
                "(age(xmin) BETWEEN 0 AND age('4294967295'::xid))",
            ),
            (
                at(3 * circle + 7, 3 * circle + 7, 1, &[5]),
                at(3 * circle + 9, 3 * circle + 9, 1, &[5, 6, 7]),
                "(age(xmin) BETWEEN 0 AND age('7'::xid) OR tableoid = ANY ('{6,7}'::oid[]))",
            ),
            (
                at(20, 20, 1, &[5]),
                at(20, 20, 1, &[8]),
                "(tableoid = ANY ('{8}'::oid[]))",
            ),
        ] {
            assert_eq!(new(&before, &now).unwrap(), New::Where(wanted.to_owned()));
        }
    }

    #[test]
    fn everything_is_new_where_numbers_tell_nothing() {
        let before = at(10, 12, 1, &[5]);
        assert_eq!(new(&before, &at(20, 20, 2, &[5])).unwrap(), New::All);
        assert_eq!(new(&before, &at(1 << 31, 1 << 31, 1, &[5])).unwrap(), New::All);
        assert_eq!(
            new(&at(20, 20, 1, &[5]), &at(20, 20, 1, &[5])).unwrap(),
            New::Nothing
        );
        let error = new(&at(30, 30, 1, &[5]), &at(20, 20, 1, &[5])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
    }
}
