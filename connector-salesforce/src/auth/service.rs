//! How requests to the API and to the token endpoint are signed, and what their errors mean.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Clock, Error, ErrorKind, Result};
use connector_http::{Failure, HeaderMap, Request, Service, StatusCode, header};

use super::Session;
use crate::error::classify;
use crate::limits::Budget;

/// The API of one org.
#[derive(Debug)]
pub(crate) struct ApiService {
    pub(crate) session: Arc<Session>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Service for ApiService {
    async fn admit(&self, request: &Request) -> Result<()> {
        self.budget.admit(request, self.clock.now())
    }

    async fn authorize(&self, request: &mut Request) -> Result<()> {
        let token = self.session.token().await?;
        if !token.covers(&request.url) {
            return Err(foreign(&request.label()));
        }
        request
            .headers
            .insert(header::AUTHORIZATION, token.header.clone());
        Ok(())
    }

    async fn reauthorize(&self, rejected: &Request) -> Result<bool> {
        match rejected.headers.get(header::AUTHORIZATION) {
            Some(refused) => self.session.renew(refused).await.map(|()| true),
            None => Ok(false),
        }
    }

    fn observe(&self, _status: StatusCode, headers: &HeaderMap) {
        self.budget.observe(headers, self.clock.now());
    }

    fn classify(&self, failure: &Failure) -> Error {
        classify(failure)
    }
}

/// The error for an address outside the org; no request was sent to it.
pub(crate) fn foreign(what: &str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("Salesforce points to an address outside the org ({what})"),
    )
    .with_retry(connector_core::Retry::Never)
    .with_help("take out the proxy that changes addresses in answers, or set `login_url` to the org's own")
}

/// The token endpoint: its requests carry their secrets in the body.
#[derive(Debug)]
pub(super) struct TokenService;

#[async_trait]
impl Service for TokenService {
    async fn authorize(&self, _request: &mut Request) -> Result<()> {
        Ok(())
    }

    fn classify(&self, failure: &Failure) -> Error {
        classify(failure)
    }
}
