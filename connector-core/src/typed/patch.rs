//! A field of a type that keeps unset, null and a value apart.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The unit struct that stands for an unset cell: our own serializer knows it, every other one writes null.
pub(super) const UNSET: &str = "$connector_core::Unset";

/// A field of a program's type that keeps *unset*, *null* and a value apart, as records do.
///
/// It needs `#[serde(default)]`, so that an unset cell, which a record leaves out, becomes `Unset`. An
/// [`Unset`](Self::Unset) becomes an unset cell again, and null where something else than a record is written.
///
/// ```
/// use connector_core::{Patch, Record, Result};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Lead {
///     #[serde(rename = "Id")]
///     id: String,
///     #[serde(rename = "Phone", default)]
///     phone: Patch<String>,
/// }
///
/// fn said(record: &Record<'_>) -> Result<&'static str> {
///     Ok(match record.deserialize::<Lead>()?.phone {
///         Patch::Unset => "nothing about the phone",
///         Patch::Null => "no phone",
///         Patch::Set(_) => "a phone",
///     })
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// Nothing is said about the field: the other side keeps its value.
    #[default]
    Unset,
    /// The field is empty: the other side clears its value.
    Null,
    /// The field has this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether nothing is said; for `#[serde(skip_serializing_if = "Patch::is_unset")]` towards other formats.
    pub const fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }

    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset | Self::Null => None,
        }
    }
}

impl<T> From<Option<T>> for Patch<T> {
    /// `None` is null, as it is in a field without a `Patch`.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Set)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset => serializer.serialize_unit_struct(UNSET),
            Self::Null => serializer.serialize_none(),
            Self::Set(value) => serializer.serialize_some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_see_null_or_nothing() {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct Both {
            #[serde(default)]
            a: Patch<i32>,
            #[serde(default, skip_serializing_if = "Patch::is_unset")]
            b: Patch<i32>,
        }
        let json = |a, b| serde_json::to_string(&Both { a, b }).unwrap();
        assert_eq!(json(Patch::Unset, Patch::Unset), r#"{"a":null}"#);
        assert_eq!(json(Patch::Set(1), Patch::Null), r#"{"a":1,"b":null}"#);
        assert_eq!(
            serde_json::from_str::<Both>(r#"{"b":null}"#).unwrap(),
            Both {
                a: Patch::Unset,
                b: Patch::Null
            }
        );
    }
}
