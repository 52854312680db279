//! What a check finds.

use std::fmt;

use connector_core::Error;

/// What a check finds: nothing wrong, or what is.
pub type Verdict = Result<(), Failure>;

/// What is wrong, in a sentence or a few lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure that says what was expected and what came.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    /// An error where none was expected.
    fn from(error: Error) -> Self {
        Self(format!("failed where it should have worked: {}", error.report()))
    }
}

/// Fails a check unless `condition` holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure::new(format!($($message)+)));
        }
    };
}

/// Fails a check unless both sides are equal; says both.
macro_rules! ensure_eq {
    ($found:expr, $wanted:expr, $($message:tt)+) => {{
        let (found, wanted) = (&$found, &$wanted);
        if found != wanted {
            let message = format!($($message)+);
            return Err($crate::conformance::Failure::new(format!(
                "{message}\n  wanted: {wanted:?}\n  found:  {found:?}"
            )));
        }
    }};
}

pub(crate) use {ensure, ensure_eq};

/// The error of something that must be refused.
pub(crate) fn refused<T>(result: connector_core::Result<T>, what: &str) -> Result<Error, Failure> {
    match result {
        Ok(_) => Err(Failure::new(format!("{what} was not refused"))),
        Err(error) => Ok(error),
    }
}
