//! From a cell's text to a value in a batch: the same for a CSV cell and a JSON scalar.

use connector_core::value::{Date, Instant, ParseError, Time};
use connector_core::{BatchBuilder, DataType, Decimal, Value};

/// Pushes `text` as a value of `data_type`.
///
/// # Errors
/// The text is no such value; nothing was pushed.
#[inline]
pub(crate) fn push(builder: &mut BatchBuilder, data_type: DataType, text: &str) -> Result<(), ParseError> {
    // Each is pushed where its kind is known: the most frequent things happen in one jump.
    match data_type {
        DataType::Text { .. } => builder.push(Value::Text(text)),
        DataType::Bool => builder.push(Value::Bool(boolean(text)?)),
        DataType::Instant => builder.push(Value::Instant(Instant::parse_iso(text)?)),
        DataType::Decimal(_) => return builder.push_decimal(text),
        _ => builder.push(rare(data_type, text)?),
    }
    Ok(())
}

fn rare(data_type: DataType, text: &str) -> Result<Value<'_>, ParseError> {
    Ok(match data_type {
        DataType::Int16 | DataType::Int32 => Value::Int(
            integer(text)
                .filter(|number| i32::try_from(*number).is_ok())
                .ok_or(ParseError::new("a whole number of 32 bits"))?,
        ),
        DataType::Int64 => Value::Int(integer(text).ok_or(ParseError::new("a whole number of 64 bits"))?),
        DataType::Date => Value::Date(Date::parse(text)?),
        DataType::Time => Value::Time(Time::parse(text)?),
        DataType::Json => match serde_json::from_str::<&serde_json::value::RawValue>(text) {
            Ok(_) => Value::Json(text),
            Err(_) => return Err(ParseError::new("a JSON value")),
        },
        // `types::data_type` makes none of the other types.
        _ => Value::Text(text),
    })
}

/// `true` or `false`, in whatever case.
pub(crate) fn boolean(text: &str) -> Result<bool, ParseError> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(ParseError::new("true or false")),
    }
}

/// Bulk answers show some whole numbers as `250.0` or `1E3`.
fn integer(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .or_else(|| Decimal::parse(text, &mut String::new()).ok()?.to_i64())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connector_core::{Field, Op, Schema};

    use super::*;

    fn read(data_type: DataType, text: &str) -> Option<String> {
        let schema = Arc::new(Schema::new(vec![Field::new("F", data_type)], []).unwrap());
        let mut builder = BatchBuilder::new(schema, 0);
        push(&mut builder, data_type, text).ok()?;
        builder.end_record(Op::Put);
        Some(builder.finish().get(0).unwrap().value(0).to_string())
    }

    #[test]
    fn the_forms_seen_in_the_wild_are_read() {
        for (data_type, text, wanted) in [
            (DataType::Int32, "250.0", "250"),
            (DataType::Int32, "1E3", "1000"),
            (DataType::Int64, "-9007199254740993", "-9007199254740993"),
            (DataType::Decimal(None), "9.5E8", "950000000"),
            (
                DataType::decimal(18, 2),
                "1234567890123456.78",
                "1234567890123456.78",
            ),
            (
                DataType::Instant,
                "2020-10-22T21:03:23.000+0000",
                "2020-10-22T21:03:23Z",
            ),
            (
                DataType::Instant,
                "2020-10-22T21:03:23.000Z",
                "2020-10-22T21:03:23Z",
            ),
            (DataType::Time, "09:30:00.000Z", "09:30:00"),
            (DataType::Date, "2020-02-29", "2020-02-29"),
            (DataType::Bool, "TRUE", "true"),
            (DataType::Json, "{\"a\":1}", "{\"a\":1}"),
        ] {
            assert_eq!(read(data_type, text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_value_is_refused() {
        for (data_type, text) in [
            (DataType::Int32, "0.5"),
            (DataType::Int32, "3000000000"),
            (DataType::Bool, "yes"),
            (DataType::Date, "2020-02-30"),
            (DataType::Decimal(None), "12,5"),
            (DataType::Json, "{"),
        ] {
            assert_eq!(read(data_type, text), None, "{text}");
        }
    }
}
