//! One JSON value as one cell.

use std::borrow::Cow;

use connector_core::value::{Instant, ParseError};
use connector_core::{BatchBuilder, Decimal, Value};

use crate::types::FieldType;

/// Pushes the JSON text `raw` as a cell of type `kind`; see [`FieldType`] for what is taken.
///
/// # Errors
/// It cannot be one; nothing was pushed.
pub(super) fn push(kind: FieldType, raw: &str, into: &mut BatchBuilder) -> Result<(), ParseError> {
    if raw == "null" {
        into.push(Value::Null);
        return Ok(());
    }
    if kind == FieldType::Json {
        into.push(Value::Json(raw));
        return Ok(());
    }
    let text = text_of(raw)?;
    if kind == FieldType::Text {
        into.push(Value::Text(&text));
        return Ok(());
    }
    let text = text.trim();
    // PHP makes an empty array of whatever is empty.
    if text.is_empty() || raw == "[]" || raw == "{}" {
        into.push(Value::Null);
        return Ok(());
    }
    match kind {
        FieldType::Decimal => into.push_decimal(text)?,
        FieldType::Integer => into.push(Value::Int(integer(text)?)),
        FieldType::Boolean => into.push(Value::Bool(boolean(text)?)),
        FieldType::Instant => into.push(Value::Instant(Instant::parse_any(text)?)),
        FieldType::Text | FieldType::Json => {}
    }
    Ok(())
}

/// The whole number that `text` is.
pub(super) fn integer(text: &str) -> Result<i64, ParseError> {
    const WANTED: ParseError = ParseError::new("a whole number of 64 bits");
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let mut scratch = String::new();
    let decimal = Decimal::parse(text, &mut scratch).map_err(|_| WANTED)?;
    decimal.to_i64().ok_or(WANTED)
}

/// The truth value that `text` is.
pub(super) fn boolean(text: &str) -> Result<bool, ParseError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(ParseError::new("true or false")),
    }
}

/// What a JSON string says; anything else, as it stands.
pub(super) fn text_of(raw: &str) -> Result<Cow<'_, str>, ParseError> {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Ok(Cow::Borrowed(raw));
    };
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    // Half of a pair of surrogates is what can be wrong with a string that was found whole.
    serde_json::from_str(raw)
        .map(Cow::Owned)
        .map_err(|_| ParseError::new("text of whole characters"))
}
