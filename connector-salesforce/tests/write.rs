//! Updating leads of a fake org: its ledger is the judge.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use common::{Bench, MemoryJournal, score, score_schema, scores, update};
use connector_core::{
    BatchBuilder, CommitReport, Connector, DataType, Decimal, ErrorKind, Field, Op, Outcome, Rejection,
    Result, Schema, Value, WriteMode, WriteRequest,
};
use connector_salesforce::Salesforce;
use connector_testkit::fakes::salesforce::{Fault, FaultAction, FieldValue, RowFault, SalesforceConfig};

/// Writes scores for `leads` in batches of 1,000, and commits once.
async fn write(
    bench: &Bench,
    crm: &Salesforce,
    journal: &Arc<MemoryJournal>,
    leads: &[u64],
) -> Result<CommitReport> {
    let journaled = journal.claim(&bench.identity().await);
    let request = update(score_schema()).with_journal(Some(journaled));
    let mut writer = crm.as_destination().unwrap().writer(request).await?;
    for chunk in leads.chunks(1_000) {
        writer.write(scores(&bench.org, chunk.iter().copied())).await?;
    }
    writer.finish(None).await
}

/// How often each lead was written, after a check that it holds its score.
fn applied(bench: &Bench) -> HashMap<u64, u32> {
    let mut applied = HashMap::new();
    for entry in bench.org.ledger().entries() {
        let n = bench.org.lead_number(&entry.id).unwrap();
        assert_eq!(entry.operation, "update");
        assert_eq!(entry.fields.keys().collect::<Vec<_>>(), ["LeadScore__c"]);
        *applied.entry(n).or_default() += 1;
    }
    for n in applied.keys() {
        let wanted = Decimal::new(score(*n), 2);
        let mut scratch = String::new();
        let FieldValue::Number(text) = &bench.org.lead(*n)["LeadScore__c"] else {
            panic!("lead {n} has no score")
        };
        assert!(
            Decimal::parse(text, &mut scratch).unwrap() == wanted,
            "lead {n}: {text}"
        );
    }
    applied
}

fn leads(count: u64) -> Vec<u64> {
    (1..=count).collect()
}

#[tokio::test]
async fn five_hundred_scores_go_by_collections() {
    let bench = Bench::with_leads(600).await;
    let journal = MemoryJournal::new();
    let report = write(&bench, &bench.crm, &journal, &leads(500)).await.unwrap();
    assert_eq!((report.counts.updated, report.counts.accounted()), (500, 500));
    let applied = applied(&bench);
    assert!(applied.len() == 500 && applied.values().all(|times| *times == 1));
    assert_eq!(bench.asked("PATCH composite/sobjects"), 3);
    assert_eq!(
        bench.org.stats()["auto_assign"],
        serde_json::json!({ "FALSE": 3 })
    );
    assert_eq!(
        (
            journal.unsettled(),
            journal.count(|outcome| *outcome == Outcome::Updated)
        ),
        (0, 500)
    );
}

#[tokio::test]
async fn five_thousand_scores_go_by_a_job() {
    let bench = Bench::with_leads(5_000).await;
    let journal = MemoryJournal::new();
    let report = write(&bench, &bench.crm, &journal, &leads(5_000)).await.unwrap();
    assert_eq!((report.counts.updated, report.counts.accounted()), (5_000, 5_000));
    let applied = applied(&bench);
    assert!(applied.len() == 5_000 && applied.values().all(|times| *times == 1));
    assert_eq!(
        (
            bench.asked("POST jobs/ingest"),
            bench.asked("PATCH composite/sobjects")
        ),
        (1, 0)
    );
    assert_eq!((journal.open(), journal.unsettled()), (0, 0));
}

#[tokio::test]
async fn a_lost_answer_costs_at_most_the_same_value_again() {
    let bench = Bench::with_leads(500).await;
    let journal = MemoryJournal::new();
    bench
        .org
        .fail_next(Fault::next("/composite/sobjects", FaultAction::ApplyThenDrop));
    let report = write(&bench, &bench.crm, &journal, &leads(500)).await.unwrap();
    assert_eq!(report.counts.updated, 500);
    let applied = applied(&bench);
    assert_eq!((applied.len(), applied.values().max()), (500, Some(&2)));
    assert_eq!(
        applied.values().filter(|times| **times == 2).count(),
        200,
        "one request's records"
    );
}

#[tokio::test]
async fn refused_records_keep_their_reason_and_the_others_arrive() {
    for count in [500, 3_000] {
        let config = SalesforceConfig {
            leads: count,
            converted_every: 10,
            ..SalesforceConfig::default()
        };
        let bench = Bench::start(config).await;
        let journal = MemoryJournal::new();
        let report = write(&bench, &bench.crm, &journal, &leads(count)).await.unwrap();
        assert_eq!(report.counts.rejected, count / 10, "of {count}");
        assert_eq!(report.counts.accounted(), count);
        assert_eq!(report.rejected[0].code, "CANNOT_UPDATE_CONVERTED_LEAD");
        assert_eq!(report.rejected.len(), CommitReport::SAMPLE);
        assert_eq!(applied(&bench).len() as u64, count - count / 10);
        let refused = journal.count(|outcome| matches!(outcome, Outcome::Rejected { code, .. } if code == "CANNOT_UPDATE_CONVERTED_LEAD"));
        assert_eq!((refused as u64, journal.unsettled()), (count / 10, 0));
    }
}

#[tokio::test]
async fn locked_records_are_tried_again_and_then_refused() {
    for count in [300, 2_500] {
        let bench = Bench::with_leads(count).await;
        let message = "unable to obtain exclusive access to this record".to_owned();
        let code = "UNABLE_TO_LOCK_ROW".to_owned();
        bench.org.fail_row(RowFault {
            lead: 7,
            code: code.clone(),
            message: message.clone(),
            times: 2,
        });
        bench.org.fail_row(RowFault {
            lead: 9,
            code,
            message,
            times: 100,
        });
        let journal = MemoryJournal::new();
        let report = write(&bench, &bench.crm, &journal, &leads(count)).await.unwrap();
        assert_eq!(
            (report.counts.updated, report.counts.rejected),
            (count - 1, 1),
            "of {count}"
        );
        assert_eq!(report.rejected[0].code, "UNABLE_TO_LOCK_ROW");
        assert_eq!(journal.outcome(&bench.org.lead_id(7)), Some(Outcome::Updated));
        assert!(matches!(
            journal.outcome(&bench.org.lead_id(9)),
            Some(Outcome::Rejected { .. })
        ));
        assert_eq!(applied(&bench)[&7], 1);
    }
}

#[tokio::test]
async fn a_killed_run_s_job_is_found_again_and_nothing_goes_twice() {
    // Every call of the journal is a place to die at: the intent, the settling of what was refused, the closing.
    for death in 0..3 {
        let config = SalesforceConfig {
            leads: 4_000,
            converted_every: 10,
            ..SalesforceConfig::default()
        };
        let bench = Bench::start(config).await;
        let journal = MemoryJournal::new();
        journal.fail_after(death);
        let error = write(&bench, &bench.crm, &journal, &leads(4_000))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(applied(&bench).len(), if death == 0 { 0 } else { 3_600 });
        // The next run sends what the journal has not settled.
        let (found, report) = go_on(&bench, &journal).await;
        assert_eq!(found, usize::from(death > 0));
        assert_eq!(
            report.counts.recovered,
            if death == 0 { 0 } else { 4_000 },
            "death {death}"
        );
        assert_eq!(
            report.counts.updated + report.counts.rejected,
            if death == 0 { 4_000 } else { 0 }
        );
        let applied = applied(&bench);
        assert!(
            applied.len() == 3_600 && applied.values().all(|times| *times == 1),
            "death {death}"
        );
        assert_eq!((journal.open(), journal.unsettled()), (0, 0));
        assert_eq!(
            journal.count(|outcome| matches!(outcome, Outcome::Rejected { .. })),
            400
        );
    }
}

/// Another process goes on: it looks up what is open, then sends what has no fate yet. Returns how much was open.
async fn go_on(bench: &Bench, journal: &Arc<MemoryJournal>) -> (usize, CommitReport) {
    let crm = bench.reconnect();
    let journaled = journal.claim(&bench.identity().await);
    let open = journaled.open.len();
    let request = update(score_schema()).with_journal(Some(journaled));
    let mut writer = crm.as_destination().unwrap().writer(request).await.unwrap();
    let is_due = |n: &u64| match journal.outcome(&bench.org.lead_id(*n)) {
        None | Some(Outcome::Released) => true,
        Some(_) => false,
    };
    writer
        .write(scores(&bench.org, leads(4_000).into_iter().filter(is_due)))
        .await
        .unwrap();
    (open, writer.finish(None).await.unwrap())
}

#[tokio::test]
async fn a_run_that_died_between_upload_and_its_end_is_found_again() {
    // The places a process can die at around the job: it waits for each answer, and never sees it.
    for (path, method, recovered) in [
        ("/batches", "PUT", 0),
        ("/jobs/ingest/750", "PATCH", 0),
        ("/jobs/ingest/750", "GET", 4_000),
    ] {
        let bench = Bench::with_leads(4_000).await;
        let journal = MemoryJournal::new();
        let journaled = journal.claim(&bench.identity().await);
        let silence = FaultAction::Delay { millis: 600_000 };
        bench.org.fail_next(Fault {
            method: Some(method.to_owned()),
            ..Fault::next(path, silence)
        });
        let request = update(score_schema()).with_journal(Some(journaled));
        let mut writer = bench.crm.as_destination().unwrap().writer(request).await.unwrap();
        writer.write(scores(&bench.org, leads(4_000))).await.unwrap();
        let killed = tokio::time::timeout(std::time::Duration::from_millis(1_500), writer.commit(None)).await;
        assert!(killed.is_err(), "{method} {path} was answered");
        drop(writer);
        let (open, report) = go_on(&bench, &journal).await;
        assert_eq!((open, report.counts.recovered), (1, recovered), "{method} {path}");
        let applied = applied(&bench);
        assert!(
            applied.len() == 4_000 && applied.values().all(|times| *times == 1),
            "{method} {path}"
        );
        assert_eq!((journal.open(), journal.unsettled()), (0, 0));
    }
}

#[tokio::test]
async fn lost_answers_around_a_job_are_decided_by_the_job() {
    for (path, method) in [
        ("/jobs/ingest", "POST"),
        ("/batches", "PUT"),
        ("/jobs/ingest/750", "PATCH"),
        ("failedResults", "GET"),
    ] {
        for action in [
            FaultAction::ApplyThenDrop,
            FaultAction::Drop,
            FaultAction::Cut { bytes: 10 },
        ] {
            let bench = Bench::with_leads(2_500).await;
            let journal = MemoryJournal::new();
            let fault = Fault {
                method: Some(method.to_owned()),
                ..Fault::next(path, action.clone())
            };
            bench.org.fail_next(fault);
            let report = write(&bench, &bench.crm, &journal, &leads(2_500)).await.unwrap();
            assert_eq!(report.counts.updated, 2_500);
            let applied = applied(&bench);
            assert!(
                applied.len() == 2_500 && applied.values().all(|times| *times == 1),
                "{method} {path} {action:?}"
            );
            assert_eq!((journal.open(), journal.unsettled()), (0, 0));
        }
    }
}

#[tokio::test]
async fn a_job_that_fails_halfway_is_completed() {
    let bench = Bench::with_leads(5_000).await;
    let journal = MemoryJournal::new();
    bench.org.stop_next_ingest(1_700);
    let report = write(&bench, &bench.crm, &journal, &leads(5_000)).await.unwrap();
    assert_eq!(report.counts.updated, 5_000);
    let applied = applied(&bench);
    assert!(applied.len() == 5_000 && applied.values().all(|times| *times == 1));
    assert_eq!((bench.asked("POST jobs/ingest"), journal.unsettled()), (2, 0));
}

#[tokio::test]
async fn an_older_fence_sends_nothing() {
    let bench = Bench::with_leads(10).await;
    let journal = MemoryJournal::new();
    let old = journal.claim(&bench.identity().await);
    let mut writer = bench
        .crm
        .as_destination()
        .unwrap()
        .writer(update(score_schema()).with_journal(Some(old)))
        .await
        .unwrap();
    writer.write(scores(&bench.org, 1..=10)).await.unwrap();
    journal.claim(&bench.identity().await);
    assert_eq!(writer.commit(None).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(bench.org.ledger().is_empty());
}

#[tokio::test]
async fn records_that_cannot_be_right_are_refused_here() {
    let bench = Bench::with_leads(10).await;
    let fields = vec![
        Field::new("Id", DataType::TEXT),
        Field::new("LeadScore__c", DataType::Decimal(None)),
        Field::new("Tier__c", DataType::TEXT),
    ];
    let schema = Arc::new(Schema::new(fields, ["Id"]).unwrap());
    let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
    let id = |n| bench.org.lead_id(n);
    let short = id(1)[..15].to_owned();
    let rows: [(&str, Value<'_>, Value<'_>, Op); 8] = [
        (
            &id(1),
            Value::Decimal(Decimal::new(1, 0)),
            Value::Text("gold"),
            Op::Put,
        ),
        (&short, Value::Decimal(Decimal::new(2, 0)), Value::Null, Op::Put),
        (
            &id(2),
            Value::Decimal(Decimal::new(12_345, 3)),
            Value::Null,
            Op::Put,
        ),
        (&id(3), Value::Null, Value::Text("a very long tier"), Op::Put),
        ("nonsense", Value::Null, Value::Null, Op::Put),
        (&id(4), Value::Null, Value::Unset, Op::Put),
        (&id(5), Value::Unset, Value::Unset, Op::Put),
        (&id(6), Value::Null, Value::Null, Op::Delete),
    ];
    for (id, score, tier, op) in rows {
        builder.push(Value::Text(id));
        builder.push(score);
        builder.push(tier);
        builder.end_record(op);
    }
    let mut writer = bench
        .crm
        .as_destination()
        .unwrap()
        .writer(update(schema))
        .await
        .unwrap();
    writer.write(builder.finish()).await.unwrap();
    writer
        .reject(vec![Rejection::new(99, None, "cast", "upstream")])
        .await
        .unwrap();
    let report = writer.finish(None).await.unwrap();
    assert_eq!(
        (
            report.counts.updated,
            report.counts.unchanged,
            report.counts.rejected
        ),
        (3, 1, 4)
    );
    assert_eq!(report.counts.deleted, 1, "what is gone at the source goes here");
    let codes: BTreeSet<_> = report
        .rejected
        .iter()
        .map(|rejection| rejection.code.as_str())
        .collect();
    let wanted = ["bad_id", "cast", "number_does_not_fit", "too_long"];
    assert_eq!(codes, BTreeSet::from(wanted));
    assert!(
        report
            .rejected
            .iter()
            .all(|rejection| !rejection.message.contains("a very long tier"))
    );
    let written: BTreeSet<_> = bench
        .org
        .ledger()
        .entries()
        .into_iter()
        .map(|entry| entry.id)
        .collect();
    assert_eq!(written, BTreeSet::from([id(1), id(4), id(6)]));
    // Both records of the first lead were sent, in their order: the later one wins.
    assert_eq!(bench.org.lead(1)["Tier__c"].text(), None);
    assert_eq!(bench.org.lead(6)["IsDeleted"], FieldValue::Bool(true));
}

#[tokio::test]
async fn null_clears_and_the_word_for_null_is_a_text_by_bulk_too() {
    let bench = Bench::with_leads(2_600).await;
    let fields = vec![
        Field::new("Id", DataType::TEXT),
        Field::new("Description", DataType::TEXT),
    ];
    let schema = Arc::new(Schema::new(fields, ["Id"]).unwrap());
    let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
    for n in 1..=2_600 {
        builder.push(Value::Text(&bench.org.lead_id(n)));
        builder.push(match n % 4 {
            0 => Value::Null,
            1 => Value::Text("a \"quoted\",\nbroken 行"),
            2 => Value::Text(""),
            _ if n < 1_000 => Value::Text("#N/A"),
            _ => Value::Text("plain"),
        });
        builder.end_record(Op::Put);
    }
    let mut writer = bench
        .crm
        .as_destination()
        .unwrap()
        .writer(update(schema))
        .await
        .unwrap();
    writer.write(builder.finish()).await.unwrap();
    let report = writer.finish(None).await.unwrap();
    assert_eq!(report.counts.updated, 2_600);
    assert_eq!(bench.asked("POST jobs/ingest"), 1);
    let description = |n| bench.org.lead(n)["Description"].text();
    assert_eq!((description(4), description(6)), (None, None));
    assert_eq!(description(5).as_deref(), Some("a \"quoted\",\nbroken 行"));
    assert_eq!(description(7).as_deref(), Some("#N/A"));
    assert_eq!(description(2_599).as_deref(), Some("plain"));
}

fn plan_request(fields: Vec<Field>) -> WriteRequest {
    let mut all = vec![Field::new("Id", DataType::TEXT)];
    all.extend(fields);
    update(Arc::new(Schema::new(all, ["Id"]).unwrap()))
}

#[tokio::test]
async fn plans_find_what_is_wrong_before_anything_is_sent() {
    let bench = Bench::with_leads(1).await;
    let destination = bench.crm.as_destination().unwrap();
    let score = |name: &str| Field::new(name, DataType::Int32);
    let plan = destination
        .plan_write(&plan_request(vec![score("LeadScore__c")]))
        .await
        .unwrap();
    assert_eq!(
        (plan.columns[1].to.as_str(), plan.columns[1].lossless),
        ("double(5,2)", false)
    );
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("Sforce-Auto-Assign: FALSE"))
    );
    for (request, message, help) in [
        (
            plan_request(vec![score("LeadScore_c")]),
            "there is no field `LeadScore_c`",
            "did you mean `LeadScore__c` or `LeadSource`?",
        ),
        (
            plan_request(vec![Field::new("SystemModstamp", DataType::Instant)]),
            "`SystemModstamp` cannot be updated: it is read-only for this user",
            "leave it out of the mapping, or grant the user the right to edit it",
        ),
        (
            plan_request(vec![Field::new("LeadScore__c", DataType::TEXT)]),
            "`LeadScore__c` is double(5,2) in Salesforce, which text does not fit",
            "cast `LeadScore__c` in the mapping, or leave it out",
        ),
        (
            plan_request(vec![score("LeadScore__c")]).with_match_on(vec!["Email".to_owned()]),
            "there is no field `Email`",
            "map a field onto `Email`: it finds the record",
        ),
        (
            plan_request(vec![Field::new("City", DataType::TEXT), score("LeadScore__c")])
                .with_match_on(vec!["City".to_owned()]),
            "`City` is no field that records of `Lead` are found by",
            "say match_on = [\"Id\"] or [\"Email\"] or [\"ExternalKey__c\"]; a field becomes a key in Salesforce by being declared an external id",
        ),
        (
            plan_request(vec![score("LeadScore__c")]).with_keep(vec!["LeadScore__c".to_owned()]),
            "Salesforce cannot keep fields of records that are there",
            "leave `keep` out, and those fields out of the mapping",
        ),
    ] {
        let error = destination.plan_write(&request).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.help()), (message, Some(help)));
    }
    for mode in [WriteMode::Overwrite, WriteMode::History, WriteMode::Prune] {
        let mut request = plan_request(vec![score("LeadScore__c")]);
        request.mode = mode;
        let error = destination.plan_write(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{mode}");
    }
    assert_eq!(
        bench.org.calls(),
        bench.asked("GET sobjects/Lead"),
        "a plan costs one description"
    );
}
