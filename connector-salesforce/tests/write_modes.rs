//! Inserts, updates, upserts and deletes of records of an own object: the org's ledger is the judge.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Bench, MemoryJournal};
use connector_core::{
    Batch, BatchBuilder, CommitReport, Connector, DataType, Deletes, Error, ErrorKind, Field, Journaled,
    Nulls, Op, Outcome, Result, Schema, TaskId, Value, WriteMode, WriteRequest,
};
use connector_testkit::fakes::salesforce::{
    Fault, FaultAction, FieldSpec, FieldValue, ObjectSpec, RecordFault, SalesforceConfig,
};

const OBJECT: &str = "Score__c";

/// Records have a unique key, a key that several may share, and fields of the kinds that are checked.
fn scores() -> ObjectSpec {
    ObjectSpec::new(OBJECT, "a02")
        .field(FieldSpec::string("Code__c", 20).external_id().unique())
        .field(FieldSpec::string("Group__c", 20).external_id())
        .field(FieldSpec::double("Number__c", 8, 0).external_id().unique())
        .field(FieldSpec::double("Amount__c", 10, 2))
        .field(FieldSpec::string("Note__c", 20))
        .field(FieldSpec::string("Must__c", 10).required())
        .field(FieldSpec::picklist("Stage__c", &["Open", "Won"]).restricted())
        .field(FieldSpec::string("Once__c", 10).access(true, false))
        .field(FieldSpec::auto_number("Serial__c"))
        .field(FieldSpec::reference("Lead__c", &["Lead"], "Lead__r"))
        .field(FieldSpec::reference("Who__c", &["Lead", "Account"], "Who__r"))
}

async fn bench() -> Bench {
    Bench::start(SalesforceConfig {
        leads: 20,
        objects: vec![scores()],
        ..SalesforceConfig::default()
    })
    .await
}

fn schema(fields: &[(&str, DataType)], key: &str) -> Arc<Schema> {
    let fields = fields
        .iter()
        .map(|(name, kind)| Field::new(*name, *kind))
        .collect();
    Arc::new(Schema::new(fields, [key]).unwrap())
}

/// A code, what must be there, and an amount.
fn plain() -> Arc<Schema> {
    let fields = [
        ("Code__c", DataType::TEXT),
        ("Must__c", DataType::TEXT),
        ("Amount__c", DataType::Int32),
    ];
    schema(&fields, "Code__c")
}

fn code(n: usize) -> String {
    format!("code-{n:04}")
}

fn batch(schema: &Arc<Schema>, rows: &[(Op, Vec<Value<'_>>)]) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
    for (op, row) in rows {
        row.iter().for_each(|value| builder.push(*value));
        builder.end_record(*op);
    }
    builder.finish()
}

/// Records with the codes of these numbers and this amount.
fn records(numbers: std::ops::Range<usize>, amount: i64) -> Batch {
    let schema = plain();
    let mut builder = BatchBuilder::new(schema, numbers.start as u64);
    for n in numbers {
        builder.push(Value::Text(&code(n)));
        builder.push(Value::Text("yes"));
        builder.push(Value::Int(amount));
        builder.end_record(Op::Put);
    }
    builder.finish()
}

fn request(mode: WriteMode, schema: &Arc<Schema>, match_on: &[&str]) -> WriteRequest {
    WriteRequest::new(
        OBJECT.into(),
        Arc::clone(schema),
        mode,
        TaskId::new("test", OBJECT),
    )
    .with_match_on(match_on.iter().map(|&name| name.to_owned()).collect())
}

async fn write(bench: &Bench, request: WriteRequest, batch: Batch) -> Result<CommitReport> {
    let crm = bench.reconnect();
    let mut writer = crm.as_destination().unwrap().writer(request).await?;
    writer.write(batch).await?;
    writer.finish(None).await
}

async fn plan(bench: &Bench, request: &WriteRequest) -> Result<connector_core::WritePlan> {
    bench.crm.as_destination().unwrap().plan_write(request).await
}

/// Makes records with these numbers exist, past the API.
fn place(bench: &Bench, numbers: std::ops::Range<usize>) -> Vec<String> {
    let place = |n| {
        let code = code(n);
        let fields = [("Code__c", code.into()), ("Must__c", "old".into())];
        bench.org.insert_record(OBJECT, &fields).unwrap()
    };
    numbers.map(place).collect()
}

fn text(record: &BTreeMap<String, FieldValue>, field: &str) -> Option<String> {
    record[field].text()
}

/// The records that are there, by code.
fn there(bench: &Bench) -> BTreeMap<String, BTreeMap<String, FieldValue>> {
    let records = bench.org.records(OBJECT).into_iter();
    let alive = records.filter(|record| record["IsDeleted"] != FieldValue::Bool(true));
    alive
        .map(|record| (text(&record, "Code__c").unwrap_or_default(), record))
        .collect()
}

/// How often each code was created, by the ledger.
fn created(bench: &Bench) -> BTreeMap<String, u32> {
    let mut created = BTreeMap::new();
    for entry in bench.org.ledger().entries() {
        if entry.operation == "insert" {
            let code = entry.fields["Code__c"].as_str().unwrap_or_default().to_owned();
            *created.entry(code).or_default() += 1;
        }
    }
    created
}

async fn journaled(bench: &Bench, journal: &Arc<MemoryJournal>) -> Option<Journaled> {
    Some(journal.claim(&bench.identity().await))
}

#[tokio::test]
async fn an_insert_tells_the_id_of_every_new_record() {
    let bench = bench().await;
    let journal = MemoryJournal::new();
    let request = request(WriteMode::Insert, &plain(), &[]).with_journal(journaled(&bench, &journal).await);
    let report = write(&bench, request, records(0..450, 1)).await.unwrap();
    assert_eq!((report.counts.created, report.counts.accounted()), (450, 450));
    assert_eq!(bench.asked("POST composite/sobjects"), 3);
    let there = there(&bench);
    for n in 0..450 {
        let id = text(&there[&code(n)], "Id");
        assert_eq!(journal.outcome(&code(n)), Some(Outcome::Created { id }));
    }
}

#[tokio::test]
async fn an_upsert_updates_what_is_there_and_creates_the_rest() {
    let bench = bench().await;
    place(&bench, 0..10);
    for (key, text) in [("Code__c", true), ("Number__c", false)] {
        let fields = [
            (key, if text { DataType::TEXT } else { DataType::Int64 }),
            ("Must__c", DataType::TEXT),
            ("Amount__c", DataType::Int32),
        ];
        let schema = schema(&fields, key);
        let name = code(0);
        let value = if text { Value::Text(&name) } else { Value::Int(7) };
        let rows = [(Op::Put, vec![value, Value::Text("new"), Value::Int(5)])];
        let report = write(
            &bench,
            request(WriteMode::Upsert, &schema, &[key]),
            batch(&schema, &rows),
        );
        let counts = report.await.unwrap().counts;
        assert_eq!(
            (counts.created, counts.updated),
            (u64::from(!text), u64::from(text)),
            "{key}"
        );
    }
    let report = write(
        &bench,
        request(WriteMode::Upsert, &plain(), &["Code__c"]),
        records(5..15, 3),
    );
    let counts = report.await.unwrap().counts;
    assert_eq!((counts.created, counts.updated, counts.rejected), (5, 5, 0));
    assert_eq!(there(&bench)[&code(14)]["Amount__c"], FieldValue::number("3"));
    assert_eq!(bench.asked("PATCH composite/sobjects"), 3);
}

#[tokio::test]
async fn an_upsert_by_id_changes_records_and_needs_an_id() {
    let bench = bench().await;
    let ids = place(&bench, 0..2);
    let schema = schema(&[("Id", DataType::TEXT), ("Must__c", DataType::TEXT)], "Id");
    let rows = [
        (Op::Put, vec![Value::Text(&ids[0]), Value::Text("new")]),
        (Op::Put, vec![Value::Null, Value::Text("nobody")]),
    ];
    let report = write(
        &bench,
        request(WriteMode::Upsert, &schema, &["Id"]),
        batch(&schema, &rows),
    );
    let report = report.await.unwrap();
    assert_eq!((report.counts.updated, report.counts.rejected), (1, 1));
    assert_eq!(report.rejected[0].code, "missing_key");
    assert_eq!(there(&bench).len(), 2);
}

#[tokio::test]
async fn an_update_by_external_id_looks_ids_up_first() {
    let bench = bench().await;
    place(&bench, 0..700);
    for _ in 0..2 {
        let fields = [("Group__c", "twice".into()), ("Must__c", "old".into())];
        bench.org.insert_record(OBJECT, &fields).unwrap();
    }
    let report = write(
        &bench,
        request(WriteMode::Update, &plain(), &["Code__c"]),
        records(690..1_290, 9),
    );
    let report = report.await.unwrap();
    assert_eq!((report.counts.updated, report.counts.rejected), (10, 590));
    assert!(
        report
            .rejected
            .iter()
            .all(|rejection| rejection.code == "not_found")
    );
    assert_eq!(report.rejected[0].fields, ["Code__c"]);
    assert!(created(&bench).is_empty(), "an update creates nothing");
    let schema = schema(
        &[("Group__c", DataType::TEXT), ("Note__c", DataType::TEXT)],
        "Group__c",
    );
    let rows = [(Op::Put, vec![Value::Text("twice"), Value::Text("x")])];
    let report = write(
        &bench,
        request(WriteMode::Update, &schema, &["Group__c"]),
        batch(&schema, &rows),
    );
    let report = report.await.unwrap();
    assert_eq!(report.rejected[0].code, "duplicate");
    assert_eq!(
        report.rejected[0].message,
        "2 records of Salesforce have this `Group__c`"
    );
}

#[tokio::test]
async fn a_delete_leaves_records_in_the_recycle_bin_and_what_is_gone_alone() {
    for key in ["Id", "Code__c"] {
        let bench = bench().await;
        let ids = place(&bench, 0..300);
        bench.org.delete_record(OBJECT, &ids[3]).unwrap();
        let schema = schema(&[(key, DataType::TEXT)], key);
        let codes: Vec<String> = (0..250).map(code).collect();
        let keys = if key == "Id" { &ids[..250] } else { &codes[..] };
        let rows: Vec<_> = keys.iter().map(|key| (Op::Put, vec![Value::Text(key)])).collect();
        let report = write(
            &bench,
            request(WriteMode::Delete, &schema, &[key]),
            batch(&schema, &rows),
        );
        let counts = report.await.unwrap().counts;
        assert_eq!(
            (counts.deleted, counts.unchanged, counts.accounted()),
            (249, 1, 250),
            "{key}"
        );
        assert_eq!(there(&bench).len(), 50);
        let bin = bench.org.record(OBJECT, &ids[0]).unwrap();
        assert_eq!(bin["IsDeleted"], FieldValue::Bool(true));
    }
}

#[tokio::test]
async fn what_is_gone_at_the_source_is_deleted_or_ignored() {
    for (deletes, deleted) in [(Deletes::Hard, 2), (Deletes::Ignore, 0)] {
        let bench = bench().await;
        place(&bench, 0..4);
        let (first, second) = (code(0), code(1));
        let rows = [
            (Op::Delete, vec![Value::Text(&first)]),
            (
                Op::Put,
                vec![Value::Text(&second), Value::Text("new"), Value::Int(1)],
            ),
            // The record comes back after it went, and goes again.
            (Op::Delete, vec![Value::Text(&second)]),
        ];
        let request = request(WriteMode::Upsert, &plain(), &["Code__c"]).with_deletes(deletes);
        let counts = write(&bench, request, batch(&plain(), &rows))
            .await
            .unwrap()
            .counts;
        assert_eq!(
            (counts.updated, counts.deleted, counts.accounted()),
            (1, deleted, 3),
            "{deletes}"
        );
        assert_eq!(there(&bench).len() as u64, 4 - deleted);
    }
}

/// How an answer gets lost.
fn losses() -> [FaultAction; 3] {
    [
        FaultAction::ApplyThenDrop,
        FaultAction::Drop,
        FaultAction::Cut { bytes: 30 },
    ]
}

/// Every request of a write, one after the other, loses its answer, once and twice in a row.
async fn each_lost_request(
    mode: WriteMode,
    match_on: &[&str],
    check: impl Fn(&Bench, &MemoryJournal, &str, bool),
) {
    const RECORDS: usize = 250;
    for action in losses() {
        for (skip, times) in [(0, 1), (1, 1), (0, 2)] {
            let what = format!("{mode} by {match_on:?}, {action:?} at {skip}, {times} times");
            let bench = bench().await;
            if mode != WriteMode::Insert {
                place(&bench, 0..if mode == WriteMode::Upsert { 100 } else { RECORDS });
            }
            let journal = MemoryJournal::new();
            let fault = Fault {
                path: "composite/sobjects".to_owned(),
                method: None,
                skip,
                times,
                action: action.clone(),
            };
            bench.org.fail_next(fault);
            let one_run = async || {
                let request =
                    request(mode, &plain(), match_on).with_journal(journaled(&bench, &journal).await);
                write(&bench, request, records(0..RECORDS, 7)).await
            };
            let first = one_run().await;
            if let Ok(report) = &first {
                assert_eq!(report.counts.accounted(), RECORDS as u64, "{what}");
                let unknown = journal.count(|outcome| *outcome == Outcome::Ambiguous);
                assert_eq!(report.counts.ambiguous, unknown as u64, "{what}");
            }
            // The next run is given the same records again.
            let second = one_run()
                .await
                .unwrap_or_else(|error| panic!("{what}: {error:?}"));
            assert_eq!(second.counts.accounted(), RECORDS as u64, "{what}");
            assert_eq!(journal.unsettled(), 0, "{what}");
            let not_applied = action == FaultAction::Drop;
            check(&bench, &journal, &what, not_applied);
        }
    }
}

#[tokio::test]
async fn r26_an_insert_whose_answer_is_lost_creates_no_record_twice() {
    each_lost_request(WriteMode::Insert, &[], |bench, journal, what, not_applied| {
        let created = created(bench);
        assert!(created.values().all(|times| *times == 1), "{what}: created twice");
        for n in 0..250 {
            let known = journal.outcome(&code(n));
            let is_there = created.contains_key(&code(n));
            match known {
                Some(Outcome::Created { .. }) => assert!(is_there, "{what}: {n} is said to be there"),
                Some(Outcome::Ambiguous) => assert!(is_there != not_applied, "{what}: {n}"),
                other => panic!("{what}: {n} is {other:?}"),
            }
        }
        let unknown = journal.count(|outcome| *outcome == Outcome::Ambiguous);
        assert!(
            unknown == 200 || unknown == 50 || unknown == 250,
            "{what}: {unknown} are unknown"
        );
    })
    .await;
}

#[tokio::test]
async fn r26_an_insert_with_a_key_is_looked_up_and_completed() {
    each_lost_request(WriteMode::Insert, &["Code__c"], |bench, journal, what, _| {
        let created = created(bench);
        assert!(
            created.len() == 250 && created.values().all(|times| *times == 1),
            "{what}"
        );
        let there = there(bench);
        for n in 0..250 {
            let id = text(&there[&code(n)], "Id");
            assert_eq!(journal.outcome(&code(n)), Some(Outcome::Created { id }), "{what}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_upsert_whose_answer_is_lost_is_sent_again_and_creates_no_record_twice() {
    each_lost_request(WriteMode::Upsert, &["Code__c"], |bench, journal, what, _| {
        let created = created(bench);
        assert!(
            created.len() == 150 && created.values().all(|times| *times == 1),
            "{what}"
        );
        let there = there(bench);
        assert_eq!(there.len(), 250, "{what}");
        assert!(
            there
                .values()
                .all(|record| record["Amount__c"] == FieldValue::number("7")),
            "{what}"
        );
        assert_eq!(
            journal.count(|outcome| *outcome == Outcome::Ambiguous),
            0,
            "{what}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_update_whose_answer_is_lost_is_sent_again() {
    each_lost_request(WriteMode::Update, &["Code__c"], |bench, journal, what, _| {
        assert!(created(bench).is_empty(), "{what}");
        let there = there(bench);
        assert_eq!(there.len(), 250, "{what}");
        assert!(
            there
                .values()
                .all(|record| record["Amount__c"] == FieldValue::number("7")),
            "{what}"
        );
        assert_eq!(
            journal.count(|outcome| *outcome == Outcome::Updated),
            250,
            "{what}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_delete_whose_answer_is_lost_finds_its_records_gone() {
    each_lost_request(WriteMode::Delete, &["Code__c"], |bench, journal, what, _| {
        assert!(there(bench).is_empty(), "{what}");
        let deleted = bench.org.ledger().entries();
        assert_eq!(deleted.len(), 250, "{what}: each once");
        assert_eq!(
            journal.count(|outcome| *outcome == Outcome::Deleted),
            250,
            "{what}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_run_killed_at_any_call_of_the_journal_is_completed_by_the_next() {
    for (mode, match_on) in [
        (WriteMode::Insert, &["Code__c"][..]),
        (WriteMode::Insert, &[]),
        (WriteMode::Upsert, &["Code__c"]),
        (WriteMode::Update, &["Code__c"]),
        (WriteMode::Delete, &["Code__c"]),
    ] {
        // Two calls, each with an intent before and fates after it.
        for death in 0..4 {
            let what = format!("{mode} by {match_on:?}, killed at {death}");
            let bench = bench().await;
            if matches!(mode, WriteMode::Update | WriteMode::Delete) {
                place(&bench, 0..250);
            }
            let journal = MemoryJournal::new();
            journal.fail_after(death);
            let one_run = async || {
                let request =
                    request(mode, &plain(), match_on).with_journal(journaled(&bench, &journal).await);
                write(&bench, request, records(0..250, 7)).await
            };
            assert_eq!(
                one_run().await.unwrap_err().kind(),
                ErrorKind::Cancelled,
                "{what}"
            );
            let report = one_run().await.unwrap();
            assert_eq!(report.counts.accounted(), 250, "{what}");
            assert!(
                created(&bench).values().all(|times| *times == 1),
                "{what}: created twice"
            );
            // An insert without a key may not be sent again if it was sent, and nobody can tell.
            let unknown = if mode == WriteMode::Insert && match_on.is_empty() {
                [0, 200, 0, 50][usize::try_from(death).unwrap()]
            } else {
                0
            };
            assert_eq!(report.counts.ambiguous, unknown, "{what}");
            let left = there(&bench).len();
            assert_eq!(left, if mode == WriteMode::Delete { 0 } else { 250 }, "{what}");
        }
    }
}
