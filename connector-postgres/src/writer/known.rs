//! The table as it was when the write was planned: somebody may change it by hand meanwhile.

use connector_core::{Error, ErrorKind, Result, Retry};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::error::failed;
use crate::ident::{Literal, Table};

const DOING: &str = "look whether the table was changed";

/// What a table is to whoever writes binary rows into it: itself, and its columns with their types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known(String);

impl Known {
    /// The table as it is; `None` where there is none.
    pub(super) async fn of(client: &Client, table: &Table) -> Result<Option<Self>> {
        Self::ask(client, &Self::sql(table)).await
    }

    /// Makes sure, until the end of the transaction, that the table is still this one.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`]: it is not; planned anew, the write may go on.
    pub(super) async fn hold(&self, client: &Client, table: &Table) -> Result<()> {
        // Rows are about to be written: that takes the same lock. Views and foreign tables are left to the server.
        let lock = match self.0.starts_with(['r', 'p']) {
            true => format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE; "),
            false => String::new(),
        };
        let now = Self::ask(client, &format!("{lock}{}", Self::sql(table))).await?;
        if now.as_ref() == Some(self) {
            return Ok(());
        }
        let message = format!("the table {table} was changed while it was written to");
        Err(Error::new(ErrorKind::Conflict, message)
            .with_retry(Retry::Backoff)
            .with_help("try again: the write is planned anew; nothing of this commit was kept"))
    }

    fn sql(table: &Table) -> String {
        format!(
            "SELECT concat_ws(' ', c.relkind, c.oid,
                    string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull), ',' ORDER BY a.attnum))
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE n.nspname = {} AND c.relname = {} GROUP BY c.oid, c.relkind",
            Literal(&table.schema),
            Literal(&table.name)
        )
    }

    async fn ask(client: &Client, sql: &str) -> Result<Option<Self>> {
        let messages = client
            .simple_query(sql)
            .await
            .map_err(|error| failed(DOING, error))?;
        Ok(messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(|shape| Self(shape.to_owned())),
            _ => None,
        }))
    }
}
