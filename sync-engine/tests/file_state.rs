//! Jobs that keep their state in a folder.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    Batch, BatchBuilder, Capabilities, CheckReport, CommitReport, Connector, Counts, DataType, Destination,
    Error, ErrorKind, Event, Fate, Field, Holder, Identity, Intent, Journaled, Key, Op, Outcome,
    ReadCapabilities, ReadPlan, ReadRequest, Reader, Rejection, Result, Schema, Selection, Source, Standing,
    State, StateStore, StreamName, StreamSpec, StreamSummary, Target, TaskId, Value, WriteMode, WritePlan,
    WriteRequest, Writer,
};
use sync_engine::{FileStore, Job, NoObserver, RunOptions, Status, Task};

/// A stream of the numbers below `end`, and a place to put numbers.
#[derive(Debug, Default)]
struct Numbers {
    end: Mutex<i64>,
    /// Every record written, in order.
    written: Arc<Mutex<Vec<i64>>>,
    /// It keeps states with its rows, so that they are written exactly once.
    transactional: Option<FileStore>,
    journalled: bool,
}

fn schema() -> Schema {
    Schema::new(vec![Field::new("id", DataType::Int64).not_null()], ["id"]).unwrap()
}

#[async_trait]
impl Connector for Numbers {
    fn name(&self) -> &'static str {
        "numbers"
    }
    async fn identity(&self) -> Result<Identity> {
        Ok(Identity::new("numbers", "1"))
    }
    async fn check(&self) -> Result<CheckReport> {
        Ok(CheckReport::new())
    }
    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        Ok(vec![StreamSummary::new(StreamName::new("n"))])
    }
    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        Ok(StreamSpec::new(what.clone(), Arc::new(schema())).with_cursor(Some("id".to_owned())))
    }
    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }
    fn as_destination(&self) -> Option<&dyn Destination> {
        Some(self)
    }
    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        let store = self.transactional.clone()?;
        Some(Arc::new(store))
    }
}

#[async_trait]
impl Source for Numbers {
    fn read_capabilities(&self) -> ReadCapabilities {
        ReadCapabilities::new()
    }
    async fn plan_read(&self, _: &ReadRequest) -> Result<ReadPlan> {
        Ok(ReadPlan::new("counts"))
    }
    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let next = match request.state {
            Some(state) => state.open(&self.identity().await?, "n", 1)?,
            None => 0,
        };
        Ok(Box::new(Counting {
            next,
            end: *self.end.lock().unwrap(),
            checkpoint: false,
        }))
    }
}

struct Counting {
    next: i64,
    end: i64,
    checkpoint: bool,
}

#[async_trait]
impl Reader for Counting {
    async fn next(&mut self) -> Result<Option<Event>> {
        if self.checkpoint {
            self.checkpoint = false;
            let state = State::new(Identity::new("numbers", "1"), "n", 1, &self.next)?;
            return Ok(Some(Event::Checkpoint { state, urgent: false }));
        }
        if self.next >= self.end {
            return Ok(None);
        }
        let mut batch = BatchBuilder::new(Arc::new(schema()), self.next.unsigned_abs());
        while self.next < self.end {
            batch.push(Value::Int(self.next));
            batch.end_record(Op::Put);
            self.next += 1;
        }
        self.checkpoint = true;
        Ok(Some(Event::Records(batch.finish())))
    }
}

#[async_trait]
impl Destination for Numbers {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(vec![WriteMode::Upsert, WriteMode::Insert]).creating();
        capabilities.transactional = self.transactional.is_some();
        capabilities.wants_journal = self.journalled;
        capabilities
    }
    async fn plan_write(&self, _: &WriteRequest) -> Result<WritePlan> {
        Ok(WritePlan::new("adds"))
    }
    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        assert!(
            request.fence.is_none(),
            "the state is not the destination's to keep"
        );
        Ok(Box::new(Adding {
            written: Arc::clone(&self.written),
            pending: Vec::new(),
            journaled: request.journal,
        }))
    }
}

struct Adding {
    written: Arc<Mutex<Vec<i64>>>,
    pending: Vec<i64>,
    journaled: Option<Journaled>,
}

#[async_trait]
impl Writer for Adding {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        for record in batch.records() {
            match record.get("id") {
                Value::Int(id) => self.pending.push(id),
                _ => return Err(Error::new(ErrorKind::Data, "no number")),
            }
        }
        Ok(())
    }
    async fn reject(&mut self, _: Vec<Rejection>) -> Result<()> {
        Ok(())
    }
    async fn commit(&mut self, _: Option<&State>) -> Result<CommitReport> {
        let ids = std::mem::take(&mut self.pending);
        if let Some(Journaled {
            journal,
            fence,
            target,
            ..
        }) = &self.journaled
        {
            let keys: Vec<Key> = ids.iter().map(|id| Key::new(id.to_string())).collect();
            let intent = Intent {
                keys: &keys,
                ticket: None,
            };
            journal.intend(fence, target, &intent).await?;
            let fates: Vec<Fate> = keys
                .into_iter()
                .map(|key| Fate {
                    key,
                    outcome: Outcome::Updated,
                })
                .collect();
            journal.settle(fence, target, &fates).await?;
        }
        let mut counts = Counts::default();
        counts.updated = ids.len() as u64;
        self.written.lock().unwrap().extend(ids);
        Ok(CommitReport::new(counts))
    }
    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.commit(checkpoint).await
    }
}

fn job(source: &Arc<Numbers>, destination: &Arc<Numbers>) -> sync_engine::JobBuilder {
    Job::builder("job")
        .source(Arc::clone(source) as _)
        .destination(Arc::clone(destination) as _)
        .task(Task::new("n"))
}

fn numbers(end: i64) -> Arc<Numbers> {
    Arc::new(Numbers {
        end: Mutex::new(end),
        ..Numbers::default()
    })
}

#[tokio::test]
async fn a_job_goes_on_from_the_state_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (source, destination) = (numbers(3), numbers(0));
    for (end, read) in [(3, 3), (3, 0), (5, 2)] {
        *source.end.lock().unwrap() = end;
        // As a new process would open it.
        let store = Arc::new(FileStore::open(folder.path()).unwrap());
        let job = job(&source, &destination).state(store).build().unwrap();
        let report = job.run(&RunOptions::default(), &NoObserver).await;
        assert_eq!(report.status, Status::Succeeded, "{report:?}");
        assert_eq!(report.read(), read);
    }
    assert_eq!(*destination.written.lock().unwrap(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_destination_without_transactions_is_journalled_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(folder.path()).unwrap());
    let destination = Arc::new(Numbers {
        journalled: true,
        ..Numbers::default()
    });
    let job = job(&numbers(2), &destination)
        .state(Arc::clone(&store) as _)
        .journal(Arc::clone(&store) as _)
        .build()
        .unwrap();
    let plan = job.plan(&RunOptions::default()).await.unwrap();
    assert!(plan.tasks[0].delivery[0].starts_with("every record's intent is stored before it is sent"));
    let report = job.run(&RunOptions::default(), &NoObserver).await;
    assert_eq!(report.status, Status::Succeeded, "{report:?}");
    let target = Target {
        identity: Identity::new("numbers", "1"),
        object: "n".to_owned(),
    };
    assert_eq!(
        store.standing(&target, &Key::new("1")).unwrap(),
        Some(Standing::Confirmed)
    );
}

#[tokio::test]
async fn a_state_kept_apart_makes_exactly_once_at_least_once_and_the_plan_says_so() {
    let (of_rows, apart) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let destination = Arc::new(Numbers {
        transactional: Some(FileStore::open(of_rows.path()).unwrap()),
        ..Numbers::default()
    });
    let source = numbers(2);
    let delivery = async |job: sync_engine::JobBuilder| {
        let plan = job.build().unwrap().plan(&RunOptions::default()).await.unwrap();
        plan.tasks[0].delivery.clone()
    };
    assert_eq!(
        delivery(job(&source, &destination)).await,
        ["exactly once: rows, rejections and checkpoint commit together"]
    );
    let store = Arc::new(FileStore::open(apart.path()).unwrap());
    let kept_apart = job(&source, &destination).state(Arc::clone(&store) as _);
    assert_eq!(
        delivery(kept_apart).await,
        [
            "at least once by key instead of exactly once, the state being kept apart from the rows: after a crash, what \
          was written since the last checkpoint is written again over itself"
        ]
    );
    let kept_apart = job(&source, &destination)
        .state(Arc::clone(&store) as _)
        .build()
        .unwrap();
    let report = kept_apart.run(&RunOptions::default(), &NoObserver).await;
    assert_eq!(report.status, Status::Succeeded, "{report:?}");
    let (task, me) = (TaskId::new("job", "n"), Holder::new("me"));
    let state = store.claim(&task, &me).await.unwrap().state.unwrap();
    assert_eq!(
        state.open::<i64>(&Identity::new("numbers", "1"), "n", 1).unwrap(),
        2
    );
}

#[tokio::test]
async fn a_job_without_a_place_for_its_state_is_told_of_one() {
    let job = job(&numbers(1), &numbers(0)).build().unwrap();
    let error = job.plan(&RunOptions::default()).await.unwrap_err();
    assert_eq!(
        (error.message(), error.help().unwrap()),
        (
            "neither side of the job can keep its state",
            "say where it is kept: state = \"file:FOLDER\", or a connection that keeps states, such as a database"
        )
    );
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(folder.path()).unwrap());
    let script = Job::builder("s")
        .script(numbers(0), "")
        .state(Arc::clone(&store) as _);
    assert_eq!(
        script.build().unwrap_err().to_string(),
        "the job `s` is a script, which has no state"
    );
    let alone = self::job(&numbers(1), &numbers(0)).journal(store);
    assert_eq!(
        alone.build().unwrap_err().to_string(),
        "the job `job` has a journal without a state store"
    );
}

#[cfg(feature = "config")]
mod job_file {
    use super::*;
    use sync_engine::{JobFile, Registry};

    /// `plain` keeps no state, `rows` keeps it with its rows, `keeper` does too.
    fn parse(state: &str, folder: &tempfile::TempDir, source: &Arc<Numbers>) -> Result<JobFile> {
        let text = format!(
            "[connections.source]\nconnector = \"source\"\n[connections.plain]\nconnector = \"plain\"\n\
             [connections.rows]\nconnector = \"rows\"\n[connections.keeper]\nconnector = \"rows\"\n\
             [[jobs]]\nname = \"job\"\nsource = \"source\"\ndestination = \"plain\"\ntasks = [{{ stream = \"n\" }}]\n{state}\n\
             [[jobs]]\nname = \"rows\"\nsource = \"source\"\ndestination = \"rows\"\ntasks = [{{ stream = \"n\" }}]\n{state}\n"
        );
        let source = Arc::clone(source);
        let own = folder.path().join("own");
        let registry = Registry::new()
            .register("source", move |_| Ok(Arc::clone(&source) as _))
            .register("plain", |_| Ok(numbers(0)))
            .register("rows", move |_| {
                Ok(Arc::new(Numbers {
                    transactional: Some(FileStore::open(&own)?),
                    ..Numbers::default()
                }))
            })
            .with_state_folder(folder.path());
        JobFile::parse(
            &text,
            &registry,
            |_| None,
            |_| Err(std::io::ErrorKind::NotFound.into()),
        )
    }

    #[tokio::test]
    async fn a_folder_keeps_the_states_of_jobs() {
        let folder = tempfile::tempdir().unwrap();
        let source = numbers(4);
        for read in [4, 0] {
            let file = parse("state = \"file:states\"", &folder, &source).unwrap();
            let report = sync_engine::run(&file.jobs, &RunOptions::default(), &NoObserver).await;
            for job in &report.jobs {
                assert_eq!(job.status, Status::Succeeded, "{job:?}");
                assert_eq!(job.read(), read);
            }
        }
        assert!(folder.path().join("states/store.lock").exists());
    }

    #[tokio::test]
    async fn a_connection_keeps_the_states_of_jobs() {
        let folder = tempfile::tempdir().unwrap();
        let file = parse("state = \"rows\"", &folder, &numbers(1)).unwrap();
        let mut delivery = Vec::new();
        for job in &file.jobs {
            let plan = job.plan(&RunOptions::default()).await.unwrap();
            delivery.push(plan.tasks[0].delivery[0].clone());
        }
        assert!(delivery[0].starts_with("at least once: "), "{delivery:?}");
        assert!(delivery[1].starts_with("exactly once: "), "{delivery:?}");
        let file = parse("state = \"keeper\"", &folder, &numbers(1)).unwrap();
        let plan = file.jobs[1].plan(&RunOptions::default()).await.unwrap();
        let delivery = &plan.tasks[0].delivery;
        assert!(
            delivery[0].starts_with("at least once by key instead of"),
            "{delivery:?}"
        );
    }

    #[test]
    fn a_state_that_cannot_be_kept_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let said = |state: &str| {
            let error = parse(state, &folder, &numbers(0)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            error.report().to_string()
        };
        assert_eq!(
            said("state = \"plain\""),
            "the connection `plain` cannot keep a state\n  job: job\nhelp: name one that can, such as a database; or a \
             folder: state = \"file:FOLDER\""
        );
        assert_eq!(
            said("state = \"kepper\""),
            "there is no connection `kepper`\n  job: job\nhelp: did you mean `keeper`?"
        );
        assert!(said("state = \"file:\"").starts_with("`state` names no folder"));
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(said("state = \"file:file\"").contains("is not a folder"));
    }
}
