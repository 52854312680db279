//! A value from JSON text.

use serde_json::value::RawValue;

use crate::batch::BatchBuilder;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::DataType;
use crate::value::fit::{Scalar, Scratch, fit};
use crate::value::{Mismatch, Value};

impl BatchBuilder {
    /// Pushes the next cell from the text of one JSON value: what [`write_json`](crate::value::write_json) wrote of a
    /// value of the field's type comes back as it was.
    ///
    /// No integer and no decimal goes through a float: `1e3` is an integer and `1.0` too, a decimal keeps the scale it
    /// is written with and may also stand in text. A float is the nearest to its number. A number or a text that is
    /// larger than the field's type says is refused; whether the field may be null is not asked here. The text of a
    /// `Json` field is kept byte for byte, but for whitespace around it, and JSON's own `null` is null.
    ///
    /// # Errors
    /// [`Data`](ErrorKind::Data): the text is no JSON, or not of the field's type; nothing was pushed. The error names
    /// the field and the type, never the value. [`Bug`](ErrorKind::Bug): the record has all its cells already.
    pub fn push_json(&mut self, json: &str) -> Result<()> {
        let position = self.next_position();
        let Some(field) = self.schema().fields().get(position) else {
            return Err(Error::new(
                ErrorKind::Bug,
                "a record has more cells than its schema has fields",
            ));
        };
        let to = field.data_type;
        let raw = serde_json::from_str::<&RawValue>(json).map_err(|error| {
            Mismatch::new("what is no JSON value")
                .in_field(field)
                .with_source(error)
        })?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let pushed = read_json(to, raw, &mut scratch).map(|value| self.push(value));
        self.scratch = scratch;
        pushed.map_err(|mismatch| mismatch.in_field(&self.schema().fields()[position]))
    }
}

/// The value of type `to` that `raw` is.
pub(super) fn read_json<'s>(
    to: DataType,
    raw: &'s RawValue,
    scratch: &'s mut Scratch,
) -> Result<Value<'s>, Mismatch> {
    let text = raw.get();
    if let DataType::Array(element) = to
        && text.starts_with('[')
    {
        let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Mismatch::new("a list"))?;
        let mut elements = std::mem::take(&mut scratch.elements);
        elements.clear();
        for item in items {
            let value = read_one(element.data_type(), item.get(), scratch).map_err(Mismatch::in_list)?;
            elements.push(&value);
        }
        scratch.elements = elements;
        return Ok(Value::Array(scratch.elements.as_array()));
    }
    read_one(to, text, scratch)
}

/// The same for a single value; `json` is known to be one.
fn read_one<'s>(to: DataType, json: &'s str, scratch: &'s mut Scratch) -> Result<Value<'s>, Mismatch> {
    let Scratch {
        digits,
        unescaped,
        bytes,
        ..
    } = scratch;
    let scalar = match json.as_bytes() {
        b"null" => Scalar::Null,
        _ if to == DataType::Json => return Ok(Value::Json(json)),
        b"true" => Scalar::Bool(true),
        b"false" => Scalar::Bool(false),
        [b'[', ..] => return Err(Mismatch::new("a list")),
        [b'{', ..] => return Err(Mismatch::new("an object")),
        [b'"', text @ .., b'"'] if !text.contains(&b'\\') => Scalar::Text(&json[1..json.len() - 1]),
        [b'"', ..] => {
            *unescaped = serde_json::from_str(json).map_err(|_| Mismatch::new("text that is no Unicode"))?;
            Scalar::Text(unescaped)
        }
        _ => Scalar::Number(json),
    };
    fit(to, scalar, digits, bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::schema::{ElementType, Field, Schema};

    fn push(data_type: DataType, json: &str) -> Result<String, String> {
        let schema = Schema::new(vec![Field::new("it", data_type)], []).unwrap();
        let mut builder = BatchBuilder::new(Arc::new(schema), 0);
        builder.push_json(json).map_err(|error| error.to_string())?;
        builder.end_record(crate::Op::Put);
        let batch = builder.finish();
        Ok(format!("{:?}", batch.get(0).unwrap().value(0)))
    }

    #[test]
    fn numbers_are_read_from_their_digits() {
        for (data_type, json, wanted) in [
            (DataType::Int64, "9223372036854775807", "Int(9223372036854775807)"),
            (DataType::Int64, " -1.50e1 ", "Int(-15)"),
            (DataType::Int16, "1.0", "Int(1)"),
            (
                DataType::Decimal(None),
                "9007199254740993.10",
                "Decimal(9007199254740993.10)",
            ),
            (DataType::Decimal(None), "1.5E-3", "Decimal(0.0015)"),
            (DataType::Decimal(None), "\"12.50\"", "Decimal(12.50)"),
            (DataType::decimal(4, 2), "12.3400", "Decimal(12.3400)"),
            (DataType::Decimal(None), "\"-Infinity\"", "Decimal(-Infinity)"),
            (DataType::Float64, "-0", "Float64(-0.0)"),
            (DataType::Float64, "\"NaN\"", "Float64(NaN)"),
            (DataType::Float32, "\"Infinity\"", "Float32(inf)"),
        ] {
            assert_eq!(push(data_type, json).as_deref(), Ok(wanted), "{json}");
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_the_type_and_never_the_value() {
        for (data_type, json, wanted) in [
            (
                DataType::decimal(18, 2),
                "\"secret\"",
                "decimal(18,2), found text",
            ),
            (
                DataType::decimal(4, 2),
                "123.4",
                "decimal(4,2), found a number with more digits",
            ),
            (DataType::Int16, "32768", "int16, found a number out of range"),
            (DataType::Int64, "1e400", "int64, found a number out of range"),
            (DataType::Int64, "1.5", "int64, found a number with a fraction"),
            (DataType::Float64, "1e400", "float64, found a number out of range"),
            (DataType::TEXT, "7", "text, found a number"),
            (
                DataType::TEXT,
                "\"\\ud800\"",
                "text, found text that is no Unicode",
            ),
            (
                DataType::Text { max_chars: Some(2) },
                "\"äöü\"",
                "text(2), found longer text",
            ),
            (DataType::Date, "\"2024-02-30\"", "date, found other text"),
            (DataType::Bytes, "\"0\"", "bytes, found other text"),
            (DataType::Bool, "0", "bool, found a number"),
            (DataType::Json, "{", "json, found what is no JSON value"),
            (DataType::TEXT, "\"a\" 1", "text, found what is no JSON value"),
            (
                DataType::Array(ElementType::Int16),
                "[1,\"x\"]",
                "int16[], found a list with text in it",
            ),
            (
                DataType::Array(ElementType::Json),
                "{}",
                "json[], found an object",
            ),
        ] {
            assert_eq!(
                push(data_type, json),
                Err(format!("the field `it` should be {wanted}")),
                "{json}"
            );
        }
    }

    #[test]
    fn json_is_kept_as_it_is_written() {
        assert_eq!(
            push(DataType::Json, " {\"b\": 1e400,\n \"a\":1.0, \"a\":\"\\ud800\"} ").as_deref(),
            Ok("Json(\"{\\\"b\\\": 1e400,\\n \\\"a\\\":1.0, \\\"a\\\":\\\"\\\\ud800\\\"}\")")
        );
        assert_eq!(push(DataType::Json, "null").as_deref(), Ok("Null"));
    }

    #[test]
    fn a_cell_too_many_is_refused() {
        let schema = Arc::new(Schema::new(vec![Field::new("it", DataType::Bool)], []).unwrap());
        let mut builder = BatchBuilder::new(schema, 0);
        builder.push_json("true").unwrap();
        assert_eq!(builder.push_json("true").unwrap_err().kind(), ErrorKind::Bug);
    }
}
