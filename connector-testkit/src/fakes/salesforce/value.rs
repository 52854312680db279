//! The value of a field, exact.

use std::borrow::Cow;

use super::decimal;
use super::field::{Field, FieldType};
use super::timestamp;

/// The value of one field of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// No value; Salesforce knows no empty text.
    Null,
    /// A checkbox.
    Bool(bool),
    /// A number as plain decimal text without needless zeros, such as `-1234567890123456.78`.
    Number(Cow<'static, str>),
    /// A text, an id, a picklist's value, or a date as `YYYY-MM-DD`.
    Text(Cow<'static, str>),
    /// An instant, in microseconds since 1970-01-01T00:00:00Z; always a whole second.
    DateTime(i64),
    /// The parts of a compound field such as `Address`, in the order of REST.
    Compound(Vec<(&'static str, FieldValue)>),
    /// JSON of whatever shape, as its text: the value of a `complexvalue`.
    Json(Cow<'static, str>),
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(Cow::Owned(text.to_owned()))
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl FieldValue {
    /// A number from its decimal text.
    pub fn number(text: impl Into<String>) -> Self {
        Self::Number(Cow::Owned(text.into()))
    }

    /// The value as text: numbers in plain notation, instants as REST shows them; `None` for null and compounds.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null | Self::Compound(_) => None,
            Self::Json(text) => Some(text.clone().into_owned()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(text) | Self::Text(text) => Some(text.clone().into_owned()),
            Self::DateTime(micros) => Some(timestamp::rest(*micros)),
        }
    }

    /// The value as JSON with numbers as *texts*, so that none passes through a float.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => serde_json::Value::Bool(*value),
            Self::Compound(parts) => parts
                .iter()
                .map(|(name, part)| ((*name).to_owned(), part.to_json()))
                .collect(),
            Self::Json(text) => serde_json::from_str(text).unwrap_or_default(),
            Self::Number(_) | Self::Text(_) | Self::DateTime(_) => self.text().into(),
        }
    }

    /// Whether this is [`FieldValue::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Appends the JSON of REST; a number's form depends on the field.
    pub(super) fn write_json(&self, kind: FieldType, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Json(text) => out.extend_from_slice(text.as_bytes()),
            Self::Number(text) if matches!(kind, FieldType::Int | FieldType::Long) => {
                out.extend_from_slice(text.as_bytes())
            }
            Self::Number(text) => decimal::write_double(out, text),
            Self::Text(text) => write_json_text(text, out),
            Self::DateTime(micros) => {
                out.push(b'"');
                timestamp::write_rest(out, *micros);
                out.push(b'"');
            }
            Self::Compound(parts) => {
                for (place, (name, part)) in parts.iter().enumerate() {
                    out.push(if place == 0 { b'{' } else { b',' });
                    write_json_text(name, out);
                    out.push(b':');
                    part.write_json(FieldType::Double, out);
                }
                out.push(b'}');
            }
        }
    }

    /// Appends the Bulk CSV cell's content, always quoted. `odd` rows show whole numbers as `250.0`, as some orgs do.
    pub(super) fn write_csv(&self, field: &Field, odd: bool, out: &mut Vec<u8>) {
        out.push(b'"');
        match self {
            Self::Null | Self::Compound(_) => {}
            Self::Json(text) => write_doubled(text.as_bytes(), out),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Number(text) if field.kind == FieldType::Double => decimal::write_scientific(out, text),
            Self::Number(text) if odd && field.kind == FieldType::Int => decimal::write_double(out, text),
            Self::Number(text) => out.extend_from_slice(text.as_bytes()),
            Self::Text(text) => write_doubled(text.as_bytes(), out),
            Self::DateTime(micros) => timestamp::write_bulk(out, *micros),
        }
        out.push(b'"');
    }
}

/// Appends `text` as a JSON string.
pub(super) fn write_json_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends `bytes` with every quote doubled.
pub(super) fn write_doubled(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(place) = rest.iter().position(|&byte| byte == b'"') {
        out.extend_from_slice(&rest[..=place]);
        out.push(b'"');
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
}
