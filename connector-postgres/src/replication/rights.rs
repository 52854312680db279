//! What a server and its user must bring along.

use connector_core::{Error, ErrorKind, Result};
use tokio_postgres::Client;

use crate::connector::Postgres;
use crate::error::failed;

/// The first version whose log holds values in their binary form.
const OLDEST: i32 = 140_000;

/// What there is of what is needed.
pub(super) struct Rights {
    version: i32,
    wal_level: String,
    is_standby: bool,
    may_replicate: bool,
    may_create: bool,
    free_slots: i64,
    user: String,
    database: String,
}

/// A slot is made, looked at and moved by sessions of one's own.
///
/// # Errors
/// [`ErrorKind::Unsupported`]: there are none.
pub(super) fn needs_sessions(postgres: &Postgres) -> Result<()> {
    if !postgres.pools_by_transaction() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        "the log of changes cannot be read through a pooler in transaction mode",
    )
    .with_help("name PostgreSQL itself in a connection of its own, without `pool_mode`"))
}

impl Rights {
    pub(super) async fn look(client: &Client) -> Result<Self> {
        let sql = "SELECT current_setting('server_version_num')::int, current_setting('wal_level'), pg_is_in_recovery(),
                          r.rolreplication OR r.rolsuper, has_database_privilege(current_database(), 'CREATE'),
                          current_setting('max_replication_slots')::int8 - (SELECT count(*) FROM pg_replication_slots),
                          r.rolname::text, current_database()::text
                   FROM pg_roles r WHERE r.rolname = current_user";
        let row = client
            .query_one(sql, &[])
            .await
            .map_err(|error| failed("look at the rights of the user", error))?;
        Ok(Self {
            version: row.get(0),
            wal_level: row.get(1),
            is_standby: row.get(2),
            may_replicate: row.get(3),
            may_create: row.get(4),
            free_slots: row.get(5),
            user: row.get(6),
            database: row.get(7),
        })
    }

    /// Whether a slot can be read.
    pub(super) fn check_reading(&self) -> Result<()> {
        if self.version < OLDEST {
            let message = "changes can be read from PostgreSQL 14 on, and this server is older";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_help("update the server, or read it with sync = \"full\""));
        }
        if self.is_standby {
            let message = "this server is a read-only replica, which gives out no changes";
            return Err(Error::new(ErrorKind::Unsupported, message).with_help("name the primary as `server`"));
        }
        if self.wal_level != "logical" {
            let message = format!(
                "the server's log does not say which rows changed (wal_level = {})",
                self.wal_level
            );
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_help("set wal_level = logical in postgresql.conf, and restart the server"));
        }
        if !self.may_replicate {
            let message = format!("the user `{}` has no right to read changes", self.user);
            let help = format!("let a superuser run: ALTER ROLE \"{}\" REPLICATION", self.user);
            return Err(Error::new(ErrorKind::Forbidden, message).with_help(help));
        }
        Ok(())
    }

    /// Whether a slot and a publication can be made.
    pub(super) fn check_making(&self) -> Result<()> {
        self.check_reading()?;
        let Self { user, database, .. } = self;
        if !self.may_create {
            let message =
                format!("the user `{user}` may not make a publication in the database `{database}`");
            let help = format!("let its owner run: GRANT CREATE ON DATABASE \"{database}\" TO \"{user}\"");
            return Err(Error::new(ErrorKind::Forbidden, message).with_help(help));
        }
        if self.free_slots <= 0 {
            let message = "every replication slot of the server is taken";
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with_retry(connector_core::Retry::Never)
                .with_help(
                    "drop a slot that nobody reads, or raise max_replication_slots and restart the server",
                ));
        }
        Ok(())
    }
}
