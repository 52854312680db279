//! Answers.

use bytes::Bytes;
use connector_core::{Error, ErrorKind, Result, Retry};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::body::{Body, BodyError};
use crate::client::HttpClient;
use crate::request::Request;

/// A whole answer with a 2xx status.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    label: String,
}

impl Response {
    pub(crate) async fn read(mut body: Body, http: &HttpClient, request: &Request) -> Result<Self> {
        let bytes = body.read_all(http.max_body()).await;
        let bytes = bytes.map_err(|error| body_error(error, http, request))?;
        let (status, headers) = (body.status(), body.headers().clone());
        Ok(Self {
            status,
            headers,
            body: bytes,
            label: request.label(),
        })
    }

    /// The body as JSON of the form `T`, which may borrow from it.
    ///
    /// # Errors
    /// [`ErrorKind::Data`]: it is not. The error says where, not what stood there.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| self.unexpected(&error))
    }

    /// The error for a body that is not the JSON it should be; `error` may come from a part of it.
    pub fn unexpected(&self, error: &serde_json::Error) -> Error {
        // The error's own text quotes what it found.
        let (line, column) = (error.line(), error.column());
        let message = if self.body.first() == Some(&b'<') {
            "the answer is an HTML page, not the JSON that was expected".to_owned()
        } else {
            format!("the answer is not the JSON that was expected (line {line}, column {column})")
        };
        Error::new(ErrorKind::Data, message)
            .with_context("request", self.label.as_str())
            .with_help("check that the address leads to the API itself and not to a proxy or a sign-in page")
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Response");
        debug
            .field("request", &self.label)
            .field("status", &self.status)
            .field("body_len", &self.body.len());
        debug.finish_non_exhaustive()
    }
}

/// An answer with a 2xx status whose body is still on its way.
#[derive(Debug)]
pub struct StreamingResponse {
    body: Body,
    http: HttpClient,
    request: Request,
}

impl StreamingResponse {
    pub(crate) fn new(body: Body, http: HttpClient, request: Request) -> Self {
        Self { body, http, request }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.body.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.body.headers()
    }

    /// The next piece of the body, decompressed; `None` once the body is known to be whole. Cancel-safe.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`]: the body was cut. Nothing is repeated here: only the caller knows how much of it
    /// is already used.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let chunk = self.body.chunk().await;
        chunk.map_err(|error| {
            body_error(error, &self.http, &self.request).with_context("request", self.request.label())
        })
    }
}

/// The error of a body that did not arrive whole: the request was answered, and so carried out.
fn body_error(error: BodyError, http: &HttpClient, request: &Request) -> Error {
    let authority = request.authority();
    let error = match error {
        BodyError::Transport(error) => return http.transport_error(error, request),
        BodyError::Gzip(error) => Error::new(
            ErrorKind::Unavailable,
            format!("the answer of {authority} is cut or its compression is broken"),
        )
        .with_source(error),
        BodyError::Unbounded => Error::new(
            ErrorKind::Unavailable,
            format!("the answer of {authority} does not say where it ends"),
        )
        .with_help("take out the proxy that removes `Content-Length`: a cut answer would look whole"),
        BodyError::Encoding => Error::new(
            ErrorKind::Unavailable,
            format!("the answer of {authority} is compressed in an unknown way"),
        )
        .with_retry(Retry::Never)
        .with_help("take out the proxy that compresses answers"),
        BodyError::TooLarge => {
            let limit = http.max_body();
            Error::new(
                ErrorKind::Data,
                format!("the answer of {authority} is larger than {limit} bytes"),
            )
            .with_help("ask for fewer records or fields at once")
        }
    };
    if request.idempotent {
        error
    } else {
        error.with_may_have_applied()
    }
}
