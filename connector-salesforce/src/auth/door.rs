//! The way to whatever signs in: requests that carry secrets in their bodies.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Clock, Error, ErrorKind, Result, Secret};
use connector_http::{Failure, HttpClient, Request, Response, RestClient, Service, header};

use super::refusal;
use super::scrub::Scrub;

/// Sends sign-ins; the connections are those of the whole org, the headers are not.
#[derive(Clone, Debug)]
pub(super) struct Door {
    http: HttpClient,
    clock: Arc<dyn Clock>,
}

impl Door {
    pub(super) fn new(http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Sends a request that holds `secrets`, which no error will.
    ///
    /// Asking twice does no harm: a token that nobody has heard of expires by itself.
    pub(super) async fn send(&self, request: Request, secrets: &[&Secret]) -> Result<Response> {
        let service = SignIn(secrets.iter().map(|secret| (*secret).clone()).collect());
        let rest = RestClient::new(self.http.clone(), Arc::new(service), Arc::clone(&self.clock));
        let response = rest.send(&request.idempotent()).await?;
        let page = response.headers.get(header::CONTENT_TYPE);
        let page = page.and_then(|kind| kind.to_str().ok());
        if page.is_some_and(|kind| kind.starts_with("text/html")) {
            return Err(Error::new(
                ErrorKind::Auth,
                "a page for people answers where the sign-in should",
            )
            .with_help("check `login_url` and `token_url`: they lead to something other than a sign-in"));
        }
        Ok(response)
    }
}

/// The secrets of one request.
struct SignIn(Vec<Secret>);

#[async_trait]
impl Service for SignIn {
    async fn authorize(&self, _request: &mut Request) -> Result<()> {
        Ok(())
    }

    fn classify(&self, failure: &Failure) -> Error {
        refusal::classify(failure, &Scrub::new(&self.0))
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn")
    }
}
