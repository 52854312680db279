//! How requests to the API are signed, and what their errors mean.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Result, Retry};
use connector_http::{Failure, HeaderMap, Request, Service, StatusCode, header};

use super::Session;
use crate::error::classify;
use crate::limits::Usage;

/// The API of one org.
#[derive(Debug)]
pub(crate) struct ApiService {
    pub(crate) session: Arc<Session>,
    pub(crate) usage: Arc<Usage>,
}

#[async_trait]
impl Service for ApiService {
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

    async fn reauthorize(&self, rejected: &Request, refusal: &Failure) -> Result<bool> {
        match rejected.headers.get(header::AUTHORIZATION) {
            Some(refused) if incurable(refusal).is_none() => self.session.renew(refused).await.map(|()| true),
            _ => Ok(false),
        }
    }

    fn observe(&self, _status: StatusCode, headers: &HeaderMap) {
        self.usage.observe(headers);
    }

    fn classify(&self, failure: &Failure) -> Error {
        if let Some(error) = incurable(failure) {
            return error;
        }
        // A server may repeat what it was sent.
        match self.session.scrubbed(&failure.text()) {
            Some(text) => {
                let mut failure = failure.clone();
                failure.body = text.into();
                classify(&failure)
            }
            None => classify(failure),
        }
    }
}

/// The error for a refusal that no new token cures.
fn incurable(refusal: &Failure) -> Option<Error> {
    if !matches!(refusal.status.as_u16(), 401 | 403) {
        return None;
    }
    let text = refusal.text();
    let known = [
        (
            "not valid for use with the REST API",
            "the session may not use the REST API",
            "add the scope `api` to the app in Salesforce, then sign in anew",
        ),
        (
            "Connected app is not attached to Agent",
            "the app is not attached to the agent that runs as this user",
            "attach the app to the agent in Salesforce, or sign in as another user",
        ),
    ];
    let (_, said, help) = known.iter().find(|(words, ..)| text.contains(words))?;
    Some(
        Error::new(ErrorKind::Auth, *said)
            .with_retry(Retry::Never)
            .with_help(*help),
    )
}

/// The error for an address outside the org; no request was sent to it.
pub(crate) fn foreign(what: &str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("Salesforce points to an address outside the org ({what})"),
    )
    .with_retry(Retry::Never)
    .with_help("take out the proxy that changes addresses in answers, or set `login_url` to the org's own")
}
