//! Histories, named deletes and prunes as jobs, over connectors in memory; and as a job file says them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

use std::ops::Range;
use std::sync::Arc;

use connector_core::memory::Memory;
use connector_core::{
    Batch, BatchBuilder, Counts, DataType, Deletes, ErrorKind, Field, Op, Schema, Value, WriteMode,
};
use sync_engine::{Job, NoObserver, RunOptions, Status, Task, run};

fn schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("id", DataType::Int64).not_null(),
        Field::new("name", DataType::TEXT),
    ];
    Arc::new(Schema::new(fields, ["id"]).unwrap())
}

fn records(ids: Range<i64>, op: Op, name: &str) -> Batch {
    let mut batch = BatchBuilder::new(schema(), 0);
    for id in ids {
        batch.push(Value::Int(id));
        batch.push(Value::Text(name));
        batch.end_record(op);
    }
    batch.finish()
}

/// A shop with a hundred customers, and a warehouse.
fn systems() -> (Memory, Memory) {
    let (shop, warehouse) = (Memory::new("shop"), Memory::new("warehouse"));
    shop.create("customer", (*schema()).clone());
    shop.put("customer", &records(0..100, Op::Put, "a")).unwrap();
    (shop, warehouse)
}

fn job(name: &str, from: &Memory, to: &Memory, task: Task) -> Job {
    Job::builder(name)
        .source(Arc::new(from.clone()))
        .destination(Arc::new(to.clone()))
        .task(task)
        .build()
        .unwrap()
}

async fn counts(job: &Job) -> Counts {
    let report = run(std::slice::from_ref(job), &RunOptions::default(), &NoObserver).await;
    let errors: Vec<String> = report.jobs[0]
        .errors()
        .map(|error| error.report().to_string())
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert_eq!(report.status(), Status::Succeeded);
    report.jobs[0].counts()
}

/// Rows, and those that count.
fn standing(warehouse: &Memory, table: &str) -> (usize, usize) {
    let rows = warehouse.rows(table).unwrap();
    let counts = rows.records().filter(|record| {
        !record.get(Deletes::DELETED_AT).is_present() && record.get(WriteMode::CURRENT) != Value::Bool(false)
    });
    (rows.len(), counts.count())
}

#[tokio::test]
async fn a_history_grows_by_what_changed_and_ends_what_is_gone() {
    let (shop, warehouse) = systems();
    let job = job(
        "history",
        &shop,
        &warehouse,
        Task::new("customer").write(WriteMode::History),
    );
    assert_eq!(counts(&job).await.created, 100);
    assert_eq!(counts(&job).await.accounted(), 0);
    shop.put("customer", &records(0..3, Op::Put, "b")).unwrap();
    shop.put("customer", &records(99..100, Op::Delete, "")).unwrap();
    let second = counts(&job).await;
    assert_eq!((second.updated, second.deleted), (3, 1));
    assert_eq!(standing(&warehouse, "customer"), (103, 99));
}

#[tokio::test]
async fn a_prune_reads_everything_each_time_and_nothing_but_keys() {
    let (shop, warehouse) = systems();
    let load = job(
        "load",
        &shop,
        &warehouse,
        Task::new("customer").into("crm").deletes(Deletes::Ignore),
    );
    assert_eq!(counts(&load).await.created, 100);
    shop.put("customer", &records(90..100, Op::Delete, "")).unwrap();
    assert_eq!(counts(&load).await.unchanged, 10);
    let prune = |task: Task| {
        job(
            "prune",
            &shop,
            &warehouse,
            task.into("crm").write(WriteMode::Prune),
        )
    };
    let soft = prune(Task::new("customer").deletes(Deletes::Soft));
    let plan = soft.plan(&RunOptions::default()).await.unwrap();
    let columns: Vec<&str> = plan.tasks[0]
        .write
        .columns
        .iter()
        .map(|column| &*column.name)
        .collect();
    assert_eq!(columns, ["id"]);
    let first = counts(&soft).await;
    assert_eq!((first.unchanged, first.pruned), (90, 10));
    assert_eq!(standing(&warehouse, "crm"), (100, 90));
    let again = counts(&soft).await;
    assert_eq!((again.unchanged, again.pruned), (90, 0));

    shop.put("customer", &records(0..60, Op::Delete, "")).unwrap();
    let report = run(
        &[prune(Task::new("customer"))],
        &RunOptions::default(),
        &NoObserver,
    )
    .await;
    assert_eq!(report.status(), Status::Failed);
    assert_eq!(
        report.jobs[0].errors().next().unwrap().kind(),
        ErrorKind::Conflict
    );
    let all = prune(Task::new("customer").max_delete(1.0));
    assert_eq!(counts(&all).await.pruned, 70);
    assert_eq!(standing(&warehouse, "crm"), (30, 30));
}

#[tokio::test]
async fn named_rows_are_deleted() {
    let (shop, warehouse) = systems();
    counts(&job("load", &shop, &warehouse, Task::new("customer"))).await;
    shop.create("erased", (*schema()).clone());
    shop.put("erased", &records(95..105, Op::Put, "x")).unwrap();
    let delete = Task::new("erased").into("customer").write(WriteMode::Delete);
    let counted = counts(&job("erase", &shop, &warehouse, delete)).await;
    assert_eq!((counted.deleted, counted.unchanged), (5, 5));
    assert_eq!(standing(&warehouse, "customer"), (95, 95));
}

#[tokio::test]
async fn what_a_destination_lacks_is_said_before_anything_is_read() {
    let (shop, _) = systems();
    let service = Memory::service("service");
    service.create("customer", (*schema()).clone());
    let refused = async |task: Task| {
        let job = job("job", &shop, &service, task);
        job.plan(&RunOptions::default())
            .await
            .unwrap_err()
            .report()
            .to_string()
    };
    let said = refused(Task::new("customer").write(WriteMode::Prune)).await;
    assert!(
        said.starts_with("the connector `memory` cannot be written in the mode prune"),
        "{said}"
    );
    assert!(
        said.ends_with("help: say write = \"insert\" or \"update\" or \"upsert\""),
        "{said}"
    );
    let said = refused(Task::new("customer").deletes(Deletes::Soft)).await;
    assert!(
        said.starts_with("the connector `memory` cannot take deletes as soft"),
        "{said}"
    );
    assert!(said.ends_with("help: say deletes = \"hard\""), "{said}");
}

#[cfg(feature = "config")]
#[tokio::test]
async fn a_job_file_says_modes_deletes_and_limits() {
    use connector_core::Connector;
    use sync_engine::{JobFile, Registry};

    let (shop, warehouse) = systems();
    counts(&job("load", &shop, &warehouse, Task::new("customer"))).await;
    shop.put("customer", &records(0..50, Op::Delete, "")).unwrap();
    let give = |memory: &Memory| {
        let memory = memory.clone();
        move |_| Ok(Arc::new(memory.clone()) as Arc<dyn Connector>)
    };
    let registry = Registry::new()
        .register("shop", give(&shop))
        .register("warehouse", give(&warehouse));
    let parse = |task: &str| {
        let text = format!(
            "[connections.shop]\nconnector = \"shop\"\n[connections.warehouse]\nconnector = \"warehouse\"\n\
             [[jobs]]\nname = \"j\"\nsource = \"shop\"\ndestination = \"warehouse\"\ntasks = [{{ stream = \"customer\", {task} }}]\n"
        );
        let nothing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        JobFile::parse(&text, &registry, |_| None, nothing)
            .unwrap()
            .jobs
            .remove(0)
    };
    let job = parse("write = \"prune\", deletes = \"soft\", max_delete = 0.5");
    assert_eq!(counts(&job).await.pruned, 50);
    assert_eq!(standing(&warehouse, "customer"), (100, 50));
    let job = parse("write = \"history\", into = \"versions\", deletes = \"ignore\"");
    assert_eq!(counts(&job).await.created, 50);
    assert_eq!(standing(&warehouse, "versions"), (50, 50));
    let job = parse("write = \"delete\", deletes = \"ignore\"");
    assert_eq!(
        job.plan(&RunOptions::default()).await.unwrap_err().kind(),
        ErrorKind::Config
    );
    // What has no name any more keeps it or not, as the job says of nulls.
    let nameless = |of: &Memory| {
        let rows = of.rows("kept").unwrap();
        rows.records()
            .filter(|record| record.get("name") == Value::Null)
            .count()
    };
    let kept = "sync = \"full\", into = \"kept\"";
    counts(&parse(kept)).await;
    let mut batch = BatchBuilder::new(schema(), 0);
    batch.push(Value::Int(70));
    batch.push(Value::Null);
    batch.end_record(Op::Put);
    shop.put("customer", &batch.finish()).unwrap();
    for (nulls, wanted) in [
        ("nulls = \"leave\"", 0),
        ("nulls_of = { name = \"leave\" }", 0),
        ("nulls = \"leave\", nulls_of = { name = \"clear\" }", 1),
    ] {
        counts(&parse(&format!("{kept}, {nulls}"))).await;
        assert_eq!(nameless(&warehouse), wanted, "{nulls}");
    }
}
