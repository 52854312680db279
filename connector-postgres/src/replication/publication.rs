//! The publication that says which table's changes a slot gives out.

use connector_core::{Error, ErrorKind, Result, TaskId};
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use super::READ_ANEW;
use crate::error::failed;
use crate::ident::{Ident, Literal, Table};

/// What the comment on every publication of ours begins with.
pub(super) const REMARK: &str = "changes of ";

/// One publication's hold on one table: made anew, it is another one, and changes in between were not given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Publication {
    oid: u32,
    /// Its entry for the table; `None` where it has all tables.
    entry: Option<u32>,
}

/// Makes the publication called `name` for `table`; one that an earlier attempt has left is replaced.
pub(super) async fn make(client: &Client, name: &str, table: &Table, task: &TaskId) -> Result<()> {
    let doing = "make the publication";
    let sql =
        "SELECT coalesce(obj_description(oid, 'pg_publication'), '') FROM pg_publication WHERE pubname = $1";
    let row = client
        .query_opt(sql, &[&name])
        .await
        .map_err(|error| failed(doing, error))?;
    // Statements sent as one are one transaction.
    let mut script = String::new();
    if let Some(remark) = row.map(|row| row.get::<_, String>(0)) {
        if !remark.starts_with(REMARK) {
            let message = format!("the publication `{name}` is in the way, and was not made here");
            return Err(Error::new(ErrorKind::Conflict, message).with_help("rename or drop that publication"));
        }
        script.push_str(&format!("DROP PUBLICATION {}; ", Ident(name)));
    }
    let remark = format!("{REMARK}{table} for the task {task}");
    script.push_str(&format!(
        "CREATE PUBLICATION {0} FOR TABLE ONLY {table} WITH (publish_via_partition_root = true); \
         COMMENT ON PUBLICATION {0} IS {1}",
        Ident(name),
        Literal(&remark)
    ));
    client
        .batch_execute(&script)
        .await
        .map_err(|error| failed(doing, error))
}

impl Publication {
    /// The one called `name`, which must give out every change of `table`.
    pub(super) async fn find(client: &Client, name: &str, table: &Table) -> Result<Self> {
        // Which rows and columns it gives out is known since PostgreSQL 15, and every earlier one gives out all.
        let sql = "SELECT p.oid, e.oid, p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate,
                          t.tablename IS NOT NULL, to_jsonb(t) ->> 'rowfilter' IS NOT NULL
                   FROM pg_publication p
                   LEFT JOIN pg_publication_tables t ON t.pubname = p.pubname AND t.schemaname = $2 AND t.tablename = $3
                   LEFT JOIN pg_publication_rel e ON e.prpubid = p.oid
                        AND e.prrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                                         WHERE n.nspname = $2 AND c.relname = $3)
                   WHERE p.pubname = $1";
        let row = client
            .query_opt(sql, &[&name, &table.schema, &table.name])
            .await
            .map_err(|error| failed("look at the publication", error))?;
        let wrong = |what: String| Err(Error::new(ErrorKind::State, what).with_help(READ_ANEW));
        let Some(row) = row else {
            return wrong(format!("the publication `{name}` is gone"));
        };
        let (gives_all, has_table, filters): (bool, bool, bool) = (row.get(2), row.get(3), row.get(4));
        if !has_table {
            return wrong(format!("the publication `{name}` does not give out {table}"));
        }
        if !gives_all || filters {
            return wrong(format!(
                "the publication `{name}` does not give out every change of {table}"
            ));
        }
        Ok(Self {
            oid: row.get(0),
            entry: row.get(1),
        })
    }
}
