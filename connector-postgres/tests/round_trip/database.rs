//! A database of a throwaway server.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::{
    Batch, Connector, Destination, Event, ReadRequest, Selection, StreamName, TaskId, WriteMode,
    WriteRequest, Writer,
};
use connector_postgres::{Config, Postgres};
use connector_testkit::postgres::Postgres as Server;
use tokio_postgres::{Client, NoTls};

/// Ends with the program.
static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::from_env().unwrap_or_else(|error| panic!("{error}")));
static DATABASES: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Database {
    pub(crate) client: Client,
    pub(crate) postgres: Postgres,
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Database {
    pub(crate) async fn new() -> Self {
        let url = tokio::task::spawn_blocking(|| SERVER.url().to_owned())
            .await
            .unwrap();
        let name = format!(
            "r{}_{}",
            std::process::id(),
            DATABASES.fetch_add(1, Ordering::Relaxed)
        );
        connect(&url)
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let mut own = url::Url::parse(&url).unwrap();
        own.set_path(&name);
        let mut config = Config::from_url(&url).unwrap();
        config.database = Some(name);
        Self {
            client: connect(own.as_str()).await,
            postgres: Postgres::new(config).unwrap(),
        }
    }

    /// Opens a writer that only adds rows.
    pub(crate) async fn writer(
        &self,
        table: &str,
        schema: &std::sync::Arc<connector_core::Schema>,
    ) -> Box<dyn Writer> {
        let request = WriteRequest::new(
            StreamName::new(table),
            std::sync::Arc::clone(schema),
            WriteMode::Insert,
            TaskId::new("round trip", table),
        );
        self.postgres.writer(request).await.unwrap()
    }

    /// Gives every batch of a table to `take`; a rejection ends the test.
    pub(crate) async fn read(&self, table: &str, mut take: impl AsyncFnMut(Batch)) {
        let request = ReadRequest::new(Selection::stream(table), TaskId::new("round trip", table));
        let mut reader = self.postgres.as_source().unwrap().reader(request).await.unwrap();
        while let Some(event) = reader.next().await.unwrap() {
            match event {
                Event::Records(batch) => take(batch).await,
                Event::Rejected(rejected) => panic!("{rejected:?}"),
                _ => {}
            }
        }
    }
}
