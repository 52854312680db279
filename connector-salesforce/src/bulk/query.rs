//! Jobs that read.

use connector_core::{Error, ErrorKind, Result};
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
    // A second job does no harm but to a quota: the first one, unnoticed, goes after seven days.
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
    if next.is_some() && next.as_deref() == locator {
        return Err(Error::new(
            ErrorKind::Unavailable,
            "a page of the Bulk job's results leads back to itself",
        )
        .with_retry(connector_core::Retry::Never));
    }
    Ok(ResultPage { body, rows, next })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Whether the error of [`create`] means that REST can do what Bulk cannot.
pub(crate) fn leaves_it_to_rest(error: &Error) -> bool {
    let Some(ApiError::Api { code, message, .. }) = api_error(error) else {
        return false;
    };
    match code.as_str() {
        "INVALIDENTITY" | "LIMIT_EXCEEDED" | "EXCEEDEDQUOTA" | "FEATURENOTENABLED" => true,
        "INVALID_FIELD" | "FUNCTIONALITY_NOT_ENABLED" | "API_ERROR" => [
            "Bulk Query",
            "does not support query",
            "Implementation restriction",
        ]
        .iter()
        .any(|part| message.contains(part)),
        _ => false,
    }
}
