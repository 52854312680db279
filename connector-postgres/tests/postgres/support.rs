//! A database per test, and short words for what tests do over and over.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::{
    Batch, BatchBuilder, Claim, CommitReport, Connector, DataType, Decimal, Destination, Error, Event, Field,
    Holder, Identity, Op, ReadRequest, Reader, Result, Schema, Selection, Source, State, StreamName,
    SyncMode, TaskId, Value, WriteMode, WriteRequest, Writer,
};
use connector_postgres::{Config, Postgres};
use connector_testkit::postgres::Postgres as Server;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Ends with the program.
static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::from_env().unwrap_or_else(|error| panic!("{error}")));
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of this test's own, and a session to look into it.
pub(crate) struct Database {
    pub(crate) config: Config,
    url: String,
    client: Client,
}

/// Makes a database.
pub(crate) async fn database() -> Database {
    let url = tokio::task::spawn_blocking(|| SERVER.url().to_owned())
        .await
        .unwrap();
    let name = format!(
        "t{}_{}",
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
        url: own.into(),
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Database {
    /// The connector under test.
    pub(crate) fn connector(&self) -> Postgres {
        Postgres::new(self.config.clone()).unwrap()
    }

    /// A session beside the first.
    pub(crate) async fn another_session(&self) -> Client {
        connect(&self.url).await
    }

    /// Runs SQL.
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
        assert_eq!(lines.len(), 1, "{sql}");
        lines.remove(0)
    }
}

pub(crate) fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type)
}

pub(crate) fn schema(fields: Vec<Field>, key: &[&str]) -> std::sync::Arc<Schema> {
    std::sync::Arc::new(Schema::new(fields, key.iter().copied()).unwrap())
}

/// A decimal of any length.
pub(crate) fn decimal(text: &str) -> Value<'static> {
    Value::Decimal(Decimal::parse(text, Box::leak(Box::default())).unwrap())
}

/// Records of `schema`, all of them puts, numbered from `first`.
pub(crate) fn puts(schema: &std::sync::Arc<Schema>, first: u64, rows: &[&[Value<'_>]]) -> Batch {
    let rows: Vec<(Op, &[Value<'_>])> = rows.iter().map(|row| (Op::Put, *row)).collect();
    batch(schema, first, &rows)
}

/// Records of `schema`, numbered from `first`.
pub(crate) fn batch(schema: &std::sync::Arc<Schema>, first: u64, rows: &[(Op, &[Value<'_>])]) -> Batch {
    let mut builder = BatchBuilder::new(std::sync::Arc::clone(schema), first);
    for (op, row) in rows {
        row.iter().for_each(|value| builder.push(*value));
        builder.end_record(*op);
    }
    builder.finish()
}

/// An upsert by the schema's primary key.
pub(crate) fn upsert(table: &str, schema: &std::sync::Arc<Schema>) -> WriteRequest {
    let key = schema.primary_key_names().map(str::to_owned).collect();
    let task = TaskId::new("job", table);
    WriteRequest::new(
        StreamName::new(table),
        std::sync::Arc::clone(schema),
        WriteMode::Upsert,
        task,
    )
    .with_match_on(key)
}

pub(crate) async fn writer(postgres: &Postgres, request: WriteRequest) -> Box<dyn Writer> {
    postgres.as_destination().unwrap().writer(request).await.unwrap()
}

/// Writes batches and finishes, in one commit.
pub(crate) async fn load(postgres: &Postgres, request: WriteRequest, batches: Vec<Batch>) -> CommitReport {
    try_load(postgres, request, batches).await.unwrap()
}

pub(crate) async fn try_load(
    postgres: &Postgres,
    request: WriteRequest,
    batches: Vec<Batch>,
) -> Result<CommitReport> {
    let mut writer = postgres.writer(request).await?;
    for batch in batches {
        writer.write(batch).await?;
    }
    writer.finish(None).await
}

/// Created, updated, unchanged, deleted, rejected.
pub(crate) fn tally(report: &CommitReport) -> [u64; 5] {
    let counts = &report.counts;
    [
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.deleted,
        counts.rejected,
    ]
}

pub(crate) async fn try_claim(postgres: &Postgres, task: &TaskId, holder: &str) -> Result<Claim> {
    postgres
        .state_store()
        .unwrap()
        .claim(task, &Holder::new(holder))
        .await
}

pub(crate) async fn claim(postgres: &Postgres, task: &TaskId) -> Claim {
    try_claim(postgres, task, "this test").await.unwrap()
}

/// A state that holds a number.
pub(crate) fn state(number: i32) -> State {
    State::new(Identity::new("test", "here"), "stream", 1, &number).unwrap()
}

/// Every event of a reader: the records as lines of `field=value`, and how many were unchanged.
pub(crate) async fn drain(mut reader: Box<dyn Reader>) -> (Vec<Batch>, u64) {
    let (mut batches, mut unchanged) = (Vec::new(), 0);
    while let Some(event) = reader.next().await.unwrap() {
        match event {
            Event::Records(batch) => batches.push(batch),
            Event::Unchanged(count) => unchanged += count,
            Event::Checkpoint { .. } => {}
            Event::Rejected(rejected) => panic!("{rejected:?}"),
        }
    }
    (batches, unchanged)
}

/// The whole table.
pub(crate) async fn read(postgres: &Postgres, table: &str) -> Vec<Batch> {
    let request = ReadRequest::new(Selection::stream(table), TaskId::new("read", table));
    drain(postgres.reader(request).await.unwrap()).await.0
}

/// A read in the mode `sync`.
pub(crate) fn reading(table: &str, task: &TaskId, sync: SyncMode) -> ReadRequest {
    ReadRequest::new(Selection::stream(table), task.clone()).with_sync(sync)
}

/// The values of each record as debug prints them, which keeps types and scales apart.
pub(crate) fn shown(batches: &[Batch]) -> Vec<String> {
    let show = |batch: &Batch| -> Vec<String> {
        let show = |record: connector_core::Record<'_>| {
            record
                .values()
                .map(|value| format!("{value:?}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        batch.records().map(show).collect()
    };
    batches.iter().flat_map(show).collect()
}

/// An error that must be, whatever the other side of the result can be.
pub(crate) fn refusal<T>(result: Result<T>) -> Error {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    }
}
