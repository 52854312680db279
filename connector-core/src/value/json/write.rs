//! A value as JSON text.

use std::fmt::Write;

use crate::value::Value;

/// Appends `value` as JSON.
///
/// Numbers become numbers with all their digits, bytes hexadecimal text, dates and times text. Null and unset become
/// `null`, the numbers that are none `"NaN"`, `"Infinity"` and `"-Infinity"`.
/// [`BatchBuilder::push_json`](crate::BatchBuilder::push_json) reads it back.
pub fn write_json(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Unset | Value::Null => out.push_str("null"),
        Value::Bool(_) | Value::Int(_) => write_plain(value, out),
        Value::Float32(number) if number.is_finite() => write_plain(value, out),
        Value::Float64(number) if number.is_finite() => write_plain(value, out),
        Value::Decimal(number) if number.is_finite() => write_plain(value, out),
        Value::Float32(number) if number.is_infinite() => write_infinity(number.is_sign_negative(), out),
        Value::Float64(number) if number.is_infinite() => write_infinity(number.is_sign_negative(), out),
        Value::Json(json) => out.push_str(json),
        Value::Text(text) => write_json_text(text, out),
        Value::Array(array) => {
            out.push('[');
            for (i, element) in array.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(&element, out);
            }
            out.push(']');
        }
        _ => {
            out.push('"');
            write_plain(value, out);
            out.push('"');
        }
    }
}

fn write_plain(value: &Value<'_>, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Spelt as decimals spell it; a float's own text is `inf`.
fn write_infinity(negative: bool, out: &mut String) {
    out.push_str(if negative { "\"-Infinity\"" } else { "\"Infinity\"" });
}

/// Appends `text` as a JSON string.
pub(crate) fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_escapes_are_those_of_json() {
        let text = "a\"b\\c\n\r\t\u{8}\u{c}\u{0}\u{1f}é🚀";
        let mut out = String::new();
        write_json(&Value::Text(text), &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).ok().as_deref(), Some(text));
    }
}
