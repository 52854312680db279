//! The schema of states and journals: made once, refused when newer.

use connector_core::{Error, ErrorKind, Result};
use tokio_postgres::Client;

use crate::catalog;
use crate::error::failed;
use crate::ident::{Ident, Literal};

/// The version that this code reads and writes.
const VERSION: i32 = 1;

/// Makes the schema if it is not there.
///
/// # Errors
/// [`ErrorKind::State`]: a newer version made it. [`ErrorKind::Forbidden`]: the right to make it is missing.
pub(crate) async fn ensure(client: &Client, sync: &str) -> Result<()> {
    if let Some(version) = version(client, sync).await? {
        return check(version, sync);
    }
    let doing = "make the schema for states";
    // Two processes that start together must not both make it; the lock ends with the transaction.
    let lock = format!(
        "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('connector-postgres schema ' || {}, 0))",
        Literal(sync)
    );
    client
        .batch_execute(&lock)
        .await
        .map_err(|error| failed(doing, error))?;
    let script = match version(client, sync).await? {
        Some(version) => {
            client
                .batch_execute("ROLLBACK")
                .await
                .map_err(|error| failed(doing, error))?;
            return check(version, sync);
        }
        None => include_str!("schema.sql").replace("{sync}", &Ident(sync).to_string()),
    };
    // Even IF NOT EXISTS asks for the right to make schemas: a user without it is given one made by hand.
    let create = match catalog::schema_exists(client, sync).await? {
        true => String::new(),
        false => format!("CREATE SCHEMA {};", Ident(sync)),
    };
    let script = format!("{create} {script} COMMIT");
    if let Err(error) = client.batch_execute(&script).await {
        let _ = client.batch_execute("ROLLBACK").await;
        return Err(failed(doing, error).with_context("schema", sync));
    }
    Ok(())
}

async fn version(client: &Client, sync: &str) -> Result<Option<i32>> {
    let doing = "look for the schema of states";
    // Not `to_regclass`: within a transaction it does not see what was made since the transaction began.
    let sql = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                              WHERE n.nspname = $1 AND c.relname = 'meta')";
    let there = client
        .query_one(sql, &[&sync])
        .await
        .map_err(|error| failed(doing, error))?;
    if !there.get::<_, bool>(0) {
        return Ok(None);
    }
    let sql = format!("SELECT version FROM {}.meta", Ident(sync));
    client
        .query_one(&sql, &[])
        .await
        .map(|row| Some(row.get(0)))
        .map_err(|error| failed(doing, error))
}

fn check(version: i32, sync: &str) -> Result<()> {
    if version <= VERSION {
        return Ok(());
    }
    let message = format!("the schema `{sync}` has version {version}; this program knows up to {VERSION}");
    Err(Error::new(ErrorKind::State, message).with_help("run the newer version that made it"))
}
