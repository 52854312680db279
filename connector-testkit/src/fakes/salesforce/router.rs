//! From a request to its endpoint.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use super::error::ApiError;
use super::fault::FaultAction;
use super::ingest_results::ResultKind;
use super::object::ObjectType;
use super::org::Org;
use super::{admin, bulk_query, collections, describe, ingest, limits, oauth, query, reply, timestamp};

/// Largest body the org takes, in bytes; above the 100 MB of an upload so that the upload itself can be refused.
const MAX_BODY: usize = 110_000_000;
/// Largest upload.
const MAX_UPLOAD: usize = 100_000_000;
/// Most bytes of path, query and headers.
const MAX_HEAD: usize = 16_384;

/// Answers every request. What has arrived is carried out to its end, whether or not the client stays to hear of it.
pub(super) async fn handle(State(org): State<Arc<Org>>, request: Request) -> Response {
    match tokio::spawn(answer(org, request)).await {
        Ok(response) => response,
        Err(_) => reply::dropped(),
    }
}

async fn answer(org: Arc<Org>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head
        .uri
        .path_and_query()
        .map_or_else(|| head.uri.path().to_owned(), ToString::to_string);
    if path.starts_with("/__admin/") {
        return admin::handle(&org, &head, body).await;
    }
    let action = org.faults.take(head.method.as_str(), &path);
    let mut response = match &action {
        Some(FaultAction::Drop) => return reply::dropped(),
        Some(FaultAction::Answer {
            status,
            headers,
            body,
        }) => scripted(*status, headers, body),
        Some(FaultAction::Delay { millis }) => {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
            route(&org, &head, body).await
        }
        _ => route(&org, &head, body).await,
    };
    match action {
        Some(FaultAction::ApplyThenDrop) => return reply::dropped(),
        Some(FaultAction::Cut { bytes }) => response = reply::cut(response, bytes),
        _ => {}
    }
    let usage = format!("api-usage={}/{}", org.stats.calls(), org.config.daily_limit);
    let headers = response.headers_mut();
    for (name, value) in [
        ("sforce-limit-info", usage),
        (DATE.as_str(), timestamp::http_date(org.now())),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn scripted(status: u16, headers: &[(String, String)], body: &str) -> Response {
    let mut response = reply::with_body(status, "application/json;charset=UTF-8", body.to_owned());
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A header's text.
pub(super) fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

/// The whole body, if it isn't too large.
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| ApiError::new(413, "REQUEST_BODY_TOO_LARGE", "The request body is too large"))
}

async fn route(org: &Arc<Org>, head: &Parts, body: Body) -> Response {
    let headers: usize = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let line = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if line + headers > MAX_HEAD {
        let status = if line > MAX_HEAD / 2 { 414 } else { 431 };
        return reply::with_body(status, "text/html", "<html><body>URI Too Long</body></html>");
    }
    let segments: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
    match (head.method.as_str(), segments.as_slice()) {
        ("POST", ["services", "oauth2", "token"]) => {
            org.stats.count("token", false);
            match read(body).await {
                Ok(body) => oauth::token(org, header(head, AUTHORIZATION.as_str()), &body),
                Err(error) => error.into_response(),
            }
        }
        ("GET", ["services", "data"]) => {
            org.stats.count("versions", false);
            reply::json(200, &describe::versions())
        }
        (_, ["services", "data", version, rest @ ..]) => {
            let answer = data(org, head, version, rest, body).await;
            answer.unwrap_or_else(ApiError::into_response)
        }
        _ => ApiError::not_found().into_response(),
    }
}

async fn data(
    org: &Arc<Org>,
    head: &Parts,
    version: &str,
    rest: &[&str],
    body: Body,
) -> Result<Response, ApiError> {
    let version = version
        .strip_prefix('v')
        .and_then(|version| version.strip_suffix(".0"));
    let version = version
        .and_then(|version| version.parse::<u32>().ok())
        .ok_or_else(ApiError::not_found)?;
    match version {
        21..=30 => {
            return Err(ApiError::new(
                410,
                "UNSUPPORTED_API_VERSION",
                "The requested API version is retired",
            ));
        }
        46.. => {}
        _ => return Err(ApiError::not_found()),
    }
    let bearer = header(head, AUTHORIZATION.as_str()).unwrap_or_default();
    let token = bearer
        .strip_prefix("Bearer ")
        .or_else(|| bearer.strip_prefix("OAuth "))
        .unwrap_or_default();
    if !org.sessions.check(token, org.now(), org.config.session_timeout) {
        return Err(ApiError::session());
    }
    if org.stats.calls() >= org.config.daily_limit {
        return Err(ApiError::new(
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
        ));
    }
    let method = head.method.as_str();
    let kind = rest.iter().take(2).copied().collect::<Vec<_>>().join("/");
    org.stats.count(&format!("{method} {kind}"), true);
    let params = oauth::form(head.uri.query().unwrap_or_default().as_bytes());
    match rest {
        ["jobs", rest @ ..] => jobs(org, head, version, rest, &params, body).await,
        ["query" | "queryAll", rest @ ..] if method == "GET" => soql(org, head, version, rest, &params).await,
        _ => records(org, head, version, rest, &params, body).await,
    }
}

async fn soql(
    org: &Arc<Org>,
    head: &Parts,
    version: u32,
    rest: &[&str],
    params: &HashMap<String, String>,
) -> Result<Response, ApiError> {
    if let [locator] = rest {
        return query::next(org, version, locator);
    }
    let Some(text) = params.get("q") else {
        return Err(ApiError::bad(
            "MALFORMED_QUERY",
            "A query string has to be specified",
        ));
    };
    let batch = query::batch_size(org, header(head, "sforce-query-options"));
    let all = head.uri.path().trim_end_matches('/').ends_with("queryAll");
    query::first(org, version, text, all, batch).await
}

async fn records(
    org: &Arc<Org>,
    head: &Parts,
    version: u32,
    rest: &[&str],
    params: &HashMap<String, String>,
    body: Body,
) -> Result<Response, ApiError> {
    let param = |name: &str| params.get(name).map(String::as_str);
    match (head.method.as_str(), rest) {
        ("GET", [] | [""]) => Ok(reply::json(200, &describe::resources(version))),
        ("GET", ["sobjects"]) => Ok(reply::json(200, &describe::list(&org.schema(), version))),
        ("GET", ["sobjects", name, "describe"]) => {
            Ok(reply::json(200, &describe::object(&*object(org, name)?, version)))
        }
        ("GET", ["sobjects", name, id]) => {
            query::record(org, version, &*object(org, name)?, id, param("fields"))
        }
        ("PATCH", ["sobjects", name, id]) => {
            org.stats.auto_assign(header(head, "sforce-auto-assign"));
            let object = object(org, name)?;
            collections::update_one(org, &object, id, &read(body).await?)
        }
        ("PATCH", ["composite", "sobjects"]) => {
            org.stats.auto_assign(header(head, "sforce-auto-assign"));
            collections::update(org, &read(body).await?)
        }
        ("GET", ["limits"]) => Ok(reply::json(200, &limits::all(org))),
        ("GET", ["limits", "recordCount"]) => {
            Ok(reply::json(200, &limits::record_counts(org, param("sObjects"))))
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn jobs(
    org: &Arc<Org>,
    head: &Parts,
    version: u32,
    rest: &[&str],
    params: &HashMap<String, String>,
    body: Body,
) -> Result<Response, ApiError> {
    let param = |name: &str| params.get(name).map(String::as_str);
    match (head.method.as_str(), rest) {
        ("POST", ["query"]) => bulk_query::create(org, version, &read(body).await?),
        ("GET", ["query"]) => Ok(bulk_query::all(org)),
        ("GET", ["query", id]) => bulk_query::poll(org, id).await,
        ("GET", ["query", id, "results"]) => {
            bulk_query::results(org, version, id, param("locator"), param("maxRecords"))
        }
        ("GET", ["query", id, "resultPages"]) => bulk_query::result_pages(org, version, id, param("locator")),
        ("PATCH", ["query", id]) => bulk_query::patch(org, id, &read(body).await?),
        ("DELETE", ["query", id]) => bulk_query::delete(org, id),
        ("POST", ["ingest"]) => ingest::create(org, version, &read(body).await?),
        ("GET", ["ingest"]) => Ok(ingest::all(org)),
        ("GET", ["ingest", id]) => ingest::poll(org, id).await,
        ("PUT", ["ingest", id, "batches"]) => {
            let body = read(body).await?;
            if body.len() > MAX_UPLOAD {
                return Err(ApiError::new(
                    413,
                    "REQUEST_BODY_TOO_LARGE",
                    "The upload is larger than 100 MB",
                ));
            }
            ingest::upload(org, id, header(head, CONTENT_TYPE.as_str()), body)
        }
        ("GET", ["ingest", id, "successfulResults"]) => ingest::results(org, id, ResultKind::Successful),
        ("GET", ["ingest", id, "failedResults"]) => ingest::results(org, id, ResultKind::Failed),
        ("GET", ["ingest", id, "unprocessedrecords"]) => ingest::results(org, id, ResultKind::Unprocessed),
        ("PATCH", ["ingest", id]) => ingest::patch(org, id, &read(body).await?),
        ("DELETE", ["ingest", id]) => ingest::delete(org, id),
        _ => Err(ApiError::not_found()),
    }
}

fn object(org: &Org, name: &str) -> Result<Arc<ObjectType>, ApiError> {
    org.object(name).ok_or_else(ApiError::not_found)
}
