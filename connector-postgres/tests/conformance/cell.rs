//! PostgreSQL's own text of a cell, read with the core's parsers.

use connector_core::value::{Date, Instant, Interval, Time, Timestamp, parse_uuid};
use connector_core::{BatchBuilder, DataType, Value};

use crate::system::array;

/// Pushes the value that `text` shows.
pub(crate) fn push(builder: &mut BatchBuilder, data_type: DataType, text: Option<&str>) {
    let Some(text) = text else {
        builder.push(Value::Null);
        return;
    };
    match data_type {
        DataType::Bool => builder.push(Value::Bool(text == "true")),
        DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            builder.push(Value::Int(text.parse().unwrap()));
        }
        DataType::Float32 => builder.push(Value::Float32(text.parse().unwrap())),
        DataType::Float64 => builder.push(Value::Float64(text.parse().unwrap())),
        DataType::Decimal(_) => builder.push_decimal(text).unwrap(),
        DataType::Text { .. } => builder.push(Value::Text(text)),
        DataType::Bytes => builder.push(Value::Bytes(&bytes(text))),
        DataType::Date => builder.push(Value::Date(Date::parse(text).unwrap())),
        DataType::Time => builder.push(Value::Time(Time::parse(text).unwrap())),
        DataType::Timestamp => builder.push(Value::Timestamp(Timestamp::parse(text).unwrap())),
        DataType::Instant => builder.push(Value::Instant(Instant::parse_iso(text).unwrap())),
        DataType::Interval => builder.push(Value::Interval(interval(text))),
        DataType::Uuid => builder.push(Value::Uuid(parse_uuid(text).unwrap())),
        DataType::Json => builder.push(Value::Json(text)),
        DataType::Array(_) => builder.push(Value::Array(array(text).as_array())),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// Months, days and microseconds, parted by spaces.
fn interval(text: &str) -> Interval {
    let mut parts = text.split(' ').map(|part| part.parse::<i64>().unwrap());
    let mut next = || parts.next().unwrap();
    Interval {
        months: i32::try_from(next()).unwrap(),
        days: i32::try_from(next()).unwrap(),
        micros: next(),
    }
}
