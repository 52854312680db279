//! One record, its fields found but not yet read.

use std::collections::HashMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of one record by their positions in the stream's table. Used again for each record of a page.
#[derive(Debug)]
pub(super) struct RawRecord<'de> {
    pub(super) known: Vec<Option<&'de RawValue>>,
    /// Fields that the table does not have, by name.
    pub(super) extra: Vec<(String, &'de RawValue)>,
}

impl<'de> RawRecord<'de> {
    pub(super) fn new(fields: usize) -> Self {
        Self {
            known: vec![None; fields],
            extra: Vec::new(),
        }
    }

    /// Finds the fields of `row`, whatever their order; a name that stands twice counts with its last value.
    pub(super) fn fill(
        &mut self,
        row: &'de RawValue,
        index: &HashMap<&str, usize>,
    ) -> serde_json::Result<()> {
        self.known.fill(None);
        self.extra.clear();
        serde_json::Deserializer::from_str(row.get()).deserialize_map(Fill { record: self, index })
    }
}

struct Fill<'r, 'de, 'i> {
    record: &'r mut RawRecord<'de>,
    index: &'i HashMap<&'i str, usize>,
}

impl<'de> Visitor<'de> for Fill<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name { index: self.index })? {
            let value: &'de RawValue = map.next_value()?;
            match name {
                Found::Known(position) => self.record.known[position] = Some(value),
                Found::Extra(name) => self.record.extra.push((name, value)),
            }
        }
        Ok(())
    }
}

/// Looks a name up while it is read, so that a known one is not copied.
struct Name<'i> {
    index: &'i HashMap<&'i str, usize>,
}

enum Found {
    Known(usize),
    Extra(String),
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Found, E> {
        Ok(self.index.get(name).map_or_else(
            || Found::Extra(name.to_owned()),
            |&position| Found::Known(position),
        ))
    }
}
