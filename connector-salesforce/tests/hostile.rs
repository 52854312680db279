//! 60 hostile addresses in answers: the token goes to nobody but the instance it was given for.
//!
//! Each row stands in the place where a server (or whoever sits before it) could put it. `{canary}` is the host and
//! port of a server that must hear nothing of a token, `{org}` the org's own.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use common::{MemoryJournal, TestClock, read_all, request, scores, update};
use connector_core::{Connector, Secret, SyncMode};
use connector_salesforce::{Auth, Config, Salesforce};
use connector_testkit::fakes::FakeClock;
use serde_json::json;
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

const API: &str = "/services/data/v62.0";
const TOKEN: &str = "00DD0000000IRFm!canary-must-not-hear-this";

/// Where a row's address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `nextRecordsUrl` of a page of records.
    Next,
    /// `Location` of an answer of the API.
    Redirect,
    /// `Location` of an answer of the token endpoint.
    TokenRedirect,
    /// `instance_url` of a token answer.
    Instance,
    /// `serverUrl` of the answer to SOAP `login()`.
    Server,
    /// `contentUrl` of a Bulk ingest job.
    Content,
    /// `Location` of the results of a Bulk job.
    Result,
}
use Place::{Content, Instance, Next, Redirect, Result as Results, Server, TokenRedirect};

const ROWS: [(Place, &str); 60] = [
    (Next, "http://{canary}/services/data/v62.0/query/01g-2000"),
    (Next, "https://{canary}/services/data/v62.0/query/01g-2000"),
    (Next, "//{canary}/services/data/v62.0/query/01g-2000"),
    (Next, "\\\\{canary}\\services\\data\\v62.0\\query\\01g-2000"),
    (Next, "/\\{canary}/services/data/v62.0/query/01g-2000"),
    (Next, "///{canary}/services/data/v62.0/query/01g-2000"),
    (Next, "http:\\\\{canary}/services/data"),
    (Next, "http:////{canary}/services/data"),
    (Next, "hTTp://{canary}/services/data"),
    (Next, " http://{canary}/services/data"),
    (Next, "ht\ntp://{canary}/services/data"),
    (Next, "/\t/{canary}/services/data"),
    (Next, "http://{org}@{canary}/services/data"),
    (Next, "http://user:password@{org}/services/data"),
    (Next, "http://{org}:80@{canary}/services/data"),
    (Next, "ftp://{org}/services/data"),
    (Next, "ws://{org}/services/data"),
    (Next, "file:///etc/passwd"),
    (Next, "data:application/json,{}"),
    (Next, "javascript:alert(1)"),
    (Next, "http://xn--slesforce-k2a.example/services/data"),
    (Next, "http://evil.example/services/data#{org}"),
    (Next, "http://evil.example/{org}/services/data"),
    (Next, "https://{org}/services/data"),
    (Redirect, "http://{canary}/services/data/v62.0/sobjects"),
    (Redirect, "https://{canary}/"),
    (Redirect, "//{canary}/services/data"),
    (Redirect, "/\\{canary}/services/data"),
    (Redirect, "http://{org}@{canary}/services/data"),
    (Redirect, "/services/data/v62.0/sobjects?again"),
    (TokenRedirect, "http://{canary}/services/oauth2/token"),
    (TokenRedirect, "//{canary}/services/oauth2/token"),
    (TokenRedirect, "\\\\{canary}\\services\\oauth2\\token"),
    (Instance, "http://{canary}"),
    (Instance, "https://{canary}"),
    (Instance, "http://{canary}/"),
    (Instance, "http://{org}@{canary}"),
    (Instance, "http://{org}:x@{canary}"),
    (Instance, "http://{canary}#{org}"),
    (Instance, "http://{canary}?{org}"),
    (Instance, "http://{canary}\\@{org}"),
    (Instance, "//{canary}"),
    (Instance, "http:{canary}"),
    (Instance, "http://\t{canary}"),
    (Instance, "http://2130706433:{port}"),
    (Instance, "http://0x7f.1:{port}"),
    (Instance, "http://127.1:{port}"),
    (Instance, "http://[::ffff:127.0.0.1]:{port}"),
    (Instance, "https://xn--slesforce-k2a.com"),
    (Instance, "https://acme.my.salesforce.com.evil.example"),
    (Instance, "https://acme.my.salesforce.com:8443"),
    (Instance, "https://203.0.113.7"),
    (Server, "http://{canary}/services/Soap/u/62.0"),
    (Server, "http://{org}@{canary}/services/Soap/u/62.0"),
    (Server, "//{canary}/services/Soap/u/62.0"),
    (Server, "http://{canary}\\@{org}/services/Soap/u/62.0"),
    (
        Content,
        "http://{canary}/services/data/v62.0/jobs/ingest/750/batches",
    ),
    (Content, "//{canary}/services/data/v62.0/jobs/ingest/750/batches"),
    (Results, "http://{canary}/results"),
    (Results, "//{canary}/results"),
];

/// Listens, and keeps all that it hears.
struct Canary {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Canary {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
        let notes = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut buffer = [0; 64 * 1024];
                let read = stream.read(&mut buffer).unwrap_or(0);
                notes.lock().unwrap().extend_from_slice(&buffer[..read]);
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
            }
        });
        Self { port, heard }
    }

    fn hears(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

struct Scene {
    server: MockServer,
    canary: Canary,
    address: String,
}

impl Scene {
    async fn of(row: &str) -> Self {
        let server = MockServer::start().await;
        let canary = Canary::start();
        let address = row
            .replace("{canary}", &format!("127.0.0.1:{}", canary.port))
            .replace("{port}", &canary.port.to_string())
            .replace("{org}", &server.address().to_string());
        Self {
            server,
            canary,
            address,
        }
    }

    fn connect(&self, auth: Auth) -> Salesforce {
        let config = Config::new(auth).with_login_url(&self.server.uri()).unwrap();
        Salesforce::new(&config, Arc::new(TestClock(FakeClock::new()))).unwrap()
    }

    fn signed_in(&self) -> Salesforce {
        self.connect(Auth::AccessToken {
            access_token: Secret::new(TOKEN),
            instance_url: self.server.uri().parse().unwrap(),
        })
    }

    fn by_app(&self) -> Salesforce {
        self.connect(Auth::ClientCredentials {
            client_id: "id".into(),
            client_secret: Secret::new(TOKEN),
        })
    }

    async fn on(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// An object of two fields, at a time.
    async fn lead(&self) {
        let field = |name: &str, kind: &str| json!({ "name": name, "type": kind, "precision": 5, "scale": 2, "filterable": true, "updateable": name != "Id" });
        let fields = [field("Id", "id"), field("LeadScore__c", "double")];
        let answer = json!({ "name": "Lead", "queryable": true, "updateable": true, "fields": fields });
        self.on("GET", &format!("{API}/sobjects/Lead/describe"), ok(answer))
            .await;
        self.on("GET", "/services/data", ok(json!([{ "version": "62.0" }])))
            .await;
    }

    fn redirect(&self) -> Option<ResponseTemplate> {
        // What no header can hold never comes as one.
        let fits = self.address.bytes().all(|byte| byte >= b' ');
        fits.then(|| ResponseTemplate::new(307).insert_header("location", self.address.as_str()))
    }

    async fn read(&self) -> Option<connector_core::Error> {
        read_all(&self.signed_in(), request(SyncMode::FullRefresh, None))
            .await
            .err()
    }

    /// Drives the connector to where it would follow the address; it must end with an error.
    async fn play(&self, place: Place) -> Option<connector_core::Error> {
        match place {
            Next => {
                self.lead().await;
                let page = json!({
                    "totalSize": 2, "done": false, "nextRecordsUrl": self.address,
                    "records": [{ "Id": "00Q000000000001AAA", "LeadScore__c": 1 }],
                });
                self.on("GET", &format!("{API}/query"), ok(page)).await;
                self.read().await
            }
            Redirect => {
                self.on("GET", &format!("{API}/sobjects"), self.redirect().unwrap())
                    .await;
                self.signed_in().streams().await.err()
            }
            TokenRedirect => {
                self.on("POST", "/services/oauth2/token", self.redirect().unwrap())
                    .await;
                self.by_app().streams().await.err()
            }
            Instance => {
                let answer =
                    json!({ "access_token": TOKEN, "token_type": "Bearer", "instance_url": self.address });
                self.on("POST", "/services/oauth2/token", ok(answer)).await;
                self.by_app().streams().await.err()
            }
            Server => {
                let answer = format!(
                    "<e><passwordExpired>false</passwordExpired><serverUrl>{}</serverUrl><sessionId>{TOKEN}</sessionId></e>",
                    self.address
                );
                let answer = ResponseTemplate::new(200).set_body_raw(answer, "text/xml");
                self.on("POST", "/services/Soap/u/62.0", answer).await;
                let auth = Auth::Login {
                    username: "me".into(),
                    password: Secret::new(TOKEN),
                    security_token: None,
                };
                self.connect(auth).streams().await.err()
            }
            Content => self.ingest().await,
            Results => self.results().await,
        }
    }

    /// A write that is large enough for a Bulk job, whose upload goes where the job says.
    async fn ingest(&self) -> Option<connector_core::Error> {
        self.lead().await;
        let job = json!({ "id": "7500000000000AAAAA", "state": "Open", "contentUrl": self.address });
        self.on("POST", &format!("{API}/jobs/ingest"), ok(job)).await;
        let aborted = json!({ "id": "7500000000000AAAAA", "state": "Aborted" });
        let at = format!("{API}/jobs/ingest/7500000000000AAAAA");
        self.on("PATCH", &at, ok(aborted)).await;
        let org = connector_testkit::fakes::salesforce::FakeSalesforce::start(
            connector_testkit::fakes::salesforce::SalesforceConfig::default(),
        )
        .await
        .unwrap();
        let crm = self.signed_in();
        let journal = MemoryJournal::new();
        let journaled = journal.claim(&crm.identity().await.unwrap());
        let request = update(common::score_schema()).with_journal(Some(journaled));
        let mut writer = crm.as_destination().unwrap().writer(request).await.ok()?;
        for chunk in 0..3_u64 {
            writer
                .write(scores(&org, chunk * 1_000 + 1..=(chunk + 1) * 1_000))
                .await
                .err();
        }
        writer.finish(None).await.err()
    }

    /// A Bulk query whose results are elsewhere.
    async fn results(&self) -> Option<connector_core::Error> {
        self.lead().await;
        let many = json!({ "totalSize": 5_000, "done": true, "records": [] });
        self.on("GET", &format!("{API}/query"), ok(many)).await;
        let job = json!({ "id": "750x", "state": "UploadComplete" });
        self.on("POST", &format!("{API}/jobs/query"), ok(job)).await;
        let done = json!({ "id": "750x", "state": "JobComplete", "numberRecordsProcessed": 1 });
        self.on("GET", &format!("{API}/jobs/query/750x"), ok(done)).await;
        Mock::given(method("GET"))
            .and(path_regex("/results$|/resultPages$"))
            .respond_with(self.redirect().unwrap())
            .mount(&self.server)
            .await;
        self.read().await
    }
}

fn ok(body: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(body)
        .insert_header("date", "Wed, 10 Jan 2018 21:05:30 GMT")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canary_hears_no_token() {
    for (number, (place, row)) in ROWS.into_iter().enumerate() {
        let scene = Scene::of(row).await;
        let error = scene.play(place).await;
        let heard = scene.canary.hears();
        assert!(heard.is_empty(), "row {number} {place:?} {row}: {heard}");
        let error = error.unwrap_or_else(|| panic!("row {number} {place:?} {row} is no error"));
        let shown = format!("{error:?}{}", error.report());
        assert!(
            !shown.contains("must-not-hear"),
            "row {number} {place:?} {row}: {shown}"
        );
        // The place was reached: it is the address that ended it, not a request that the scene does not know.
        assert!(
            reached(place, &error),
            "row {number} {place:?} {row}: {}",
            error.report()
        );
    }
}

fn reached(place: Place, error: &connector_core::Error) -> bool {
    let text = error.report().to_string();
    match place {
        Next | Content => text.contains("outside the org"),
        Redirect | TokenRedirect | Results => text.contains("is not followed"),
        Instance | Server => text.contains("names an instance whose address"),
    }
}

/// The canary would be heard: it is no deaf one that makes the test pass.
#[tokio::test(flavor = "multi_thread")]
async fn the_canary_hears_what_reaches_it() {
    let scene = Scene::of("").await;
    let config = Config::new(Auth::AccessToken {
        access_token: Secret::new(TOKEN),
        instance_url: format!("http://127.0.0.1:{}", scene.canary.port).parse().unwrap(),
    });
    let crm = Salesforce::new(&config, Arc::new(TestClock(FakeClock::new()))).unwrap();
    let _ = crm.streams().await;
    assert!(scene.canary.hears().contains(TOKEN));
}

/// Each address is told by the place where it stands, so no two rows are the same.
#[test]
fn the_rows_are_sixty_different_ones() {
    let distinct: std::collections::HashSet<_> = ROWS
        .iter()
        .map(|(place, row)| format!("{place:?} {row}"))
        .collect();
    assert_eq!(distinct.len(), 60);
}
