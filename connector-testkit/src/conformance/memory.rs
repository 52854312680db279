//! The suites' systems over [`Memory`]: what they look like for a connector that keeps every promise.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use connector_core::memory::Memory;
use connector_core::{
    Batch, BatchBuilder, Connector, Deletes, Journal, Key, Op, Record, Schema, Selection, Standing,
    StateStore, StreamName, Target, Value, WriteMode,
};

use super::sample::{self, altered};
use super::{DestinationSystem, JournalSystem, SourceSystem, StateStoreSystem};

/// The stream that is read and written.
const THINGS: &str = "things";
/// Another one.
const OTHERS: &str = "others";

/// A system in memory, and another one of the same kind.
#[derive(Debug)]
pub struct MemorySystem {
    memory: Memory,
    elsewhere: Memory,
    /// The number of the first record that is there, and of the next one.
    first: AtomicUsize,
    next: AtomicUsize,
    version: AtomicUsize,
}

impl MemorySystem {
    /// A database with its streams, which has no records yet.
    pub fn source() -> Self {
        let system = Self::database();
        for memory in [&system.memory, &system.elsewhere] {
            memory.create(THINGS, (*sample::schema()).clone());
            memory.create(OTHERS, (*sample::schema()).clone());
        }
        system
    }

    /// A database without tables.
    pub fn database() -> Self {
        Self::of(Memory::new("here"), Memory::new("there"))
    }

    /// A service on the web with its tables.
    pub fn service() -> Self {
        let system = Self::of(Memory::service("here"), Memory::service("there"));
        system.memory.create(THINGS, (*sample::schema()).clone());
        system
    }

    fn of(memory: Memory, elsewhere: Memory) -> Self {
        Self {
            memory,
            elsewhere,
            first: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            version: AtomicUsize::new(0),
        }
    }

    /// The system itself.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    fn put(&self, records: &Batch) {
        let put = self.memory.put(THINGS, records);
        put.unwrap_or_else(|error| panic!("{}", error.report()));
    }
}

/// The same records, whose field `name` holds `texts`.
fn with_texts(records: &Batch, name: &str, texts: &[String]) -> Batch {
    let first = records.get(0).map_or(0, |record| record.sequence());
    let mut builder = BatchBuilder::new(Arc::clone(records.schema()), first);
    for (record, text) in records.records().zip(texts) {
        for (field, value) in record.schema().fields().iter().zip(record.values()) {
            builder.push(if field.name == name {
                Value::Text(text)
            } else {
                value
            });
        }
        builder.end_record(Op::Put);
    }
    builder.finish()
}

/// Those records that `which` says, as records of `schema`.
fn shown(rows: &Batch, schema: &Arc<Schema>, which: impl Fn(&Record<'_>) -> bool) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
    for record in rows.records().filter(which) {
        for field in schema.fields() {
            builder.push(record.get(&field.name));
        }
        builder.end_record(Op::Put);
    }
    builder.finish()
}

#[async_trait]
impl SourceSystem for MemorySystem {
    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(self.memory.clone())
    }

    fn selection(&self) -> Selection {
        Selection::stream(THINGS)
    }

    async fn add(&self, count: usize) {
        let start = self.next.fetch_add(count, Relaxed);
        self.put(&sample::records(&sample::schema(), start..start + count, 0));
    }

    async fn add_texts(&self, texts: &[String]) -> bool {
        let start = self.next.fetch_add(texts.len(), Relaxed);
        let records = sample::records(&sample::schema(), start..start + texts.len(), 0);
        self.put(&with_texts(&records, "note", texts));
        true
    }

    async fn change(&self, count: usize) {
        let (start, version) = (self.first.load(Relaxed), self.version.fetch_add(1, Relaxed) + 1);
        self.put(&sample::records(&sample::schema(), start..start + count, version));
    }

    async fn remove(&self, count: usize) {
        let start = self.first.fetch_add(count, Relaxed);
        let gone = sample::records(&sample::schema(), start..start + count, 0);
        self.put(&altered(&gone, Op::Delete, |_, _, value| value));
    }

    async fn rekey(&self, count: usize) -> bool {
        let start = self.first.fetch_add(count, Relaxed);
        let old = sample::records(&sample::schema(), start..start + count, 0);
        let gone = altered(&old, Op::Delete, |_, _, value| value);
        let start = self.next.fetch_add(count, Relaxed);
        let new = sample::records(&sample::schema(), start..start + count, 0);
        if let Some(both) = sample::joined([&gone, &new]) {
            self.put(&both);
        }
        true
    }

    async fn truth(&self) -> Batch {
        let rows = self.memory.rows(THINGS);
        rows.unwrap_or_else(|| sample::records(&sample::schema(), 0..0, 0))
    }

    fn missing_key(&self) -> Option<Key> {
        Some(Key::new("k-none"))
    }

    fn another_selection(&self) -> Option<Selection> {
        Some(Selection::stream(OTHERS))
    }

    fn connect_elsewhere(&self) -> Option<Arc<dyn Connector>> {
        Some(Arc::new(self.elsewhere.clone()))
    }
}

#[async_trait]
impl DestinationSystem for MemorySystem {
    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(self.memory.clone())
    }

    fn stream(&self) -> StreamName {
        StreamName::new(THINGS)
    }

    async fn prepare(&self, numbers: Range<usize>) {
        self.memory.create(THINGS, (*sample::schema()).clone());
        self.put(&sample::records(&sample::schema(), numbers, 0));
    }

    async fn rows(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        Some(shown(&self.memory.rows(stream.as_str())?, schema, |_| true))
    }

    async fn current(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        // A table without such fields has none of them in any record.
        let counts = |record: &Record<'_>| {
            !record.get(Deletes::DELETED_AT).is_present()
                && record.get(WriteMode::CURRENT) != Value::Bool(false)
        };
        Some(shown(&self.memory.rows(stream.as_str())?, schema, counts))
    }

    fn flawed(&self, number: usize) -> Option<Batch> {
        let records = sample::records(&sample::schema(), number..number + 1, 1);
        let long = "far too long a name, which says of whom it is: ".repeat(4);
        Some(with_texts(&records, "name", &[long]))
    }

    fn lose_answers(&self, requests: usize) -> bool {
        let is_service = self
            .memory
            .as_destination()
            .is_some_and(|destination| destination.capabilities().wants_journal);
        if is_service {
            self.memory.lose_answers(requests);
        }
        is_service
    }
}

impl StateStoreSystem for MemorySystem {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.memory.clone())
    }
}

#[async_trait]
impl JournalSystem for MemorySystem {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.memory.clone())
    }

    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.memory.clone())
    }

    async fn standing(&self, target: &Target, key: &Key) -> Option<Standing> {
        self.memory.standing(target, key)
    }
}
