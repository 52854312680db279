//! The connection itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{
    CheckReport, Connector, Destination, Identity, Journal, Result, Selection, Source, StateStore,
    Statements, StreamName, StreamSpec, StreamSummary,
};

use crate::config::{Config, PoolMode, SslMode};
use crate::connect::{Guarded, Object, Pool, Reading};
use crate::error::failed;
use crate::ident::{Ident, Table};
use crate::journal::PostgresJournal;
use crate::replication::Slot;
use crate::state_store::PostgresStateStore;
use crate::tunnel::SshTunnel;
use crate::{catalog, connect};

/// A connection to one PostgreSQL database; cheap to clone, one pool however many roles it plays.
#[derive(Clone)]
pub struct Postgres {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    config: Config,
}

impl Postgres {
    /// A connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`Config`](connector_core::ErrorKind::Config): a certificate's or key's file cannot be used, or is open to
    /// others; settings of TLS or SSH contradict each other. [`Unsupported`](connector_core::ErrorKind::Unsupported):
    /// a tunnel, in a program built without the feature `ssh`.
    pub fn new(config: Config) -> Result<Self> {
        Ok(Self {
            inner: Arc::new(Inner {
                pool: connect::pool(&config)?,
                config,
            }),
        })
    }

    /// A session to ask, statement by statement; what it changes need not last. Over a tunnel, rows that are left
    /// waiting in it hold up every other session.
    pub(crate) async fn session(&self) -> Result<Reading> {
        Reading::new(self.bare_session().await?).await
    }

    /// A session for transactions that are begun with [`begin`](crate::dial::Session::begin) or
    /// [`transaction`](crate::dial::Session::transaction), and for nothing outside of them.
    pub(crate) async fn bare_session(&self) -> Result<Object> {
        connect::session(&self.inner.pool).await
    }

    /// The same, whose rows are taken as slowly as whoever gets them can.
    pub(crate) async fn streaming_session(&self) -> Result<Guarded> {
        let mut session = Guarded::new(self.bare_session().await?);
        session.session()?.unshare().await?;
        Ok(session)
    }

    /// Whether nothing of a session lasts beyond its transaction.
    pub(crate) fn pools_by_transaction(&self) -> bool {
        self.inner.config.pool_mode == PoolMode::Transaction
    }

    /// The name of the schema of states.
    pub(crate) fn state_schema(&self) -> &str {
        &self.inner.config.state_schema
    }

    /// The same, quoted.
    pub(crate) fn sync(&self) -> String {
        Ident(self.state_schema()).to_string()
    }

    /// How long rejections are kept.
    pub(crate) fn retention(&self) -> Duration {
        self.inner.config.retention
    }

    /// Whether rejections keep what their records held.
    pub(crate) fn keeps_payload(&self) -> bool {
        self.inner.config.keep_payload
    }

    /// The schema of tables whose name says none.
    pub(crate) fn default_schema(&self) -> &str {
        &self.inner.config.schema
    }

    /// How many sessions read one table.
    pub(crate) fn read_sessions(&self) -> usize {
        self.inner.config.read_sessions.max(1)
    }

    /// Rows between two points at which a read can go on.
    pub(crate) fn read_chunk(&self) -> usize {
        self.inner.config.read_chunk.max(1)
    }

    /// The table a stream's name means.
    pub(crate) fn table(&self, stream: &str) -> Result<Table> {
        Table::parse(stream, self.default_schema())
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config {
            server,
            port,
            database,
            user,
            ..
        } = &self.inner.config;
        f.debug_struct("Postgres")
            .field("server", server)
            .field("port", port)
            .field("database", database)
            .field("user", user)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn identity(&self) -> Result<Identity> {
        let session = self.session().await?;
        let sql = "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid::text
                   FROM pg_database WHERE datname = current_database()";
        let row = session
            .query_one(sql, &[])
            .await
            .map_err(|error| failed("say which database it is", error))?;
        Ok(Identity::new(self.name(), row.get::<_, String>(0)))
    }

    async fn check(&self) -> Result<CheckReport> {
        let session = self.session().await?;
        let sql = "SELECT version(), current_database()::text, current_user::text,
                   has_database_privilege(current_database(), 'CREATE')";
        let row = session
            .query_one(sql, &[])
            .await
            .map_err(|error| failed("say who and where we are", error))?;
        let Config { server, port, .. } = &self.inner.config;
        let encryption = encryption(&session, self.inner.config.effective_ssl_mode()).await;
        let may_create = if row.get(3) {
            "yes"
        } else {
            "no: grant CREATE on the database, or make the schema by hand"
        };
        let report = CheckReport::new()
            .with("server", row.get::<_, String>(0))
            .with("host", format!("{server}:{port}"))
            .with("database", row.get::<_, String>(1))
            .with("user", row.get::<_, String>(2))
            .with("encryption", encryption)
            .with("tunnel", tunnel(self.inner.config.tunnel.as_ref()))
            .with("may create schemas", may_create);
        Ok(match slots_of(&session).await {
            Some(slots) => report.with("slots of changes", slots),
            None => report,
        })
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        let session = self.session().await?;
        let names = catalog::tables(&session, self.default_schema()).await?;
        Ok(names
            .into_iter()
            .map(|name| StreamSummary::new(StreamName::new(name)))
            .collect())
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        let session = self.session().await?;
        catalog::describe(&session, self, what).await
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        Some(self)
    }

    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        Some(Arc::new(PostgresStateStore(self.clone())))
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        Some(Arc::new(PostgresJournal(self.clone())))
    }

    fn statements(&self) -> Option<&dyn Statements> {
        Some(self)
    }
}

/// How far the tasks that read changes lie behind; `None` where there are none, or the server does not say.
async fn slots_of(session: &Object) -> Option<String> {
    let slots = Slot::all(session).await.ok()?;
    let shown = |slot: &Slot| format!("{}: {} bytes behind", slot.name, slot.lag);
    let shown: Vec<String> = slots.iter().map(shown).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// The version of TLS and what was verified; or none.
async fn encryption(session: &Object, mode: SslMode) -> String {
    let verified = match mode {
        SslMode::Disable => return "none".to_owned(),
        SslMode::Require => "the server is not verified",
        SslMode::VerifyCa => "the server's certificate is verified, its name is not",
        SslMode::VerifyFull => "the server's certificate and name are verified",
    };
    // What the server does not say, a pooler's for one, is no reason to fail.
    let sql = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let version = match session.query_opt(sql, &[]).await {
        Ok(Some(row)) => row.try_get(0).ok(),
        _ => None,
    };
    format!("{}, {verified}", version.unwrap_or("TLS".to_owned()))
}

fn tunnel(tunnel: Option<&SshTunnel>) -> String {
    match tunnel {
        None => "none".to_owned(),
        Some(ssh) => format!("SSH, {}@{}:{}", ssh.user, ssh.server, ssh.port),
    }
}
