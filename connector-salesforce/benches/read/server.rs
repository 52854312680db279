//! A server that has one object and one job, in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, serve};
use connector_core::value::Instant;
use connector_core::{Clock, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::lead::{FIELDS, Kind};
use crate::page::{self, Page};
use crate::{PAGE_ROWS, ROLE};

const API: &str = "/services/data/v62.0";

/// The process that serves; it ends with this.
pub(crate) struct Server {
    child: Child,
    /// Addresses of the one that sends plain text, and of the one that compresses.
    roots: [String; 2],
}

impl Server {
    pub(crate) fn start(rows: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, format!("serve {rows}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || lines.next().unwrap().unwrap();
        let roots = [next(), next()];
        Self { child, roots }
    }

    pub(crate) fn root(&self, compressed: bool) -> &str {
        &self.roots[usize::from(compressed)]
    }

    /// The address of a page.
    pub(crate) fn page(&self, number: u64, compressed: bool) -> String {
        let root = self.root(compressed);
        format!("{root}{API}/jobs/query/{JOB}/results?maxRecords={PAGE_ROWS}&locator={number}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

const JOB: &str = "750000000000001AAA";

/// What both addresses share.
struct Result {
    rows: u64,
    plain: Bytes,
    gzip: Bytes,
}

/// What the child does.
pub(crate) fn run(rows: u64) {
    let page = Page::new(rows.min(PAGE_ROWS));
    assert!(
        rows <= PAGE_ROWS || rows.is_multiple_of(PAGE_ROWS),
        "pages are whole"
    );
    let result = Arc::new(Result {
        rows,
        plain: page.plain.into(),
        gzip: page.gzip.into(),
    });
    // The bench may be killed: its end of the pipe closes then.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let plain = listen(&result, false).await;
        let gzip = listen(&result, true).await;
        futures::future::join(plain, gzip).await;
    });
}

async fn listen(result: &Arc<Result>, compressed: bool) -> impl Future<Output = ()> + use<> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let job = format!("{API}/jobs/query/{JOB}");
    let router = Router::new()
        .route("/services/data", get(versions))
        .route(&format!("{API}/sobjects/Lead/describe"), get(describe))
        .route(&format!("{API}/query"), get(count))
        .route(&format!("{API}/jobs/query"), get(jobs).post(ended))
        .route(&job, get(ended).delete(async || ()))
        .route(&format!("{job}/results"), get(results))
        .with_state((Arc::clone(result), compressed));
    async { serve(listener, router).await.unwrap() }
}

type Shared = State<(Arc<Result>, bool)>;

async fn versions() -> Response {
    let now: Instant = SystemClock.now();
    let date = now.to_rfc2822().replace("+0000", "GMT");
    ([("date", date)], Json(json!([{ "version": "62.0" }]))).into_response()
}

async fn describe() -> Json<Value> {
    let fields: Vec<Value> = FIELDS
        .iter()
        .map(|(name, kind, _)| {
            let (kind, length, precision, scale) = match kind {
                Kind::Id if *name == "Id" => ("id", 18, 0, 0),
                Kind::Id => ("reference", 18, 0, 0),
                Kind::Bool => ("boolean", 0, 0, 0),
                Kind::Int => ("int", 0, 0, 0),
                Kind::Float => ("double", 0, 18, 15),
                Kind::Decimal => ("currency", 0, 18, 0),
                Kind::Words(..) | Kind::Digits(_) => ("string", 255, 0, 0),
                Kind::Pick(_) => ("picklist", 255, 0, 0),
                Kind::Date => ("date", 0, 0, 0),
                Kind::Instant => ("datetime", 0, 0, 0),
            };
            json!({
                "name": name, "type": kind, "length": length, "precision": precision, "scale": scale,
                "nillable": *name != "Id", "filterable": true,
            })
        })
        .collect();
    Json(json!({ "name": "Lead", "label": "Lead", "queryable": true, "fields": fields }))
}

async fn count(State((result, _)): Shared) -> Json<Value> {
    Json(json!({ "totalSize": result.rows, "done": true, "records": [] }))
}

async fn jobs() -> Json<Value> {
    Json(json!({ "done": true, "records": [] }))
}

async fn ended(State((result, _)): Shared) -> Json<Value> {
    Json(json!({
        "id": JOB, "operation": "query", "object": "Lead", "state": "JobComplete",
        "numberRecordsProcessed": result.rows, "apiVersion": 62.0,
    }))
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    locator: u64,
}

async fn results(State((result, compressed)): Shared, Query(place): Query<Place>) -> (HeaderMap, Body) {
    let next = place.locator + 1;
    let next = if next < page::count(result.rows) {
        next.to_string()
    } else {
        "null".to_owned()
    };
    let mut headers = HeaderMap::new();
    let rows = result.rows.min(PAGE_ROWS).to_string();
    headers.insert("content-type", "text/csv".parse().unwrap());
    headers.insert("sforce-locator", next.parse().unwrap());
    headers.insert("sforce-numberofrecords", rows.parse().unwrap());
    let body = if compressed {
        headers.insert("content-encoding", "gzip".parse().unwrap());
        result.gzip.clone()
    } else {
        result.plain.clone()
    };
    (headers, body.into())
}
