//! A database whose server logs changes, and short words for reading them.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::{
    Error, Event, Op, ReadRequest, Reader, Record, Result, Selection, Source, State, StreamName, SyncMode,
    TaskId, Value,
};
use connector_postgres::{Config, Postgres};
use connector_testkit::postgres::{Options, Postgres as Server};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Ends with the program.
static SERVER: LazyLock<Server> = LazyLock::new(|| start(&[("max_replication_slots", "200")]));
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server of its own that logs changes, with further settings. One that is named by the environment may not.
pub(crate) fn start(settings: &[(&str, &str)]) -> Server {
    let settings = [("wal_level", "logical"), ("synchronous_commit", "on")]
        .iter()
        .chain(settings);
    let options = Options {
        database_url: None,
        settings: settings
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Options::from_env()
    };
    Server::start(&options).unwrap_or_else(|error| panic!("{error}"))
}

/// A database of this test's own, and a session to change it by.
pub(crate) struct Database {
    pub(crate) config: Config,
    pub(crate) client: Client,
    url: String,
}

/// Makes a database.
pub(crate) async fn database() -> Database {
    let url = tokio::task::spawn_blocking(|| SERVER.url().to_owned());
    database_at(&url.await.unwrap()).await
}

/// Makes a database of the server at `url`.
pub(crate) async fn database_at(url: &str) -> Database {
    let name = format!("r{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let server = connect(url).await;
    server
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    let mut config = Config::from_url(url).unwrap();
    let mut own = url::Url::parse(url).unwrap();
    own.set_path(&name);
    config.database = Some(name);
    Database {
        config,
        client: connect(own.as_str()).await,
        url: own.into(),
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) fn task() -> TaskId {
    TaskId::new("job", "things")
}

impl Database {
    /// The connector under test.
    pub(crate) fn connector(&self) -> Postgres {
        Postgres::new(self.config.clone()).unwrap()
    }

    /// The same as another user.
    pub(crate) fn connector_as(&self, user: &str) -> Postgres {
        let mut config = self.config.clone();
        config.user = user.to_owned();
        config.password = Some(connector_core::Secret::new("secret"));
        Postgres::new(config).unwrap()
    }

    /// Another session.
    pub(crate) async fn session(&self) -> Client {
        connect(&self.url).await
    }

    /// Runs SQL.
    pub(crate) async fn run(&self, sql: &str) {
        run(&self.client, sql).await;
    }

    /// The one cell of the one row of a query.
    pub(crate) async fn cell(&self, sql: &str) -> String {
        let messages = self.client.simple_query(sql).await.unwrap();
        let cells: Vec<String> = messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("∅").to_owned()),
                _ => None,
            })
            .collect();
        assert_eq!(cells.len(), 1, "{sql}");
        cells[0].clone()
    }

    /// Makes the slot of the task that reads `table`.
    pub(crate) async fn slot(&self, table: &str) {
        self.connector()
            .replication()
            .create(&task(), &StreamName::new(table))
            .await
            .unwrap_or_else(|error| panic!("{}", error.report()));
    }

    /// A reader of the changes of `table` since `state`.
    pub(crate) async fn try_reader(&self, table: &str, state: Option<&State>) -> Result<Box<dyn Reader>> {
        self.connector().reader(changed(table, state)).await
    }

    pub(crate) async fn reader(&self, table: &str, state: Option<&State>) -> Box<dyn Reader> {
        let opened = self.try_reader(table, state).await;
        opened.unwrap_or_else(|error| panic!("{}", error.report()))
    }

    /// Reads the changes of `table` since `state`, and acknowledges nothing.
    pub(crate) async fn read(&self, table: &str, state: Option<&State>) -> Told {
        let mut told = Told::default();
        told.all(&mut *self.reader(table, state).await).await;
        told
    }

    /// What becomes of reading the changes of `table` since `state`: an error, at opening or later.
    pub(crate) async fn refused(&self, table: &str, state: Option<&State>) -> Error {
        match self.try_reader(table, state).await {
            Err(error) => error,
            Ok(mut reader) => loop {
                match reader.next().await {
                    Err(error) => return error,
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("this must be refused"),
                }
            },
        }
    }
}

pub(crate) async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap();
}

pub(crate) fn changed(table: &str, state: Option<&State>) -> ReadRequest {
    ReadRequest::new(Selection::stream(table), task())
        .with_sync(SyncMode::Changed)
        .with_state(state.cloned())
}

/// What a reader emitted.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The records: `+` for one that is there, `-` for one that is gone.
    pub(crate) records: Vec<String>,
    /// The checkpoints, and how many records came before each.
    pub(crate) checkpoints: Vec<(usize, State)>,
    pub(crate) batches: Vec<usize>,
    pub(crate) rejected: Vec<String>,
    pub(crate) sequences: Vec<u64>,
}

impl Told {
    /// Reads to the end.
    pub(crate) async fn all(&mut self, reader: &mut dyn Reader) {
        loop {
            let next = reader.next().await;
            match next.unwrap_or_else(|error| panic!("{}", error.report())) {
                Some(event) => self.take(event),
                None => return,
            }
        }
    }

    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Records(batch) => {
                self.batches.push(batch.len());
                self.sequences
                    .extend(batch.records().map(|record| record.sequence()));
                self.records.extend(batch.records().map(|record| line(&record)));
            }
            Event::Rejected(rejected) => {
                let shown = |one: &connector_core::Rejection| format!("{:?} {}", one.key, one.code);
                self.rejected.extend(rejected.iter().map(shown));
            }
            Event::Checkpoint { state, .. } => self.checkpoints.push((self.records.len(), state)),
            other @ Event::Unchanged(_) => panic!("{other:?}"),
        }
    }

    /// The last state, which covers everything.
    pub(crate) fn state(&self) -> &State {
        let (covered, state) = self.checkpoints.last().unwrap();
        assert_eq!(*covered, self.records.len());
        state
    }
}

fn line(record: &Record<'_>) -> String {
    let shown = |value: Value<'_>| match value {
        Value::Unset => "·".to_owned(),
        Value::Null => "∅".to_owned(),
        value => value.to_string(),
    };
    let values: Vec<String> = record.values().map(shown).collect();
    let sign = if record.op() == Op::Put { '+' } else { '-' };
    format!("{sign}{}", values.join("|"))
}
