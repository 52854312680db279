//! The one loop in which requests are repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use connector_core::{Backoff, Clock, Error, ErrorKind, Result, Retry, RetryPolicy};
use http::StatusCode;
use http::header::LOCATION;
use url::Url;

use crate::body::Body;
use crate::client::HttpClient;
use crate::failure::Failure;
use crate::request::Request;
use crate::response::{Response, StreamingResponse};
use crate::service::Service;
use crate::transport::is_refused;

/// The longest pause that is waited out here; the error of a longer one goes to the caller, who may have something
/// better to do.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// A client of one API: cheap to clone.
#[derive(Clone, Debug)]
pub struct RestClient {
    http: HttpClient,
    service: Arc<dyn Service>,
    clock: Arc<dyn Clock>,
    policy: RetryPolicy,
    seed: Arc<AtomicU64>,
}

/// What a request is to end with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Head,
    End,
}

/// How often a connection that is refused is tried.
const MAX_REFUSED: u32 = 2;

/// A 2xx answer.
enum Answer {
    Head(Box<Body>),
    Whole(Response),
}

impl RestClient {
    /// A client that sends over `http` in the ways of `service` and waits by `clock`; five tries.
    pub fn new(http: HttpClient, service: Arc<dyn Service>, clock: Arc<dyn Clock>) -> Self {
        let seed = Arc::new(AtomicU64::new(clock.now().unix_micros().unsigned_abs()));
        Self {
            http,
            service,
            clock,
            policy: RetryPolicy::default(),
            seed,
        }
    }

    /// The same with another policy.
    #[must_use]
    pub fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The same with pauses spread by `seed` instead of by the time of day.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Arc::new(AtomicU64::new(seed));
        self
    }

    /// The clock that it waits by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sends `request` until there is a whole 2xx answer, or no sense in trying again.
    ///
    /// # Errors
    /// What [`Service::classify`] made of the last answer, or [`ErrorKind::Unavailable`] where there was none. An
    /// error whose tries are used up is [`spent`](Error::spent).
    pub async fn send(&self, request: &Request) -> Result<Response> {
        match Box::pin(self.run(request, Until::End)).await? {
            Answer::Whole(response) => Ok(response),
            Answer::Head(body) => Response::read(*body, &self.http, request).await,
        }
    }

    /// Sends `request` until there is the head of a 2xx answer, and leaves the body to be read piece by piece.
    ///
    /// # Errors
    /// As [`send`](Self::send); once the head is there, nothing is repeated.
    pub async fn stream(&self, request: &Request) -> Result<StreamingResponse> {
        match Box::pin(self.run(request, Until::Head)).await? {
            Answer::Head(body) => Ok(StreamingResponse::new(*body, self.http.clone(), request.clone())),
            Answer::Whole(_) => Err(Error::new(
                ErrorKind::Bug,
                "a body was read that was to be streamed",
            )),
        }
    }

    async fn run(&self, request: &Request, until: Until) -> Result<Answer> {
        let seed = self.seed.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed) | 1;
        let mut pauses = Backoff::new(&self.policy, seed);
        let mut attempts = 1_u32;
        loop {
            let error = match self.attempt(request, until).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let impatient = is_refused(&error) && attempts >= MAX_REFUSED;
            let pause = if impatient {
                None
            } else {
                self.pause_after(&error, request, &mut pauses)
            };
            let Some(pause) = pause else {
                let spent =
                    error.retry() != Retry::Never && (impatient || attempts >= self.policy.max_attempts);
                let error = error.with_context("request", request.label());
                let error = if attempts > 1 {
                    error.with_context("attempts", attempts.to_string())
                } else {
                    error
                };
                return Err(if spent { error.spent() } else { error });
            };
            tracing::warn!(request = %request.label(), %error, attempts, ?pause, "trying again");
            self.clock.sleep(pause).await;
            attempts += 1;
        }
    }

    /// How long to wait before trying again; `None` where that would not help or could do harm.
    fn pause_after(&self, error: &Error, request: &Request, pauses: &mut Backoff) -> Option<Duration> {
        if error.may_have_applied() && !request.idempotent {
            return None;
        }
        match error.retry() {
            Retry::Never => None,
            Retry::Backoff => pauses.next(),
            Retry::After(pause) if pause > LONGEST_WAIT => None,
            Retry::After(pause) => pauses.next().map(|_| pause),
        }
    }

    /// One try: at most two requests, the second with a renewed sign-in.
    async fn attempt(&self, request: &Request, until: Until) -> Result<Answer> {
        let (mut sent, mut body) = self.exchange(request).await?;
        if body.status() == StatusCode::UNAUTHORIZED {
            let refusal = self.failure(body, request).await;
            if !self.service.reauthorize(&sent, &refusal).await? {
                return Err(self.classify(&refusal, request));
            }
            (sent, body) = self.exchange(request).await?;
        }
        tracing::debug!(request = %request.label(), status = body.status().as_u16(), "answered");
        match body.status() {
            status if status.is_success() && until == Until::Head => Ok(Answer::Head(Box::new(body))),
            status if status.is_success() => {
                Ok(Answer::Whole(Response::read(body, &self.http, request).await?))
            }
            status if is_redirect(status) => Err(redirect_error(&body, &sent)),
            _ => Err(self.classify(&self.failure(body, request).await, request)),
        }
    }

    async fn exchange(&self, request: &Request) -> Result<(Request, Body)> {
        self.service.admit(request).await?;
        let mut signed = request.clone();
        self.service.authorize(&mut signed).await?;
        let body = self.http.send(&signed).await?;
        self.service.observe(body.status(), body.headers());
        Ok((signed, body))
    }

    async fn failure(&self, mut body: Body, request: &Request) -> Failure {
        let mut failure = Failure::new(request.url.path(), body.status(), body.headers().clone(), "");
        failure.method = request.method.clone();
        failure.body = body.read_start(Failure::MAX_BODY).await;
        failure.received = self.clock.now();
        failure
    }

    fn classify(&self, failure: &Failure, request: &Request) -> Error {
        let error = self.service.classify(failure);
        let doubtful = failure.status.is_server_error() && failure.status != StatusCode::SERVICE_UNAVAILABLE;
        if doubtful && !request.idempotent {
            error.with_may_have_applied()
        } else {
            error
        }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirect_error(body: &Body, request: &Request) -> Error {
    let location = body
        .headers()
        .get(LOCATION)
        .and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| request.url.join(location).ok());
    let target = target
        .as_ref()
        .and_then(Url::host_str)
        .map_or_else(String::new, |host| format!(" to `{host}`"));
    let message = format!("{} redirects{target}, which is not followed", request.authority());
    Error::new(ErrorKind::Config, message).with_help(
        "configure the address that the API itself answers at; a redirect would carry the token elsewhere",
    )
}
