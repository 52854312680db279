//! One error type for every crate: what failed, where, and what to do.

mod report;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub use report::Report;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, one word wide.
///
/// `Display` is one line and leaves the source out, so that a reporter which walks the chain prints nothing
/// twice; [`report`](Self::report) prints the line, its context, its causes and the help. Neither ever holds a
/// secret or the contents of a record; names and keys may appear.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    context: Vec<(&'static str, String)>,
    help: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    retry: Retry,
    may_have_applied: bool,
}

/// The class of a failure; each says who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The job, the connection or an argument is wrong. Change it.
    Config,
    /// Credentials were refused. Sign in anew.
    Auth,
    /// Signed in, but not allowed. Grant the right that the message names.
    Forbidden,
    /// The named thing does not exist.
    NotFound,
    /// The other side asks for a pause, or a quota is used up.
    RateLimited,
    /// The other side cannot be reached or does not answer as it should.
    Unavailable,
    /// Schemas do not fit together.
    Schema,
    /// A value cannot be what it should be.
    Data,
    /// Somebody else holds or has changed the same thing.
    Conflict,
    /// The connector cannot do this.
    Unsupported,
    /// A stored state or journal cannot be used.
    State,
    /// The caller stopped the work.
    Cancelled,
    /// A defect in this software. Report it.
    Bug,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retry {
    /// The same request will fail the same way, or its retries are used up.
    #[default]
    Never,
    /// It may pass later; wait with growing pauses.
    Backoff,
    /// It may pass after the pause that the other side asked for.
    After(Duration),
}

impl Error {
    /// An error of `kind`; `message` is one sentence without a full stop.
    ///
    /// [`RateLimited`](ErrorKind::RateLimited) and [`Unavailable`](ErrorKind::Unavailable) start out as
    /// [`Retry::Backoff`], all others as [`Retry::Never`].
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let retry = match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable => Retry::Backoff,
            _ => Retry::Never,
        };
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            help: None,
            source: None,
            retry,
            may_have_applied: false,
        }))
    }

    /// Adds where it happened: a stream, a table, a request. Outer callers add after inner ones.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((name, value.into()));
        self
    }

    /// Says what to do: an instruction, such as "grant the token the `store_v2_orders` scope".
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Overrides whether trying again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Marks the error of a write whose answer was lost: the other side may have applied it.
    #[must_use]
    pub fn with_may_have_applied(mut self) -> Self {
        self.0.may_have_applied = true;
        self
    }

    /// Marks the retries as used up, so that an outer level does not multiply them.
    #[must_use]
    pub fn spent(self) -> Self {
        self.with_retry(Retry::Never)
    }

    /// The class of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The one-line message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, innermost first.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// What to do, where that is known.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the other side may have applied a write although this error came back.
    pub fn may_have_applied(&self) -> bool {
        self.0.may_have_applied
    }

    /// The several-line rendering for people: message, context, causes, help.
    pub fn report(&self) -> Report<'_> {
        Report::new(self)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &self.0.kind)
            .field("message", &self.0.message);
        for (name, value) in &self.0.context {
            debug.field(name, value);
        }
        debug.field("help", &self.0.help).field("retry", &self.0.retry);
        debug
            .field("may_have_applied", &self.0.may_have_applied)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "wrong configuration",
            Self::Auth => "not signed in",
            Self::Forbidden => "not allowed",
            Self::NotFound => "not found",
            Self::RateLimited => "rate limited",
            Self::Unavailable => "unavailable",
            Self::Schema => "schema mismatch",
            Self::Data => "bad data",
            Self::Conflict => "conflict",
            Self::Unsupported => "unsupported",
            Self::State => "unusable state",
            Self::Cancelled => "cancelled",
            Self::Bug => "defect",
        })
    }
}

/// The names in `known` that look most like `name`, best first, at most three: for "did you mean".
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = fold(name);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (distance(&wanted, &fold(candidate)), candidate))
        .filter(|&(distance, candidate)| distance <= candidate.chars().count().max(wanted.len()).div_ceil(3))
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// Letter case and underscores are what people get wrong first; they weigh nothing.
pub(crate) fn fold(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Levenshtein distance, one row at a time.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn display_leaves_the_source_out_and_report_prints_everything_once() {
        let error = Error::new(ErrorKind::Forbidden, "the store refused `orders`")
            .with_context("stream", "orders")
            .with_source(std::io::Error::other("status 403"))
            .with_help("grant the token the `store_v2_orders` scope");
        assert_eq!(error.to_string(), "the store refused `orders`");
        assert_eq!(
            error.report().to_string(),
            "the store refused `orders`\n  stream: orders\n  caused by: status 403\nhelp: grant the token the \
             `store_v2_orders` scope"
        );
    }

    #[test]
    fn nearest_knows_what_people_mean() {
        let fields = ["LeadScore__c", "LeadSource", "LastName"];
        assert_eq!(nearest("LeadScore_c", fields), ["LeadScore__c", "LeadSource"]);
        assert_eq!(nearest("lastname", fields), ["LastName"]);
        assert!(nearest("Zebra", fields).is_empty());
    }
}
