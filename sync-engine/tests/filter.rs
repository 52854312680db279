//! A task's filter and cursor: asked of a source that takes them, applied to what was read or refused elsewhere.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::memory::Memory;
use connector_core::{
    Batch, BatchBuilder, CheckReport, Connector, Counts, DataType, ErrorKind, Field, Filter, Identity,
    Journal, Op, ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Schema, Selection, Source,
    StateStore, StreamSpec, StreamSummary, Value, WriteMode,
};
use sync_engine::{Job, NoObserver, RunOptions, Status, Task, run};

/// A source that takes neither filter nor cursor, and says so.
#[derive(Debug)]
struct Deaf(Memory);

#[async_trait]
impl Connector for Deaf {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn identity(&self) -> Result<Identity> {
        self.0.identity().await
    }

    async fn check(&self) -> Result<CheckReport> {
        self.0.check().await
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        self.0.streams().await
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        self.0.describe(what).await
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        self.0.state_store()
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        self.0.journal()
    }
}

#[async_trait]
impl Source for Deaf {
    fn read_capabilities(&self) -> ReadCapabilities {
        let mut capabilities = self.0.read_capabilities();
        capabilities.filters = false;
        capabilities.cursors = false;
        capabilities
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        assert!(request.filter.is_none(), "it is given none");
        self.0.plan_read(request).await
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        assert!(request.filter.is_none(), "it is given none");
        self.0.reader(request).await
    }
}

fn schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("id", DataType::Int32).not_null(),
        Field::new("name", DataType::TEXT),
        Field::new("kind", DataType::TEXT),
    ];
    Arc::new(Schema::new(fields, ["id"]).unwrap())
}

fn things(op: Op, numbers: std::ops::Range<i64>) -> Batch {
    let mut batch = BatchBuilder::new(schema(), 0);
    for number in numbers {
        batch.push(Value::Int(number));
        batch.push(Value::Text(&format!("thing {number}")));
        batch.push(if number % 4 == 0 {
            Value::Null
        } else {
            Value::Text(["a", "b"][number as usize % 2])
        });
        batch.end_record(op);
    }
    batch.finish()
}

fn shop() -> Memory {
    let shop = Memory::new("shop");
    shop.create("thing", (*schema()).clone());
    shop.put("thing", &things(Op::Put, 0..40)).unwrap();
    shop
}

fn copy(source: Arc<dyn Connector>, warehouse: &Memory, task: Task) -> Job {
    Job::builder("copy")
        .source(source)
        .destination(Arc::new(warehouse.clone()))
        .task(task)
        .build()
        .unwrap()
}

/// What is not `b`, without the field that says so.
fn task() -> Task {
    Task::new("thing")
        .filter(Filter::parse("kind != 'b' and id < 30").unwrap())
        .field("id", "id")
        .field("name", "name")
        .match_on(["id"])
}

async fn counts(job: &Job) -> (Counts, u64) {
    let report = run(std::slice::from_ref(job), &RunOptions::default(), &NoObserver).await;
    let errors: Vec<String> = report.jobs[0]
        .errors()
        .map(|error| error.report().to_string())
        .collect();
    assert_eq!(report.status(), Status::Succeeded, "{}", errors.join("\n"));
    (report.jobs[0].counts(), report.jobs[0].read())
}

fn ids(warehouse: &Memory) -> Vec<String> {
    let rows = warehouse.rows("thing").unwrap();
    rows.records()
        .map(|record| record.get("id").to_string())
        .collect()
}

#[tokio::test]
async fn what_does_not_pass_is_left_out_by_the_source_or_counted_here() {
    let (by_source, here) = (Memory::new("a"), Memory::new("b"));
    let shop = shop();
    let wanted: Vec<String> = (0..30)
        .filter(|id| id % 4 == 2)
        .map(|id| id.to_string())
        .collect();
    assert_eq!(wanted.len(), 7);

    let (counted, read) = counts(&copy(Arc::new(shop.clone()), &by_source, task())).await;
    assert_eq!((counted.created, counted.filtered, read), (7, 0, 7));
    assert_eq!(ids(&by_source), wanted);

    let job = copy(Arc::new(Deaf(shop.clone())), &here, task());
    let plan = job.plan(&RunOptions::default()).await.unwrap();
    assert!(
        plan.tasks[0]
            .read
            .notes
            .iter()
            .any(|note| note.contains("left out and counted"))
    );
    let (counted, read) = counts(&job).await;
    assert_eq!((counted.created, counted.filtered, read), (7, 33, 40));
    assert_eq!(ids(&here), wanted);
    let names: Vec<String> = here
        .rows("thing")
        .unwrap()
        .schema()
        .fields()
        .iter()
        .map(|f| f.name.clone())
        .collect();
    assert_eq!(
        names,
        ["id", "name"],
        "what only the filter looks at is not written"
    );

    // That a record is gone is told, whatever it held.
    shop.put("thing", &things(Op::Delete, 2..7)).unwrap();
    counts(&job).await;
    assert_eq!(ids(&here), wanted[2..]);
}

#[tokio::test]
async fn a_filter_that_does_not_fit_is_refused_by_the_plan() {
    let warehouse = Memory::new("a");
    for source in [Arc::new(shop()) as Arc<dyn Connector>, Arc::new(Deaf(shop()))] {
        let task = task().filter(Filter::parse("knd is null").unwrap());
        let error = copy(source, &warehouse, task)
            .plan(&RunOptions::default())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.help()),
            (ErrorKind::Schema, Some("did you mean `kind`?"))
        );
    }
    let crm = Memory::service("crm");
    crm.create("thing", (*schema()).clone());
    let back = Job::builder("back")
        .source(Arc::new(Deaf(shop())))
        .destination(Arc::new(crm))
        .task(task().write(WriteMode::Update))
        .build()
        .unwrap();
    let error = back.plan(&RunOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_cursor_is_asked_of_a_source_that_takes_one() {
    let warehouse = Memory::new("a");
    let plan = |source: Arc<dyn Connector>, cursor: &str| {
        let job = copy(source, &warehouse, Task::new("thing").cursor(cursor));
        async move { job.plan(&RunOptions::default()).await }
    };
    let planned = plan(Arc::new(shop()), "name").await.unwrap();
    assert!(planned.tasks[0].read.notes[0].starts_with("what has changed"));
    let error = plan(Arc::new(shop()), "nam").await.unwrap_err();
    assert_eq!(error.help(), Some("did you mean `name`?"));
    let error = plan(Arc::new(Deaf(shop())), "name").await.unwrap_err();
    assert_eq!(
        error.message(),
        "the connector `memory` cannot be read by the cursor `name`"
    );
}
