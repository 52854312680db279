//! A record as one JSON object.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::read::read_json;
use super::{write_json, write_json_text};
use crate::batch::{BatchBuilder, Op, Record};
use crate::error::{Error, ErrorKind, Result};
use crate::value::Value;

impl Record<'_> {
    /// Appends the record as one JSON object: its fields in the order of the schema, those unset left out.
    ///
    /// Each value is as [`write_json`](crate::value::write_json) writes it; a line break stands only inside the text of
    /// a `Json` field. [`BatchBuilder::push_json_record`] reads it back.
    pub fn write_json(&self, out: &mut String) {
        out.push('{');
        let mut first = true;
        for (field, value) in self.schema().fields().iter().zip(self.values()) {
            if matches!(value, Value::Unset) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            write_json_text(&field.name, out);
            out.push(':');
            write_json(&value, out);
        }
        out.push('}');
    }
}

impl BatchBuilder {
    /// Adds a whole record from one JSON object: keys in any order, each value as
    /// [`push_json`](Self::push_json) reads it. A field without a key is unset, `null` is null.
    ///
    /// The cells of an unfinished record are taken back first.
    ///
    /// # Errors
    /// [`Schema`](ErrorKind::Schema): a key is no field; the help names the nearest one. [`Data`](ErrorKind::Data): the
    /// text is no JSON object, a key stands twice, or a value is not of its field's type. Then the record is cancelled:
    /// its number, `next_sequence() - 1`, is used up. The error never holds a value.
    pub fn push_json_record(&mut self, json: &str, op: Op) -> Result<()> {
        self.begin_record();
        match self.read_object(json) {
            Ok(()) => {
                self.end_record(op);
                Ok(())
            }
            Err(error) => {
                self.cancel_record();
                Err(error)
            }
        }
    }

    fn read_object(&mut self, json: &str) -> Result<()> {
        let mut error = None;
        let mut reader = serde_json::Deserializer::from_str(json);
        let read = reader
            .deserialize_map(ObjectVisitor {
                builder: self,
                error: &mut error,
            })
            .and_then(|()| reader.end());
        let Err(cause) = read else { return Ok(()) };
        Err(error.unwrap_or_else(|| {
            let error = Error::new(ErrorKind::Data, "a record should be one JSON object, and is none");
            // A message about data shows it.
            if cause.is_data() {
                error
            } else {
                error.with_source(cause)
            }
        }))
    }

    fn set_json(&mut self, position: usize, raw: &RawValue) -> Result<()> {
        let to = self.schema().fields()[position].data_type;
        let mut scratch = std::mem::take(&mut self.scratch);
        let set = read_json(to, raw, &mut scratch).map(|value| self.set(position, value));
        self.scratch = scratch;
        set.map_err(|mismatch| mismatch.in_field(&self.schema().fields()[position]))
    }
}

/// Sets the cells; an error of ours is left in `error`, as the parser's own error type cannot carry it.
struct ObjectVisitor<'b> {
    builder: &'b mut BatchBuilder,
    error: &'b mut Option<Error>,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(found) = map.next_key_seed(Name {
            builder: self.builder,
            expected,
        })? {
            let set = found.and_then(|position| {
                if self.builder.is_set(position) {
                    let name = &self.builder.schema().fields()[position].name;
                    return Err(Error::new(
                        ErrorKind::Data,
                        format!("the field `{name}` stands twice in a record"),
                    ));
                }
                Ok(position)
            });
            let set = match set {
                Ok(position) => {
                    expected = position + 1;
                    self.builder.set_json(position, map.next_value()?)
                }
                Err(error) => Err(error),
            };
            if let Err(error) = set {
                *self.error = Some(error);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A key: the position of the field it names.
struct Name<'b> {
    builder: &'b BatchBuilder,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Result<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Result<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let position = self.builder.position(name, self.expected);
        Ok(position.ok_or_else(|| self.builder.schema().unknown_field(name)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::schema::{DataType, Field, Schema};

    fn builder() -> BatchBuilder {
        let fields = vec![
            Field::new("Id", DataType::TEXT),
            Field::new("LeadScore__c", DataType::decimal(18, 2)),
            Field::new("Extra \"", DataType::Json),
        ];
        BatchBuilder::new(Arc::new(Schema::new(fields, ["Id"]).unwrap()), 4)
    }

    #[test]
    fn keys_come_in_any_order_and_what_is_absent_is_unset() {
        let mut builder = builder();
        builder
            .push_json_record(
                r#" {"Extra \"": {"huge": 1e400}, "\u0049d": "a", "LeadScore__c": 12.50} "#,
                Op::Put,
            )
            .unwrap();
        builder
            .push_json_record(r#"{"LeadScore__c":null}"#, Op::Delete)
            .unwrap();
        builder.push_json_record("{}", Op::Put).unwrap();
        let batch = builder.finish();
        let json: Vec<String> = batch
            .records()
            .map(|record| {
                let mut json = String::new();
                record.write_json(&mut json);
                json
            })
            .collect();
        assert_eq!(
            json,
            [
                r#"{"Id":"a","LeadScore__c":12.50,"Extra \"":{"huge": 1e400}}"#,
                r#"{"LeadScore__c":null}"#,
                "{}"
            ]
        );
        assert_eq!(batch.get(1).map(|record| record.op()), Some(Op::Delete));
    }

    #[test]
    fn a_broken_record_is_cancelled_and_its_number_used_up() {
        let mut builder = builder();
        builder.push(Value::Text("unfinished"));
        for (json, wanted) in [
            (
                r#"{"Id":"x","Lead_Score_c":1}"#,
                "there is no field `Lead_Score_c`",
            ),
            (
                r#"{"Id":null,"Id":"x"}"#,
                "the field `Id` stands twice in a record",
            ),
            (
                r#"{"Id":"x","LeadScore__c":"abc"}"#,
                "the field `LeadScore__c` should be decimal(18,2), found text",
            ),
            (r#"{"Id":"x""#, "a record should be one JSON object, and is none"),
            (
                r#"{"Id":"x"} {}"#,
                "a record should be one JSON object, and is none",
            ),
            (r#"["secret"]"#, "a record should be one JSON object, and is none"),
        ] {
            let error = builder.push_json_record(json, Op::Put).unwrap_err();
            assert_eq!(error.to_string(), wanted, "{json}");
            assert!(!error.report().to_string().contains("secret"));
        }
        let error = builder
            .push_json_record(r#"{"Lead_Score_c":1}"#, Op::Put)
            .unwrap_err();
        assert_eq!(error.help(), Some("did you mean `LeadScore__c`?"));
        builder.push_json_record(r#"{"Id":"kept"}"#, Op::Put).unwrap();
        let batch = builder.finish();
        assert_eq!(batch.len(), 1);
        assert_eq!(batch.get(0).map(|record| record.sequence()), Some(4 + 7));
    }
}
