//! What connectors of REST APIs share: one request loop with sign-in, limits, classification and retry.
//!
//! A [`Request`] is a value, so that building one needs no I/O to be tested. A [`Service`] is what one API adds to
//! plain HTTP: how to sign in, when to wait, what its errors mean. A [`RestClient`] puts both together over an
//! [`HttpClient`] and is the only place where requests are repeated.
//!
//! What holds for every request:
//! - Redirects are never followed: custom headers, tokens among them, would travel along to the other host.
//! - Plain `http` goes to loopback addresses only, and never through a proxy.
//! - A body that was cut is an error, never a shorter body; a body has a largest size *after* decompression.
//! - A request that is not idempotent is repeated only when it was surely not carried out; otherwise its error says
//!   [`may_have_applied`](connector_core::Error::may_have_applied).
//! - Errors name the method and the path: no query, no body, no header.

mod request;

mod failure;
mod service;

mod response;
mod rest;

mod body;
mod client;
mod config;
mod tls;
mod transport;

mod address;
mod headers;

pub use {
    address::check_url,
    client::HttpClient,
    config::HttpConfig,
    failure::Failure,
    headers::{parse_retry_after, sensitive, server_time},
    request::Request,
    response::{Response, StreamingResponse},
    rest::RestClient,
    service::Service,
};
// What stands in this crate's signatures, so that connectors need not agree on versions by themselves.
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use url::Url;
