//! What goes wrong between a record and a type, before it has a field's name.

use std::fmt;

use serde::de::{Expected, Unexpected};
use serde::{de, ser};

use crate::error::{Error, ErrorKind};
use crate::schema::{Field, Schema};
use crate::value::{Mismatch, Value};

/// What a record is to serde.
const OBJECT: &str = "an object";

/// An error while it passes through serde. Messages of other code are dropped: they may show a value.
#[derive(Debug)]
pub(super) enum Fault {
    /// A value that is not of the field's type.
    Mismatch(Mismatch),
    /// A cell of another type than the one the program's type asks for.
    Wanted { wanted: String, found: &'static str },
    /// A cell of that type with a value it does not take.
    Other { wanted: String, found: &'static str },
    /// The program's type asks for a field that is not set.
    Missing(&'static str),
    /// The program's type gives two fields one place.
    Twice(&'static str),
    /// The program's type takes no such field.
    Unknown(String),
    /// The JSON in a cell does not become what the program's type asks for.
    Json { line: usize, column: usize },
    /// The program's type refused, in words of its own.
    Refused,
    /// Finished: it has its field.
    Done(Error),
}

impl Fault {
    /// Where a cell's value was about to become a part of a program's type.
    pub(super) fn at_cell(self, field: &Field, value: &Value<'_>) -> Self {
        let name = &field.name;
        let message = match self {
            Self::Wanted { wanted, found } => {
                let found = if matches!(value, Value::Array(_)) {
                    found
                } else {
                    kind_of(value)
                };
                format!("the field `{name}` should be {wanted}, found {found}")
            }
            Self::Other { wanted, found } => {
                format!("the field `{name}` should be {wanted}, found {found}")
            }
            Self::Json { line, column } => format!(
                "the JSON of the field `{name}` is not what its type asks for, at line {line} column {column}"
            ),
            Self::Mismatch(_) | Self::Missing(_) | Self::Twice(_) | Self::Unknown(_) | Self::Refused => {
                format!(
                    "the {} of the field `{name}` was refused by its type",
                    kind(value)
                )
            }
            Self::Done(_) => return self,
        };
        Self::Done(Error::new(ErrorKind::Data, message))
    }

    /// Where a part of a program's type was about to become a cell.
    pub(super) fn at_field(self, field: &Field) -> Self {
        Self::Done(match self {
            Self::Mismatch(mismatch) => mismatch.in_field(field),
            Self::Done(error) => error,
            _ => Error::new(
                ErrorKind::Data,
                format!(
                    "the field `{}` should be {}, found what refuses to become it",
                    field.name, field.data_type
                ),
            ),
        })
    }

    /// The error of a whole record.
    pub(super) fn of_record(self, schema: &Schema) -> Error {
        let data = |message: String| Error::new(ErrorKind::Data, message);
        match self {
            Self::Done(error) => error,
            Self::Missing(name) => match schema.field(name) {
                None => schema.unknown_field(name),
                Some(_) => data(format!("the field `{name}` is unset"))
                    .with_help("make it an `Option` or a `Patch`, or give it `#[serde(default)]`"),
            },
            Self::Twice(name) => Error::new(
                ErrorKind::Schema,
                format!("two fields of the record are the type's `{name}`"),
            ),
            Self::Unknown(name) => Error::new(
                ErrorKind::Schema,
                format!("the record has a field `{name}`, which its type does not take"),
            ),
            Self::Wanted {
                wanted,
                found: OBJECT,
            } => data(format!("a record should be {wanted}, found {OBJECT}")),
            // A flattened struct keeps the fields' names to itself.
            Self::Wanted { wanted, found } | Self::Other { wanted, found } => {
                data(format!("a field of a record should be {wanted}, found {found}"))
            }
            Self::Mismatch(_) | Self::Json { .. } | Self::Refused => {
                data("a record was refused by its type".to_owned())
            }
        }
    }
}

impl From<Mismatch> for Fault {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Json {
            line: error.line(),
            column: error.column(),
        }
    }
}

impl fmt::Display for Fault {
    /// Only serde's own code could ask; it is not shown to anyone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(error) => error.fmt(f),
            _ => f.write_str("a record does not fit its type"),
        }
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Refused
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Refused
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Wanted {
            wanted: expected.to_string(),
            found: kind_of_unexpected(&unexpected),
        }
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Other {
            wanted: expected.to_string(),
            found: match unexpected {
                Unexpected::Unsigned(_) | Unexpected::Signed(_) => "another integer",
                Unexpected::Float(_) => "another float",
                Unexpected::Char(_) | Unexpected::Str(_) => "other text",
                Unexpected::Bytes(_) => "other bytes",
                _ => "another value",
            },
        }
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::Other {
            wanted: expected.to_string(),
            found: "a list of another length",
        }
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Other {
            wanted: match expected {
                [] => "a variant, of which there are none".to_owned(),
                [only] => format!("`{only}`"),
                several => format!("one of `{}`", several.join("`, `")),
            },
            found: "other text",
        }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Unknown(field.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }
}

/// What a cell holds, with its article.
fn kind_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Unset => "nothing",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "an integer",
        Value::Float32(_) | Value::Float64(_) => "a float",
        Value::Decimal(_) => "a decimal",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Date(_) => "a date",
        Value::Time(_) => "a time",
        Value::Timestamp(_) => "a timestamp",
        Value::Instant(_) => "an instant",
        Value::Interval(_) => "an interval",
        Value::Uuid(_) => "a UUID",
        Value::Json(_) => "JSON",
        Value::Array(_) => "a list",
    }
}

/// The same without an article.
fn kind(value: &Value<'_>) -> &'static str {
    kind_of(value).trim_start_matches("an ").trim_start_matches("a ")
}

fn kind_of_unexpected(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a float",
        Unexpected::Char(_) | Unexpected::Str(_) => "text",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map | Unexpected::NewtypeStruct => OBJECT,
        Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant => "text",
        Unexpected::Other(_) => "something else",
    }
}
