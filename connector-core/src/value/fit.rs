//! What fits a field: a loose value becomes one of the field's type, exactly, or is refused.

use super::{
    ArrayBuf, Date, Decimal, Instant, Interval, Mismatch, ParseError, Time, Timestamp, Value, parse_uuid,
};
use crate::schema::DataType;

/// A single value as JSON or a program's own types have it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Unset,
    Null,
    Bool(bool),
    Int(i128),
    Uint(u128),
    Float32(f32),
    Float64(f64),
    /// A number as it stands in JSON.
    Number(&'a str),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// What values borrow from while they are on their way into a batch.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) digits: String,
    pub(crate) unescaped: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) elements: ArrayBuf,
}

const OUT_OF_RANGE: Mismatch = Mismatch::new("a number out of range");
const FRACTION: Mismatch = Mismatch::new("a number with a fraction");
const MORE_DIGITS: Mismatch = Mismatch::new("a number with more digits");

/// `scalar` as a value of `to`. Lists, and whatever becomes JSON, are the callers' own matter.
pub(crate) fn fit<'s>(
    to: DataType,
    scalar: Scalar<'s>,
    digits: &'s mut String,
    bytes: &'s mut Vec<u8>,
) -> Result<Value<'s>, Mismatch> {
    match scalar {
        Scalar::Unset => Ok(Value::Unset),
        Scalar::Null => Ok(Value::Null),
        Scalar::Bool(value) if to == DataType::Bool => Ok(Value::Bool(value)),
        Scalar::Bool(_) => Err(Mismatch::new("a boolean")),
        Scalar::Int(number) => fit_integer(to, number, digits),
        Scalar::Uint(number) => match i128::try_from(number) {
            Ok(number) => fit_integer(to, number, digits),
            Err(_) if matches!(to, DataType::Decimal(_)) => {
                fit_decimal(to, &number.to_string(), digits, OUT_OF_RANGE)
            }
            Err(_) => Err(OUT_OF_RANGE),
        },
        Scalar::Float32(number) => match to {
            DataType::Float32 => Ok(Value::Float32(number)),
            DataType::Decimal(_) => {
                fit_decimal(to, &float_text(number.into(), &number), digits, OUT_OF_RANGE)
            }
            _ => fit_float(to, number.into(), digits),
        },
        Scalar::Float64(number) => fit_float(to, number, digits),
        Scalar::Number(text) => fit_number(to, text, digits),
        Scalar::Text(text) => fit_text(to, text, digits, bytes),
        Scalar::Bytes(value) => match to {
            DataType::Bytes => Ok(Value::Bytes(value)),
            DataType::Uuid => value
                .try_into()
                .map(Value::Uuid)
                .map_err(|_| Mismatch::new("bytes of another length")),
            _ => Err(Mismatch::new("bytes")),
        },
    }
}

fn fit_integer(to: DataType, number: i128, digits: &mut String) -> Result<Value<'_>, Mismatch> {
    let within = |least: i64, most: i64| {
        i64::try_from(number)
            .ok()
            .filter(|number| (least..=most).contains(number))
            .map(Value::Int)
            .ok_or(OUT_OF_RANGE)
    };
    match to {
        DataType::Int16 => within(i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => within(i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 => within(i64::MIN, i64::MAX),
        // The way back tells whether it is the same number, but at the end of the range, where it saturates.
        DataType::Float32 if (number as f32) as i128 == number && number < i128::MAX => {
            Ok(Value::Float32(number as f32))
        }
        DataType::Float64 if (number as f64) as i128 == number && number < i128::MAX => {
            Ok(Value::Float64(number as f64))
        }
        DataType::Float32 | DataType::Float64 => Err(MORE_DIGITS),
        DataType::Decimal(_) => fit_decimal(to, &number.to_string(), digits, OUT_OF_RANGE),
        _ => Err(Mismatch::new("an integer")),
    }
}

fn fit_float(to: DataType, number: f64, digits: &mut String) -> Result<Value<'_>, Mismatch> {
    match to {
        DataType::Float64 => Ok(Value::Float64(number)),
        DataType::Float32 if number.is_nan() || f64::from(number as f32) == number => {
            Ok(Value::Float32(number as f32))
        }
        DataType::Float32 => Err(MORE_DIGITS),
        // The shortest decimal that is this float and no other.
        DataType::Decimal(_) => fit_decimal(to, &float_text(number, &number), digits, OUT_OF_RANGE),
        DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            if number.is_finite() && number.fract() == 0.0 {
                fit_integer(to, number as i128, digits)
            } else {
                Err(FRACTION)
            }
        }
        _ => Err(Mismatch::new("a float")),
    }
}

fn float_text(number: f64, shortest: &dyn std::fmt::Display) -> String {
    if number.is_infinite() {
        String::from(if number > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        shortest.to_string()
    }
}

fn fit_number<'s>(to: DataType, text: &str, digits: &'s mut String) -> Result<Value<'s>, Mismatch> {
    match to {
        DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let number = match text.parse::<i64>() {
                Ok(number) => number,
                Err(_) => Decimal::parse(text, digits)
                    .map_err(|_| OUT_OF_RANGE)
                    .and_then(|number| {
                        let whole = number.significant_scale() == 0;
                        number.to_i64().ok_or(if whole { OUT_OF_RANGE } else { FRACTION })
                    })?,
            };
            fit_integer(to, number.into(), digits)
        }
        DataType::Float32 => match text.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(Value::Float32(number)),
            _ => Err(OUT_OF_RANGE),
        },
        DataType::Float64 => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float64(number)),
            _ => Err(OUT_OF_RANGE),
        },
        DataType::Decimal(_) => fit_decimal(to, text, digits, OUT_OF_RANGE),
        _ => Err(Mismatch::new("a number")),
    }
}

/// The refusal `none` is for a text that is no decimal. A field of any size may hold the decimals that are no number.
fn fit_decimal<'s>(
    to: DataType,
    text: &str,
    digits: &'s mut String,
    none: Mismatch,
) -> Result<Value<'s>, Mismatch> {
    let number = Decimal::parse(text, digits).map_err(|_| none)?;
    match to {
        DataType::Decimal(Some(size)) if number.is_finite() && !number.fits(size.precision, size.scale) => {
            Err(MORE_DIGITS)
        }
        _ => Ok(Value::Decimal(number)),
    }
}

fn fit_text<'s>(
    to: DataType,
    text: &'s str,
    digits: &'s mut String,
    bytes: &'s mut Vec<u8>,
) -> Result<Value<'s>, Mismatch> {
    Ok(match to {
        DataType::Text { max_chars } => {
            let fits = |max: u32| text.len() <= max as usize || text.chars().count() <= max as usize;
            if max_chars.is_none_or(fits) {
                Value::Text(text)
            } else {
                return Err(Mismatch::new("longer text"));
            }
        }
        DataType::Decimal(_) => fit_decimal(to, text, digits, Mismatch::new("text"))?,
        DataType::Float32 => special(text).map(|number| Value::Float32(number as f32))?,
        DataType::Float64 => special(text).map(Value::Float64)?,
        DataType::Bytes => Value::Bytes(parse_hex(text, bytes)?),
        DataType::Date => Value::Date(Date::parse(text)?),
        DataType::Time => Value::Time(Time::parse(text)?),
        DataType::Timestamp => Value::Timestamp(Timestamp::parse(text)?),
        DataType::Instant => Value::Instant(Instant::parse_iso(text)?),
        DataType::Interval => Value::Interval(Interval::parse(text)?),
        DataType::Uuid => Value::Uuid(parse_uuid(text)?),
        DataType::Bool
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Json
        | DataType::Array(_) => {
            return Err(Mismatch::new("text"));
        }
    })
}

/// The floats that are no JSON number, or none everywhere.
fn special(text: &str) -> Result<f64, Mismatch> {
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        "-0" => Ok(-0.0),
        _ => Err(Mismatch::new("text")),
    }
}

fn parse_hex<'s>(text: &str, bytes: &'s mut Vec<u8>) -> Result<&'s [u8], ParseError> {
    const WANTED: ParseError = ParseError("hexadecimal digits in pairs");
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(WANTED);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(WANTED);
    }
    bytes.clear();
    for &[high, low] in pairs {
        bytes.push((digit(high)? * 16 + digit(low)?) as u8);
    }
    Ok(bytes)
}
