//! Reads of which every answer is scripted: what a live org does seldom.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::sync::Arc;

use common::{TestClock, read_all};
use connector_core::{
    Connector, ErrorKind, Identity, Key, Op, ReadRequest, Secret, Selection, State, SyncMode, TaskId,
};
use connector_salesforce::{Auth, Config, Salesforce};
use connector_testkit::fakes::FakeClock;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const API: &str = "/services/data/v62.0";
const ORG: &str = "00DD0000000IRFmMAO";
const NOW: &str = "Wed, 10 Jan 2018 21:05:30 GMT";

fn connect(server: &MockServer) -> Salesforce {
    let auth = Auth::AccessToken {
        access_token: Secret::new("00DD0000000IRFm!hunter2"),
        instance_url: server.uri().parse().unwrap(),
    };
    let config = Config::new(auth).with_login_url(&server.uri()).unwrap();
    Salesforce::new(&config, Arc::new(TestClock(FakeClock::new()))).unwrap()
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .insert_header("date", NOW)
        .set_body_json(body)
}

fn refused(status: u16, code: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!([{ "errorCode": code, "message": "no" }]))
}

fn field(name: &str, kind: &str) -> Value {
    json!({ "name": name, "type": kind, "filterable": true, "length": 255 })
}

/// An org with an object `Thing__c` of these fields beside `Id` and `SystemModstamp`.
async fn org(fields: Vec<Value>) -> MockServer {
    let server = MockServer::start().await;
    let mut all = vec![field("Id", "id"), field("SystemModstamp", "datetime")];
    all.extend(fields);
    let described = json!({ "name": "Thing__c", "queryable": true, "replicateable": true, "fields": all });
    answer(&server, "sobjects/Thing__c/describe", ok(described), 5).await;
    Mock::given(method("GET"))
        .and(path("/services/data"))
        .respond_with(ok(json!([{ "version": "62.0" }])))
        .mount(&server)
        .await;
    server
}

async fn answer(server: &MockServer, at: &str, answer: ResponseTemplate, priority: u8) {
    Mock::given(method("GET"))
        .and(path(format!("{API}/{at}")))
        .respond_with(answer)
        .with_priority(priority)
        .mount(server)
        .await;
}

/// Answers queries whose text has all of `parts`.
async fn on_query(
    server: &MockServer,
    parts: &'static [&'static str],
    answer: ResponseTemplate,
    times: Option<u64>,
) {
    let has = move |request: &Request| {
        let soql = request.url.query_pairs().find(|(name, _)| name == "q");
        soql.is_some_and(|(_, soql)| parts.iter().all(|part| soql.contains(part)))
    };
    let mock = Mock::given(method("GET")).and(has).respond_with(answer);
    match times {
        Some(times) => mock.up_to_n_times(times).with_priority(1).mount(server).await,
        None => mock.mount(server).await,
    }
}

fn rows(records: &[Value]) -> ResponseTemplate {
    ok(json!({ "totalSize": records.len(), "done": true, "records": records }))
}

fn counted(records: u64) -> ResponseTemplate {
    ok(json!({ "totalSize": records, "done": true, "records": [] }))
}

fn request(sync: SyncMode) -> ReadRequest {
    ReadRequest::new(Selection::stream("Thing__c"), TaskId::new("test", "Thing__c")).with_sync(sync)
}

/// The state of a read that has read everything up to `since`.
fn since(since: &str) -> State {
    let data = json!({ "since": since, "running": null });
    State::new(Identity::new("salesforce", ORG), "Thing__c", 1, &data).unwrap()
}

fn thing(n: u32, stamp: &str) -> Value {
    json!({ "Id": id(n), "SystemModstamp": stamp })
}

fn id(n: u32) -> String {
    format!("a01{n:012}AAA")
}

/// R47: what was purged is in no recycle bin.
#[tokio::test]
async fn what_was_purged_arrives_as_a_delete_and_what_was_restored_does_not() {
    let server = org(Vec::new()).await;
    on_query(&server, &["COUNT()"], counted(1), None).await;
    on_query(
        &server,
        &["ORDER BY Id"],
        rows(&[thing(1, "2018-01-09T12:00:00.000+0000")]),
        None,
    )
    .await;
    let deleted = |n| json!({ "id": id(n), "deletedDate": "2018-01-09T13:00:00.000+0000" });
    Mock::given(method("GET"))
        .and(path(format!("{API}/sobjects/Thing__c/deleted/")))
        .and(query_param("start", "2018-01-09T00:00:00Z"))
        .and(query_param("end", "2018-01-10T21:00:30Z"))
        .respond_with(ok(json!({
            "deletedRecords": [deleted(2), deleted(3)],
            "earliestDateAvailable": "2017-12-26T00:00:00.000+0000",
            "latestDateCovered": "2018-01-10T20:55:00.000+0000",
        })))
        .expect(1)
        .mount(&server)
        .await;
    // The third is there again.
    on_query(&server, &["IN ("], rows(&[json!({ "Id": id(3) })]), None).await;
    let crm = connect(&server);
    let request = request(SyncMode::Incremental).with_state(Some(since("2018-01-09T00:00:00Z")));
    let harvest = read_all(&crm, request).await.unwrap();
    assert_eq!(harvest.ids(), [(id(1), Op::Put), (id(2), Op::Delete)]);
    let state = serde_json::to_value(harvest.states.last()).unwrap();
    assert_eq!(state["data"]["since"], "2018-01-10T21:00:30Z");
    // What was deleted later may not be listed yet: it is asked for again.
    assert_eq!(state["data"]["deletions"], "2018-01-10T20:55:00Z");
}

#[tokio::test]
async fn deletions_too_long_ago_are_said_and_do_not_end_the_read() {
    let server = org(Vec::new()).await;
    on_query(&server, &["COUNT()"], counted(0), None).await;
    on_query(&server, &["ORDER BY Id"], rows(&[]), None).await;
    answer(
        &server,
        "sobjects/Thing__c/deleted/",
        refused(400, "INVALID_REPLICATION_DATE"),
        5,
    )
    .await;
    let crm = connect(&server);
    let request = request(SyncMode::Incremental).with_state(Some(since("2017-11-01T00:00:00Z")));
    let plan = crm.as_source().unwrap().plan_read(&request).await.unwrap();
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("may have been missed") && note.contains("prune")),
        "{:?}",
        plan.notes
    );
    assert_eq!(read_all(&crm, request).await.unwrap().rows(), 0);
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_asked_for_half_the_time() {
    let server = org(Vec::new()).await;
    on_query(&server, &["COUNT()"], counted(2), None).await;
    on_query(&server, &["ORDER BY Id"], refused(500, "QUERY_TIMEOUT"), Some(1)).await;
    let half = "2018-01-09T22:30:15Z";
    on_query(
        &server,
        &["ORDER BY Id", "< 2018-01-09T22:30:15Z"],
        rows(&[thing(1, "2018-01-09T12:00:00.000+0000")]),
        Some(1),
    )
    .await;
    on_query(
        &server,
        &["ORDER BY Id", ">= 2018-01-09T22:30:15Z", "< 2018-01-10T21:00:30Z"],
        rows(&[thing(2, "2018-01-10T12:00:00.000+0000")]),
        Some(1),
    )
    .await;
    answer(
        &server,
        "sobjects/Thing__c/deleted/",
        ok(json!({ "deletedRecords": [] })),
        5,
    )
    .await;
    let request = request(SyncMode::Incremental).with_state(Some(since("2018-01-09T00:00:00Z")));
    let harvest = read_all(&connect(&server), request).await.unwrap();
    assert_eq!(harvest.ids(), [(id(1), Op::Put), (id(2), Op::Put)]);
    let states: Vec<Value> = harvest
        .states
        .iter()
        .map(|state| serde_json::to_value(state).unwrap())
        .collect();
    assert!(
        states
            .iter()
            .any(|state| state["data"]["since"] == half && state["data"]["running"].is_object()),
        "the first half is remembered: {states:?}"
    );
    assert_eq!(states.last().unwrap()["data"]["since"], "2018-01-10T21:00:30Z");
}

/// H1: a field that is hidden or removed while the object is read.
#[tokio::test]
async fn a_field_that_vanishes_while_it_is_read_is_named() {
    let server = org(vec![field("Gone__c", "string")]).await;
    on_query(&server, &["COUNT()"], counted(1), None).await;
    on_query(&server, &["Gone__c"], refused(400, "INVALID_FIELD"), None).await;
    let crm = connect(&server);
    crm.describe(&Selection::stream("Thing__c")).await.unwrap();
    let fields = [field("Id", "id"), field("SystemModstamp", "datetime")];
    let now = json!({ "name": "Thing__c", "queryable": true, "fields": fields });
    answer(&server, "sobjects/Thing__c/describe", ok(now), 1).await;
    let error = read_all(&crm, request(SyncMode::FullRefresh))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.message().contains("`Gone__c` of `Thing__c`"), "{error}");
    assert!(error.help().unwrap().contains("run again"));
}

/// R46, H1: an answer that ends before all it has found is no shorter answer.
#[tokio::test]
async fn pages_that_are_cut_short_or_lead_nowhere_are_errors() {
    let one = thing(1, "2018-01-09T12:00:00.000+0000");
    for page in [
        json!({ "totalSize": 2, "done": true, "records": [one] }),
        json!({ "totalSize": 2, "done": false, "records": [one] }),
        json!({ "totalSize": 9, "done": false, "records": [], "nextRecordsUrl": format!("{API}/query/01g-1") }),
        json!({ "totalSize": 1, "done": false, "records": [one, one], "nextRecordsUrl": format!("{API}/query/01g-1") }),
    ] {
        let server = org(Vec::new()).await;
        on_query(&server, &["COUNT()"], counted(1), None).await;
        on_query(&server, &["ORDER BY Id"], ok(page.clone()), None).await;
        let error = read_all(&connect(&server), request(SyncMode::FullRefresh))
            .await
            .err();
        assert_eq!(
            error.map(|error| error.kind()),
            Some(ErrorKind::Unavailable),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_record_that_changes_between_its_groups_of_fields_is_read_again() {
    let wide = (0..420).map(|n| {
        field(
            &format!("A_field_with_a_name_that_is_rather_long_{n:03}__c"),
            "string",
        )
    });
    let server = org(wide.collect()).await;
    on_query(&server, &["COUNT()"], counted(1), None).await;
    on_query(&server, &["ORDER BY Id", "Id > '"], rows(&[]), None).await;
    on_query(
        &server,
        &["SELECT Id FROM"],
        rows(&[json!({ "Id": id(1) })]),
        Some(1),
    )
    .await;
    let (old, new) = ("2018-01-09T12:00:00.000+0000", "2018-01-09T12:00:01.000+0000");
    let whole = |stamp: &str, text: &str| {
        let mut record = thing(1, stamp);
        for n in 0..420 {
            record[format!("A_field_with_a_name_that_is_rather_long_{n:03}__c")] = json!(text);
        }
        rows(&[record])
    };
    on_query(&server, &["IN (", "long_000__c"], whole(old, "old"), Some(1)).await;
    on_query(&server, &["IN ("], whole(new, "new"), None).await;
    let harvest = read_all(&connect(&server), request(SyncMode::FullRefresh))
        .await
        .unwrap();
    assert_eq!(harvest.rows(), 1);
    let record = harvest.batches[0].get(0).unwrap();
    let texts: Vec<String> = record.values().skip(2).map(|value| value.to_string()).collect();
    assert!(texts.iter().all(|text| text == "new"), "a torn record");
    let longest = server.received_requests().await.unwrap();
    let longest = longest
        .iter()
        .map(|request| request.url.as_str().len())
        .max()
        .unwrap();
    assert!(longest < 16_384, "{longest}");
}

/// An answer may have fewer records than were asked for, and the rest on a page of its own.
#[tokio::test]
async fn keys_of_either_form_are_read_once_over_as_many_pages_as_it_takes() {
    let server = org(Vec::new()).await;
    let stamp = "2018-01-09T12:00:00.000+0000";
    let first = json!({ "totalSize": 2, "done": false, "records": [thing(2, stamp)],
        "nextRecordsUrl": format!("{API}/query/01g-1") });
    on_query(
        &server,
        &["IN ('a01000000000001AAA','a01000000000002AAA')"],
        ok(first),
        None,
    )
    .await;
    let rest = json!({ "totalSize": 2, "done": true, "records": [thing(1, stamp)] });
    answer(&server, "query/01g-1", ok(rest), 5).await;
    let keys = ["a01000000000001", "a01000000000002AAA", "a01000000000001AAA"].map(Key::new);
    let harvest = read_all(&connect(&server), request(SyncMode::Keys(keys.to_vec())))
        .await
        .unwrap();
    let ids: Vec<String> = harvest.ids().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [id(1), id(2)]);
}

/// R48: a cursor that cannot be asked by is none.
#[tokio::test]
async fn a_cursor_that_cannot_be_filtered_by_is_refused_and_the_others_are_named() {
    let mut hidden = field("LastModifiedDate", "datetime");
    hidden["filterable"] = json!(false);
    let server = org(vec![hidden]).await;
    let by = request(SyncMode::Incremental).with_cursor(Some("LastModifiedDate".to_owned()));
    let error = read_all(&connect(&server), by).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.help().unwrap().contains("`SystemModstamp`"));
}

/// R10: without a state, everything is read, however old.
#[tokio::test]
async fn the_first_read_has_no_beginning() {
    let server = org(Vec::new()).await;
    on_query(&server, &["COUNT()"], counted(0), None).await;
    on_query(&server, &["ORDER BY Id"], rows(&[]), None).await;
    read_all(&connect(&server), request(SyncMode::Incremental))
        .await
        .unwrap();
    for asked in server.received_requests().await.unwrap() {
        assert!(
            !asked.url.as_str().contains("%3E%3D"),
            "a lower bound: {}",
            asked.url
        );
    }
}

#[tokio::test]
async fn compound_fields_are_read_where_they_are_chosen() {
    let server = org(vec![field("HomeAddress", "address"), field("Blob__c", "base64")]).await;
    on_query(&server, &["COUNT()"], counted(1), None).await;
    let record = json!({ "Id": id(1), "HomeAddress": { "city": "Wien", "street": null } });
    on_query(&server, &["SELECT HomeAddress,Id FROM"], rows(&[record]), None).await;
    let crm = connect(&server);
    let chosen = |name: &str| request(SyncMode::FullRefresh).with_fields(vec![name.to_owned()]);
    let harvest = read_all(&crm, chosen("HomeAddress")).await.unwrap();
    assert_eq!(
        harvest.batches[0].get(0).unwrap().value(0).to_string(),
        r#"{"city":"Wien","street":null}"#
    );
    let error = read_all(&crm, chosen("Blob__c")).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("binary"), "{error}");
}

#[tokio::test]
async fn a_query_that_stands_as_it_is_is_asked_once_and_its_columns_are_typed() {
    let mut amount = field("Amount__c", "currency");
    amount["precision"] = json!(18);
    amount["scale"] = json!(2);
    let server = org(vec![amount, field("Status__c", "picklist")]).await;
    let text =
        "SELECT Status__c, COUNT(Id), MAX(Amount__c) top FROM Thing__c GROUP BY Status__c ORDER BY Status__c";
    let record =
        json!({ "attributes": { "type": "AggregateResult" }, "Status__c": "open", "expr0": 3, "top": 12.5 });
    on_query(&server, &["GROUP BY"], rows(&[record]), None).await;
    let crm = connect(&server);
    let query = Selection::Query(text.to_owned());
    let spec = crm.describe(&query).await.unwrap();
    let fields: Vec<String> = spec
        .schema
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name, field.data_type))
        .collect();
    assert_eq!(
        fields,
        ["Status__c text(255)", "expr0 int64", "top decimal(18,2)"]
    );
    assert_eq!(spec.cursor, None);
    let read = ReadRequest::new(query, TaskId::new("test", "query"));
    let plan = crm.as_source().unwrap().plan_read(&read).await.unwrap();
    assert!(plan.notes[0].contains("begins it anew"), "{:?}", plan.notes);
    let harvest = read_all(&crm, read).await.unwrap();
    let values: Vec<String> = harvest.batches[0]
        .get(0)
        .unwrap()
        .values()
        .map(|value| value.to_string())
        .collect();
    assert_eq!(values, ["open", "3", "12.5"]);
}
