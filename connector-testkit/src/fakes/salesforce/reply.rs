//! Building answers.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

/// An answer with a body of the given kind.
pub(super) fn with_body(status: u16, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON answer.
pub(super) fn json(status: u16, value: &serde_json::Value) -> Response {
    raw_json(status, value.to_string().into_bytes())
}

/// A JSON answer from its text.
pub(super) fn raw_json(status: u16, text: Vec<u8>) -> Response {
    with_body(status, "application/json;charset=UTF-8", text)
}

/// An answer without a body.
pub(super) fn empty(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// An answer that never arrives: its body fails before the head is sent, which closes the connection.
pub(super) fn dropped() -> Response {
    let failure = std::io::Error::other("connection dropped by a scripted fault");
    Response::new(Body::from_stream(futures::stream::iter([Err::<Bytes, _>(
        failure,
    )])))
}

/// `response` cut after `bytes` bytes of its body, its head and status untouched.
pub(super) fn cut(response: Response, bytes: usize) -> Response {
    let (mut head, body) = response.into_parts();
    // The length of a body of unknown length stays unknown: then the missing last chunk shows the cut.
    let stream = futures::stream::unfold((body.into_data_stream(), bytes), |(mut body, left)| async move {
        if left == 0 {
            // What was sent so far must reach the wire before the connection dies.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return Some((
                Err(std::io::Error::other("body cut by a scripted fault")),
                (body, 0),
            ));
        }
        match body.next().await {
            Some(Ok(mut chunk)) => {
                chunk.truncate(left);
                let left = left - chunk.len();
                Some((Ok(chunk), (body, left)))
            }
            _ => None,
        }
    });
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from_stream(stream))
}
