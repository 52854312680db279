//! Loads of which every outcome is known: what the table holds before, after each checkpoint, and at the end.

use std::sync::Arc;
use std::time::Duration;

use connector_core::memory::Memory;
use connector_core::{BatchBuilder, Connector, DataType, Field, Op, RetryPolicy, Schema, Value, WriteMode};
use sync_engine::{CommitEvery, Job, RunOptions, Task};

/// Rows of the source.
pub(crate) const ROWS: usize = 30;
/// The row that the connector itself refuses: a NUL in its name.
const UNFIT: usize = 5;
/// The row that the table of [`Kind::Upsert`] refuses: `n` is below zero.
const REFUSED: usize = 12;
/// Bytes of a name: nine rows fill a batch, and each batch ends in a checkpoint.
const NAME: usize = 8_000;

/// A load, by the way its rows take into the table `t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Into a table that is missing: the first commit makes it and its key.
    New,
    /// Into a table without a key, straight: what is written twice stands there twice.
    Append,
    /// Into a table with rows, through the staging table; a trigger logs each row that is inserted or updated.
    Upsert,
    /// Built beside the table, whose place it takes at the end.
    Overwrite,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::New, Self::Append, Self::Upsert, Self::Overwrite];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| format!("{kind:?}") == name)
    }

    /// What is there before the load.
    pub(crate) fn setup(self) -> String {
        let rows: Vec<String> = self
            .before()
            .iter()
            .map(|(id, name, n)| format!("({id}, '{name}', {n})"))
            .collect();
        let rows = match rows.as_slice() {
            [] => String::new(),
            rows => format!("INSERT INTO t VALUES {};", rows.join(", ")),
        };
        match self {
            Self::New => String::new(),
            Self::Append => "CREATE TABLE t (id bigint, name text, n bigint);".to_owned(),
            Self::Overwrite => {
                format!("CREATE TABLE t (id bigint PRIMARY KEY, name text, n bigint); {rows}")
            }
            Self::Upsert => format!(
                "CREATE TABLE t (id bigint PRIMARY KEY, name text, n bigint CHECK (n >= 0)); {rows}
                 CREATE TABLE log (id bigint);
                 CREATE FUNCTION note_row() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN INSERT INTO public.log VALUES (new.id); RETURN new; END';
                 CREATE TRIGGER note_row AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note_row();"
            ),
        }
    }

    fn before(self) -> Vec<Row> {
        match self {
            Self::New | Self::Append => Vec::new(),
            // Every other one differs from the source, and one is nobody's.
            Self::Upsert => (0..20)
                .filter(|&i| i != UNFIT && i != REFUSED)
                .map(|i| {
                    let (id, name, n) = source_row(i);
                    (id, name, n + (i as i64 % 2) * 1_000)
                })
                .chain([(900, "own".to_owned(), 0)])
                .collect(),
            Self::Overwrite => (800..805).map(|id| (id, format!("old {id}"), 7)).collect(),
        }
    }

    /// The lines of the table once so many rows of the source are covered by a checkpoint; an overwrite shows
    /// nothing before its end.
    pub(crate) fn lines(self, covered: usize, ended: bool) -> Vec<String> {
        let mut rows = match self {
            Self::Overwrite if !ended => return self.before().iter().map(line).collect(),
            Self::Overwrite => Vec::new(),
            _ => self.before(),
        };
        for i in (0..covered).filter(|i| !self.refused(ROWS).contains(i)) {
            let new = source_row(i);
            rows.retain(|old| old.0 != new.0);
            rows.push(new);
        }
        rows.sort_by_key(|row| row.0);
        rows.iter().map(line).collect()
    }

    /// The rows that are refused among the first so many.
    pub(crate) fn refused(self, covered: usize) -> Vec<usize> {
        let refused: &[usize] = match self {
            Self::Upsert => &[UNFIT, REFUSED],
            _ => &[UNFIT],
        };
        refused.iter().copied().filter(|&i| i < covered).collect()
    }

    /// The rows that the trigger logs once so many are covered: new ones and changed ones, each once.
    pub(crate) fn logged(self, covered: usize) -> Vec<String> {
        let touched = |i: &usize| !self.refused(ROWS).contains(i) && (*i >= 20 || i % 2 == 1);
        (0..covered).filter(touched).map(|i| i.to_string()).collect()
    }

    fn mode(self) -> WriteMode {
        match self {
            Self::New | Self::Upsert => WriteMode::Upsert,
            Self::Append => WriteMode::Insert,
            Self::Overwrite => WriteMode::Overwrite,
        }
    }

    /// The load as a job of the engine, with a commit at every checkpoint.
    pub(crate) fn job(self, destination: Arc<dyn Connector>) -> Job {
        self.job_between(Arc::new(source()), destination)
    }

    pub(crate) fn job_between(self, source: Arc<dyn Connector>, destination: Arc<dyn Connector>) -> Job {
        let every = CommitEvery {
            bytes: 1,
            time: Duration::from_secs(3600),
        };
        Job::builder("load")
            .source(source)
            .destination(destination)
            .task(Task::new("lead").into("t").write(self.mode()).commit_every(every))
            .build()
            .unwrap()
    }
}

/// One try, and batches of nine rows.
pub(crate) fn once() -> RunOptions {
    RunOptions::default()
        .with_retry(RetryPolicy::NEVER)
        .with_memory_budget(0)
}

type Row = (i64, String, i64);

fn line((id, name, n): &Row) -> String {
    format!("{id}|{name}|{n}")
}

/// A row of the source; the name is what it would be if it were fit.
fn source_row(i: usize) -> Row {
    let name = format!("lead {i} {}", "x".repeat(NAME));
    (i as i64, name, if i == REFUSED { -1 } else { i as i64 })
}

/// The source, the same in every process. Only one kind of table refuses a row below zero.
pub(crate) fn source() -> Memory {
    let fields = vec![
        Field::new("id", DataType::Int64).not_null(),
        Field::new("name", DataType::TEXT),
        Field::new("n", DataType::Int64),
    ];
    let schema = Schema::new(fields, ["id"]).unwrap();
    let mut rows = BatchBuilder::new(Arc::new(schema.clone()), 0);
    for i in 0..ROWS {
        let (id, mut name, n) = source_row(i);
        if i == UNFIT {
            name.push('\0');
        }
        rows.push(Value::Int(id));
        rows.push(Value::Text(&name));
        rows.push(Value::Int(n));
        rows.end_record(Op::Put);
    }
    let memory = Memory::service("crm");
    memory.create("lead", schema);
    memory.put("lead", &rows.finish()).unwrap();
    memory
}
