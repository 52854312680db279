//! A database of each test's own, servers that all tests share, and a wire that can be cut.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use connector_core::{Connector, Error, Result};
use connector_postgres::{Config, Postgres, SshAuth, SshHostKey, SshTunnel};
use connector_testkit::postgres::Postgres as Server;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_postgres::{Client, NoTls};

use crate::keys_of_users;
use crate::sshd::Sshd;

/// All of these end with the program.
static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::from_env().unwrap_or_else(|error| panic!("{error}")));
static SSHD: LazyLock<Sshd> = LazyLock::new(|| Sshd::start(&keys_of_users::public(), ""));
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database, and a session to look into it that goes through no tunnel.
pub(crate) struct Database {
    pub(crate) config: Config,
    client: Client,
}

impl Database {
    pub(crate) async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    /// The one number of a query.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }
}

pub(crate) async fn database() -> Database {
    let url = tokio::task::spawn_blocking(|| SERVER.url().to_owned())
        .await
        .unwrap();
    let name = format!(
        "s{}_{}",
        std::process::id(),
        DATABASES.fetch_add(1, Ordering::Relaxed)
    );
    let server = connect(&url).await;
    server
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    let mut config = Config::from_url(&url).unwrap();
    let mut own = url::Url::parse(&url).unwrap();
    own.set_path(&name);
    config.database = Some(name);
    Database {
        config,
        client: connect(own.as_str()).await,
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The sshd that all tests share.
pub(crate) async fn sshd() -> &'static Sshd {
    tokio::task::spawn_blocking(|| LazyLock::force(&SSHD))
        .await
        .unwrap()
}

/// The way through `sshd`, which is recognised by its fingerprint.
pub(crate) fn through(sshd: &Sshd, auth: SshAuth) -> SshTunnel {
    let mut tunnel = SshTunnel::new("127.0.0.1", &sshd.user, auth);
    tunnel.port = sshd.port;
    tunnel.host_key = Some(SshHostKey::Fingerprint(sshd.fingerprint()));
    tunnel
}

pub(crate) fn config(database: &Database, tunnel: SshTunnel) -> Config {
    let mut config = database.config.clone();
    config.tunnel = Some(tunnel);
    config
}

/// What a check says, by name.
pub(crate) async fn fact(config: Config, name: &str) -> String {
    let report = Postgres::new(config).unwrap().check().await;
    let report = report.unwrap_or_else(|error| panic!("{}", error.report()));
    let mut facts = report.facts.into_iter();
    facts.find(|(other, _)| *other == name).unwrap().1
}

/// The error of a connection that must not come about; it helps, and holds none of `secrets`.
pub(crate) async fn refused(config: Config, secrets: &[&str]) -> Error {
    let error = match Postgres::new(config) {
        Ok(postgres) => refusal(postgres.check().await),
        Err(error) => error,
    };
    assert!(error.help().is_some(), "{}", error.report());
    let texts = [error.report().to_string(), format!("{error:?}")];
    for secret in secrets {
        assert!(texts.iter().all(|text| !text.contains(secret)), "{}", texts[0]);
    }
    error
}

pub(crate) fn refusal<T>(result: Result<T>) -> Error {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    }
}

/// A wire to a server, which counts its connections and can be cut.
pub(crate) struct Wire {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    cut: watch::Sender<()>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let cut = watch::Sender::new(());
        let (counted, cuts) = (Arc::clone(&connections), cut.subscribe());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut cuts = cuts.clone();
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let far = SocketAddr::from(([127, 0, 0, 1], port));
                    let Ok(mut far) = TcpStream::connect(far).await else {
                        return;
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self {
            port: here,
            connections,
            cut,
        }
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Ends every connection there is; new ones can be made.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(());
    }
}
