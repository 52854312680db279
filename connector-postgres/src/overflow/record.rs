//! A folded record, seen as it was.

use std::collections::BTreeMap;

use bytes::BytesMut;
use connector_core::value::write_json;
use connector_core::{Fold, Record, Value};
use serde_json::value::RawValue;

use super::Overflow;
use crate::copy::{Text, encode_cell};
use crate::types::PgType;

type Object = BTreeMap<String, Box<RawValue>>;

/// The values by name that a folded field holds, null where a patch says so.
fn members(json: &str) -> Object {
    let object = |json: &str| serde_json::from_str::<Object>(json).unwrap_or_default();
    if !Fold::is_patch(json) {
        return object(json);
    }
    let patch = object(json).remove("").map(|patch| object(patch.get()));
    let member = |(name, list): (String, Box<RawValue>)| {
        let mut list: Vec<Box<RawValue>> = serde_json::from_str(list.get()).unwrap_or_default();
        (name, list.pop().unwrap_or_else(|| RawValue::NULL.to_owned()))
    };
    patch.unwrap_or_default().into_iter().map(member).collect()
}

impl Overflow {
    /// Appends the record that a folded one was, as one JSON object: what is unset is left out.
    pub(crate) fn write_unfolded(&self, record: &Record<'_>, out: &mut String) {
        out.push('{');
        let start = out.len();
        let add = |name: &str, value: &dyn Fn(&mut String), out: &mut String| {
            if out.len() > start {
                out.push(',');
            }
            write_json(&Value::Text(name), out);
            out.push(':');
            value(out);
        };
        let last = record.schema().fields().len() - 1;
        for (field, value) in record.schema().fields().iter().zip(record.values()).take(last) {
            if !matches!(value, Value::Unset) {
                add(&field.name, &|out| write_json(&value, out), out);
            }
        }
        let (members, is_whole) = match record.value(last) {
            Value::Json(json) => (members(json), !Fold::is_patch(json)),
            value => (Object::new(), value == Value::Null),
        };
        for (name, _) in &self.folded {
            match members.get(name) {
                Some(value) => add(name, &|out| out.push_str(value.get()), out),
                None if is_whole => add(name, &|out| out.push_str("null"), out),
                None => {}
            }
        }
        out.push('}');
    }

    /// The folded fields of a record of which PostgreSQL takes no value.
    pub(crate) fn refused_fields(&self, value: &Value<'_>) -> Vec<String> {
        let Value::Json(json) = value else {
            return Vec::new();
        };
        let is_refused = |value: &RawValue| {
            encode_cell(
                &Value::Json(value.get()),
                &PgType::Jsonb,
                Text::Unchecked,
                &mut BytesMut::new(),
            )
            .is_err()
        };
        let members = members(json).into_iter();
        members
            .filter(|(_, value)| is_refused(value))
            .map(|(name, _)| name)
            .collect()
    }
}
