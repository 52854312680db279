//! What the org makes of a value that is written to a field.

use super::decimal::Decimal;
use super::error::RowError;
use super::field::{Field, FieldType};
use super::id;
use super::json_in::Input;
use super::timestamp;
use super::value::FieldValue;

/// The value as it is stored, or why it is refused.
pub(super) fn coerce(field: &Field, input: &Input) -> Result<FieldValue, RowError> {
    let text = match input {
        Input::Null => return missing_or_null(field),
        Input::Text(text) if text.is_empty() => return missing_or_null(field),
        Input::Bool(value) if field.kind == FieldType::Boolean => return Ok(FieldValue::Bool(*value)),
        Input::Nested(raw) if field.kind == FieldType::Complex => {
            return Ok(FieldValue::Json(raw.get().to_owned().into()));
        }
        Input::Number(text) if field.kind == FieldType::Any => return Ok(FieldValue::number(text.clone())),
        Input::Bool(value) if field.kind == FieldType::Any => return Ok(FieldValue::Bool(*value)),
        Input::Text(text) | Input::Number(text) => text,
        Input::Bool(_) | Input::Nested(_) => return Err(wrong_type(field, "")),
    };
    match field.kind {
        FieldType::Int | FieldType::Long | FieldType::Double => number(field, text),
        FieldType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" => Ok(FieldValue::Bool(true)),
            "false" | "0" | "no" | "n" | "off" => Ok(FieldValue::Bool(false)),
            _ => Err(wrong_type(field, text)),
        },
        FieldType::DateTime => timestamp::parse(text)
            .map(|micros| FieldValue::DateTime(timestamp::whole_second(micros)))
            .ok_or_else(|| wrong_type(field, text)),
        FieldType::Date => timestamp::parse_date(text)
            .map(|_| text.as_str().into())
            .ok_or_else(|| wrong_type(field, text)),
        FieldType::Id | FieldType::Reference => id::normalize(text).map(FieldValue::from).ok_or_else(|| {
            let message = format!("{}: id value of incorrect type: {text}", field.name);
            RowError::new("MALFORMED_ID", message, &[&field.name])
        }),
        FieldType::Time => timestamp::parse_time(text)
            .map(FieldValue::from)
            .ok_or_else(|| wrong_type(field, text)),
        FieldType::Address | FieldType::Location | FieldType::Complex => Err(wrong_type(field, text)),
        FieldType::Any => Ok(text.as_str().into()),
        FieldType::Text
        | FieldType::Email
        | FieldType::Picklist
        | FieldType::MultiPicklist
        | FieldType::Encrypted
        | FieldType::Base64 => string(field, text),
    }
}

fn missing_or_null(field: &Field) -> Result<FieldValue, RowError> {
    if field.nillable {
        return Ok(FieldValue::Null);
    }
    let message = format!("Required fields are missing: [{}]", field.name);
    Err(RowError::new("REQUIRED_FIELD_MISSING", message, &[&field.name]))
}

fn wrong_type(field: &Field, text: &str) -> RowError {
    let message = format!("{}: value not of required type: {text}", field.name);
    RowError::new("INVALID_TYPE_ON_FIELD_IN_RECORD", message, &[&field.name])
}

fn number(field: &Field, text: &str) -> Result<FieldValue, RowError> {
    let parsed = Decimal::parse(text.trim()).ok_or_else(|| wrong_type(field, text))?;
    let whole = field.kind != FieldType::Double;
    if whole && !parsed.is_whole() {
        return Err(wrong_type(field, text));
    }
    let (scale, places) = if whole {
        (0, field.digits)
    } else {
        (field.scale, field.precision - field.scale)
    };
    let rounded = parsed.round(scale);
    if rounded.whole_digits() > places {
        let message = format!(
            "{}: value outside of valid range on numeric field: {text}",
            field.name
        );
        return Err(RowError::new(
            "NUMBER_OUTSIDE_VALID_RANGE",
            message,
            &[&field.name],
        ));
    }
    Ok(FieldValue::number(rounded.plain()))
}

fn string(field: &Field, text: &str) -> Result<FieldValue, RowError> {
    if text.chars().count() > field.length {
        let message = format!(
            "{}: data value too large: {text} (max length={})",
            field.name, field.length
        );
        return Err(RowError::new("STRING_TOO_LONG", message, &[&field.name]));
    }
    let offered = |value: &str| field.choices.iter().any(|choice| choice == value);
    let every = if field.kind == FieldType::MultiPicklist {
        text.split(';').all(offered)
    } else {
        offered(text)
    };
    if field.restricted_picklist && !every {
        let message = format!("{}: bad value for restricted picklist field: {text}", field.name);
        return Err(RowError::new(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            message,
            &[&field.name],
        ));
    }
    let is_address = |text: &str| {
        text.split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    };
    if field.kind == FieldType::Email && (!is_address(text) || text.contains(char::is_whitespace)) {
        let message = format!("{}: invalid email address: {text}", field.name);
        return Err(RowError::new("INVALID_EMAIL_ADDRESS", message, &[&field.name]));
    }
    Ok(text.into())
}
