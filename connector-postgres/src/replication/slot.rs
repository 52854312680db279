//! A slot as the server has it.

use connector_core::Result;
use tokio_postgres::{Client, Row};

use super::lsn::Lsn;
use super::name::PREFIX;
use super::publication::REMARK;
use crate::error::failed;

/// The slot that keeps a task's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slot {
    /// Its name, which its publication has, too.
    pub name: String,
    /// Whose changes, for which task: what the publication's comment says; `None` where it is gone.
    pub remark: Option<String>,
    /// How far what was acknowledged lies behind the server, in bytes of its log.
    pub lag: u64,
    /// How much of its log the server keeps for this slot, in bytes.
    pub retained: u64,
    /// The server has given it up, and the log with it: the setting `max_slot_wal_keep_size` was exceeded.
    pub is_lost: bool,
    /// The process of the server that reads it now.
    pub read_by: Option<i32>,
    /// Up to where it was acknowledged.
    pub(super) confirmed: Lsn,
}

const COLUMNS: &str = "s.slot_name::text, obj_description(p.oid, 'pg_publication'),
    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn), 0)::int8,
    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::int8,
    s.restart_lsn IS NULL OR s.wal_status = 'lost', s.active_pid,
    coalesce(s.confirmed_flush_lsn, '0/0')::text
    FROM pg_replication_slots s LEFT JOIN pg_publication p ON p.pubname = s.slot_name
    WHERE s.database = current_database() AND s.plugin = 'pgoutput'";

impl Slot {
    /// The slot called `name`.
    pub(super) async fn find(client: &Client, name: &str) -> Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} AND s.slot_name = $1");
        let row = client
            .query_opt(&sql, &[&name])
            .await
            .map_err(|error| failed("look at the slot", error))?;
        Ok(row.as_ref().map(Self::of))
    }

    /// The slots of this database that tasks read.
    pub(crate) async fn all(client: &Client) -> Result<Vec<Self>> {
        let sql = format!("SELECT {COLUMNS} AND starts_with(s.slot_name, $1) ORDER BY 1");
        let rows = client
            .query(&sql, &[&PREFIX])
            .await
            .map_err(|error| failed("list the slots", error))?;
        Ok(rows.iter().map(Self::of).collect())
    }

    fn of(row: &Row) -> Self {
        let bytes = |position| u64::try_from(row.get::<_, i64>(position)).unwrap_or(0);
        let remark: Option<String> = row.get(1);
        Self {
            name: row.get(0),
            remark: remark.filter(|remark| remark.starts_with(REMARK)),
            lag: bytes(2),
            retained: bytes(3),
            is_lost: row.get(4),
            read_by: row.get(5),
            confirmed: row.get::<_, &str>(6).parse().unwrap_or_default(),
        }
    }
}
