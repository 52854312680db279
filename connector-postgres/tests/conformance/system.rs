//! A database of a check's own, looked at with plain SQL.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use connector_core::value::{ArrayBuf, Timestamp};
use connector_core::{
    Batch, BatchBuilder, Connector, DataType, Destination, Op, Schema, Secret, StreamName, TaskId, Value,
    WriteMode, WriteRequest,
};
use connector_postgres::{Config, LeastRights, Postgres};
use connector_testkit::conformance::{DestinationSystem, sample};
use connector_testkit::postgres::{Options, Postgres as Server};
use tokio_postgres::{Client, NoTls};

use crate::cell;

/// Ends with the program.
static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::from_env().unwrap_or_else(|error| panic!("{error}")));
/// The same for sources: it logs changes, which one that is named by the environment may not.
static LOGGING: LazyLock<Server> = LazyLock::new(|| {
    let settings = [
        ("wal_level", "logical"),
        ("max_replication_slots", "500"),
        ("synchronous_commit", "on"),
    ];
    let options = Options {
        database_url: None,
        settings: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..Options::from_env()
    };
    Server::start(&options).unwrap_or_else(|error| panic!("{error}"))
});
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The password that the connection is given.
pub(crate) const PASSWORD: &str = "pa5s-wörd \"of the loader\"";

/// One database, with a role of its own for the connection under test.
pub(crate) struct Database {
    config: Config,
    pub(crate) client: Client,
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Database {
    pub(crate) async fn new() -> Self {
        Self::on(SERVER.url()).await
    }

    /// One whose server logs changes, which its role may read.
    pub(crate) async fn logging() -> Self {
        let database = Self::on(LOGGING.url()).await;
        let sql = "ALTER ROLE conformance_loader REPLICATION";
        // Other checks may be at it as well.
        let mut done = database.client.batch_execute(sql).await;
        for _ in 0..100 {
            if done.is_err() {
                done = database.client.batch_execute(sql).await;
            }
        }
        done.unwrap();
        let name = database.config.database.as_deref().unwrap_or_default();
        // To publish the changes of a table.
        let sql = format!("GRANT CREATE ON DATABASE {name} TO conformance_loader");
        database.client.batch_execute(&sql).await.unwrap();
        database
    }

    async fn on(url: &str) -> Self {
        let name = format!(
            "c{}_{}",
            std::process::id(),
            DATABASES.fetch_add(1, Ordering::Relaxed)
        );
        let server = connect(url).await;
        // Roles outlive a database: one for all of them.
        let role = format!(
            "DO $$ BEGIN CREATE ROLE conformance_loader LOGIN PASSWORD '{PASSWORD}';
             EXCEPTION WHEN duplicate_object THEN ALTER ROLE conformance_loader PASSWORD '{PASSWORD}'; END $$"
        );
        server.batch_execute(&role).await.unwrap();
        server
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let mut own = url::Url::parse(url).unwrap();
        own.set_path(&name);
        let client = connect(own.as_str()).await;
        client
            .batch_execute("SET timezone = 'UTC'; SET extra_float_digits = 3")
            .await
            .unwrap();
        // Whatever is checked works with these rights and no others.
        let rights = LeastRights::new("conformance_loader").script();
        client.batch_execute(&rights).await.unwrap();
        let mut config = Config::from_url(url).unwrap();
        config.database = Some(name);
        config.user = "conformance_loader".to_owned();
        config.password = Some(Secret::new(PASSWORD));
        Self { config, client }
    }

    pub(crate) fn connector(&self) -> Postgres {
        Postgres::new(self.config.clone()).unwrap()
    }

    /// Waits until every transaction of the server is over that was there when the rows were made: while one is not,
    /// nobody can tell that they are older than a sweep. Other trials have such transactions.
    async fn settle(&self) {
        let number = async |sql: &str| -> i64 { self.client.query_one(sql, &[]).await.unwrap().get(0) };
        let now = number("SELECT txid_current()").await;
        while number("SELECT txid_snapshot_xmin(txid_current_snapshot())").await <= now {
            tokio::task::yield_now().await;
        }
    }

    /// The rows of a table that meet a condition on its columns, as records of `schema`; `None` where it is not there.
    async fn shown(
        &self,
        stream: &StreamName,
        schema: &Arc<Schema>,
        condition: impl Fn(&[(String, String)]) -> &'static str,
    ) -> Option<Batch> {
        let columns = self.columns(stream.as_str()).await;
        if columns.is_empty() {
            return None;
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let shown = schema.fields().iter().map(|field| {
            let column = columns.iter().find(|(shown, _)| *shown == field.name);
            column.map(|(_, name)| as_text(&quoted(name), field.data_type))
        });
        let shown: Vec<Option<String>> = shown.collect();
        let list: Vec<&str> = shown.iter().flatten().map(String::as_str).collect();
        let sql = format!(
            "SELECT {} FROM public.{} WHERE {}",
            list.join(", "),
            quoted(stream.as_str()),
            condition(&columns)
        );
        let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
        for row in self.client.query(&sql, &[]).await.unwrap() {
            let mut cells = (0..row.len()).map(|position| row.get::<_, Option<&str>>(position));
            for (field, column) in schema.fields().iter().zip(&shown) {
                match column {
                    Some(_) => cell::push(&mut builder, field.data_type, cells.next().flatten()),
                    None => builder.push(Value::Unset),
                }
            }
            builder.end_record(Op::Put);
        }
        Some(builder.finish())
    }

    /// The same, which reads in small chunks, by two sessions at once.
    pub(crate) fn reader(&self) -> Postgres {
        let mut config = self.config.clone();
        config.read_chunk = 16;
        config.read_sessions = 2;
        Postgres::new(config).unwrap()
    }

    /// The columns of a table, by the field that each holds: a column whose name had to be cut has the field's name
    /// as its comment.
    async fn columns(&self, table: &str) -> Vec<(String, String)> {
        let sql = "SELECT coalesce(col_description(c.oid, a.attnum), a.attname), a.attname
                   FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                   WHERE c.relnamespace = 'public'::regnamespace AND c.relname = $1";
        let rows = self.client.query(sql, &[&table]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}

/// SQL that shows a column as the text that [`cell::push`] reads.
fn as_text(column: &str, data_type: DataType) -> String {
    match data_type {
        DataType::Bytes => format!("encode({column}, 'hex')"),
        DataType::Interval => format!(
            "(extract(year FROM {column}) * 12 + extract(month FROM {column}))::int || ' ' || \
             extract(day FROM {column})::int || ' ' || \
             ((extract(hour FROM {column}) * 60 + extract(minute FROM {column})) * 60000000 + \
             extract(microseconds FROM {column}))::bigint"
        ),
        DataType::Array(_) => format!("to_jsonb({column})::text"),
        _ => format!("{column}::text"),
    }
}

#[async_trait]
impl DestinationSystem for Database {
    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(self.connector())
    }

    fn stream(&self) -> StreamName {
        StreamName::new("thing")
    }

    async fn prepare(&self, numbers: Range<usize>) {
        let schema = self.schema();
        let key = schema.primary_key_names().map(str::to_owned).collect();
        let request = WriteRequest::new(
            self.stream(),
            Arc::clone(&schema),
            WriteMode::Upsert,
            TaskId::new("prepare", "thing"),
        );
        let postgres = self.connector();
        let mut writer = postgres.writer(request.with_match_on(key)).await.unwrap();
        writer.write(self.records(numbers, 0)).await.unwrap();
        writer.finish(None).await.unwrap();
        self.settle().await;
    }

    async fn rows(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        self.shown(stream, schema, |_| "true").await
    }

    async fn current(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        let condition = |columns: &[(String, String)]| {
            let has = |name: &str| columns.iter().any(|(_, column)| column == name);
            if has("_current") {
                "_current"
            } else if has("_deleted_at") {
                "_deleted_at IS NULL"
            } else {
                "true"
            }
        };
        self.shown(stream, schema, condition).await
    }

    /// In turn: a number with more digits than its column, a date beyond the calendar, a text with a NUL.
    fn flawed(&self, number: usize) -> Option<Batch> {
        let schema = self.schema();
        let sound = sample::records(&schema, number..number + 1, 1);
        let (field, value) = match number % 3 {
            0 => (
                "amount",
                Value::Decimal(connector_core::Decimal::new(i64::MAX, 2)),
            ),
            1 => ("note", Value::Text("secret\0note")),
            _ => ("stamp", Value::Timestamp(Timestamp::from_unix_micros(i64::MIN))),
        };
        let mut builder = BatchBuilder::new(Arc::clone(&schema), number as u64);
        for record in sound.records() {
            for (here, there) in schema.fields().iter().zip(record.values()) {
                builder.push(if here.name == field { value } else { there });
            }
            builder.end_record(Op::Put);
        }
        Some(builder.finish())
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}

/// An array from the JSON that shows it.
pub(crate) fn array(json: &str) -> ArrayBuf {
    let elements: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
    let mut array = ArrayBuf::new();
    for element in &elements {
        array.push(&match element {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Number(number) => Value::Int(number.as_i64().unwrap()),
            other => panic!("an array holds {other}"),
        });
    }
    array
}
