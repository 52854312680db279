//! A request as a value.

use std::fmt;

use bytes::Bytes;
use connector_core::{Error, ErrorKind, Result};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use url::Url;
use url::form_urlencoded;

/// One request, before anything is sent.
///
/// `Debug` shows method, path and sizes: the query, the headers and the body may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address, query included.
    pub url: Url,
    /// Headers besides those of signing in.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// Whether sending it twice does what sending it once does. By default what HTTP says of the method.
    pub idempotent: bool,
}

impl Request {
    /// A request without a body that accepts JSON.
    pub fn new(method: Method, url: Url) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self {
            idempotent: method.is_idempotent(),
            method,
            url,
            headers,
            body: Bytes::new(),
        }
    }

    /// A `GET`.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST`, which is not idempotent unless [`idempotent`](Self::idempotent) says so.
    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// A `PUT`.
    pub fn put(url: Url) -> Self {
        Self::new(Method::PUT, url)
    }

    /// A `PATCH`, which is not idempotent unless [`idempotent`](Self::idempotent) says so.
    pub fn patch(url: Url) -> Self {
        Self::new(Method::PATCH, url)
    }

    /// A `DELETE`.
    pub fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url)
    }

    /// Adds a parameter to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.url.query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    /// Sets a header, in place of one of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body and its content type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body.into();
        self
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// [`ErrorKind::Bug`]: `value` does not become JSON.
    pub fn json(self, value: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(value).map_err(|error| {
            Error::new(ErrorKind::Bug, "a request body does not become JSON").with_source(error)
        })?;
        Ok(self.body("application/json", body))
    }

    /// Sets a body of form fields: the place for secrets that an API wants as parameters.
    #[must_use]
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// Says that repeating the request does no harm, whatever its method.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Says that the request must not be carried out twice, whatever its method.
    #[must_use]
    pub fn not_idempotent(mut self) -> Self {
        self.idempotent = false;
        self
    }

    /// Method and path: what errors and logs show of it.
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }

    /// Host and port: whom it goes to.
    pub(crate) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url
            .port_or_known_default()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("authority", &self.authority())
            .field("path", &self.url.path())
            .field("body_len", &self.body.len())
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        Url::parse("https://example.com/v3/customers").unwrap()
    }

    #[test]
    fn a_request_is_what_it_was_told() {
        let request = Request::get(url())
            .query("date_modified:min", "2024-01-01T00:00:00Z")
            .query("limit", 250);
        assert_eq!(
            request.url.as_str(),
            "https://example.com/v3/customers?date_modified%3Amin=2024-01-01T00%3A00%3A00Z&limit=250"
        );
        let request = Request::post(url()).form([("grant_type", "refresh_token"), ("token", "a b&c")]);
        assert_eq!(request.body, "grant_type=refresh_token&token=a+b%26c");
        assert!(!request.idempotent && request.clone().idempotent().idempotent);
        assert!(Request::put(url()).idempotent && !Request::put(url()).not_idempotent().idempotent);
        assert_eq!(Request::post(url()).json(&[1, 2]).unwrap().body, "[1,2]");
    }

    #[test]
    fn debug_shows_neither_query_nor_headers_nor_body() {
        let request = Request::post(url())
            .query("access_token", "hunter2")
            .header(
                HeaderName::from_static("x-auth-token"),
                HeaderValue::from_static("hunter2"),
            )
            .form([("client_secret", "hunter2")]);
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
