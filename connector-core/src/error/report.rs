//! The rendering of an error for people.

use std::error::Error as StdError;
use std::fmt;

use super::Error;

/// Several lines: the message, its context, each cause once, then `help:`.
#[derive(Debug)]
pub struct Report<'a>(&'a Error);

impl<'a> Report<'a> {
    pub(super) fn new(error: &'a Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        for (name, value) in self.0.context() {
            write!(f, "\n  {name}: {value}")?;
        }
        let mut help = self.0.help();
        let mut said = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Foreign errors often repeat their source in their own text.
            if !said.contains(&text) {
                write!(f, "\n  caused by: {text}")?;
            }
            if let Some(inner) = error.downcast_ref::<Error>() {
                for (name, value) in inner.context() {
                    write!(f, "\n    {name}: {value}")?;
                }
                help = help.or(inner.help());
            }
            said = text;
            cause = error.source();
        }
        match help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}
