//! Records of a stream, pushed into batches.

use std::collections::HashMap;

use connector_core::value::{Instant, ParseError};
use connector_core::{BatchBuilder, Key, Op, Rejection, Result, Schema, Value};
use serde_json::value::RawValue;

use super::cell::{boolean, integer, push, text_of};
use super::record::RawRecord;
use crate::streams::{EXTRA, Pass, StreamDef};

/// Turns the records of one stream into rows of one schema.
#[derive(Debug)]
pub(crate) struct Decoder {
    stream: &'static StreamDef,
    index: HashMap<&'static str, usize>,
    columns: Vec<Source>,
    key: Option<usize>,
    cursor: Option<usize>,
}

/// Where a column comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Field(usize),
    Extra,
}

/// What was seen of one record.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its key, where it has one that can be read.
    pub(crate) id: Option<i64>,
    /// When it was changed last.
    pub(crate) changed: Option<Instant>,
    pub(crate) fate: Fate,
}

/// What became of one record.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is in the batch.
    Pushed,
    /// Another pass has it.
    Elsewhere,
    /// It could not be made into a row.
    Rejected(Rejection),
}

impl Decoder {
    /// A decoder for the fields of `schema`, which were chosen from those of `stream`.
    pub(crate) fn new(stream: &'static StreamDef, schema: &Schema) -> Result<Self> {
        let index = stream
            .fields
            .iter()
            .enumerate()
            .map(|(position, field)| (field.name, position))
            .collect();
        let columns = schema
            .fields()
            .iter()
            .map(|field| match stream.position(&field.name) {
                Some(position) => Ok(Source::Field(position)),
                None if field.name == EXTRA => Ok(Source::Extra),
                None => Err(schema.unknown_field(&field.name)),
            });
        Ok(Self {
            stream,
            index,
            columns: columns.collect::<Result<_>>()?,
            key: stream.position(stream.key),
            cursor: stream.position(stream.cursor),
        })
    }

    /// Pushes each of `rows` and says what became of it. A record that cannot be a row costs no other one.
    pub(crate) fn decode<'de>(
        &self,
        rows: &[&'de RawValue],
        pass: &Pass,
        into: &mut BatchBuilder,
        mut seen: impl FnMut(&mut BatchBuilder, Row),
    ) {
        let mut record: RawRecord<'de> = RawRecord::new(self.stream.fields.len());
        for row in rows {
            let row = match record.fill(row, &self.index) {
                Ok(()) => self.row(&record, pass, into),
                Err(_) => {
                    let rejection =
                        Rejection::new(into.cancel_record(), None, "bad_value", "the record is no object");
                    Row {
                        id: None,
                        changed: None,
                        fate: Fate::Rejected(rejection),
                    }
                }
            };
            seen(into, row);
        }
    }

    fn row(&self, record: &RawRecord<'_>, pass: &Pass, into: &mut BatchBuilder) -> Row {
        let text = |position: Option<usize>| {
            let raw = record.known[position?]?;
            text_of(raw.get()).ok()
        };
        let id = text(self.key).and_then(|text| integer(text.trim()).ok());
        let changed = text(self.cursor).and_then(|text| Instant::parse_any(&text).ok());
        let fate = if let Some((field, wanted)) = pass.keeps
            && text(self.stream.position(field)).is_some_and(|text| boolean(&text).unwrap_or_default())
                != wanted
        {
            Fate::Elsewhere
        } else {
            self.push(record, id, into)
        };
        Row { id, changed, fate }
    }

    fn push(&self, record: &RawRecord<'_>, id: Option<i64>, into: &mut BatchBuilder) -> Fate {
        let key = id.map(|id| Key::new(id.to_string()));
        let refused = |into: &mut BatchBuilder, field: &str, error: ParseError| {
            let message = format!("the field `{field}` is {error}");
            Fate::Rejected(
                Rejection::new(into.cancel_record(), key.clone(), "bad_value", message).with_field(field),
            )
        };
        if id.is_none() {
            return refused(
                into,
                self.stream.key,
                ParseError::new("a whole number of 64 bits"),
            );
        }
        for column in &self.columns {
            match *column {
                Source::Extra => push_extra(record, into),
                Source::Field(position) => match record.known[position] {
                    None => into.push(Value::Null),
                    Some(raw) => {
                        let field = &self.stream.fields[position];
                        if let Err(error) = push(field.kind, raw.get(), into) {
                            return refused(into, field.name, error);
                        }
                    }
                },
            }
        }
        into.end_record(Op::Put);
        Fate::Pushed
    }
}

/// The fields that no column is for, as one JSON object.
fn push_extra(record: &RawRecord<'_>, into: &mut BatchBuilder) {
    if record.extra.is_empty() {
        into.push(Value::Null);
        return;
    }
    let mut json = String::from("{");
    for (name, value) in &record.extra {
        if json.len() > 1 {
            json.push(',');
        }
        connector_core::value::write_json(&Value::Text(name), &mut json);
        json.push(':');
        json.push_str(value.get());
    }
    json.push('}');
    into.push(Value::Json(&json));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connector_core::{Batch, Selection};

    use super::*;
    use crate::streams::find;

    fn decode(stream: &str, pass: usize, fields: &[&str], page: &str) -> (Batch, Vec<Row>) {
        let stream = find(&Selection::stream(stream)).unwrap();
        let schema = stream.schema().unwrap();
        let schema = if fields.is_empty() {
            schema
        } else {
            schema.select(fields).unwrap()
        };
        let decoder = Decoder::new(stream, &schema).unwrap();
        let mut builder = BatchBuilder::new(Arc::new(schema), 0);
        let rows: Vec<&RawValue> = serde_json::from_str(page).unwrap();
        let mut seen = Vec::new();
        decoder.decode(&rows, &stream.passes[pass], &mut builder, |_, row| seen.push(row));
        (builder.finish(), seen)
    }

    fn cell(stream: &str, field: &str, raw: &str) -> String {
        let (batch, rows) = decode(
            stream,
            0,
            &["id", field],
            &format!(r#"[{{"id":1,"{field}":{raw}}}]"#),
        );
        match &rows[0].fate {
            Fate::Rejected(rejection) => rejection.message.clone(),
            _ => format!("{:?}", batch.get(0).unwrap().value(1)),
        }
    }

    #[test]
    fn odd_values_become_what_they_mean() {
        for (field, raw, wanted) in [
            ("total_inc_tax", r#""336.3200""#, "Decimal(336.3200)"),
            ("total_inc_tax", "0", "Decimal(0)"),
            (
                "total_inc_tax",
                "12345678901234567890.1234",
                "Decimal(12345678901234567890.1234)",
            ),
            ("total_inc_tax", "1e3", "Decimal(1000)"),
            ("total_inc_tax", r#""""#, "Null"),
            ("total_inc_tax", "[]", "Null"),
            ("items_total", r#""17""#, "Int(17)"),
            ("items_total", "3.0", "Int(3)"),
            ("items_total", "null", "Null"),
            ("is_email_opt_in", r#""true""#, "Bool(true)"),
            ("is_email_opt_in", "0", "Bool(false)"),
            ("date_shipped", r#""""#, "Null"),
            (
                "date_shipped",
                r#""Wed, 10 Jan 2018 21:05:30 +0000""#,
                "Instant(2018-01-10T21:05:30Z)",
            ),
            (
                "date_shipped",
                r#""2018-01-10T21:05:30+00:00""#,
                "Instant(2018-01-10T21:05:30Z)",
            ),
            ("date_shipped", "1515618330", "Instant(2018-01-10T21:05:30Z)"),
            ("ebay_order_id", "0", r#"Text("0")"#),
            ("staff_notes", r#""a\"\u00e9\n🚀""#, r#"Text("a\"é\n🚀")"#),
            ("staff_notes", r#""""#, r#"Text("")"#),
            ("external_merchant_id", "[]", r#"Text("[]")"#),
            (
                "billing_address",
                r#"{"a": 1.50, "b":[]}"#,
                r#"Json("{\"a\": 1.50, \"b\":[]}")"#,
            ),
            ("billing_address", "[]", r#"Json("[]")"#),
        ] {
            assert_eq!(cell("orders", field, raw), wanted, "{field} {raw}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_names_its_field_and_is_not_quoted() {
        for (field, raw, wanted) in [
            (
                "total_inc_tax",
                r#""hunter2""#,
                "the field `total_inc_tax` is not a decimal number such as -12.50 or 9.5E8",
            ),
            (
                "items_total",
                "1.5",
                "the field `items_total` is not a whole number of 64 bits",
            ),
            (
                "is_email_opt_in",
                r#""maybe""#,
                "the field `is_email_opt_in` is not true or false",
            ),
            (
                "staff_notes",
                r#""\ud83d""#,
                "the field `staff_notes` is not text of whole characters",
            ),
        ] {
            assert_eq!(cell("orders", field, raw), wanted);
        }
    }

    #[test]
    fn one_bad_record_costs_no_other() {
        let page = r#"[{"id":1,"email":"a"},{"id":2,"date_created":"someday"},7,{"email":"x"},{"id":"5","email":"b"}]"#;
        let (batch, rows) = decode("customers", 0, &[], page);
        assert_eq!(
            batch
                .records()
                .map(|record| record.sequence())
                .collect::<Vec<_>>(),
            [0, 4]
        );
        assert_eq!(batch.get(1).unwrap().source_key(), Some(Key::new("5")));
        let rejected: Vec<_> = rows
            .iter()
            .filter_map(|row| match &row.fate {
                Fate::Rejected(rejection) => Some((
                    rejection.sequence,
                    rejection.key.clone(),
                    rejection.fields.clone(),
                )),
                _ => None,
            })
            .collect();
        let named = |field: &str| vec![field.to_owned()];
        assert_eq!(
            rejected,
            [
                (1, Some(Key::new("2")), named("date_created")),
                (2, None, Vec::new()),
                (3, None, named("id"))
            ]
        );
    }

    #[test]
    fn unknown_fields_are_kept_and_missing_ones_are_null() {
        let page = r#"[{"new \"one\"":[1, 2],"id":1,"x":null},{"id":2}]"#;
        let (batch, _) = decode("customers", 0, &["_extra", "email", "id"], page);
        let rows: Vec<String> = batch
            .records()
            .map(|row| format!("{:?}", row.values().collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            rows,
            [
                r#"[Json("{\"new \\\"one\\\"\":[1, 2],\"x\":null}"), Null, Int(1)]"#,
                "[Null, Null, Int(2)]"
            ]
        );
    }

    #[test]
    fn an_order_belongs_to_one_pass_only() {
        let page = r#"[{"id":1,"is_deleted":false},{"id":2,"is_deleted":true},{"id":3}]"#;
        let ids = |pass: usize| {
            let (batch, rows) = decode("orders", pass, &["id"], page);
            assert_eq!(
                rows.iter().filter_map(|row| row.id).collect::<Vec<_>>(),
                [1, 2, 3]
            );
            batch
                .records()
                .map(|record| record.value(0).to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (ids(0), ids(1)),
            (vec!["1".to_owned(), "3".to_owned()], vec!["2".to_owned()])
        );
    }
}
