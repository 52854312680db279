//! Inserts, updates, upserts and deletes by Bulk jobs: the org's ledger is the judge.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Bench, MemoryJournal};
use connector_core::{
    Batch, BatchBuilder, CommitReport, Connector, DataType, ErrorKind, Field, Op, Outcome, Result, Schema,
    TaskId, Value, WriteMode, WriteRequest,
};
use connector_salesforce::Salesforce;
use connector_testkit::fakes::salesforce::{
    Fault, FaultAction, FieldSpec, ObjectSpec, RecordFault, SalesforceConfig,
};

const OBJECT: &str = "Score__c";
/// More than go by collections.
const COUNT: usize = 2_100;

const MODES: [WriteMode; 4] = [
    WriteMode::Insert,
    WriteMode::Update,
    WriteMode::Upsert,
    WriteMode::Delete,
];

async fn bench(shape: impl FnOnce(ObjectSpec) -> ObjectSpec) -> Bench {
    let object = ObjectSpec::new(OBJECT, "a02")
        .field(FieldSpec::string("Code__c", 20).external_id().unique())
        .field(FieldSpec::double("Amount__c", 10, 2))
        .field(FieldSpec::string("Note__c", 40));
    Bench::start(SalesforceConfig {
        leads: 1,
        objects: vec![shape(object)],
        ..SalesforceConfig::default()
    })
    .await
}

fn same(object: ObjectSpec) -> ObjectSpec {
    object
}

fn code(n: usize) -> String {
    format!("Code-{n:05}")
}

/// What of the org's records a mode finds: all, half of them, or none.
fn place(bench: &Bench, mode: WriteMode) {
    let there = match mode {
        WriteMode::Insert => 0,
        WriteMode::Upsert => COUNT / 2,
        _ => COUNT,
    };
    for n in 0..there {
        bench
            .org
            .insert_record(OBJECT, &[("Code__c", code(n).into())])
            .unwrap();
    }
}

/// What the journal knows record `n` by, and its batch: by code, or by id where `by_id`.
fn records(numbers: impl IntoIterator<Item = usize>, mode: WriteMode) -> Batch {
    let mut fields = vec![Field::new("Code__c", DataType::TEXT)];
    if mode != WriteMode::Delete {
        fields.push(Field::new("Amount__c", DataType::Int32));
        fields.push(Field::new("Note__c", DataType::TEXT));
    }
    let schema = Arc::new(Schema::new(fields, ["Code__c"]).unwrap());
    let mut builder = BatchBuilder::new(schema, 0);
    for n in numbers {
        builder.push(Value::Text(&code(n)));
        if mode != WriteMode::Delete {
            builder.push(Value::Int(i64::try_from(n).unwrap()));
            builder.push(match n % 3 {
                0 => Value::Null,
                1 => Value::Text("a \"b\",\r\n行 "),
                _ => Value::Text("plain"),
            });
        }
        builder.end_record(Op::Put);
    }
    builder.finish()
}

fn request(batch: &Batch, mode: WriteMode) -> WriteRequest {
    WriteRequest::new(
        OBJECT.into(),
        Arc::clone(batch.schema()),
        mode,
        TaskId::new("test", OBJECT),
    )
    .with_match_on(vec!["Code__c".to_owned()])
}

async fn write(
    bench: &Bench,
    crm: &Salesforce,
    journal: &Arc<MemoryJournal>,
    mode: WriteMode,
    numbers: impl IntoIterator<Item = usize>,
) -> Result<CommitReport> {
    let batch = records(numbers, mode);
    let journaled = journal.claim(&bench.identity().await);
    let request = request(&batch, mode).with_journal(Some(journaled));
    let mut writer = crm.as_destination().unwrap().writer(request).await?;
    writer.write(batch).await?;
    writer.finish(None).await
}

/// Another process goes on with what the journal says is still to be done.
async fn go_on(bench: &Bench, journal: &Arc<MemoryJournal>, mode: WriteMode) -> CommitReport {
    let crm = bench.reconnect();
    let journaled = journal.claim(&bench.identity().await);
    let batch = records(0..0, mode);
    let opened = request(&batch, mode).with_journal(Some(journaled));
    let mut writer = crm.as_destination().unwrap().writer(opened).await.unwrap();
    let is_due = |n: &usize| {
        matches!(
            journal.outcome(&code(*n)),
            None | Some(Outcome::Released | Outcome::Ambiguous)
        )
    };
    writer
        .write(records((0..COUNT).filter(is_due), mode))
        .await
        .unwrap();
    writer.finish(None).await.unwrap()
}

/// Checks that what was asked for was done, each once, and nothing else.
fn judge(bench: &Bench, mode: WriteMode, what: &str) {
    let mut applied: BTreeMap<String, u32> = BTreeMap::new();
    for entry in bench.org.ledger().entries() {
        *applied
            .entry(format!("{} {}", entry.operation, entry.id))
            .or_default() += 1;
    }
    assert_eq!(applied.len(), COUNT, "{what}");
    assert!(
        applied.values().all(|times| *times == 1),
        "{what}: something was done twice"
    );
    let operations = |wanted: &str| applied.keys().filter(|key| key.starts_with(wanted)).count();
    let (inserts, updates, deletes) = (operations("insert"), operations("update"), operations("delete"));
    let wanted = match mode {
        WriteMode::Insert => (COUNT, 0, 0),
        WriteMode::Update => (0, COUNT, 0),
        WriteMode::Upsert => (COUNT / 2, COUNT / 2, 0),
        _ => (0, 0, COUNT),
    };
    assert_eq!((inserts, updates, deletes), wanted, "{what}");
    let deleted = |record: &BTreeMap<String, _>| format!("{:?}", record["IsDeleted"]).contains("true");
    let all = bench.org.records(OBJECT);
    assert_eq!(all.len(), COUNT, "{what}");
    for record in all {
        assert_eq!(deleted(&record), mode == WriteMode::Delete, "{what}");
        if mode != WriteMode::Delete {
            let text = |field: &str| record[field].text();
            let n: usize = text("Code__c").unwrap()[5..].parse().unwrap();
            let amount: f64 = text("Amount__c").unwrap().parse().unwrap();
            assert_eq!(amount as usize, n, "{what}");
            let note = [None, Some("a \"b\",\r\n行 "), Some("plain")][n % 3];
            assert_eq!(text("Note__c").as_deref(), note, "{what}");
        }
    }
}

#[tokio::test]
async fn every_mode_goes_by_a_job_and_each_record_has_its_fate() {
    for mode in MODES {
        let bench = bench(same).await;
        place(&bench, mode);
        let journal = MemoryJournal::new();
        let report = write(&bench, &bench.crm, &journal, mode, 0..COUNT).await.unwrap();
        let counts = report.counts;
        let half = COUNT as u64 / 2;
        let wanted = match mode {
            WriteMode::Insert => (2 * half, 0, 0),
            WriteMode::Update => (0, 2 * half, 0),
            WriteMode::Upsert => (half, half, 0),
            _ => (0, 0, 2 * half),
        };
        assert_eq!((counts.created, counts.updated, counts.deleted), wanted, "{mode}");
        assert_eq!(bench.asked("POST jobs/ingest"), 1, "{mode}");
        for verb in ["POST", "PATCH", "DELETE"] {
            assert_eq!(bench.asked(&format!("{verb} composite/sobjects")), 0, "{mode}");
        }
        judge(&bench, mode, &mode.to_string());
        assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{mode}");
    }
}

/// The requests around a job whose answers can be lost.
const REQUESTS: [(&str, &str); 7] = [
    ("POST", "/jobs/ingest"),
    ("PUT", "/batches"),
    ("PATCH", "/jobs/ingest/750"),
    ("GET", "/jobs/ingest/750"),
    ("GET", "failedResults"),
    ("GET", "unprocessedrecords"),
    ("GET", "successfulResults"),
];

/// How an answer can be lost: before the request was carried out, which makes no difference where it only asks, or after.
fn losses(method: &str) -> Vec<FaultAction> {
    match method {
        "GET" => vec![FaultAction::ApplyThenDrop],
        _ => vec![FaultAction::Drop, FaultAction::ApplyThenDrop],
    }
}

#[tokio::test]
async fn a_lost_answer_to_any_request_of_a_job_is_decided_by_the_job() {
    for mode in MODES {
        for (method, path) in REQUESTS {
            for action in losses(method) {
                let what = format!("{mode}: {method} {path} {action:?}");
                let bench = bench(same).await;
                place(&bench, mode);
                let journal = MemoryJournal::new();
                bench.org.fail_next(Fault {
                    method: Some(method.to_owned()),
                    ..Fault::next(path, action)
                });
                let report = write(&bench, &bench.crm, &journal, mode, 0..COUNT).await.unwrap();
                assert_eq!(report.counts.written(), COUNT as u64, "{what}");
                judge(&bench, mode, &what);
                assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_died_at_any_request_of_a_job_is_taken_up_again() {
    for mode in MODES {
        for (method, path) in REQUESTS {
            for action in losses(method) {
                let what = format!("{mode}: {method} {path} {action:?}");
                let bench = bench(same).await;
                place(&bench, mode);
                let journal = MemoryJournal::new();
                let lost_after = matches!(action, FaultAction::ApplyThenDrop);
                // The answers stay away for good, and the run with them.
                bench.org.fail_next(Fault {
                    method: Some(method.to_owned()),
                    times: 1_000,
                    ..Fault::next(path, action)
                });
                let report = match write(&bench, &bench.crm, &journal, mode, 0..COUNT).await {
                    // The job can be asked whether it was closed.
                    Ok(report) => {
                        assert!(method == "PATCH" && lost_after, "{what}");
                        report
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Unavailable, "{what}: {error:?}");
                        bench.org.forget_faults();
                        go_on(&bench, &journal, mode).await
                    }
                };
                judge(&bench, mode, &what);
                let counts = report.counts;
                assert_eq!(counts.rejected + counts.ambiguous, 0, "{what}");
                assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_journal_that_dies_leads_to_no_second_time() {
    for mode in MODES {
        for death in 0..4 {
            let what = format!("{mode}, death {death}");
            let bench = bench(same).await;
            place(&bench, mode);
            let journal = MemoryJournal::new();
            journal.fail_after(death);
            if write(&bench, &bench.crm, &journal, mode, 0..COUNT).await.is_ok() {
                continue;
            }
            go_on(&bench, &journal, mode).await;
            judge(&bench, mode, &what);
            assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{what}");
        }
    }
}

#[tokio::test]
async fn a_job_that_fails_halfway_is_completed_in_every_mode() {
    for mode in MODES {
        for stop in [50, 2_099] {
            let bench = bench(same).await;
            place(&bench, mode);
            let journal = MemoryJournal::new();
            bench.org.stop_next_ingest(stop);
            let report = write(&bench, &bench.crm, &journal, mode, 0..COUNT).await.unwrap();
            assert_eq!(report.counts.written(), COUNT as u64, "{mode}");
            judge(&bench, mode, &format!("{mode}, stopped after {stop}"));
            assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{mode}");
        }
    }
}

#[tokio::test]
async fn a_job_that_failed_halfway_is_completed_by_the_next_run() {
    for mode in MODES {
        let bench = bench(same).await;
        place(&bench, mode);
        let journal = MemoryJournal::new();
        bench.org.stop_next_ingest(1_000);
        bench.org.fail_next(Fault {
            times: 1_000,
            ..Fault::next("failedResults", FaultAction::Drop)
        });
        write(&bench, &bench.crm, &journal, mode, 0..COUNT)
            .await
            .unwrap_err();
        bench.org.forget_faults();
        let report = go_on(&bench, &journal, mode).await;
        assert_eq!(report.counts.recovered, 1_000, "{mode}");
        assert_eq!(report.counts.written(), COUNT as u64 - 1_000, "{mode}");
        judge(&bench, mode, &mode.to_string());
        assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{mode}");
    }
}

#[tokio::test]
async fn locked_records_go_again_and_wrong_ones_are_refused() {
    for mode in MODES {
        let bench = bench(same).await;
        place(&bench, mode);
        let fault = |n: usize, code_of_error: &str, times| RecordFault {
            object: OBJECT.to_owned(),
            field: "Code__c".to_owned(),
            value: code(n),
            code: code_of_error.to_owned(),
            message: "no: not: now".to_owned(),
            times,
        };
        bench.org.fail_record(fault(7, "UNABLE_TO_LOCK_ROW", 2));
        bench.org.fail_record(fault(9, "UNABLE_TO_LOCK_ROW", 100));
        bench
            .org
            .fail_record(fault(11, "FIELD_CUSTOM_VALIDATION_EXCEPTION", 100));
        let journal = MemoryJournal::new();
        let report = write(&bench, &bench.crm, &journal, mode, 0..COUNT).await.unwrap();
        let counts = report.counts;
        assert_eq!(
            (counts.written(), counts.rejected),
            (COUNT as u64 - 2, 2),
            "{mode}"
        );
        let refused: BTreeMap<&str, &str> = report
            .rejected
            .iter()
            .map(|refused| (refused.key.as_ref().unwrap().as_str(), refused.code.as_str()))
            .collect();
        assert_eq!(
            refused,
            BTreeMap::from([
                (code(9).as_str(), "UNABLE_TO_LOCK_ROW"),
                (code(11).as_str(), "FIELD_CUSTOM_VALIDATION_EXCEPTION")
            ]),
            "{mode}"
        );
        assert!(
            report
                .rejected
                .iter()
                .all(|refused| refused.message == "no: not: now")
        );
        assert!(
            matches!(journal.outcome(&code(11)), Some(Outcome::Rejected { .. })),
            "{mode}"
        );
        assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{mode}");
    }
}

#[tokio::test]
async fn many_locked_records_go_by_a_further_job() {
    let bench = bench(same).await;
    place(&bench, WriteMode::Update);
    for n in 0..COUNT {
        bench.org.fail_record(RecordFault {
            object: OBJECT.to_owned(),
            field: "Code__c".to_owned(),
            value: code(n),
            code: "UNABLE_TO_LOCK_ROW".to_owned(),
            message: String::new(),
            times: 1,
        });
    }
    let journal = MemoryJournal::new();
    let report = write(&bench, &bench.crm, &journal, WriteMode::Update, 0..COUNT)
        .await
        .unwrap();
    assert_eq!(report.counts.updated, COUNT as u64);
    assert_eq!(
        (
            bench.asked("POST jobs/ingest"),
            bench.asked("PATCH composite/sobjects")
        ),
        (2, 0)
    );
    judge(&bench, WriteMode::Update, "locked once");
}

#[tokio::test]
async fn a_refusal_found_by_the_next_run_is_no_success() {
    for mode in MODES {
        let bench = bench(same).await;
        place(&bench, mode);
        bench.org.fail_record(RecordFault {
            object: OBJECT.to_owned(),
            field: "Code__c".to_owned(),
            value: code(11),
            code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".to_owned(),
            message: "no".to_owned(),
            times: 100,
        });
        let journal = MemoryJournal::new();
        bench.org.fail_next(Fault {
            times: 1_000,
            ..Fault::next("failedResults", FaultAction::Drop)
        });
        write(&bench, &bench.crm, &journal, mode, 0..COUNT)
            .await
            .unwrap_err();
        bench.org.forget_faults();
        let report = go_on(&bench, &journal, mode).await;
        assert_eq!(report.counts.recovered, COUNT as u64, "{mode}");
        assert!(
            matches!(journal.outcome(&code(11)), Some(Outcome::Rejected { .. })),
            "{mode}"
        );
        assert_eq!(bench.org.ledger().len(), COUNT - 1, "{mode}");
    }
}

#[tokio::test]
async fn a_job_that_is_gone_is_sent_again_and_creates_nothing_twice() {
    for mode in MODES {
        let bench = bench(same).await;
        place(&bench, mode);
        let journal = MemoryJournal::new();
        bench.org.fail_next(Fault {
            times: 1_000,
            ..Fault::next("successfulResults", FaultAction::Drop)
        });
        write(&bench, &bench.crm, &journal, mode, 0..COUNT)
            .await
            .unwrap_err();
        bench.org.forget_faults();
        // Seven days later the job is gone.
        let gone = FaultAction::Answer {
            status: 404,
            headers: Vec::new(),
            body: r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#
                .to_owned(),
        };
        bench.org.fail_next(Fault::next("/jobs/ingest/750", gone));
        let report = go_on(&bench, &journal, mode).await;
        assert_eq!(report.counts.rejected + report.counts.ambiguous, 0, "{mode}");
        assert_eq!(
            bench.org.records(OBJECT).len(),
            COUNT,
            "{mode}: nothing was created twice"
        );
        assert_eq!((journal.open(), journal.unsettled()), (0, 0), "{mode}");
    }
}

#[tokio::test]
async fn an_object_that_bulk_does_not_take_is_written_by_collections() {
    let bench = bench(|object| object.bulk(false)).await;
    let journal = MemoryJournal::new();
    let report = write(&bench, &bench.crm, &journal, WriteMode::Insert, 0..COUNT)
        .await
        .unwrap();
    assert_eq!(report.counts.created, COUNT as u64);
    assert_eq!(
        bench.asked("POST composite/sobjects"),
        (COUNT as u64).div_ceil(200)
    );
    judge(&bench, WriteMode::Insert, "no Bulk");
}

#[tokio::test]
async fn new_records_without_a_key_of_their_own_go_by_collections() {
    let bench = bench(same).await;
    let batch = records(0..COUNT, WriteMode::Insert);
    let mut request = request(&batch, WriteMode::Insert);
    request.match_on.clear();
    let mut writer = bench.crm.as_destination().unwrap().writer(request).await.unwrap();
    writer.write(batch).await.unwrap();
    let report = writer.finish(None).await.unwrap();
    assert_eq!(
        (report.counts.created, bench.asked("POST jobs/ingest")),
        (COUNT as u64, 0)
    );
}

#[tokio::test]
async fn a_day_without_batches_goes_by_collections() {
    let bench = bench(same).await;
    let limits = FaultAction::Answer {
        status: 200,
        headers: Vec::new(),
        body: r#"{"DailyBulkApiBatches":{"Max":15000,"Remaining":1500}}"#.to_owned(),
    };
    bench.org.fail_next(Fault::next("/limits", limits));
    let journal = MemoryJournal::new();
    let report = write(&bench, &bench.crm, &journal, WriteMode::Insert, 0..COUNT)
        .await
        .unwrap();
    assert_eq!(
        (report.counts.created, bench.asked("POST jobs/ingest")),
        (COUNT as u64, 0)
    );
    judge(
        &bench,
        WriteMode::Insert,
        "a tenth of the batches is left for people",
    );
}
