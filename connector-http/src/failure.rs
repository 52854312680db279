//! An answer that is not 2xx.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Retry};
use http::{HeaderMap, Method, StatusCode};

use crate::headers::parse_retry_after;

/// An answer that is not 2xx, for [`Service::classify`](crate::Service::classify).
///
/// `Debug` shows the body's size only: it may hold what was sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The request's method.
    pub method: Method,
    /// The request's path.
    pub path: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed; its first [`MAX_BODY`](Self::MAX_BODY) bytes.
    pub body: Bytes,
    /// When it arrived, by the client's clock.
    pub received: Instant,
    /// Which try of the request it ended, counted from 1: what is hopeless after few tries can say so.
    pub attempt: u32,
}

impl Failure {
    /// The most bytes of a body that are kept.
    pub const MAX_BODY: usize = 64 * 1024;

    /// An answer to the first try of a `GET` of `path`, at the epoch: for tests of a classification.
    pub fn new(
        path: impl Into<String>,
        status: StatusCode,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Self {
        let received = Instant::from_unix_micros(0);
        Self {
            method: Method::GET,
            path: path.into(),
            status,
            headers,
            body: body.into(),
            received,
            attempt: 1,
        }
    }

    /// The pause that the `Retry-After` header asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        parse_retry_after(&self.headers, self.received)
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// What HTTP alone says of the status: a kind, a message about `who`, and whether to try again. The start of
    /// most classifications.
    pub fn to_error(&self, who: &str) -> Error {
        let status = self.status;
        let (kind, said) = match status.as_u16() {
            401 => (ErrorKind::Auth, "does not accept the credentials"),
            403 => (ErrorKind::Forbidden, "does not allow the request"),
            404 | 410 => (ErrorKind::NotFound, "does not know the path"),
            408 => (ErrorKind::Unavailable, "waited too long for the request"),
            409 | 412 => (ErrorKind::Conflict, "refuses the request for a conflict"),
            423 => (ErrorKind::Unavailable, "says that the resource is locked"),
            429 => (ErrorKind::RateLimited, "asks for a pause"),
            501 | 505 => (ErrorKind::Unsupported, "cannot do what was asked"),
            500.. => (ErrorKind::Unavailable, "fails"),
            _ => (ErrorKind::Data, "refuses the request"),
        };
        let error = Error::new(kind, format!("{who} {said} (status {})", status.as_u16()));
        match self.retry_after() {
            Some(pause) if error.retry() == Retry::Backoff => error.with_retry(Retry::After(pause)),
            _ => error,
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_who_can_do_something_about_it() {
        let failure =
            |status: u16| Failure::new("/", StatusCode::from_u16(status).unwrap(), HeaderMap::new(), "");
        for (status, kind, retry) in [
            (400, ErrorKind::Data, Retry::Never),
            (401, ErrorKind::Auth, Retry::Never),
            (429, ErrorKind::RateLimited, Retry::Backoff),
            (500, ErrorKind::Unavailable, Retry::Backoff),
            (501, ErrorKind::Unsupported, Retry::Never),
        ] {
            let error = failure(status).to_error("the store");
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}");
        }
        let mut paused = failure(503);
        paused.headers.insert("retry-after", "7".parse().unwrap());
        assert_eq!(
            paused.to_error("the store").retry(),
            Retry::After(Duration::from_secs(7))
        );
        assert_eq!(
            paused.to_error("the store").message(),
            "the store fails (status 503)"
        );
    }
}
