//! Reading a client's JSON without passing a number through a float.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value as a client sent it, in JSON or in a CSV cell.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Null,
    Bool(bool),
    /// The number's own text.
    Number(String),
    Text(String),
    /// An object or a list.
    Nested(Box<RawValue>),
}

impl Input {
    fn new(raw: &RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(serde_json::from_str(text).unwrap_or_default()),
            Some(b'{' | b'[') => Self::Nested(raw.to_owned()),
            _ => Self::Number(text.to_owned()),
        }
    }
}

/// The members of an object in order, doubles included.
#[derive(Debug, Default)]
pub(super) struct Members(pub(super) Vec<(String, Input)>);

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&Input> {
        self.0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyObject;

        impl<'de> Visitor<'de> for AnyObject {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    members.push((name, Input::new(&value)));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(AnyObject)
    }
}
