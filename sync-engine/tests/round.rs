//! The whole round over connectors in memory: load, write back, load again.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

use std::sync::Arc;

use connector_core::memory::Memory;
use connector_core::{Batch, BatchBuilder, Counts, DataType, Field, Op, Schema, Value, WriteMode};
use sync_engine::{Job, NoObserver, RunOptions, Status, Sync, Task, run};

fn schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("Id", DataType::Text { max_chars: Some(18) }).not_null(),
        Field::new("LastName", DataType::TEXT),
        Field::new("LeadScore__c", DataType::Int32),
    ];
    Arc::new(Schema::new(fields, ["Id"]).unwrap())
}

fn leads(numbers: std::ops::Range<i64>, score: Option<i64>) -> Batch {
    let mut batch = BatchBuilder::new(schema(), 0);
    for number in numbers {
        batch.push(Value::Text(&format!("00Q{number:012}")));
        batch.push(Value::Text(&format!("Lead {number}")));
        batch.push(score.map_or(Value::Null, |score| Value::Int(score + number)));
        batch.end_record(Op::Put);
    }
    batch.finish()
}

fn load(crm: &Memory, warehouse: &Memory) -> Job {
    Job::builder("leads")
        .source(Arc::new(crm.clone()))
        .destination(Arc::new(warehouse.clone()))
        .task(Task::new("Lead").into("lead_reverse").keep(["LeadScore__c"]))
        .build()
        .unwrap()
}

fn write_back(warehouse: &Memory, crm: &Memory) -> Job {
    Job::builder("write-back")
        .source(Arc::new(warehouse.clone()))
        .destination(Arc::new(crm.clone()))
        .task(
            Task::new("lead_reverse")
                .into("Lead")
                .write(WriteMode::Update)
                .match_on(["Id"])
                .field("LeadScore__c", "LeadScore__c"),
        )
        .build()
        .unwrap()
}

async fn counts(job: Job) -> Counts {
    let report = run(&[job], &RunOptions::default(), &NoObserver).await;
    let errors: Vec<String> = report.jobs[0]
        .errors()
        .map(|error| error.report().to_string())
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert_eq!(report.status(), Status::Succeeded);
    report.jobs[0].counts()
}

#[tokio::test]
async fn what_was_confirmed_is_not_sent_again() {
    let (crm, warehouse) = (Memory::service("crm"), Memory::new("warehouse"));
    crm.create("Lead", (*schema()).clone());
    crm.put("Lead", &leads(0..50, None)).unwrap();

    assert_eq!(counts(load(&crm, &warehouse)).await.created, 50);
    warehouse.put("lead_reverse", &leads(0..50, Some(10))).unwrap();
    assert_eq!(counts(write_back(&warehouse, &crm)).await.updated, 50);
    assert_eq!(crm.applied(), 50);
    assert_eq!(
        crm.rows("Lead").unwrap().get(7).unwrap().get("LeadScore__c"),
        Value::Int(17)
    );

    let second = counts(load(&crm, &warehouse)).await;
    assert_eq!((second.unchanged, second.updated, second.created), (50, 0, 0));
    let nothing = counts(write_back(&warehouse, &crm)).await;
    assert_eq!((nothing.unchanged, nothing.updated), (50, 0));
    assert_eq!(crm.applied(), 50);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_asked_for_again() {
    let (crm, warehouse) = (Memory::service("crm"), Memory::new("warehouse"));
    crm.create("Lead", (*schema()).clone());
    crm.put("Lead", &leads(0..50, None)).unwrap();
    counts(load(&crm, &warehouse)).await;
    warehouse.put("lead_reverse", &leads(0..50, Some(10))).unwrap();
    crm.lose_answers(1);
    counts(write_back(&warehouse, &crm)).await;
    // Applied, unanswered, applied again: the same values.
    assert_eq!(crm.applied(), 100);
    let nothing = counts(write_back(&warehouse, &crm)).await;
    assert_eq!(nothing.unchanged, 50);
}

#[tokio::test]
async fn an_overwrite_is_of_everything_each_time() {
    let (crm, warehouse) = (Memory::service("crm"), Memory::new("warehouse"));
    crm.create("Lead", (*schema()).clone());
    crm.put("Lead", &leads(0..50, None)).unwrap();
    let overwrite = || {
        Job::builder("copy")
            .source(Arc::new(crm.clone()))
            .destination(Arc::new(warehouse.clone()))
            .task(Task::new("Lead").into("lead").write(WriteMode::Overwrite))
            .build()
            .unwrap()
    };
    counts(overwrite()).await;
    // A person's row goes; what did not change since the last run stays.
    warehouse.put("lead", &leads(90..91, None)).unwrap();
    crm.put("Lead", &leads(50..60, None)).unwrap();
    counts(overwrite()).await;
    assert_eq!(warehouse.rows("lead").unwrap().len(), 60);
}

#[tokio::test]
async fn a_log_brings_what_was_put_and_what_was_deleted() {
    let (shop, warehouse) = (Memory::new("shop"), Memory::new("warehouse"));
    shop.create("Lead", (*schema()).clone());
    shop.put("Lead", &leads(0..50, None)).unwrap();
    let task = || Task::new("Lead").into("lead").sync(Sync::Changed);
    let job = |task: Task| {
        Job::builder("copy")
            .source(Arc::new(shop.clone()))
            .destination(Arc::new(warehouse.clone()))
            .task(task)
            .build()
            .unwrap()
    };
    assert_eq!(counts(job(task())).await.created, 50);
    let mut gone = BatchBuilder::new(schema(), 0);
    gone.push(Value::Text("00Q000000000007"));
    gone.end_record(Op::Delete);
    shop.put("Lead", &gone.finish()).unwrap();
    shop.put("Lead", &leads(49..51, Some(1))).unwrap();
    let second = counts(job(task())).await;
    assert_eq!((second.deleted, second.updated, second.created), (1, 1, 1));
    assert_eq!(warehouse.rows("lead").unwrap().len(), 50);

    let report = run(
        &[job(task().write(WriteMode::Insert))],
        &RunOptions::default(),
        &NoObserver,
    )
    .await;
    let error = report.jobs[0].errors().next().unwrap().report().to_string();
    assert!(
        error.starts_with("a log of changes cannot be written in the mode insert"),
        "{error}"
    );
}
