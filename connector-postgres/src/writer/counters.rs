//! What a statement did, by the server's own counters.

use tokio_postgres::{Client, Error};

use super::refused::Merged;
use crate::ident::Literal;
use crate::table::Layout;

/// How many rows of a table the transaction has updated so far.
pub(super) struct Counters<'a> {
    client: &'a Client,
    sql: String,
    before: i64,
}

impl<'a> Counters<'a> {
    /// Reads them; `None` where the server does not keep them, or something else changes rows of the table.
    pub(super) async fn read(client: &'a Client, layout: &Layout) -> Result<Option<Self>, Error> {
        if !layout.facts.plain {
            return Ok(None);
        }
        let sql = format!(
            "SELECT CASE WHEN current_setting('track_counts')::boolean \
             THEN pg_stat_get_xact_tuples_updated({}::regclass) END",
            Literal(&layout.table.to_string())
        );
        let before: Option<i64> = client.query_one(&sql, &[]).await?.get(0);
        Ok(before.map(|before| Self { client, sql, before }))
    }

    /// Of `touched` rows that a statement has created or updated since, how many it has updated.
    pub(super) async fn tell(self, touched: u64) -> Result<Merged, Error> {
        let now: Option<i64> = self.client.query_one(&self.sql, &[]).await?.get(0);
        let updated = now.unwrap_or_default().saturating_sub(self.before);
        let updated = u64::try_from(updated).unwrap_or(0).min(touched);
        Ok(Merged {
            created: touched - updated,
            updated,
            ..Merged::default()
        })
    }
}
