//! A value that does not fit its field.

use super::ParseError;
use crate::error::{Error, ErrorKind};
use crate::schema::Field;

/// What was found in the place of a field's value: a kind, never the value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mismatch {
    found: &'static str,
    in_list: bool,
    cause: Option<ParseError>,
}

impl Mismatch {
    /// `found` is a kind, such as "text" or "a list".
    pub(crate) const fn new(found: &'static str) -> Self {
        Self {
            found,
            in_list: false,
            cause: None,
        }
    }

    /// The same for an element of a list.
    pub(crate) const fn in_list(mut self) -> Self {
        self.in_list = true;
        self
    }

    /// The error that names the field and its type.
    pub(crate) fn in_field(self, field: &Field) -> Error {
        let Self { found, .. } = self;
        let (with, in_it) = if self.in_list {
            ("a list with ", " in it")
        } else {
            ("", "")
        };
        let error = Error::new(
            ErrorKind::Data,
            format!(
                "the field `{}` should be {}, found {with}{found}{in_it}",
                field.name, field.data_type
            ),
        );
        match self.cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }
}

impl From<ParseError> for Mismatch {
    fn from(cause: ParseError) -> Self {
        Self {
            cause: Some(cause),
            ..Self::new("other text")
        }
    }
}
