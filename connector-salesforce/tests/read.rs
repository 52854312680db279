//! Reading a fake org: complete, exact, and resumable from every checkpoint.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use common::{Bench, Harvest, assert_lead, connect_with, lead_number, read_all, request};
use connector_core::{
    Connector, ErrorKind, Event, Op, ReadRequest, Secret, Selection, State, SyncMode, TaskId,
};
use connector_salesforce::Auth;
use connector_testkit::fakes::salesforce::{Fault, FaultAction, FieldValue, SalesforceConfig};

fn assert_whole(bench: &Bench, harvest: &Harvest, leads: u64) {
    let mut seen = BTreeSet::new();
    for record in harvest
        .batches
        .iter()
        .flat_map(|batch| batch.records().collect::<Vec<_>>())
    {
        assert_lead(&bench.org, &record);
        assert!(seen.insert(lead_number(&bench.org, &record)), "a lead came twice");
    }
    assert_eq!(seen.len() as u64, leads);
    assert!(harvest.rejected.is_empty(), "{:?}", harvest.rejected);
}

fn small_pages(leads: u64) -> SalesforceConfig {
    SalesforceConfig {
        leads,
        page_size: 250,
        ..SalesforceConfig::default()
    }
}

#[tokio::test]
async fn few_leads_come_over_rest_and_every_cell_is_right() {
    let bench = Bench::start(small_pages(1_100)).await;
    let harvest = read_all(&bench.crm, request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    assert_whole(&bench, &harvest, 1_100);
    assert_eq!(bench.asked("POST jobs/query"), 0);
    assert_eq!(
        harvest.states.len(),
        5,
        "a checkpoint after each page, the last one with the end"
    );
}

#[tokio::test]
async fn many_leads_come_by_a_job_and_every_cell_is_right() {
    let bench = Bench::with_leads(5_000).await;
    let harvest = read_all(
        &bench.crm,
        request(SyncMode::FullRefresh, None).with_batch_bytes(200_000),
    )
    .await
    .unwrap();
    assert_whole(&bench, &harvest, 5_000);
    assert_eq!((bench.asked("POST jobs/query"), harvest.urgent), (1, 1));
    assert!(harvest.batches.len() > 10, "batches are cut by bytes");
    assert_eq!(
        bench.asked("DELETE jobs/query"),
        1,
        "a job that was read is deleted"
    );
    let fact = format!("{:?}", bench.crm);
    assert!(!fact.contains(&bench.org.client_secret()));
    assert!(bench.crm.api_calls_left().is_some());
}

#[tokio::test]
async fn asked_fields_come_in_order_and_the_id_stays_the_key() {
    let bench = Bench::with_leads(3).await;
    let fields = vec!["LeadScore__c".to_owned(), "LastName".to_owned()];
    let harvest = read_all(
        &bench.crm,
        request(SyncMode::FullRefresh, None).with_fields(fields),
    )
    .await
    .unwrap();
    let names: Vec<_> = harvest.batches[0]
        .schema()
        .fields()
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["LeadScore__c", "LastName"]);
    assert!(harvest.batches[0].get(0).unwrap().source_key().is_some());
    let wrong = request(SyncMode::FullRefresh, None).with_fields(vec!["LeadScore_c".to_owned()]);
    let error = read_all(&bench.crm, wrong).await.err().unwrap();
    assert_eq!(error.help(), Some("did you mean `LeadScore__c` or `LeadSource`?"));
}

#[tokio::test]
async fn incremental_reads_only_what_changed() {
    let bench = Bench::with_leads(2_500).await;
    bench.clock.advance(Duration::from_secs(3_600));
    let first = read_all(&bench.crm, request(SyncMode::Incremental, None))
        .await
        .unwrap();
    assert_eq!(first.rows(), 2_500);
    let mut state = first.states.last().cloned();
    bench.clock.advance(Duration::from_secs(600));
    for n in [3, 77, 2_400] {
        bench
            .org
            .edit_lead(n, &[("LeadScore__c", FieldValue::number("12.5"))])
            .unwrap();
    }
    bench.org.delete_lead(500).unwrap();
    // They have not settled yet.
    let early = read_all(&bench.crm, request(SyncMode::Incremental, state.clone()))
        .await
        .unwrap();
    assert_eq!(early.rows(), 0);
    state = early.states.last().cloned();
    bench.clock.advance(Duration::from_secs(301));
    let later = read_all(&bench.crm, request(SyncMode::Incremental, state.clone()))
        .await
        .unwrap();
    let ids: HashMap<_, _> = later.ids().into_iter().collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(ids[&bench.org.lead_id(77)], Op::Put);
    assert_eq!(ids[&bench.org.lead_id(500)], Op::Delete);
    let next = read_all(
        &bench.crm,
        request(SyncMode::Incremental, later.states.last().cloned()),
    )
    .await
    .unwrap();
    assert_eq!(next.rows(), 0);
}

#[tokio::test]
async fn a_full_read_is_where_an_incremental_one_goes_on() {
    let bench = Bench::with_leads(50).await;
    bench.clock.advance(Duration::from_secs(3_600));
    let full = read_all(&bench.crm, request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    bench.org.edit_lead(9, &[("Company", "New".into())]).unwrap();
    bench.clock.advance(Duration::from_secs(400));
    let changes = read_all(
        &bench.crm,
        request(SyncMode::Incremental, full.states.last().cloned()),
    )
    .await
    .unwrap();
    let ids: Vec<_> = changes.ids().into_iter().map(|(id, _)| id).collect();
    assert!(
        ids.contains(&bench.org.lead_id(9)) && ids.len() < 50,
        "{} records",
        ids.len()
    );
}

/// R03, R04, R05: a second that more records share than a page holds.
#[tokio::test]
async fn leads_that_share_a_second_across_pages_are_complete() {
    let bench = Bench::start(small_pages(1_900)).await;
    bench.clock.advance(Duration::from_secs(3_600));
    let first = read_all(&bench.crm, request(SyncMode::Incremental, None))
        .await
        .unwrap();
    bench.clock.advance(Duration::from_secs(600));
    for n in (1..=1_900).step_by(2) {
        bench
            .org
            .edit_lead(n, &[("Company", "Same second".into())])
            .unwrap();
    }
    bench.clock.advance(Duration::from_secs(400));
    let changes = read_all(
        &bench.crm,
        request(SyncMode::Incremental, first.states.last().cloned()),
    )
    .await
    .unwrap();
    assert_whole(&bench, &changes, 950);
}

/// R02: a record that is visible some time after its stamp.
#[tokio::test]
async fn a_row_that_becomes_visible_late_is_not_missed() {
    let bench = Bench::with_leads(20).await;
    bench.clock.advance(Duration::from_secs(3_600));
    let first = read_all(&bench.crm, request(SyncMode::Incremental, None))
        .await
        .unwrap();
    bench.clock.advance(Duration::from_secs(600));
    bench
        .org
        .edit_lead_late(4, &[("Company", "Late".into())], Duration::from_secs(200))
        .unwrap();
    bench.clock.advance(Duration::from_secs(100));
    let early = read_all(
        &bench.crm,
        request(SyncMode::Incremental, first.states.last().cloned()),
    )
    .await
    .unwrap();
    assert_eq!(early.rows(), 0);
    bench.clock.advance(Duration::from_secs(400));
    let later = read_all(
        &bench.crm,
        request(SyncMode::Incremental, early.states.last().cloned()),
    )
    .await
    .unwrap();
    assert_eq!(later.ids(), [(bench.org.lead_id(4), Op::Put)]);
}

/// Reads in pieces: up to each checkpoint, then in another process from there.
async fn read_in_pieces(bench: &Bench, sync: SyncMode) -> (HashMap<String, Op>, usize) {
    let mut all = HashMap::new();
    let mut state: Option<State> = None;
    let mut pieces = 0;
    loop {
        let mut reader = bench
            .reconnect()
            .as_source()
            .unwrap()
            .reader(request(sync.clone(), state.clone()))
            .await
            .unwrap();
        let mut harvest = Harvest::default();
        let mut more = false;
        while let Some(event) = reader.next().await.unwrap() {
            let is_checkpoint = matches!(event, Event::Checkpoint { .. });
            harvest.take(event);
            if is_checkpoint {
                more = true;
                break;
            }
        }
        all.extend(harvest.ids());
        state = harvest.states.pop();
        pieces += 1;
        assert!(pieces < 50, "the read does not come to its end");
        // The end is the checkpoint after which nothing is under way.
        let running = serde_json::to_value(&state).unwrap()["data"]["running"].is_object();
        if !more || !running {
            return (all, pieces);
        }
    }
}

/// R06, R07: windows and pages, each cut at every checkpoint.
#[tokio::test]
async fn a_read_goes_on_from_every_checkpoint() {
    let bench = Bench::start(small_pages(1_100)).await;
    let (rest, pieces) = read_in_pieces(&bench, SyncMode::FullRefresh).await;
    assert_eq!((rest.len(), pieces), (1_100, 5));
    let bench = Bench::with_leads(120_000).await;
    let fields = vec!["Id".to_owned()];
    let mut state = None;
    let mut ids = BTreeSet::new();
    loop {
        let crm = bench.reconnect();
        let request = request(SyncMode::FullRefresh, state.clone()).with_fields(fields.clone());
        let mut reader = crm.as_source().unwrap().reader(request).await.unwrap();
        loop {
            match reader.next().await.unwrap().unwrap() {
                Event::Records(batch) => {
                    ids.extend(batch.records().map(|record| record.get("Id").to_string()));
                }
                Event::Checkpoint { state: reached, .. } => {
                    state = Some(reached);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        // The end is the checkpoint after which nothing is under way.
        if !serde_json::to_value(&state).unwrap()["data"]["running"].is_object() {
            break;
        }
    }
    // Rows of a page behind the first may come twice; none may be missing.
    assert_eq!(ids.len(), 120_000);
    assert_eq!(
        bench.asked("POST jobs/query"),
        1,
        "every process found the first one's job"
    );
}

#[tokio::test]
async fn a_job_that_is_gone_is_asked_for_anew() {
    let bench = Bench::with_leads(3_000).await;
    let request_from = |state| request(SyncMode::FullRefresh, state).with_fields(vec!["Id".to_owned()]);
    let mut reader = bench
        .crm
        .as_source()
        .unwrap()
        .reader(request_from(None))
        .await
        .unwrap();
    let Some(Event::Checkpoint { state, urgent: true }) = reader.next().await.unwrap() else {
        panic!("no urgent state")
    };
    drop(reader);
    let body = r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#;
    let answer = FaultAction::Answer {
        status: 404,
        headers: Vec::new(),
        body: body.to_owned(),
    };
    bench.org.fail_next(Fault::next("/jobs/query/", answer));
    let harvest = read_all(&bench.reconnect(), request_from(Some(state)))
        .await
        .unwrap();
    assert_eq!((harvest.rows(), bench.asked("POST jobs/query")), (3_000, 2));
}

/// R43: a session that ends in the middle of the pages.
#[tokio::test]
async fn tokens_that_expire_in_the_middle_are_renewed() {
    let bench = Bench::start(small_pages(1_100)).await;
    let mut reader = bench
        .crm
        .as_source()
        .unwrap()
        .reader(request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    let mut harvest = Harvest::default();
    while let Some(event) = reader.next().await.unwrap() {
        if matches!(event, Event::Checkpoint { .. }) {
            bench.org.expire_tokens();
        }
        harvest.take(event);
    }
    assert_whole(&bench, &harvest, 1_100);
    assert_eq!(
        bench.asked("token"),
        5,
        "one sign-in and one renewal per expiry that was noticed"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_read_on_without_a_row_twice() {
    let bench = Bench::with_leads(5_000).await;
    for bytes in [700_000, 1_500_000, 40] {
        let cut = Fault {
            skip: 0,
            ..Fault::next("/results", FaultAction::Cut { bytes })
        };
        bench.org.fail_next(cut);
    }
    let harvest = read_all(
        &bench.crm,
        request(SyncMode::FullRefresh, None).with_batch_bytes(100_000),
    )
    .await
    .unwrap();
    assert_whole(&bench, &harvest, 5_000);
    assert!(
        bench.asked("GET jobs/query") >= 6,
        "two polls, a page, and it again after each cut"
    );
    let bench = Bench::start(small_pages(600)).await;
    bench
        .org
        .fail_next(Fault::next("/query", FaultAction::Cut { bytes: 5_000 }));
    let harvest = read_all(&bench.crm, request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    assert_whole(&bench, &harvest, 600);
}

/// R44: a locator that is not known any more.
#[tokio::test]
async fn a_cursor_that_was_forgotten_is_begun_behind_the_last_id() {
    let bench = Bench::start(small_pages(1_100)).await;
    let body = r#"[{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]"#;
    let answer = FaultAction::Answer {
        status: 400,
        headers: Vec::new(),
        body: body.to_owned(),
    };
    bench.org.fail_next(Fault {
        skip: 1,
        ..Fault::next("/query/", answer)
    });
    let harvest = read_all(&bench.crm, request(SyncMode::FullRefresh, None))
        .await
        .unwrap();
    assert_whole(&bench, &harvest, 1_100);
}

#[tokio::test]
async fn an_object_that_bulk_refuses_is_read_over_rest() {
    let bench = Bench::with_leads(10).await;
    let request = ReadRequest::new(Selection::stream("LeadStatus"), TaskId::new("test", "LeadStatus"));
    let harvest = read_all(&bench.crm, request).await.unwrap();
    assert_eq!(harvest.rows(), 4);
}

#[tokio::test]
async fn plans_say_which_api_and_why() {
    let bench = Bench::with_leads(5_000).await;
    let source = bench.crm.as_source().unwrap();
    let plan = source
        .plan_read(&request(SyncMode::Incremental, None))
        .await
        .unwrap();
    assert_eq!(plan.records, Some(5_000));
    assert!(plan.notes[0].contains("Bulk"), "{:?}", plan.notes);
    assert!(plan.notes[1].contains("SystemModstamp"), "{:?}", plan.notes);
}

#[tokio::test]
async fn what_is_not_there_names_the_nearest() {
    let bench = Bench::with_leads(1).await;
    let error = bench.crm.describe(&Selection::stream("Leed")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.help().is_some_and(|help| help.contains("`Lead`")),
        "{:?}",
        error.help()
    );
    let spec = bench.crm.describe(&Selection::stream("Lead")).await.unwrap();
    assert_eq!(
        spec.schema.fields().len(),
        58,
        "59 fields without the compound address"
    );
    assert_eq!(spec.left_out.len(), 1);
    let types: BTreeMap<_, _> = spec
        .schema
        .fields()
        .iter()
        .map(|field| (field.name.as_str(), field.data_type.to_string()))
        .collect();
    for (field, wanted) in [
        ("Id", "text(18)"),
        ("IsDeleted", "bool"),
        ("Name", "text(121)"),
        ("Description", "text(32000)"),
        ("Latitude", "decimal(18,15)"),
        ("AnnualRevenue", "decimal(18,0)"),
        ("NumberOfEmployees", "int32"),
        ("ConvertedDate", "date"),
        ("SystemModstamp", "instant"),
        ("LeadScore__c", "decimal(5,2)"),
    ] {
        assert_eq!(types[field], wanted, "{field}");
    }
    let known = ["bool", "int32", "date", "instant"];
    let plain = |name: &String| name.starts_with("text(") || name.starts_with("decimal(");
    assert!(
        types
            .values()
            .all(|name| plain(name) || known.contains(&name.as_str())),
        "{types:?}"
    );
    let report = bench.crm.check().await.unwrap();
    assert_eq!(report.facts[0], ("organization".to_owned(), bench.org.org_id()));
}

#[tokio::test]
async fn the_state_of_another_org_is_refused() {
    let bench = Bench::with_leads(1).await;
    let state = State::new(
        connector_core::Identity::new("salesforce", "00Dother"),
        "Lead",
        1,
        &(),
    )
    .unwrap();
    let error = read_all(&bench.crm, request(SyncMode::FullRefresh, Some(state)))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::State);
}

#[tokio::test]
async fn every_grant_signs_in_and_stays_so() {
    let config = SalesforceConfig {
        leads: 1,
        rotate_refresh_tokens: true,
        ..SalesforceConfig::default()
    };
    let bench = Bench::start(config).await;
    let org = &bench.org;
    let (client_id, secret) = (org.client_id(), Some(Secret::new(org.client_secret())));
    let password = org.password();
    let (password, token) = password.split_at(password.len() - "SECURITYTOKEN".len());
    for auth in [
        Auth::RefreshToken {
            client_id: client_id.clone(),
            client_secret: secret.clone(),
            refresh_token: Secret::new(org.refresh_token()),
        },
        Auth::Password {
            client_id: client_id.clone(),
            client_secret: secret.clone(),
            username: org.username(),
            password: Secret::new(password),
            security_token: Some(Secret::new(token)),
        },
    ] {
        let crm = connect_with(org, &bench.clock, auth);
        assert_eq!(crm.streams().await.unwrap().len(), 4);
        // With rotation, the second renewal needs the token that came with the first.
        for _ in 0..2 {
            org.expire_tokens();
            assert_eq!(crm.streams().await.unwrap().len(), 4);
        }
    }
}
