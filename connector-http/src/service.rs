//! What one API adds to plain HTTP.

use std::fmt;

use async_trait::async_trait;
use connector_core::{Error, Result};
use http::{HeaderMap, StatusCode};

use crate::failure::Failure;
use crate::request::Request;

/// The ways of one API: how to sign in, when to wait, what its errors mean.
///
/// For each try of a request the loop of [`RestClient`](crate::RestClient) calls [`admit`](Self::admit),
/// [`authorize`](Self::authorize), sends, calls [`observe`](Self::observe), and then, unless the status is 2xx,
/// [`classify`](Self::classify).
#[async_trait]
pub trait Service: fmt::Debug + Send + Sync {
    /// Waits until the request may be sent: the limiter. By default at once.
    async fn admit(&self, request: &Request) -> Result<()> {
        let _ = request;
        Ok(())
    }

    /// Adds what signs the request in, such as a header made by [`sensitive`](crate::sensitive).
    ///
    /// Called anew for each try, with a fresh copy of the request.
    ///
    /// # Errors
    /// Are returned as they are, without retry: signing in has a loop of its own.
    async fn authorize(&self, request: &mut Request) -> Result<()>;

    /// After a 401: renews what signs in, and says whether it did. The request is then sent once more.
    ///
    /// `rejected` is the request as it was sent, so that of several that were refused together only the first
    /// renews: the others find a newer token than the one they carry. `refusal` is the answer: some say what no new
    /// token cures, and `false` leaves it to [`classify`](Self::classify).
    async fn reauthorize(&self, rejected: &Request, refusal: &Failure) -> Result<bool> {
        let _ = (rejected, refusal);
        Ok(false)
    }

    /// Learns from an answer: quota, usage, the server's clock.
    fn observe(&self, status: StatusCode, headers: &HeaderMap) {
        let _ = (status, headers);
    }

    /// Makes an error of an answer that is not 2xx; its [`retry`](Error::retry) decides whether to try again.
    ///
    /// For a request that is not idempotent, an error that can be retried says that the request was *not* carried
    /// out. The loop believes that of 4xx and 503, and of no other status.
    fn classify(&self, failure: &Failure) -> Error {
        failure.to_error("the server")
    }
}
