//! A table that somebody else fills.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use connector_core::{
    Batch, Connector, DataType, Destination, Key, Schema, Selection, StreamName, TaskId, WriteMode,
    WriteRequest,
};
use connector_testkit::conformance::{DestinationSystem, SourceSystem, sample, source_task};

use crate::system::{Database, PASSWORD};

/// One column of every type that the core knows.
const TABLES: &str = "
    CREATE TABLE thing (
        id varchar(40) PRIMARY KEY, note text, name varchar(80), flag boolean, small smallint, medium integer,
        large bigint, single real, double double precision, amount numeric(18,2), exact numeric, data bytea, day date,
        hour time, stamp timestamp, moment timestamptz, span interval, uid uuid, doc jsonb);
    CREATE TABLE other (LIKE thing INCLUDING ALL);
    ALTER TABLE thing OWNER TO conformance_loader;
    ALTER TABLE other OWNER TO conformance_loader;";

/// A table of a database of its own, and another database.
pub(crate) struct Table {
    here: Database,
    elsewhere: Database,
    schema: Arc<Schema>,
    first: AtomicUsize,
    next: AtomicUsize,
    version: AtomicUsize,
}

impl Table {
    pub(crate) async fn new() -> Self {
        let (here, elsewhere) = (Database::logging().await, Database::logging().await);
        for database in [&here, &elsewhere] {
            database.client.batch_execute(TABLES).await.unwrap();
        }
        here.connector()
            .replication()
            .create(&source_task(), &StreamName::new("thing"))
            .await
            .unwrap();
        let schema = sample::schema();
        let scalar = |data_type| !matches!(data_type, DataType::Array(_));
        let fields = schema.fields().iter().filter(|field| scalar(field.data_type));
        Self {
            schema: Arc::new(Schema::new(fields.cloned().collect(), ["id"]).unwrap()),
            here,
            elsewhere,
            first: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            version: AtomicUsize::new(0),
        }
    }

    async fn put(&self, numbers: std::ops::Range<usize>, version: usize) {
        let task = TaskId::new("prepare", "thing");
        let schema = Arc::clone(&self.schema);
        let request = WriteRequest::new(StreamName::new("thing"), schema, WriteMode::Upsert, task);
        let postgres = self.here.connector();
        let mut writer = postgres
            .writer(request.with_match_on(vec!["id".to_owned()]))
            .await
            .unwrap();
        writer
            .write(sample::records(&self.schema, numbers, version))
            .await
            .unwrap();
        assert_eq!(writer.finish(None).await.unwrap().counts.rejected, 0);
    }
}

/// The keys of the records with these numbers.
fn keys(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("k-{number:06}")).collect()
}

#[async_trait]
impl SourceSystem for Table {
    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(self.here.reader())
    }

    fn selection(&self) -> Selection {
        Selection::stream("thing")
    }

    async fn add(&self, count: usize) {
        let start = self.next.fetch_add(count, Relaxed);
        self.put(start..start + count, 0).await;
    }

    async fn change(&self, count: usize) {
        let (start, version) = (self.first.load(Relaxed), self.version.fetch_add(1, Relaxed) + 1);
        self.put(start..start + count, version).await;
    }

    async fn remove(&self, count: usize) {
        let start = self.first.fetch_add(count, Relaxed);
        let gone = keys(start..start + count);
        let sql = "DELETE FROM thing WHERE id = ANY ($1)";
        self.here.client.execute(sql, &[&gone]).await.unwrap();
    }

    async fn rekey(&self, count: usize) -> bool {
        let old = self.first.fetch_add(count, Relaxed);
        let new = self.next.fetch_add(count, Relaxed);
        let sql =
            "UPDATE thing SET id = k.new FROM unnest($1::text[], $2::text[]) AS k(old, new) WHERE id = k.old";
        let parameters = (keys(old..old + count), keys(new..new + count));
        let client = &self.here.client;
        client
            .execute(sql, &[&parameters.0, &parameters.1])
            .await
            .unwrap();
        true
    }

    async fn add_texts(&self, texts: &[String]) -> bool {
        for text in texts {
            let number = self.next.fetch_add(1, Relaxed);
            self.put(number..number + 1, 0).await;
            let sql = "UPDATE thing SET note = $1 WHERE id = $2";
            let key = format!("k-{number:06}");
            self.here.client.execute(sql, &[text, &key]).await.unwrap();
        }
        true
    }

    async fn truth(&self) -> Batch {
        let rows = self.here.rows(&StreamName::new("thing"), &self.schema).await;
        rows.unwrap()
    }

    fn missing_key(&self) -> Option<Key> {
        Some(Key::new("k-none"))
    }

    /// Its values grow with nothing: rows become visible below what was read before.
    fn cursor(&self) -> Option<String> {
        Some("moment".to_owned())
    }

    fn another_selection(&self) -> Option<Selection> {
        Some(Selection::stream("other"))
    }

    fn connect_elsewhere(&self) -> Option<Arc<dyn Connector>> {
        Some(Arc::new(self.elsewhere.connector()))
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}
