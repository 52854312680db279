//! How a session is made: straight or through a tunnel, encrypted or not, within the time there is.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use connector_core::Result;
use deadpool_postgres::{ClientWrapper, Transaction};
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::config::{ChannelBinding, SslMode as Encrypt};
use tokio_postgres::{CancelToken, Client, Connection, IsolationLevel, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{Config, PoolMode};
use crate::tunnel::Tunnel;
use crate::{error, tls};

/// What every session starts with: our own statements name everything in full, a session that was forgotten ends,
/// and text comes in the one encoding we speak.
const SETTINGS: [(&str, &str); 8] = [
    ("client_encoding", "UTF8"),
    ("timezone", "UTC"),
    ("datestyle", "ISO"),
    ("intervalstyle", "iso_8601"),
    ("bytea_output", "hex"),
    ("xmloption", "content"),
    ("extra_float_digits", "3"),
    ("idle_in_transaction_session_timeout", "3600000"),
];

/// What a session of our own starts with besides: that of a machine which is gone without a word ends after a minute
/// and a quarter, and a statement sees what others have committed when it begins, whatever the user's default is.
const OWN_SESSION: &str = "-c default_transaction_isolation=read\\ committed \
     -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=15 -c tcp_keepalives_count=3";

/// How long a running statement is asked to stop, after which the server is left to notice by itself.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);

/// Makes sessions.
pub(crate) struct Dialer {
    postgres: tokio_postgres::Config,
    tls: Option<MakeRustlsConnect>,
    tunnel: Option<Tunnel>,
    server: String,
    port: u16,
    limit: Duration,
    /// What a transaction begins with.
    begin: String,
    /// The same for one that was begun without.
    set_local: String,
    /// Whether nothing of a session lasts beyond its transaction.
    by_transaction: bool,
}

/// The tunnel a session goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// One that many sessions share. Rows that are not taken from one of them hold up all the others.
    Shared,
    /// One of the session's own: rows may wait in it for as long as they like.
    Own,
}

impl Dialer {
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let tls = tls::connector(config)?;
        let mut postgres = tokio_postgres::Config::new();
        postgres
            .host(&config.server)
            .port(config.port)
            .user(&config.user)
            .dbname(config.database.as_deref().unwrap_or(&config.user))
            .connect_timeout(config.connect_timeout)
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(15))
            .keepalives_retries(3)
            .application_name("connector-postgres")
            .ssl_mode(if tls.is_some() {
                Encrypt::Require
            } else {
                Encrypt::Disable
            });
        let by_transaction = config.pool_mode == PoolMode::Transaction;
        let settings = settings(config);
        let mut begin = "BEGIN".to_owned();
        let mut set_local = String::new();
        if by_transaction {
            for (name, value) in &settings {
                set_local.push_str(&format!("; SET LOCAL {name} = '{value}'"));
            }
            begin.push_str(" ISOLATION LEVEL READ COMMITTED");
            begin.push_str(&set_local);
        } else {
            let options: Vec<String> = settings
                .iter()
                .map(|(name, value)| format!("-c {name}={value}"))
                .collect();
            postgres.options(format!("{OWN_SESSION} {}", options.join(" ")));
        }
        if config.require_channel_binding {
            postgres.channel_binding(ChannelBinding::Require);
        }
        if let Some(password) = &config.password {
            postgres.password(password.reveal());
        }
        Ok(Self {
            postgres,
            tls,
            tunnel: config.tunnel.as_ref().map(Tunnel::new).transpose()?,
            server: config.server.clone(),
            port: config.port,
            limit: config.connect_timeout,
            begin,
            set_local,
            by_transaction,
        })
    }

    /// A new session.
    pub(crate) async fn session(self: &Arc<Self>, way: Way) -> Result<Session> {
        // Handshakes are large, and every caller would carry them about.
        let (client, task) = Box::pin(self.dial(way)).await?;
        Ok(Session {
            client: ClientWrapper::new(client, task),
            dialer: Arc::clone(self),
            way,
            reading: false,
        })
    }

    async fn dial(&self, way: Way) -> Result<(Client, JoinHandle<()>)> {
        let deadline = Instant::now() + self.limit;
        let dialed = match &self.tunnel {
            None => tokio::time::timeout_at(deadline, self.straight()).await,
            Some(tunnel) => {
                let stream = tunnel
                    .open(&self.server, self.port, way, deadline, self.limit)
                    .await?;
                tokio::time::timeout_at(deadline, self.over(stream)).await
            }
        };
        match dialed {
            Ok(Ok(dialed)) => Ok(dialed),
            Ok(Err(error)) => Err(error::no_connection(&self.address(), &self.server, error)),
            Err(_) => Err(error::no_answer(&self.address(), self.limit)),
        }
    }

    /// Whether rows that wait in one session may hold up another.
    fn shares(&self) -> bool {
        self.tunnel.is_some()
    }

    /// Where the database is, for errors.
    fn address(&self) -> String {
        let (server, port) = (&self.server, self.port);
        match &self.tunnel {
            None => format!("{server}:{port}"),
            Some(tunnel) => format!("{server}:{port} (through the SSH server {})", tunnel.address()),
        }
    }

    async fn straight(&self) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
        match &self.tls {
            None => {
                let (client, connection) = self.postgres.connect(NoTls).await?;
                Ok((client, run(connection)))
            }
            Some(tls) => {
                let (client, connection) = self.postgres.connect(tls.clone()).await?;
                Ok((client, run(connection)))
            }
        }
    }

    async fn over<S>(&self, stream: S) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.handshake::<S>() {
            None => {
                let (client, connection) = self.postgres.connect_raw(stream, NoTls).await?;
                Ok((client, run(connection)))
            }
            Some(tls) => {
                let (client, connection) = self.postgres.connect_raw(stream, tls).await?;
                Ok((client, run(connection)))
            }
        }
    }

    /// The handshake over a stream that is there already: the name is the database's, not the tunnel's.
    fn handshake<S>(
        &self,
    ) -> Option<<MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<S>>::TlsConnect>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut tls = self.tls.clone()?;
        match tokio_postgres::tls::MakeTlsConnect::<S>::make_tls_connect(&mut tls, &self.server) {
            Ok(handshake) => Some(handshake),
        }
    }

    async fn cancel_over<S>(&self, stream: S, token: &CancelToken) -> Result<(), tokio_postgres::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.handshake::<S>() {
            None => token.cancel_query_raw(stream, NoTls).await,
            Some(tls) => token.cancel_query_raw(stream, tls).await,
        }
    }

    /// Asks the server to stop what a session is doing. That it does not work is no error: the statement then goes
    /// on until the server notices that nobody listens.
    async fn cancel(&self, token: CancelToken) {
        let cancel = async {
            match (&self.tunnel, &self.tls) {
                (None, None) => token.cancel_query(NoTls).await.map_err(|_| ()),
                (None, Some(tls)) => token.cancel_query(tls.clone()).await.map_err(|_| ()),
                (Some(tunnel), _) => {
                    let deadline = Instant::now() + CANCEL_LIMIT;
                    let stream = tunnel
                        .open(&self.server, self.port, Way::Shared, deadline, CANCEL_LIMIT)
                        .await
                        .map_err(|_| ())?;
                    self.cancel_over(stream, &token).await.map_err(|_| ())
                }
            }
        };
        if !matches!(timeout(CANCEL_LIMIT, cancel).await, Ok(Ok(()))) {
            tracing::debug!("a statement could not be cancelled");
        }
    }
}

/// What is set for every session.
fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let mut settings: Vec<(&str, String)> = SETTINGS
        .iter()
        .map(|&(name, value)| (name, value.to_owned()))
        .collect();
    let limits = [
        ("statement_timeout", config.statement_timeout),
        ("lock_timeout", config.lock_timeout),
    ];
    for (name, limit) in limits {
        if let Some(limit) = limit {
            // Zero is no limit, which a very short one must not become.
            settings.push((name, limit.as_nanos().div_ceil(1_000_000).to_string()));
        }
    }
    settings
}

fn run<S, T>(connection: Connection<S, T>) -> JoinHandle<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a session of PostgreSQL broke");
        }
    })
}

/// A session, and the way it was made.
pub(crate) struct Session {
    client: ClientWrapper,
    dialer: Arc<Dialer>,
    way: Way,
    /// It is within a transaction that [`read`](Self::read) began.
    reading: bool,
}

impl Session {
    /// What begins a transaction, with all that it needs.
    pub(crate) fn begin(&self) -> &str {
        &self.dialer.begin
    }

    /// Begins a transaction. Rows keep their statement in the session, where a pooler's next client would meet it: they
    /// must be gone before the transaction ends.
    pub(crate) async fn transaction(&mut self) -> Result<Transaction<'_>, tokio_postgres::Error> {
        let dialer = Arc::clone(&self.dialer);
        let transaction = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted)
            .start()
            .await?;
        if dialer.by_transaction {
            transaction.batch_execute(&dialer.set_local).await?;
        }
        Ok(transaction)
    }

    /// Makes this a session that can be asked anything, statement by statement, until it is handed back: where sessions
    /// last for a transaction, within one.
    pub(crate) async fn read(&mut self) -> Result<()> {
        if !self.dialer.by_transaction {
            return Ok(());
        }
        self.reading = true;
        self.client
            .batch_execute(&self.dialer.begin)
            .await
            .map_err(|error| error::failed("begin a transaction", error))
    }

    /// Ends what [`read`](Self::read) began; nobody needs to wait for that.
    pub(crate) fn end_reading(&mut self) {
        if std::mem::take(&mut self.reading) && !self.client.is_closed() {
            // It is sent at once, and before whatever comes next.
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }

    /// Makes this a session whose rows may be left waiting.
    pub(crate) async fn unshare(&mut self) -> Result<()> {
        if self.dialer.shares() && self.way == Way::Shared {
            *self = self.dialer.session(Way::Own).await?;
        }
        Ok(())
    }

    /// Ends it, and whatever it is doing: what it has begun is rolled back.
    pub(crate) fn abandon(self) {
        if self.client.is_closed() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (token, dialer) = (self.client.cancel_token(), Arc::clone(&self.dialer));
        drop(self);
        runtime.spawn(async move { Box::pin(dialer.cancel(token)).await });
    }
}

impl Deref for Session {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        &mut self.client
    }
}
