//! Jobs that read.

use connector_core::{Error, Result};
use connector_http::{HeaderMap, HeaderValue, Request, StreamingResponse, header};
use serde_json::json;

use super::job::{Job, Kind};
use crate::error::{ApiError, api_error};
use crate::org::Org;

/// Rows of a page: the most that is read twice when a page breaks off.
const PAGE_ROWS: u32 = 50_000;

/// One page of results, on its way.
#[derive(Debug)]
pub(crate) struct ResultPage {
    pub(crate) body: StreamingResponse,
    /// Rows of this page, as the server counts them.
    pub(crate) rows: Option<u64>,
    /// The page after it, if there is one.
    pub(crate) next: Option<String>,
}

/// Starts a job; with `all`, the recycle bin is looked into.
pub(crate) async fn create(org: &Org, soql: &str, all: bool) -> Result<Job> {
    let body = json!({
        "operation": if all { "queryAll" } else { "query" },
        "query": soql,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    });
    // A second job does no harm but to a quota. A first one whose answer was lost cannot be told from the jobs of others,
    // for a job does not show its query: it is neither taken over nor deleted, and goes by itself after seven days.
    let request = Request::post(org.url(Kind::Query.path()).await?)
        .json(&body)?
        .idempotent();
    org.send(&request).await?.json()
}

/// Asks for a page of the job's results.
pub(crate) async fn page(org: &Org, job: &str, locator: Option<&str>) -> Result<ResultPage> {
    let url = org.url(&format!("{}/{job}/results", Kind::Query.path())).await?;
    let mut request = Request::get(url).query("maxRecords", PAGE_ROWS);
    if let Some(locator) = locator {
        request = request.query("locator", locator);
    }
    let request = request.header(header::ACCEPT, HeaderValue::from_static("text/csv"));
    let body = org.stream(&request).await?;
    let rows = text(body.headers(), "sforce-numberofrecords").and_then(|rows| rows.parse().ok());
    // The word `null` stands for none.
    let next = text(body.headers(), "sforce-locator").filter(|next| !next.is_empty() && *next != "null");
    let next = next.map(str::to_owned);
    Ok(ResultPage { body, rows, next })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Whether an error of [`create`], or of a job that failed, means that REST can do what Bulk cannot, or may no more today.
pub(crate) fn leaves_it_to_rest(error: &Error) -> bool {
    let Some(ApiError::Api { code, message, .. }) = api_error(error) else {
        return false;
    };
    let by_code = [
        "INVALIDENTITY",
        "LIMIT_EXCEEDED",
        "EXCEEDEDQUOTA",
        "FEATURENOTENABLED",
    ];
    let by_message = [
        "Bulk Query",
        "not supported by the Bulk API",
        "does not support query",
        "Implementation restriction",
        // The jobs of a day, or what their results may take.
        "per 24 hrs has",
    ];
    by_code.contains(&code.as_str()) || by_message.iter().any(|part| message.contains(part))
}
