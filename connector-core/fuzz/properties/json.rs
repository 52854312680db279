//! JSON: what is written is valid, and says what was to be written.

use connector_core::value::{ArrayBuf, write_json};
use connector_core::{Decimal, Key, Value};
use serde_json::value::RawValue;

pub(crate) fn check(data: &[u8]) {
    numbers_are_written(data);
    assert_eq!(from_json::<String>(&json(&Value::Bytes(data))), hexadecimal(data));
    if let Ok(text) = std::str::from_utf8(data) {
        text_is_written(text);
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
