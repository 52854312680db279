//! JSON: what is written is valid, and says what was to be written; whatever is read is kept, or refused as a whole.

use std::sync::{Arc, LazyLock};

use connector_core::value::{ArrayBuf, write_json};
use connector_core::{Batch, BatchBuilder, DataType, Decimal, ElementType, Field, Key, Op, Schema, Value};
use serde_json::value::RawValue;

pub(crate) fn check(data: &[u8]) {
    numbers_are_written(data);
    assert_eq!(from_json::<String>(&json(&Value::Bytes(data))), hexadecimal(data));
    if let Ok(text) = std::str::from_utf8(data) {
        text_is_written(text);
        records_are_read(text);
    }
}

/// A field of every type, by names of one letter.
static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let types = [
        DataType::Bool,
        DataType::Int16,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal(None),
        DataType::decimal(18, 2),
        DataType::TEXT,
        DataType::Text { max_chars: Some(3) },
        DataType::Bytes,
        DataType::Date,
        DataType::Time,
        DataType::Timestamp,
        DataType::Instant,
        DataType::Interval,
        DataType::Uuid,
        DataType::Json,
        DataType::Array(ElementType::Text),
        DataType::Array(ElementType::Decimal),
        DataType::Array(ElementType::Instant),
        DataType::Array(ElementType::Json),
    ];
    let fields = ('a'..)
        .zip(types)
        .map(|(name, data_type)| Field::new(name, data_type));
    Arc::new(Schema::new(fields.collect(), []).unwrap())
});

/// Reads `text` as a record, and as each field's value: what is taken reads back from what it is written as.
fn records_are_read(text: &str) {
    let mut builder = BatchBuilder::new(Arc::clone(&SCHEMA), 0);
    let taken = builder.push_json_record(text, Op::Put).is_ok();
    let batch = builder.finish();
    assert_eq!(batch.len(), usize::from(taken));
    reads_back(&batch);
    let mut builder = BatchBuilder::new(Arc::clone(&SCHEMA), 0);
    for _ in SCHEMA.fields() {
        if builder.push_json(text).is_err() {
            builder.push(Value::Null);
        }
    }
    builder.end_record(Op::Put);
    reads_back(&builder.finish());
}

fn reads_back(batch: &Batch) {
    for record in batch.records() {
        let mut written = String::new();
        record.write_json(&mut written);
        let mut builder = BatchBuilder::new(Arc::clone(&SCHEMA), 0);
        builder.push_json_record(&written, Op::Put).unwrap();
        let again = builder.finish();
        for (kept, wanted) in again.get(0).unwrap().values().zip(record.values()) {
            assert_eq!(format!("{kept:?}"), format!("{wanted:?}"));
        }
    }
}

fn numbers_are_written(data: &[u8]) {
    if let Some((bits, _)) = data.split_first_chunk::<8>() {
        let number = f64::from_le_bytes(*bits);
        let written = json(&Value::Float64(number));
        if number.is_finite() {
            from_json::<&RawValue>(&written);
            assert_eq!(written.parse::<f64>().map(f64::to_bits), Ok(number.to_bits()));
        } else {
            from_json::<String>(&written);
        }
        let integer = i64::from_le_bytes(*bits);
        assert_eq!(from_json::<i64>(&json(&Value::Int(integer))), integer);
    }
    if let Some((bits, _)) = data.split_first_chunk::<4>() {
        let number = f32::from_le_bytes(*bits);
        let written = json(&Value::Float32(number));
        if number.is_finite() {
            from_json::<&RawValue>(&written);
            assert_eq!(written.parse::<f32>().map(f32::to_bits), Ok(number.to_bits()));
        } else {
            from_json::<String>(&written);
        }
    }
}

fn text_is_written(text: &str) {
    assert_eq!(from_json::<String>(&json(&Value::Text(text))), text);
    let parts: Vec<&str> = text.split('|').collect();
    let mut array = ArrayBuf::new();
    for part in &parts {
        array.push(&Value::Text(part));
    }
    let written = json(&Value::Array(array.as_array()));
    assert_eq!(from_json::<Vec<String>>(&written), parts);
    let key = Key::from_values(parts.iter().map(|part| Value::Text(part)));
    if parts.len() == 1 {
        assert_eq!(key.as_str(), text);
    } else {
        assert_eq!(key.as_str(), written);
    }
    let mut scratch = String::new();
    if let Ok(number) = Decimal::parse(text, &mut scratch) {
        let written = json(&Value::Decimal(number));
        from_json::<&RawValue>(&written);
        assert_eq!(written.trim_matches('"'), number.to_string());
    }
}

fn json(value: &Value<'_>) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn from_json<'a, T: serde::Deserialize<'a>>(json: &'a str) -> T {
    serde_json::from_str(json).unwrap()
}

fn hexadecimal(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}
