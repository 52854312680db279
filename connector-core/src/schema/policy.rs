//! What to do when a schema is not what it was.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, nearest};

/// What a task does when its source's schema has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaPolicy {
    /// Follows what can be followed without losing anything: new fields, wider types.
    #[default]
    Apply,
    /// Goes on with the schema as it was, where that is possible.
    Hold,
    /// Stops.
    Fail,
}

impl SchemaPolicy {
    const ALL: [Self; 3] = [Self::Apply, Self::Hold, Self::Fail];

    const fn word(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Hold => "hold",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for SchemaPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for SchemaPolicy {
    type Err = Error;

    /// Reads the word that `Display` writes.
    fn from_str(word: &str) -> Result<Self, Error> {
        if let Some(policy) = Self::ALL.into_iter().find(|policy| policy.word() == word) {
            return Ok(policy);
        }
        let error = Error::new(ErrorKind::Config, format!("there is no schema policy `{word}`"));
        Err(match nearest(word, Self::ALL.map(Self::word)).as_slice() {
            [] => error.with_help("the policies are `apply`, `hold` and `fail`"),
            near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_a_misspelt_one_names_the_nearest() {
        for policy in SchemaPolicy::ALL {
            assert_eq!(policy.to_string().parse::<SchemaPolicy>().unwrap(), policy);
        }
        assert_eq!(SchemaPolicy::default(), SchemaPolicy::Apply);
        for (word, help) in [
            ("aply", "did you mean `apply`?"),
            ("Hold", "did you mean `hold`?"),
            ("ignore", "the policies are `apply`, `hold` and `fail`"),
        ] {
            let error = word.parse::<SchemaPolicy>().unwrap_err();
            assert_eq!(error.to_string(), format!("there is no schema policy `{word}`"));
            assert_eq!(error.help(), Some(help));
        }
    }
}
