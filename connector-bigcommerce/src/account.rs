//! The API account of a store: how its requests are signed in, paced and judged.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Clock, Error, Result, Secret};
use connector_http::{
    Failure, HeaderMap, HeaderName, HeaderValue, Request, Service, StatusCode, sensitive, server_time,
};

use crate::error::classify;
use crate::limits::Limiter;

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// One token, one limiter: shared by everything that reads the store through one handle.
pub(crate) struct Account {
    store_hash: String,
    token: HeaderValue,
    limiter: Limiter,
    last_date: Mutex<Option<Instant>>,
}

impl Account {
    pub(crate) fn new(store_hash: &str, token: &Secret, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            store_hash: store_hash.to_owned(),
            token: sensitive(token.reveal())?,
            limiter: Limiter::new(clock),
            last_date: Mutex::new(None),
        })
    }

    /// Requests per window of 30 seconds, once an answer has said it.
    pub(crate) fn quota(&self) -> Option<u32> {
        self.limiter.quota()
    }

    /// The store's clock, as the last answer's `Date` had it.
    pub(crate) fn last_date(&self) -> Option<Instant> {
        *self.last_date.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Service for Account {
    async fn admit(&self, _: &Request) -> Result<()> {
        self.limiter.admit().await;
        Ok(())
    }

    /// Tokens do not expire and cannot be renewed: a rejected one is an error at once.
    async fn authorize(&self, request: &mut Request) -> Result<()> {
        request.headers.insert(TOKEN, self.token.clone());
        Ok(())
    }

    fn observe(&self, _: StatusCode, headers: &HeaderMap) {
        self.limiter.observe(headers);
        if let Some(date) = server_time(headers) {
            *self.last_date.lock().unwrap_or_else(PoisonError::into_inner) = Some(date);
        }
    }

    fn classify(&self, failure: &Failure) -> Error {
        classify(failure, &self.store_hash)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("store_hash", &self.store_hash)
            .finish_non_exhaustive()
    }
}
