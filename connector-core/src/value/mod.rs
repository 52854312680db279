//! One cell of a record, borrowed.

mod array;
mod decimal;
pub(crate) mod fit;
pub(crate) mod json;
mod mismatch;
mod time;

use std::fmt;

pub use array::{Array, ArrayBuf};
pub use decimal::Decimal;
pub(crate) use decimal::Repr as DecimalRepr;
pub use json::write_json;
pub(crate) use mismatch::Mismatch;
pub use time::{Date, Instant, Interval, Time, Timestamp};

/// One cell: unset, null, or a value of one of the types of [`DataType`](crate::DataType).
///
/// *Unset* leaves the destination's value alone, *null* clears it: three different things everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing is said about this field.
    Unset,
    /// The field is empty.
    Null,
    /// `Bool`.
    Bool(bool),
    /// `Int16`, `Int32` or `Int64`.
    Int(i64),
    /// `Float32`, bit for bit.
    Float32(f32),
    /// `Float64`, bit for bit.
    Float64(f64),
    /// `Decimal`.
    Decimal(Decimal<'a>),
    /// `Text`.
    Text(&'a str),
    /// `Bytes`.
    Bytes(&'a [u8]),
    /// `Date`.
    Date(Date),
    /// `Time`.
    Time(Time),
    /// `Timestamp`: without a zone.
    Timestamp(Timestamp),
    /// `Instant`: a point in time.
    Instant(Instant),
    /// `Interval`.
    Interval(Interval),
    /// `Uuid`, in network byte order.
    Uuid([u8; 16]),
    /// `Json`: the text of one JSON value.
    Json(&'a str),
    /// `Array`.
    Array(Array<'a>),
}

impl Value<'_> {
    /// Whether there is a value: neither unset nor null.
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Unset | Self::Null)
    }
}

impl fmt::Display for Value<'_> {
    /// The canonical text of a value, as it stands in keys: plain decimals, ISO 8601 in UTC, lower-case UUIDs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => Ok(()),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float32(value) => value.fmt(f),
            Self::Float64(value) => value.fmt(f),
            Self::Decimal(value) => value.fmt(f),
            Self::Text(value) | Self::Json(value) => f.write_str(value),
            Self::Bytes(value) => value.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Date(value) => value.fmt(f),
            Self::Time(value) => value.fmt(f),
            Self::Timestamp(value) => value.fmt(f),
            Self::Instant(value) => value.fmt(f),
            Self::Interval(value) => value.fmt(f),
            Self::Uuid(bytes) => {
                for (i, byte) in bytes.iter().enumerate() {
                    if matches!(i, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
            Self::Array(array) => {
                let mut json = String::new();
                write_json(&Self::Array(*array), &mut json);
                f.write_str(&json)
            }
        }
    }
}

/// A text that is not what it should be; says what was wanted, never what stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError(pub(crate) &'static str);

impl ParseError {
    /// An error that says what was wanted, such as "a date such as 2024-02-29".
    pub const fn new(wanted: &'static str) -> Self {
        Self(wanted)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}", self.0)
    }
}

impl std::error::Error for ParseError {}

/// Reads a UUID with or without hyphens.
pub fn parse_uuid(text: &str) -> Result<[u8; 16], ParseError> {
    const WANTED: ParseError = ParseError("a UUID");
    let mut bytes = [0; 16];
    let mut digits = text
        .bytes()
        .filter(|&byte| byte != b'-')
        .map(|byte| char::from(byte).to_digit(16));
    for byte in &mut bytes {
        let high = digits.next().flatten().ok_or(WANTED)?;
        let low = digits.next().flatten().ok_or(WANTED)?;
        *byte = (high * 16 + low) as u8;
    }
    if digits.next().is_some() {
        Err(WANTED)
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_three_words() {
        assert_eq!(size_of::<Value<'_>>(), 24);
    }

    #[test]
    fn uuids_round_trip() {
        let text = "123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(
            parse_uuid(text)
                .map(|bytes| Value::Uuid(bytes).to_string())
                .as_deref(),
            Ok(text)
        );
        assert!(parse_uuid("123e4567-e89b-12d3-a456-42661417400").is_err());
        assert!(parse_uuid("123e4567-e89b-12d3-a456-4266141740000").is_err());
    }
}
