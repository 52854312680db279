//! A system in memory that plays every role: the reference for what the traits promise.
//!
//! Tests of engines read from it, write to it and look at what came of that; whoever writes a connector finds here
//! what each promise means, without the noise of a wire. [`Memory::new`] behaves like a database: rows, rejections and
//! the checkpoint become durable together, under a fence. [`Memory::service`] behaves like a service on the web: it
//! applies what it is sent at once, takes part in no transaction, and can lose an answer on demand. Nothing here
//! waits: every future is ready when it is first polled.
//!
//! Rows moved by hand from one to the other, as an engine does it:
//!
//! ```
//! use std::sync::Arc;
//!
//! use connector_core::memory::Memory;
//! use connector_core::*;
//! use futures::FutureExt;
//!
//! async fn copy(from: &Memory, to: &Memory, task: TaskId) -> Result<Counts> {
//!     let claim = to.claim(&task, &Holder::new("an example")).await?;
//!     let schema = from.describe(&Selection::stream("lead")).await?.schema;
//!     let write = WriteRequest::new(StreamName::new("lead"), schema, WriteMode::Upsert, task.clone())
//!         .with_match_on(vec!["id".to_owned()])
//!         .with_fence(Some(claim.fence.clone()));
//!     let read = ReadRequest::new(Selection::stream("lead"), task)
//!         .with_sync(SyncMode::Incremental)
//!         .with_state(claim.state.clone());
//!     let mut writer = to.writer(write).await?;
//!     let mut reader = from.reader(read).await?;
//!     let mut counts = Counts::default();
//!     while let Some(event) = reader.next().await? {
//!         match event {
//!             Event::Records(batch) => writer.write(batch).await?,
//!             Event::Rejected(rejected) => writer.reject(rejected).await?,
//!             Event::Unchanged(records) => counts.add(&Counts::of_unchanged(records)),
//!             // Commit with the state, then acknowledge.
//!             Event::Checkpoint { state, .. } => {
//!                 counts.add(&writer.commit(Some(&state)).await?.counts);
//!                 reader.acknowledge(&state).await?;
//!             }
//!         }
//!     }
//!     counts.add(&writer.finish(None).await?.counts);
//!     Ok(counts)
//! }
//!
//! # fn main() -> Result<()> {
//! let fields = vec![
//!     Field::new("id", DataType::Int64).not_null(),
//!     Field::new("name", DataType::TEXT),
//! ];
//! let schema = Arc::new(Schema::new(fields, ["id"])?);
//! let mut leads = BatchBuilder::new(Arc::clone(&schema), 0);
//! for (id, name) in [(1, "Ada"), (2, "Grace")] {
//!     leads.push(Value::Int(id));
//!     leads.push(Value::Text(name));
//!     leads.end_record(Op::Put);
//! }
//! let (crm, warehouse) = (Memory::service("crm"), Memory::new("warehouse"));
//! crm.create("lead", (*schema).clone());
//! crm.put("lead", &leads.finish())?;
//!
//! let run = || copy(&crm, &warehouse, TaskId::new("leads", "lead")).now_or_never();
//! assert_eq!(run().transpose()?.map(|counts| counts.created), Some(2));
//! assert_eq!(warehouse.rows("lead").map(|rows| rows.len()), Some(2));
//! // The second run goes on from the checkpoint, and nothing has changed since.
//! assert_eq!(run().transpose()?.map(|counts| counts.accounted()), Some(0));
//! # Ok(())
//! # }
//! ```

mod connector;

mod change;
mod fit;
mod history;
mod plan;
mod row;
mod sweep;
mod table;

mod difference;
mod reader;
mod shape;
mod source;

mod destination;
mod echo;
mod service;
mod writer;

mod journal;
mod states;

#[cfg(test)]
mod testing;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::Batch;
use crate::destination::WriteMode;
use crate::error::{Error, ErrorKind, Result};
use crate::report::Rejection;
use crate::schema::Schema;
use crate::state::TaskId;
use change::Layout;
use journal::Book;
use plan::no_table;
use states::States;
use sweep::Sweep;
use table::Table;

/// A system in memory: tables, states and journals behind one handle.
///
/// Clones lead to the same system.
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    name: String,
    kind: Kind,
    system: Mutex<System>,
}

/// How a system takes what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// In transactions.
    Database,
    /// At once.
    Service,
}

#[derive(Debug, Default)]
struct System {
    tables: BTreeMap<String, Table>,
    /// What overwrites have built so far, by table and task.
    shadows: HashMap<(String, TaskId), Table>,
    /// What prunes have been told so far, likewise.
    sweeps: HashMap<(String, TaskId), Sweep>,
    states: States,
    book: Book,
    rejected: HashMap<TaskId, Vec<Rejection>>,
    /// The number of the last change of any table.
    change: u64,
    /// Answers still to be lost.
    lost: usize,
    applied: u64,
    stateless: bool,
}

impl System {
    fn next_change(&mut self) -> u64 {
        self.change += 1;
        self.change
    }

    fn table(&self, name: &str) -> Result<&Table> {
        let known = || self.tables.keys().map(String::as_str);
        self.tables.get(name).ok_or_else(|| no_table(name, known()))
    }
}

impl Memory {
    /// A system that takes part in transactions, like a database: it makes its tables, and stores a task's checkpoint
    /// with its rows.
    pub fn new(name: impl Into<String>) -> Self {
        Self::of(name.into(), Kind::Database)
    }

    /// A system that applies each batch as it is written, like a service on the web: it wants a journal, and its
    /// tables are made by [`create`](Self::create) only.
    pub fn service(name: impl Into<String>) -> Self {
        Self::of(name.into(), Kind::Service)
    }

    fn of(name: String, kind: Kind) -> Self {
        let system = Mutex::default();
        Self(Arc::new(Inner { name, kind, system }))
    }

    /// The same offering no place for states: an engine keeps them at the other side, as it must for most services.
    #[must_use]
    pub fn without_states(self) -> Self {
        self.lock().stateless = true;
        self
    }

    /// Makes a table. One of this name that is there already keeps its rows, and gets the fields it lacks.
    pub fn create(&self, table: impl Into<String>, schema: Schema) {
        match self.lock().tables.entry(table.into()) {
            Entry::Vacant(place) => drop(place.insert(Table::new(Arc::new(schema)))),
            Entry::Occupied(mut table) => table.get_mut().add_fields(schema.fields().iter().cloned()),
        }
    }

    /// Changes a table as a person or another program would, all at one moment: records are put, or removed where
    /// they say [`Op::Delete`](crate::Op::Delete), by the table's primary key. What is unset keeps its value.
    ///
    /// # Errors
    /// The table or a field is not there, or the table refuses a record; the other records are there then.
    pub fn put(&self, table: &str, records: &Batch) -> Result<()> {
        let mut system = self.lock();
        let schema = Arc::clone(system.table(table)?.schema());
        for field in records.schema().fields() {
            schema.index_of(&field.name)?;
        }
        let key = schema.primary_key().to_vec();
        let mode = if key.is_empty() {
            WriteMode::Insert
        } else {
            WriteMode::Upsert
        };
        let layout = Layout::new(mode, records.schema(), &schema, key, Vec::new());
        let number = system.next_change();
        let Some(table) = system.tables.get_mut(table) else {
            return Ok(());
        };
        let mut change = table.change(&layout, number);
        let mut refused = None;
        for record in records.records() {
            if let Err(refusal) = change.apply(&record) {
                refused.get_or_insert(refusal);
            }
        }
        refused.map_or(Ok(()), |refusal| {
            Err(Error::new(ErrorKind::Data, refusal.message()))
        })
    }

    /// The rows of a table, in the order in which they came; `None` where there is no such table.
    pub fn rows(&self, table: &str) -> Option<Batch> {
        self.lock().tables.get(table).map(Table::rows)
    }

    /// Loses the answers to the next `n` batches that this service applies: their sender does not learn their fate.
    pub fn lose_answers(&self, n: usize) {
        self.lock().lost = n;
    }

    /// Records that writers have had applied so far. Each application counts, so that one sent twice shows.
    pub fn applied(&self) -> u64 {
        self.lock().applied
    }

    /// Records refused in writes of `task`, in the order in which they were: all of them, of all runs.
    pub fn rejections(&self, task: &TaskId) -> Vec<Rejection> {
        self.lock().rejected.get(task).cloned().unwrap_or_default()
    }

    /// Never held while something is awaited. A test that has failed must not make others fail that share the system.
    fn lock(&self) -> MutexGuard<'_, System> {
        self.0.system.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("name", &self.0.name)
            .field("kind", &self.0.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{deletes, leads, rows, schema};
    use super::*;
    use crate::schema::{DataType, Field};

    #[test]
    fn a_person_puts_edits_and_removes_records() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        memory.put("lead", &leads(&[(1, "Ada"), (2, "Bob")])).unwrap();
        memory.put("lead", &leads(&[(2, "Eve"), (3, "Cyd")])).unwrap();
        memory.put("lead", &deletes(&[1])).unwrap();
        assert_eq!(rows(&memory, "lead"), ["2 Eve", "3 Cyd"]);
        assert_eq!(memory.applied(), 0);
        assert!(memory.rows("leads").is_none());
    }

    #[test]
    fn a_table_made_twice_keeps_its_rows_and_gets_new_fields() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        memory.put("lead", &leads(&[(1, "Ada")])).unwrap();
        let mut fields = schema().fields().to_vec();
        fields.push(Field::new("age", DataType::Int16));
        memory.create("lead", Schema::new(fields, ["id"]).unwrap());
        assert_eq!(rows(&memory, "lead"), ["1 Ada null"]);
    }

    #[test]
    fn what_cannot_be_put_is_said_without_its_value() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        let error = memory.put(
            "lead",
            &leads(&[(1, "a name beyond twenty characters"), (2, "Bob")]),
        );
        assert_eq!(
            error.unwrap_err().message(),
            "the text has more characters than its field takes (`name`)"
        );
        assert_eq!(rows(&memory, "lead"), ["2 Bob"]);
        let error = memory.put("laed", &leads(&[])).unwrap_err();
        assert_eq!(
            error.report().to_string(),
            "there is no table `laed`\nhelp: did you mean `lead`?"
        );
    }
}
