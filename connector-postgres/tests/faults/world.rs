//! A database of a trial's own, with a role that is no superuser, and the looks into it that decide.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use connector_core::{Connector, Error, Secret};
use connector_postgres::{Config, Postgres};
use connector_testkit::postgres::{Options, Postgres as Server};
use sync_engine::{Job, NoObserver, RunReport, Status, run};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::scenario::{Kind, ROWS, once};

/// For faults that harm nobody else; ends with the program.
static SHARED: LazyLock<Server> =
    LazyLock::new(|| Server::from_env().unwrap_or_else(|error| panic!("{error}")));
static WORLDS: AtomicU32 = AtomicU32::new(0);
const PASSWORD: &str = "of the loader";
/// How long something is waited for that comes by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that writes as safely as an installed one, to be harmed.
pub(crate) fn own_server(settings: &[(&str, &str)]) -> Server {
    let settings = settings
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    Server::start(&Options {
        database_url: None,
        durable: true,
        settings: settings.collect(),
        ..Options::from_env()
    })
    .unwrap()
}

/// One database.
pub(crate) struct World {
    /// How the loader connects.
    pub(crate) config: Config,
    /// The superuser's URL of this database.
    pub(crate) url: String,
    client: Client,
}

impl World {
    /// On the server that all share.
    pub(crate) async fn shared() -> Self {
        Self::on(SHARED.url()).await
    }

    pub(crate) async fn on(server: &str) -> Self {
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let name = format!("f{}_{number}", std::process::id());
        connect(server)
            .await
            .batch_execute(&format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"))
            .await
            .unwrap();
        connect(server)
            .await
            .batch_execute(&format!("CREATE DATABASE {name} OWNER {name}"))
            .await
            .unwrap();
        let mut url = url::Url::parse(server).unwrap();
        url.set_path(&name);
        let mut config = Config::from_url(server).unwrap();
        config.database = Some(name.clone());
        config.user = name.clone();
        config.password = Some(Secret::new(PASSWORD));
        let world = Self {
            config,
            client: connect(url.as_str()).await,
            url: url.into(),
        };
        world.run(&format!("ALTER SCHEMA public OWNER TO {name}")).await;
        world
    }

    /// The loader's role, and the database's name.
    pub(crate) fn name(&self) -> &str {
        &self.config.user
    }

    /// Where the server is.
    pub(crate) fn server(&self) -> SocketAddr {
        format!("{}:{}", self.config.server, self.config.port)
            .parse()
            .unwrap()
    }

    /// How the loader connects by way of a proxy.
    pub(crate) fn through(&self, proxy: SocketAddr) -> Config {
        let mut config = self.config.clone();
        config.server = proxy.ip().to_string();
        config.port = proxy.port();
        config
    }

    /// The connector as it is in a new process.
    pub(crate) fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(Postgres::new(self.config.clone()).unwrap())
    }

    /// Connects anew, after the server was restarted or while it recovers.
    pub(crate) async fn reconnect(&mut self) {
        let connected = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Ok((client, connection)) = tokio_postgres::connect(&self.url, NoTls).await {
                    tokio::spawn(connection);
                    return client;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        self.client = connected.await.unwrap();
    }

    /// Another session of the superuser.
    pub(crate) async fn session(&self) -> Client {
        connect(&self.url).await
    }

    /// Runs SQL as the superuser.
    pub(crate) async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    /// The rows of a query, cells parted by `|`, null as `∅`.
    pub(crate) async fn lines(&self, sql: &str) -> Vec<String> {
        let messages = self.client.simple_query(sql).await.unwrap();
        let line = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => {
                let cells: Vec<&str> = (0..row.len()).map(|i| row.get(i).unwrap_or("∅")).collect();
                Some(cells.join("|"))
            }
            _ => None,
        };
        messages.iter().filter_map(line).collect()
    }

    /// The one row of a query.
    pub(crate) async fn line(&self, sql: &str) -> String {
        let mut lines = self.lines(sql).await;
        assert_eq!(lines.len(), 1, "{sql}: {lines:?}");
        lines.remove(0)
    }

    /// Makes everything as it is before a load of this kind.
    pub(crate) async fn reset(&self, kind: Kind) {
        self.run("DROP SCHEMA IF EXISTS sync CASCADE").await;
        self.reset_tables(kind).await;
    }

    /// The same, with a schema of states in which nothing is.
    pub(crate) async fn reset_keeping_states(&self, kind: Kind) {
        self.run("TRUNCATE sync.task, sync.rejection").await;
        self.reset_tables(kind).await;
    }

    async fn reset_tables(&self, kind: Kind) {
        let left = self
            .lines("SELECT format('DROP TABLE public.%I CASCADE', relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
            .await
            .join("; ");
        let name = self.name();
        self.run(&format!(
            "{left}; DROP FUNCTION IF EXISTS note_row;
             SET ROLE {name}; {}; RESET ROLE",
            kind.setup()
        ))
        .await;
    }

    /// Waits until a query answers `t`.
    pub(crate) async fn until(&self, sql: &str) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while self.line(sql).await != "t" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        if waited.await.is_err() {
            let sessions = "SELECT pid, state, wait_event, left(query, 100) FROM pg_stat_activity WHERE datname = current_database()";
            panic!("never so: {sql}\n{}", self.lines(sessions).await.join("\n"));
        }
    }

    /// Waits until the loader has no session, as it is once its process is gone.
    pub(crate) async fn until_gone(&self) {
        self.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'connector-postgres'")
            .await;
    }

    /// Waits until no session of the loader is within a transaction.
    pub(crate) async fn until_idle(&self) {
        self.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'connector-postgres' AND state <> 'idle'")
            .await;
    }

    /// How many rows of the source the stored state covers.
    pub(crate) async fn covered(&self) -> usize {
        if self.line("SELECT to_regclass('sync.task') IS NULL").await == "t" {
            return 0;
        }
        let state = "SELECT coalesce(state #>> '{data,rows,slot}', CASE WHEN state #> '{data,changes}' IS NULL THEN '0' ELSE 'all' END)
                     FROM sync.task WHERE task = 'load/lead'";
        match self.lines(state).await.as_slice() {
            [] => 0,
            [all] if all == "all" => ROWS,
            [slot] => slot.parse().unwrap(),
            several => panic!("{several:?}"),
        }
    }

    async fn table(&self) -> Vec<String> {
        if self.line("SELECT to_regclass('t') IS NULL").await == "t" {
            return Vec::new();
        }
        self.lines("SELECT id, name, n FROM t ORDER BY id").await
    }

    /// Looks at what a run that was cut short has left: rows and state are of the same commit. `what` says which run.
    pub(crate) async fn check_between(&self, kind: Kind, what: &str) {
        let covered = self.covered().await;
        let table = self.table().await;
        let ended = kind == Kind::Overwrite && covered == ROWS && table != kind.lines(0, false);
        same(
            &table,
            &kind.lines(covered, ended),
            &format!("{what}, {covered} covered"),
        );
        if kind == Kind::Upsert {
            same(&self.lines(LOG).await, &kind.logged(covered), what);
        }
        if self
            .line("SELECT to_regclass('sync.rejection') IS NOT NULL")
            .await
            == "t"
        {
            same(&self.rejected(kind).await, &keys(&kind.refused(covered)), what);
        }
        let temporary = "SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'";
        same(&self.lines(temporary).await, &[], what);
    }

    /// The keys that were rejected, as often as they were. An overwrite that was cut short begins anew, under another
    /// epoch: only that one's count.
    async fn rejected(&self, kind: Kind) -> Vec<String> {
        let which = match kind {
            Kind::Overwrite => "WHERE epoch = (SELECT epoch FROM sync.task)",
            _ => "",
        };
        self.lines(&format!(
            "SELECT key FROM sync.rejection {which} ORDER BY key::int"
        ))
        .await
    }

    /// Looks at what a run to the end has left: every row once, and nothing beside.
    pub(crate) async fn check_end(&self, kind: Kind, what: &str) {
        assert_eq!(self.covered().await, ROWS, "{what}");
        same(&self.table().await, &kind.lines(ROWS, true), what);
        same(&self.rejected(kind).await, &keys(&kind.refused(ROWS)), what);
        let mut tables = vec!["t".to_owned()];
        if kind == Kind::Upsert {
            same(&self.lines(LOG).await, &kind.logged(ROWS), what);
            tables.insert(0, "log".to_owned());
        }
        let left = "SELECT relname FROM pg_class WHERE relkind = 'r' AND (relnamespace = 'public'::regnamespace OR relpersistence = 't') ORDER BY 1";
        same(&self.lines(left).await, &tables, what);
    }

    /// Runs the load to its end, as a new process would, and looks at what it has left.
    pub(crate) async fn rerun(&self, kind: Kind, what: &str) {
        if let Err(error) = ran(&kind.job(self.connector())).await {
            panic!("{what}: {}", error.report());
        }
        self.check_end(kind, what).await;
        self.until_idle().await;
    }
}

const LOG: &str = "SELECT id FROM log ORDER BY id";

fn keys(rows: &[usize]) -> Vec<String> {
    rows.iter().map(usize::to_string).collect()
}

#[track_caller]
fn same(found: &[String], expected: &[String], what: &str) {
    let short = |lines: &[String]| -> Vec<String> {
        let short = |line: &String| line.replace(&"x".repeat(8_000), "…");
        lines.iter().map(short).collect()
    };
    assert_eq!(short(found), short(expected), "{what}");
}

/// Runs a job once; the error, if it had one.
pub(crate) async fn ran(job: &Job) -> Result<RunReport, Error> {
    let mut report = run(std::slice::from_ref(job), &once(), &NoObserver).await;
    let mut job = report.jobs.remove(0);
    let error = job.error.take();
    let error = error.or_else(|| job.tasks.iter_mut().find_map(|task| task.error.take()));
    match error {
        Some(error) => Err(error),
        None => {
            assert!(
                matches!(job.status, Status::Succeeded | Status::Partial),
                "{job:?}"
            );
            report.jobs.push(job);
            Ok(report)
        }
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
