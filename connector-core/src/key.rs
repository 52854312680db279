//! The name of one record.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::{Value, write_json};

/// What a record is known by: the canonical text of its key's value, or a JSON array of them where the key has
/// several fields.
///
/// Two systems that show the same key as text (`col::text` in PostgreSQL, a CSV cell at Salesforce) agree on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// A key whose text is known.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key made of `values`.
    pub fn from_values<'a>(values: impl IntoIterator<Item = Value<'a>>) -> Self {
        let mut values = values.into_iter();
        let first = values.next().map(|value| value.to_string()).unwrap_or_default();
        let Some(second) = values.next() else {
            return Self(first);
        };
        let mut text = String::from("[");
        write_json(&Value::Text(&first), &mut text);
        for value in std::iter::once(second).chain(values) {
            text.push(',');
            write_json(&Value::Text(&value.to_string()), &mut text);
        }
        text.push(']');
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_its_text_and_several_are_an_array() {
        assert_eq!(Key::from_values([Value::Text("00Q\"")]).as_str(), "00Q\"");
        assert_eq!(
            Key::from_values([Value::Int(4), Value::Text("a\"")]).as_str(),
            r#"["4","a\""]"#
        );
    }
}
