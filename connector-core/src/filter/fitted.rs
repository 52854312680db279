//! A literal as a value of its field's type.

use super::Literal;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{DataType, Field};
use crate::value::fit::{Scalar, fit};
use crate::value::{Decimal, Value};

/// A literal as a value of a field's type.
#[derive(Clone, Debug)]
pub struct FittedLiteral(Fitted);

#[derive(Clone, Debug)]
enum Fitted {
    Value(Value<'static>),
    Text(String),
    Decimal(String),
}

/// The type that literals for a field are read as: the widest of its kind, for what lies beyond a field's own range
/// can still be compared with it. `None` where values have no order.
fn compared_as(data_type: DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Int16 | DataType::Int32 | DataType::Int64 => DataType::Int64,
        DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Decimal(_) => DataType::Decimal(None),
        DataType::Text { .. } => DataType::TEXT,
        same @ (DataType::Bool
        | DataType::Date
        | DataType::Time
        | DataType::Timestamp
        | DataType::Instant
        | DataType::Uuid) => same,
        DataType::Bytes | DataType::Interval | DataType::Json | DataType::Array(_) => return None,
    })
}

impl Literal {
    /// The value that is compared with those of `field`, of the widest type of the same kind.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: it is no such value, or the field's have no order.
    pub fn fit(&self, field: &Field) -> Result<FittedLiteral> {
        let Some(to) = compared_as(field.data_type) else {
            let message = format!(
                "`{}` is of type {}, whose values a filter cannot compare",
                field.name, field.data_type
            );
            return Err(Error::new(ErrorKind::Schema, message)
                .with_help("`is null` and `is not null` can be asked of every field"));
        };
        let scalar = match self {
            Self::Text(text) => Scalar::Text(text),
            Self::Number(text) => Scalar::Number(text),
            Self::Bool(value) => Scalar::Bool(*value),
        };
        let (mut digits, mut bytes) = (String::new(), Vec::new());
        let value = fit(to, scalar, &mut digits, &mut bytes).map_err(|_| {
            let message = format!(
                "the filter compares `{}`, which is of type {}, with {self}",
                field.name, field.data_type
            );
            Error::new(ErrorKind::Schema, message).with_help(format!("compare it with {}", wanted(to)))
        })?;
        Ok(FittedLiteral(match value {
            Value::Text(text) => Fitted::Text(text.to_owned()),
            Value::Decimal(number) => Fitted::Decimal(number.to_string()),
            Value::Bool(value) => Fitted::Value(Value::Bool(value)),
            Value::Int(value) => Fitted::Value(Value::Int(value)),
            Value::Float64(value) => Fitted::Value(Value::Float64(value)),
            Value::Date(value) => Fitted::Value(Value::Date(value)),
            Value::Time(value) => Fitted::Value(Value::Time(value)),
            Value::Timestamp(value) => Fitted::Value(Value::Timestamp(value)),
            Value::Instant(value) => Fitted::Value(Value::Instant(value)),
            Value::Uuid(value) => Fitted::Value(Value::Uuid(value)),
            other => {
                let message = format!("a filter's literal became {other:?}");
                return Err(Error::new(ErrorKind::Bug, message));
            }
        }))
    }
}

impl FittedLiteral {
    /// The value; `digits` holds those of a long decimal.
    pub fn value<'a>(&'a self, digits: &'a mut String) -> Value<'a> {
        match &self.0 {
            Fitted::Value(value) => *value,
            Fitted::Text(text) => Value::Text(text),
            // It was written by a decimal, and is one.
            Fitted::Decimal(text) => Decimal::parse(text, digits).map_or(Value::Null, Value::Decimal),
        }
    }
}

fn wanted(to: DataType) -> &'static str {
    match to {
        DataType::Bool => "true or false",
        DataType::Int64 => "a whole number",
        DataType::Float64 | DataType::Decimal(_) => "a number",
        DataType::Date => "a date in quotes, such as '2024-02-29'",
        DataType::Time => "a time in quotes, such as '13:30:00'",
        DataType::Timestamp => "a date and time in quotes, such as '2024-02-29T13:30:00'",
        DataType::Instant => "a point in time in quotes, such as '2024-02-29T13:30:00Z'",
        DataType::Uuid => "a UUID in quotes",
        _ => "a text in quotes",
    }
}
