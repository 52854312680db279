//! What a job is: data, put together by a builder that refuses what cannot be run.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{
    Connector, Deletes, Drift, Error, ErrorKind, Filter, Journal, Nulls, Result, Selection, StateStore,
    StreamName, TaskId, WriteMode, WriteRequest,
};

use crate::observe::Observer;
use crate::options::RunOptions;
use crate::plan::{self, JobPlan};
use crate::report::{JobReport, RunReport};
use crate::run::run;

/// One source and one destination with tasks, or a script; and the jobs it comes after.
#[derive(Clone, Debug)]
pub struct Job {
    pub(crate) name: String,
    pub(crate) after: Vec<String>,
    pub(crate) work: Work,
    /// Where states are kept; `None`: where one of the two sides keeps them.
    pub(crate) state: Option<KeptApart>,
}

/// States kept elsewhere than a job would by itself, and the journal kept with them.
#[derive(Clone, Debug)]
pub(crate) struct KeptApart {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) journal: Option<Arc<dyn Journal>>,
}

/// What a job does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Work {
    /// Moves records.
    Sync {
        /// Where from.
        source: Arc<dyn Connector>,
        /// Where to.
        destination: Arc<dyn Connector>,
        /// The streams.
        tasks: Vec<Task>,
    },
    /// Runs statements where the data lives.
    Script {
        /// Where.
        connection: Arc<dyn Connector>,
        /// The statements.
        script: String,
    },
}

/// One stream of a job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Task {
    /// What is read.
    pub selection: Selection,
    /// The table or object written; `None`: of the stream's name.
    pub into: Option<StreamName>,
    /// Which records are read.
    pub sync: Sync,
    /// Of those, the ones that pass; applied by the source where it can, else to what was read.
    pub filter: Option<Filter>,
    /// The source's field that an incremental read advances by; `None`: the one that the stream's description names.
    pub cursor: Option<String>,
    /// What writing means; `None`: upsert where there is a key, else insert.
    pub write: Option<WriteMode>,
    /// The destination's fields that find a record; empty: the source's primary key.
    pub match_on: Vec<String>,
    /// Which field goes where; empty: every field under its own name.
    pub fields: Vec<FieldMapping>,
    /// The destination's fields that existing records keep.
    pub keep: Vec<String>,
    /// What a null does to its field.
    pub nulls: Nulls,
    /// The destination's fields whose nulls do something else.
    pub nulls_of: Vec<(String, Nulls)>,
    /// What becomes of rows whose records are gone.
    pub deletes: Deletes,
    /// The largest part of a table's rows that a prune may delete, from 0 to 1.
    pub max_delete: f64,
    /// What to do when the other side changed a value that was written back.
    pub drift: Drift,
    /// How far an incremental read stays behind the server's clock; `None`: the connector's default.
    pub settle: Option<Duration>,
    /// How much may wait for a commit.
    pub commit_every: CommitEvery,
}

/// Which records a task reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sync {
    /// What changed, where the source can tell; all of them otherwise. For a write-back: what differs from what the
    /// other side has confirmed.
    #[default]
    Incremental,
    /// All of them, and what the other side has confirmed does not count.
    Full,
    /// The source's log of what was put and deleted, written by key; all of them first.
    Changed,
}

/// One field of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMapping {
    /// The destination's field.
    pub to: String,
    /// The source's field.
    pub from: String,
}

/// At which of these the next checkpoint is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitEvery {
    /// Bytes of records, as batches count them.
    pub bytes: usize,
    /// Time since the last commit.
    pub time: Duration,
}

impl Default for CommitEvery {
    /// 256 MiB or 60 seconds.
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            time: Duration::from_secs(60),
        }
    }
}

impl Task {
    /// Reads the stream called `name` incrementally where it can, into a table of the same name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            selection: Selection::stream(name),
            into: None,
            sync: Sync::default(),
            filter: None,
            cursor: None,
            write: None,
            match_on: Vec::new(),
            fields: Vec::new(),
            keep: Vec::new(),
            nulls: Nulls::default(),
            nulls_of: Vec::new(),
            deletes: Deletes::default(),
            max_delete: WriteRequest::MAX_DELETE,
            drift: Drift::default(),
            settle: None,
            commit_every: CommitEvery::default(),
        }
    }

    /// Into another table or object.
    #[must_use]
    pub fn into(mut self, name: impl Into<String>) -> Self {
        self.into = Some(StreamName::new(name));
        self
    }

    /// Reading other records.
    #[must_use]
    pub fn sync(mut self, sync: Sync) -> Self {
        self.sync = sync;
        self
    }

    /// Reading the result of a query in the source's own language instead of a stream.
    #[must_use]
    pub fn query(mut self, text: impl Into<String>) -> Self {
        self.selection = Selection::Query(text.into());
        self
    }

    /// Reading only what passes a filter.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Reading incrementally by this field of the source.
    #[must_use]
    pub fn cursor(mut self, field: impl Into<String>) -> Self {
        self.cursor = Some(field.into());
        self
    }

    /// Writing in this mode.
    #[must_use]
    pub fn write(mut self, mode: WriteMode) -> Self {
        self.write = Some(mode);
        self
    }

    /// Finding records by these fields of the destination.
    #[must_use]
    pub fn match_on(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.match_on = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Writing the source's field `from` to the destination's field `to`; without any, every field is written.
    #[must_use]
    pub fn field(mut self, to: impl Into<String>, from: impl Into<String>) -> Self {
        self.fields.push(FieldMapping {
            to: to.into(),
            from: from.into(),
        });
        self
    }

    /// Leaving these fields of existing records alone.
    #[must_use]
    pub fn keep(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.keep = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Answering nulls.
    #[must_use]
    pub fn nulls(mut self, nulls: Nulls) -> Self {
        self.nulls = nulls;
        self
    }

    /// Answering the nulls of one of the destination's fields.
    #[must_use]
    pub fn nulls_of(mut self, field: impl Into<String>, nulls: Nulls) -> Self {
        self.nulls_of.push((field.into(), nulls));
        self
    }

    /// Answering deletes.
    #[must_use]
    pub fn deletes(mut self, deletes: Deletes) -> Self {
        self.deletes = deletes;
        self
    }

    /// Pruning no more than this part of a table's rows.
    #[must_use]
    pub fn max_delete(mut self, part: f64) -> Self {
        self.max_delete = part;
        self
    }

    /// Answering edits at the other side.
    #[must_use]
    pub fn drift(mut self, drift: Drift) -> Self {
        self.drift = drift;
        self
    }

    /// Staying this far behind the server's clock.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = Some(settle);
        self
    }

    /// Committing at other points.
    #[must_use]
    pub fn commit_every(mut self, every: CommitEvery) -> Self {
        self.commit_every = every;
        self
    }

    pub(crate) fn id(&self, job: &str) -> TaskId {
        TaskId::new(job, &self.selection)
    }

    pub(crate) fn target(&self) -> StreamName {
        self.into
            .clone()
            .unwrap_or_else(|| StreamName::new(self.selection.to_string()))
    }
}

impl Job {
    /// A job called `name`.
    pub fn builder(name: impl Into<String>) -> JobBuilder {
        JobBuilder {
            name: name.into(),
            after: Vec::new(),
            source: None,
            destination: None,
            tasks: Vec::new(),
            script: None,
            state: None,
            journal: None,
        }
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connections it uses.
    pub(crate) fn connections(&self) -> Vec<&Arc<dyn Connector>> {
        match &self.work {
            Work::Sync {
                source, destination, ..
            } => vec![source, destination],
            Work::Script { connection, .. } => vec![connection],
        }
    }

    /// Says what [`run`](Self::run) would do. Moves no data.
    ///
    /// # Errors
    /// Everything that can be known to be wrong before data moves.
    pub async fn plan(&self, options: &RunOptions) -> Result<JobPlan> {
        plan::plan_job(self, options).await
    }

    /// Runs the job by itself.
    pub async fn run(&self, options: &RunOptions, observer: &dyn Observer) -> JobReport {
        let report: RunReport = run(std::slice::from_ref(self), options, observer).await;
        report
            .jobs
            .into_iter()
            .next()
            .unwrap_or_else(|| JobReport::skipped(&self.name, "it was not run"))
    }
}

/// Puts a [`Job`] together.
#[derive(Debug)]
pub struct JobBuilder {
    name: String,
    after: Vec<String>,
    source: Option<Arc<dyn Connector>>,
    destination: Option<Arc<dyn Connector>>,
    tasks: Vec<Task>,
    script: Option<(Arc<dyn Connector>, String)>,
    state: Option<Arc<dyn StateStore>>,
    journal: Option<Arc<dyn Journal>>,
}

impl JobBuilder {
    /// Where from.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn Connector>) -> Self {
        self.source = Some(source);
        self
    }

    /// Where to.
    #[must_use]
    pub fn destination(mut self, destination: Arc<dyn Connector>) -> Self {
        self.destination = Some(destination);
        self
    }

    /// Adds a stream.
    #[must_use]
    pub fn task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }

    /// Runs `script` on `connection`, instead of moving records.
    #[must_use]
    pub fn script(mut self, connection: Arc<dyn Connector>, script: impl Into<String>) -> Self {
        self.script = Some((connection, script.into()));
        self
    }

    /// Adds a job that must have succeeded before.
    #[must_use]
    pub fn after(mut self, job: impl Into<String>) -> Self {
        self.after.push(job.into());
        self
    }

    /// Keeps the tasks' states in `store` instead of where the data lives, such as in a
    /// [`FileStore`](crate::FileStore). What would be written exactly once is then written at least once, and a
    /// write-back sends every record it reads; the plan says so.
    #[must_use]
    pub fn state(mut self, store: Arc<dyn StateStore>) -> Self {
        self.state = Some(store);
        self
    }

    /// Keeps what is sent to a destination without transactions in `journal`. It checks fences, so that it must be of
    /// the [`state`](Self::state) store.
    #[must_use]
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// The job.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: something is missing, stands twice, or is for another kind of job.
    pub fn build(self) -> Result<Job> {
        let name = self.name;
        let wrong = |what: &str, help: &'static str| {
            Err(Error::new(ErrorKind::Config, format!("the job `{name}` {what}")).with_help(help))
        };
        let state = match (self.state, self.journal) {
            (None, Some(_)) => {
                return wrong(
                    "has a journal without a state store",
                    "give it the state store that the journal belongs to",
                );
            }
            (store, journal) => store.map(|store| KeptApart { store, journal }),
        };
        if state.is_some() && self.script.is_some() {
            return wrong("is a script, which has no state", "leave its `state` out");
        }
        let work = match (self.source, self.destination, self.script) {
            (None, None, Some((connection, script))) if self.tasks.is_empty() => {
                Work::Script { connection, script }
            }
            (Some(source), Some(destination), None) => {
                if self.tasks.is_empty() {
                    return wrong("has no tasks", "name at least one stream");
                }
                let targets: Vec<StreamName> = self.tasks.iter().map(Task::target).collect();
                let twice = targets
                    .iter()
                    .enumerate()
                    .find(|(i, target)| targets[..*i].contains(target));
                if let Some((_, twice)) = twice {
                    return wrong(
                        &format!("writes two streams into `{twice}`"),
                        "give each task an `into` of its own",
                    );
                }
                Work::Sync {
                    source,
                    destination,
                    tasks: self.tasks,
                }
            }
            _ => {
                return wrong(
                    "is neither a sync nor a script",
                    "give it source, destination and tasks; or connection and sql",
                );
            }
        };
        Ok(Job {
            name,
            after: self.after,
            work,
            state,
        })
    }
}
