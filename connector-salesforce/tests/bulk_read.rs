//! Reading by Bulk jobs: whatever the server answers, nothing is lost, doubled or changed in silence.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use axum::routing::get;
use common::{Bench, Harvest, TestClock, read_all, request};
use connector_core::{Connector, Error, ErrorKind, Event, ReadRequest, Retry, Secret, State, SyncMode};
use connector_salesforce::{Auth, Config, Salesforce};
use connector_testkit::fakes::FakeClock;
use serde_json::{Value, json};
use tokio::sync::Notify;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const API: &str = "/services/data/v62.0";
const HEADER: &str = "\"Id\",\"N\",\"Size\",\"Note\"\n";

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(body)
        .insert_header("date", "Wed, 10 Jan 2018 21:05:30 GMT")
}

fn refused(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!([{ "errorCode": code, "message": message }]))
}

fn job(state: &str) -> Value {
    json!({ "id": "750x", "state": state })
}

fn complete(rows: u64) -> Value {
    json!({ "id": "750x", "state": "JobComplete", "numberRecordsProcessed": rows })
}

/// A page; `next` goes into its head as it stands.
fn page(csv: impl Into<Vec<u8>>, rows: u64, next: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_raw(csv, "text/csv")
        .insert_header("sforce-locator", next)
        .insert_header("sforce-numberofrecords", rows.to_string())
}

fn id(n: u64) -> String {
    format!("00Q{n:012}AAA")
}

/// Rows of a page, their header before them.
fn rows(numbers: std::ops::Range<u64>) -> String {
    let row = |n| format!("\"{}\",\"{n}\",\"\",\"\"\n", id(n));
    HEADER.to_owned() + &numbers.map(row).collect::<String>()
}

/// The object.
fn described() -> Value {
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind, "filterable": true });
    let fields = [
        field("Id", "id"),
        field("N", "double"),
        field("Size", "int"),
        field("Note", "textarea"),
        field("SystemModstamp", "datetime"),
    ];
    json!({ "name": "Lead", "queryable": true, "fields": fields })
}

/// An org with one object that has many records, and one job.
struct Org(MockServer);

impl Org {
    async fn start() -> Self {
        let org = Self(MockServer::start().await);
        org.on("GET", "/sobjects/Lead/describe", ok(described())).await;
        Mock::given(path("/services/data"))
            .respond_with(ok(json!([{ "version": "62.0" }])))
            .mount(&org.0)
            .await;
        let query = |request: &Request| {
            let few = json!({ "totalSize": 1, "done": true, "records": [
                { "Id": id(7), "N": 7.0, "Size": null, "Note": "over REST" },
            ]});
            let many = json!({ "totalSize": 5_000, "done": true, "records": [] });
            let is_count = request.url.query().unwrap().contains("COUNT");
            ok(if is_count { many } else { few })
        };
        Mock::given(path(format!("{API}/query")))
            .respond_with(query)
            .mount(&org.0)
            .await;
        org.on("DELETE", "/jobs/query/750x", ResponseTemplate::new(204))
            .await;
        org
    }

    /// An org whose job is complete with `rows` rows.
    async fn with_job(rows: u64) -> Self {
        let org = Self::start().await;
        org.on("POST", "/jobs/query", ok(job("UploadComplete"))).await;
        org.on("GET", "/jobs/query/750x", ok(complete(rows))).await;
        org
    }

    /// The same with one page of results.
    async fn with_page(csv: impl Into<Vec<u8>>, rows: u64) -> Self {
        let org = Self::with_job(rows).await;
        org.on("GET", "/jobs/query/750x/results", page(csv, rows, "null"))
            .await;
        org
    }

    async fn on(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb))
            .and(path(format!("{API}{at}")))
            .respond_with(answer)
            .mount(&self.0)
            .await;
    }

    async fn once(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb))
            .and(path(format!("{API}{at}")))
            .respond_with(answer)
            .up_to_n_times(1)
            .with_priority(1)
            .mount(&self.0)
            .await;
    }

    /// The page at a locator; none is the first.
    async fn page(&self, locator: Option<&str>, answer: ResponseTemplate) {
        let at = Mock::given(path(format!("{API}/jobs/query/750x/results")));
        let at = match locator {
            Some(locator) => at.and(query_param("locator", locator)),
            None => at.and(query_param_is_missing("locator")),
        };
        at.respond_with(answer).mount(&self.0).await;
    }

    fn connect(&self, clock: &FakeClock) -> Salesforce {
        connect(&self.0.uri(), clock)
    }

    async fn read(&self) -> Result<Harvest, Error> {
        read_all(&self.connect(&FakeClock::new()), full(None)).await
    }

    async fn error(&self) -> Error {
        self.read().await.err().unwrap()
    }

    /// How often it was asked so.
    async fn asked(&self, verb: &str, at: &str) -> usize {
        let requests = self.0.received_requests().await.unwrap();
        let at = format!("{API}{at}");
        let is = |request: &&Request| request.method.as_str() == verb && request.url.path() == at;
        requests.iter().filter(is).count()
    }
}

fn connect(root: &str, clock: &FakeClock) -> Salesforce {
    let auth = Auth::AccessToken {
        access_token: Secret::new("00DD0000000IRFm!hunter2"),
        instance_url: root.parse().unwrap(),
    };
    Salesforce::new(&Config::new(auth), Arc::new(TestClock(clock.clone()))).unwrap()
}

fn full(state: Option<State>) -> ReadRequest {
    let fields = ["Id", "N", "Size", "Note"].map(str::to_owned);
    request(SyncMode::FullRefresh, state).with_fields(fields.to_vec())
}

/// The records, field by field.
fn cells(harvest: &Harvest) -> Vec<Vec<String>> {
    let records = harvest.batches.iter().flat_map(connector_core::Batch::records);
    records
        .map(|record| record.values().map(|value| value.to_string()).collect())
        .collect()
}

fn ids(harvest: &Harvest) -> Vec<String> {
    harvest.ids().into_iter().map(|(id, _)| id).collect()
}

/// The state that names the job, as soon as there is one.
async fn state_of_job(org: &Org) -> State {
    let crm = org.connect(&FakeClock::new());
    let mut reader = crm.as_source().unwrap().reader(full(None)).await.unwrap();
    match reader.next().await.unwrap() {
        Some(Event::Checkpoint { state, urgent: true }) => state,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn r09_a_job_that_ends_badly_is_an_error_in_the_server_s_words() {
    for (state, reason, wanted) in [
        (
            "Failed",
            Some("InvalidBatch : nobody knows"),
            "the Bulk job failed: InvalidBatch : nobody knows",
        ),
        ("Failed", None, "the Bulk job failed: it gives no reason"),
        ("Aborted", None, "the Bulk job was aborted: it gives no reason"),
    ] {
        let org = Org::start().await;
        org.on("POST", "/jobs/query", ok(job("UploadComplete"))).await;
        let mut ended = job(state);
        ended["errorMessage"] = reason.into();
        org.on("GET", "/jobs/query/750x", ok(ended)).await;
        let crm = org.connect(&FakeClock::new());
        let mut reader = crm.as_source().unwrap().reader(full(None)).await.unwrap();
        let mut harvest = Harvest::default();
        let error = loop {
            match reader.next().await {
                Ok(event) => harvest.take(event.unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!(
            (error.to_string().as_str(), error.retry()),
            (wanted, Retry::Never)
        );
        // The cursor is where it was: all that is remembered is the job.
        assert_eq!((harvest.rows(), harvest.states.len()), (0, 1));
        let state = serde_json::to_value(&harvest.states[0]).unwrap();
        assert!(state["data"]["since"].is_null() && state["data"]["running"].is_object());
    }
}

#[tokio::test]
async fn r30_text_arrives_as_it_was_whatever_stands_before_it() {
    let notes = [
        "改行\nあり🚀",
        "say \"\"hi\"\", twice",
        "N/A",
        "#N/A",
        "null",
        " a ",
        "tab\there",
    ];
    let mut csv = "\u{feff}".to_owned() + &HEADER.replace('\n', "\r\n");
    for (n, note) in notes.iter().enumerate() {
        csv.push_str(&format!("\"{}\",\"\",\"\",\"{note}\"\r\n", id(n as u64)));
    }
    let org = Org::with_page(csv, notes.len() as u64).await;
    let harvest = org.read().await.unwrap();
    let found: Vec<_> = cells(&harvest).into_iter().map(|mut row| row.remove(3)).collect();
    assert_eq!(found, notes.map(|note| note.replace("\"\"", "\"")));
}

#[tokio::test]
async fn r31_bytes_that_are_no_text_reject_their_record_alone() {
    let mut csv = HEADER.as_bytes().to_vec();
    csv.extend(format!("\"{}\",\"\",\"\",\"a", id(1)).bytes());
    csv.extend(b"\xff\xfe\"\n");
    csv.extend(format!("\"{}\",\"\",\"\",\"nul\0 and \u{1b}\"\n", id(2)).bytes());
    let org = Org::with_page(csv, 2).await;
    let harvest = org.read().await.unwrap();
    let rejection = &harvest.rejected[0];
    assert_eq!(rejection.key.as_ref().unwrap().as_str(), id(1));
    assert_eq!(
        (
            rejection.fields.first().map(String::as_str),
            harvest.rejected.len()
        ),
        (Some("Note"), 1)
    );
    // NUL is text; what cannot hold it says so.
    assert_eq!(cells(&harvest)[0][3], "nul\0 and \u{1b}");
}

#[tokio::test]
async fn r43_tokens_that_expire_between_pages_are_renewed() {
    let bench = Bench::with_leads(120_000).await;
    let request = request(SyncMode::FullRefresh, None).with_fields(vec!["Id".to_owned()]);
    let mut reader = bench.crm.as_source().unwrap().reader(request).await.unwrap();
    let mut harvest = Harvest::default();
    while let Some(event) = reader.next().await.unwrap() {
        if matches!(event, Event::Checkpoint { .. }) {
            bench.org.expire_tokens();
        }
        harvest.take(event);
    }
    assert_eq!(harvest.rows(), 120_000);
    assert_eq!(bench.asked("POST jobs/query"), 1);
}

#[tokio::test]
async fn r44_a_result_that_is_gone_is_asked_for_anew_by_whoever_inherited_it() {
    for gone in [
        refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
        refused(404, "NOT_FOUND", "The requested resource does not exist"),
        refused(409, "API_ERROR", "The API version must be that of the job"),
    ] {
        let org = Org::with_page(rows(0..3), 3).await;
        let state = state_of_job(&org).await;
        org.once("GET", "/jobs/query/750x/results", gone.clone()).await;
        let harvest = read_all(&org.connect(&FakeClock::new()), full(Some(state)))
            .await
            .unwrap();
        assert_eq!((harvest.rows(), org.asked("POST", "/jobs/query").await), (3, 2));
        // One of our own that vanishes at once would vanish again.
        org.once("GET", "/jobs/query/750x/results", gone).await;
        org.error().await;
    }
}

#[tokio::test]
async fn a_job_that_an_earlier_process_lost_is_started_anew() {
    for ended in [job("Aborted"), job("Failed")] {
        let org = Org::with_page(rows(0..3), 3).await;
        let state = state_of_job(&org).await;
        org.once("GET", "/jobs/query/750x", ok(ended)).await;
        let harvest = read_all(&org.connect(&FakeClock::new()), full(Some(state)))
            .await
            .unwrap();
        assert_eq!((harvest.rows(), org.asked("POST", "/jobs/query").await), (3, 2));
    }
}

#[tokio::test]
async fn r45_the_last_page_is_told_by_null_by_nothing_and_by_no_header() {
    for end in [Some("null"), Some(""), None] {
        let org = Org::with_job(5).await;
        org.page(None, page(rows(0..3), 3, "MTA")).await;
        let last = ResponseTemplate::new(200).set_body_raw(rows(3..5), "text/csv");
        let last = match end {
            Some(end) => last.insert_header("sforce-locator", end),
            None => last,
        };
        org.page(Some("MTA"), last).await;
        let harvest = org.read().await.unwrap();
        assert_eq!(ids(&harvest), (0..5).map(id).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn r45_pages_that_lead_in_a_circle_are_an_error() {
    for (second, third) in [("MTA", "null"), ("MjA", "MTA")] {
        let org = Org::with_job(9).await;
        org.page(None, page(rows(0..3), 3, "MTA")).await;
        org.page(Some("MTA"), page(rows(3..6), 3, second)).await;
        org.page(Some("MjA"), page(rows(6..9), 3, third)).await;
        let error = org.error().await;
        assert!(error.to_string().contains("lead back"), "{error}");
    }
}

#[tokio::test]
async fn r46_a_result_that_is_short_or_long_is_never_a_success() {
    for (declared, total) in [(4, 3), (2, 3), (3, 4), (3, 2)] {
        let org = Org::with_job(total).await;
        org.page(None, page(rows(0..3), declared, "null")).await;
        let error = org.error().await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("holds 3 records"), "{error}");
    }
}

#[tokio::test]
async fn a_result_that_stays_short_is_asked_for_by_another_job() {
    let org = Org::with_job(3).await;
    org.once("GET", "/jobs/query/750x/results", page(rows(0..2), 2, "null"))
        .await;
    org.on("GET", "/jobs/query/750x/results", page(rows(0..3), 3, "null"))
        .await;
    let state = state_of_job(&org).await;
    let harvest = read_all(&org.connect(&FakeClock::new()), full(Some(state)))
        .await
        .unwrap();
    assert_eq!(org.asked("POST", "/jobs/query").await, 2);
    assert!((0..3).all(|n| ids(&harvest).contains(&id(n))));
}

#[tokio::test]
async fn no_rows_are_no_rows_whatever_the_body() {
    let unknown = json!({ "id": "750x", "state": "JobComplete" });
    for (ended, csv) in [
        (complete(0), ""),
        (complete(0), HEADER),
        (unknown.clone(), ""),
        (unknown, HEADER),
    ] {
        let org = Org::start().await;
        org.on("POST", "/jobs/query", ok(job("UploadComplete"))).await;
        org.on("GET", "/jobs/query/750x", ok(ended)).await;
        org.page(None, page(csv, 0, "null")).await;
        let harvest = org.read().await.unwrap();
        assert_eq!(harvest.rows(), 0);
        let last = serde_json::to_value(harvest.states.last().unwrap()).unwrap();
        assert!(last["data"]["running"].is_null() && last["data"]["since"].is_string());
    }
}

#[tokio::test]
async fn columns_are_found_by_the_header_of_each_page() {
    let org = Org::with_job(2).await;
    let first = format!(
        "\"NOTE\",\"Other\",\"Size\",\"N\",\"id\"\n\"a\",\"x\",\"1\",\"2\",\"{}\"\n",
        id(1)
    );
    let second = format!(
        "\"Id\",\"Note\",\"N\",\"Size\"\n\"{}\",\"b\",\"3\",\"4\"\n",
        id(2)
    );
    org.page(None, page(first, 1, "MTA")).await;
    org.page(Some("MTA"), page(second, 1, "null")).await;
    let harvest = org.read().await.unwrap();
    let wanted = [
        [id(1), "2".into(), "1".into(), "a".into()],
        [id(2), "3".into(), "4".into(), "b".into()],
    ];
    assert_eq!(cells(&harvest), wanted);
    let org = Org::with_page(format!("\"Id\",\"N\",\"Note\"\n\"{}\",\"1\",\"\"\n", id(1)), 1).await;
    let error = org.error().await;
    assert_eq!(error.to_string(), "the answer has no column `Size`");
}

#[tokio::test]
async fn numbers_come_exactly_in_every_form_or_are_rejected() {
    let forms = [
        ("9.5E8", "250.0", Some(("950000000", "250"))),
        ("-1.50e-3", "1E3", Some(("-0.00150", "1000"))),
        ("1234567890123456.78", "-7", Some(("1234567890123456.78", "-7"))),
        ("0E0", "0.0", Some(("0", "0"))),
        ("12,5", "1", None),
        ("1", "0.5", None),
        ("1", "3000000000", None),
        ("1", "hunter2", None),
    ];
    let mut csv = HEADER.to_owned();
    for (n, (decimal, whole, _)) in forms.iter().enumerate() {
        csv.push_str(&format!("\"{}\",\"{decimal}\",\"{whole}\",\"\"\n", id(n as u64)));
    }
    let org = Org::with_page(csv, forms.len() as u64).await;
    let harvest = org.read().await.unwrap();
    let wanted: Vec<_> = forms.iter().filter_map(|(_, _, wanted)| *wanted).collect();
    let cells = cells(&harvest);
    let found: Vec<_> = cells
        .iter()
        .map(|row| (row[1].as_str(), row[2].as_str()))
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(harvest.rejected.len(), 4);
    assert!(
        harvest
            .rejected
            .iter()
            .all(|rejection| !rejection.message.contains("hunter2"))
    );
}

/// What [bulk refuses](https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch), in its words.
const LEFT_TO_REST: [(&str, &str); 8] = [
    ("INVALIDENTITY", "Entity 'X' is not supported by the Bulk API."),
    (
        "INVALID_FIELD",
        "Selecting compound data not supported in Bulk Query",
    ),
    (
        "FUNCTIONALITY_NOT_ENABLED",
        "Selecting compound data not supported in Bulk Query",
    ),
    ("API_ERROR", "Selecting compound data not supported in Bulk Query"),
    ("API_ERROR", "Entity 'X' does not support query"),
    ("API_ERROR", "Implementation restriction: X requires a filter"),
    (
        "LIMIT_EXCEEDED",
        "Max bulk v2 query jobs (10000) per 24 hrs has been reached",
    ),
    (
        "API_ERROR",
        "Max bulk v2 query result size stored (1000000000 kb) per 24 hrs has been exceeded",
    ),
];

#[tokio::test]
async fn what_bulk_refuses_is_read_over_rest() {
    for (code, message) in LEFT_TO_REST {
        let org = Org::start().await;
        org.on("POST", "/jobs/query", refused(400, code, message)).await;
        let harvest = org.read().await.unwrap();
        assert_eq!(cells(&harvest)[0][3], "over REST", "{code}: {message}");
        // Some of it is only told once the job runs.
        let org = Org::start().await;
        org.on("POST", "/jobs/query", ok(job("UploadComplete"))).await;
        let mut failed = job("Failed");
        failed["errorMessage"] = format!("{code} : {message}").into();
        org.on("GET", "/jobs/query/750x", ok(failed)).await;
        let harvest = org.read().await.unwrap();
        assert_eq!(cells(&harvest)[0][3], "over REST", "failed: {code}: {message}");
    }
}

#[tokio::test]
async fn what_rest_would_refuse_too_is_an_error() {
    for (code, message, kind) in [
        (
            "INVALID_FIELD",
            "No such column 'x' on entity 'Lead'",
            ErrorKind::Schema,
        ),
        ("MALFORMED_QUERY", "unexpected token: FROM", ErrorKind::Data),
    ] {
        let org = Org::start().await;
        org.on("POST", "/jobs/query", refused(400, code, message)).await;
        assert_eq!(org.error().await.kind(), kind, "{code}");
    }
}

#[tokio::test]
async fn a_job_that_needs_too_long_is_asked_for_half_of_its_window() {
    let org = Org::start().await;
    org.on("POST", "/jobs/query", ok(job("UploadComplete"))).await;
    let mut failed = job("Failed");
    failed["errorMessage"] = "QUERY_TIMEOUT: Your query request was running for too long.".into();
    org.once("GET", "/jobs/query/750x", ok(failed)).await;
    org.on("GET", "/jobs/query/750x", ok(complete(1))).await;
    org.on("GET", "/jobs/query/750x/results", page(rows(0..1), 1, "null"))
        .await;
    let fields = ["Id", "N", "Size", "Note"].map(str::to_owned).to_vec();
    let changes = request(SyncMode::Incremental, None).with_fields(fields);
    let harvest = read_all(&org.connect(&FakeClock::new()), changes).await.unwrap();
    // The whole, and then its two halves.
    assert_eq!((org.asked("POST", "/jobs/query").await, harvest.rows()), (3, 2));
    let queries: Vec<String> = org
        .0
        .received_requests()
        .await
        .unwrap()
        .iter()
        .filter(|request| request.method.as_str() == "POST")
        .map(|request| {
            request.body_json::<Value>().unwrap()["query"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let bound = |query: &str, sign: &str| {
        query
            .split(sign)
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .map(str::to_owned)
    };
    assert_eq!(
        bound(&queries[1], "SystemModstamp < "),
        bound(&queries[2], "SystemModstamp >= ")
    );
    assert_eq!(
        bound(&queries[0], "SystemModstamp < "),
        bound(&queries[2], "SystemModstamp < ")
    );
}

#[tokio::test]
async fn a_job_is_looked_at_ever_less_often() {
    let org = Org::with_page(rows(0..1), 1).await;
    for _ in 0..7 {
        org.once("GET", "/jobs/query/750x", ok(job("InProgress"))).await;
    }
    let clock = FakeClock::new();
    let before = clock.now_micros();
    read_all(&org.connect(&clock), full(None)).await.unwrap();
    let waited = Duration::from_micros((clock.now_micros() - before).unsigned_abs());
    assert_eq!(waited.as_secs(), 1 + 2 + 4 + 8 + 16 + 30 + 30);
}

#[tokio::test]
async fn polls_and_pages_that_the_server_fails_are_asked_for_again() {
    let org = Org::with_page(rows(0..3), 3).await;
    for status in [500, 503, 502] {
        org.once(
            "GET",
            "/jobs/query/750x",
            refused(status, "SERVER_UNAVAILABLE", ""),
        )
        .await;
        org.once(
            "GET",
            "/jobs/query/750x/results",
            refused(status, "SERVER_UNAVAILABLE", ""),
        )
        .await;
    }
    assert_eq!(org.read().await.unwrap().rows(), 3);
    assert_eq!(org.asked("POST", "/jobs/query").await, 1);
}

#[tokio::test]
async fn a_page_that_names_another_next_one_when_asked_again_is_an_error() {
    let org = Org::with_job(6).await;
    org.once("GET", "/jobs/query/750x/results", page(rows(0..2), 3, "MTA"))
        .await;
    org.page(None, page(rows(0..3), 3, "MjA")).await;
    for locator in ["MTA", "MjA"] {
        org.page(Some(locator), page(rows(3..6), 3, "null")).await;
    }
    let error = org.error().await;
    assert!(error.to_string().contains("another next one"), "{error}");
}

/// A server whose first page ends only when the second one was asked for.
#[tokio::test]
async fn the_next_page_is_asked_for_while_the_first_is_read() {
    let asked = Arc::new(Notify::new());
    let results = get(async move |uri: axum::http::Uri| {
        let second = uri.query().unwrap().contains("locator=");
        let (body, next) = if second {
            asked.notify_one();
            (Body::from(rows(2..4)), "null")
        } else {
            let asked = Arc::clone(&asked);
            let first = rows(0..2);
            let (begin, rest) = first.split_at(HEADER.len() + 3);
            let (begin, rest) = (Bytes::from(begin.to_owned()), Bytes::from(rest.to_owned()));
            let pieces = futures::stream::unfold(Some(Some(begin)), move |piece| {
                let (asked, rest) = (Arc::clone(&asked), rest.clone());
                async move {
                    match piece? {
                        Some(begin) => Some((Ok::<_, std::io::Error>(begin), Some(None))),
                        None => {
                            asked.notified().await;
                            Some((Ok(rest), None))
                        }
                    }
                }
            });
            (Body::from_stream(pieces), "MTA")
        };
        ([("sforce-locator", next), ("sforce-numberofrecords", "2")], body).into_response()
    });
    let results = Router::new().route(&format!("{API}/jobs/query/750x/results"), results);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let org = Org::with_job(4).await;
    let state = state_of_job(&org).await;
    // What is not a result is answered as the other server does.
    let rest = Router::new()
        .route(
            "/services/data",
            get(async || ([("date", "Wed, 10 Jan 2018 21:05:30 GMT")], "[]")),
        )
        .route(
            &format!("{API}/jobs/query/750x"),
            get(async || complete(4).to_string()).delete(async || ()),
        )
        .route(
            &format!("{API}/sobjects/Lead/describe"),
            get(async || described().to_string()),
        );
    let server = tokio::spawn(async move { axum::serve(listener, rest.merge(results)).await });
    let harvest = read_all(&connect(&root, &FakeClock::new()), full(Some(state)))
        .await
        .unwrap();
    let mut found = ids(&harvest);
    found.sort();
    assert_eq!(found, (0..4).map(id).collect::<Vec<_>>());
    server.abort();
}
