//! The schema of states and journals: made, migrated forward, refused when newer.
//!
//! Each migration is one transaction, under a lock that only one process holds, and its last statements move every
//! task's epoch and the version. So a migration has taken place or has not; and whoever claimed a task by an older
//! version can store nothing any more, in whatever form: a commit that was under way is waited for and counts, one
//! that comes later hits no row, and its task is claimed anew by a program that knows the new form.

use connector_core::{Error, ErrorKind, Result};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::catalog;
use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::{Ident, Literal};

/// What leads from each version to the next, from none on. A file that was part of a release is never changed again.
const MIGRATIONS: [&str; 3] = [
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
];

/// How long a migration may wait for commits under way: meanwhile, every other one waits behind it.
const LOCK_LIMIT: &str = "10s";

/// Makes the schema if it is not there, and migrates one of an older version.
///
/// # Errors
/// [`ErrorKind::State`]: a newer version made it. [`ErrorKind::Forbidden`]: the right to make or change it is missing.
/// [`ErrorKind::Conflict`], to be tried again: a run of an older version is using it.
pub(crate) async fn ensure(postgres: &Postgres) -> Result<()> {
    let sync = postgres.state_schema();
    while is_behind(version(&*postgres.session().await?, sync).await?, sync)? {
        // A migration that is cut short must not leave its transaction to the pool.
        let mut session = Guarded::new(postgres.bare_session().await?);
        migrate(session.client()?, session.begin()?, sync).await?;
        session.release();
    }
    Ok(())
}

/// Goes one version forward, unless another process has just done it.
async fn migrate(client: &Client, begin: &str, sync: &str) -> Result<()> {
    let refused = |error: tokio_postgres::Error| {
        let busy = error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        let error = failed("make or migrate the schema for states", error).with_context("schema", sync);
        if busy {
            return error.with_help("a run of an older version is using it: try again when that has ended");
        }
        error
    };
    let begin = format!(
        "{begin}; SET LOCAL lock_timeout = '{LOCK_LIMIT}';
         SELECT pg_advisory_xact_lock(hashtextextended('connector-postgres schema ' || {}, 0))",
        Literal(sync)
    );
    client.batch_execute(&begin).await.map_err(refused)?;
    let version = version(client, sync).await?;
    if !is_behind(version, sync)? {
        return client.batch_execute("ROLLBACK").await.map_err(refused);
    }
    let next = version.unwrap_or_default();
    let Some(migration) = usize::try_from(next).ok().and_then(|next| MIGRATIONS.get(next)) else {
        return Err(Error::new(
            ErrorKind::State,
            format!("the schema `{sync}` has version {next}, which there never was"),
        )
        .with_help("restore its table `meta` from a backup"));
    };
    let sync_quoted = Ident(sync).to_string();
    // Even IF NOT EXISTS asks for the right to make schemas: a user without it is given one made by hand.
    let create = match catalog::schema_exists(client, sync).await? {
        true => String::new(),
        false => format!("CREATE SCHEMA {sync_quoted};"),
    };
    let script = format!(
        "{create} {}
         UPDATE {sync_quoted}.task SET epoch = epoch + 1;
         UPDATE {sync_quoted}.meta SET version = {};
         COMMIT",
        migration.replace("{sync}", &sync_quoted),
        next + 1
    );
    client.batch_execute(&script).await.map_err(refused)
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

/// Whether there are migrations to come.
fn is_behind(version: Option<i32>, sync: &str) -> Result<bool> {
    let known = MIGRATIONS.len();
    let version = version.unwrap_or_default();
    if usize::try_from(version).is_ok_and(|version| version > known) {
        let message = format!("the schema `{sync}` has version {version}; this program knows up to {known}");
        return Err(Error::new(ErrorKind::State, message).with_help("run the newer version that made it"));
    }
    Ok(usize::try_from(version) != Ok(known))
}
