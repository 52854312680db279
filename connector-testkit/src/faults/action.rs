//! What a hook makes of a call.

use std::time::Duration;

use connector_core::{Error, ErrorKind, Retry};

use super::event::IoEvent;

/// What becomes of the call that an event is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Nothing out of the ordinary.
    #[default]
    Go,
    /// The call is not carried out, and fails. After a call it is too late for that, and this is
    /// [`ApplyThenFail`](Self::ApplyThenFail).
    Refuse(Failure),
    /// The call is carried out, its answer is thrown away, and it fails as one that may have been applied.
    ApplyThenFail(Failure),
    /// The call never returns: it is not carried out, or, after a call, its answer never comes. Whoever waits has to
    /// drop it.
    Hang,
    /// The call waits so long, on the clock of the [`Events`](super::Events); after a call, its answer does.
    Slow(Duration),
    /// The call is pending once: a place for others to run, and for [`cancel_at`](super::cancel_at) to drop it.
    Yield,
    /// The process ends at once, by [`abort`](std::process::abort): nothing is dropped, flushed or closed.
    Kill,
}

impl Action {
    /// Not carried out, and [`Unavailable`](ErrorKind::Unavailable).
    pub fn refuse() -> Self {
        Self::Refuse(Failure::default())
    }

    /// Carried out, and [`Unavailable`](ErrorKind::Unavailable) all the same: the answer was lost.
    pub fn apply_then_fail() -> Self {
        Self::ApplyThenFail(Failure::default())
    }
}

/// The error that an injected fault ends in: by default of the kind that engines try again.
///
/// Its message names the operation and the number of the event, such as `injected: commit #17 refused`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: ErrorKind,
    retry: Option<Retry>,
}

impl Failure {
    /// A failure of `kind`, to be tried again or not as that kind is.
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind, retry: None }
    }

    /// The same with another say on trying again.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    pub(super) fn refused(self, event: &IoEvent) -> Error {
        self.error(event, "refused")
    }

    pub(super) fn lost(self, event: &IoEvent) -> Error {
        self.error(event, "carried out, its answer lost")
            .with_may_have_applied()
    }

    fn error(self, event: &IoEvent, what: &str) -> Error {
        let message = format!("{PREFIX}{} #{} {what}", event.operation, event.number);
        let error = Error::new(self.kind, message).with_context("connector", &*event.who);
        match self.retry {
            Some(retry) => error.with_retry(retry),
            None => error,
        }
    }
}

impl Default for Failure {
    fn default() -> Self {
        Self::new(ErrorKind::Unavailable)
    }
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

const PREFIX: &str = "injected: ";

/// Whether an error was injected here, and did not come from the connector itself.
pub fn is_injected(error: &Error) -> bool {
    error.message().starts_with(PREFIX)
}
