//! Versions of the API.

use std::fmt;

use connector_core::{Error, ErrorKind, Result};

/// A version of the API, such as 62.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ApiVersion(u16);

impl ApiVersion {
    pub(super) const DEFAULT: Self = Self(62);
    /// The first with the upsert answers this crate reads.
    const OLDEST: Self = Self(46);

    pub(super) fn parse(text: &str) -> Result<Self> {
        let number = text.strip_prefix('v').unwrap_or(text);
        let number = number.strip_suffix(".0").unwrap_or(number);
        let wrong = || {
            Error::new(ErrorKind::Config, "`api_version` is no version of the API")
                .with_help("write it as `62.0`")
        };
        let version = Self(number.parse().map_err(|_| wrong())?);
        if version < Self::OLDEST {
            return Err(
                Error::new(ErrorKind::Config, format!("API version {version} is too old")).with_help(
                    format!("use {} or newer; {} is the default", Self::OLDEST, Self::DEFAULT),
                ),
            );
        }
        Ok(version)
    }

    /// The part before the dot.
    pub(crate) fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.0", self.0)
    }
}
