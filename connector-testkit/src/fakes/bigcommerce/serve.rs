//! What happens to every request: faults, the endpoint, and the headers all answers have.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::fault::FaultAction;
use super::store::Store;
use super::{admin, api, timestamp};

/// Bodies larger than this are no request a test would make.
const LARGEST_BODY: usize = 16 << 20;

/// Answers one request.
pub(super) async fn serve(State(store): State<Arc<Store>>, request: Request) -> Response {
    if store.stopped.load(Ordering::SeqCst) {
        hang_up();
    }
    let (parts, body) = request.into_parts();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    if let Some(path) = path.strip_prefix("/__admin/") {
        let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
        return admin::answer(&store, &parts.method, path, query, &body);
    }
    let number = store.count_request() + 1;
    let target = parts.uri.path_and_query().map_or(path, |target| target.as_str());
    let fault = store.faults.take(parts.method.as_str(), target);
    let usual = || api::answer(&store, &parts.method, path, query, &parts.headers);
    let mut response = match fault {
        None => usual(),
        Some(FaultAction::Drop) => hang_up(),
        Some(FaultAction::Delay(millis)) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            usual()
        }
        Some(FaultAction::CutBody(bytes)) => cut(usual(), bytes).await,
        Some(FaultAction::Answer {
            status,
            headers,
            body,
        }) => scripted(status, &headers, body),
    };
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        store.too_many.fetch_add(1, Ordering::SeqCst);
    }
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&timestamp::rfc2822(store.now(), "GMT")) {
        headers.entry(header::DATE).or_insert(date);
    }
    headers.entry("x-request-id").or_insert(HeaderValue::from(number));
    response
}

/// Ends the connection without an answer: the server gives up on a connection whose handler unwinds. No panic
/// message is printed, as the panic hook isn't run.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the fake hangs up"))
}

fn scripted(status: u16, headers: &std::collections::BTreeMap<String, String>, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The same answer, of whose body only the first bytes arrive before the connection is closed.
async fn cut(response: Response, bytes: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let first = whole.slice(..bytes.min(whole.len().saturating_sub(1)));
    let stream = futures::stream::unfold(Some(first), |first: Option<Bytes>| async {
        if let Some(first) = first {
            return Some((Ok(first), None));
        }
        // Lets the server flush what it has before it learns of the end.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Err(std::io::Error::other("the fake cuts the body")), None))
    });
    Response::from_parts(parts, Body::from_stream(stream))
}
