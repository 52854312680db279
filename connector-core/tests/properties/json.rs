//! JSON, both ways.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_core::value::write_json;
use connector_core::{Batch, BatchBuilder, DataType, Field, Fold, Op, Record, Schema, Value};
use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::config;
use crate::strategy::{Owned, batch, data_type, exact, exact_rows, rows, text, typed_value};

fn one_field(data_type: DataType) -> Arc<Schema> {
    Arc::new(Schema::new(vec![Field::new("it", data_type)], []).expect("a schema"))
}

fn json_of(value: &Owned) -> String {
    let mut json = String::new();
    value.with(|value| write_json(&value, &mut json));
    json
}

fn record_json(record: &Record<'_>) -> String {
    let mut json = String::new();
    record.write_json(&mut json);
    json
}

fn read(data_type: DataType, json: &str) -> connector_core::Result<Batch> {
    let mut builder = BatchBuilder::new(one_field(data_type), 0);
    builder.push_json(json)?;
    builder.end_record(Op::Put);
    Ok(builder.finish())
}

/// A record whose last field holds the others that were folded, as one JSON object of all of them.
fn unfolded(whole: &Schema, record: &Record<'_>, is_folded: impl Fn(usize) -> bool) -> String {
    let mut members: Vec<String> = Vec::new();
    let mut add = |name: &str, json: &str| {
        members.push(format!("{}:{json}", serde_json::to_string(name).expect("a name")));
    };
    let fields = record.schema().fields().iter().zip(record.values());
    for (field, value) in fields.take(record.schema().fields().len() - 1) {
        if !matches!(value, Value::Unset) {
            let mut json = String::new();
            write_json(&value, &mut json);
            add(&field.name, &json);
        }
    }
    let raw = |json: &str| {
        serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json).expect("an object of names")
    };
    let folded = whole
        .fields()
        .iter()
        .zip(0..)
        .filter(|&(_, position)| is_folded(position));
    let absent: Vec<&str> = folded.map(|(field, _)| field.name.as_str()).collect();
    match record.values().last().expect("the one field") {
        Value::Json(patch) if Fold::is_patch(patch) => {
            for (name, list) in raw(raw(patch)[""].get()) {
                match serde_json::from_str::<Vec<&RawValue>>(list.get())
                    .expect("a list")
                    .as_slice()
                {
                    [] => add(&name, "null"),
                    [value] => add(&name, value.get()),
                    _ => panic!("a value stands twice"),
                }
            }
        }
        Value::Json(object) => {
            let object = raw(object);
            for name in absent {
                add(name, object.get(name).map_or("null", |value| value.get()));
            }
        }
        Value::Null => absent.into_iter().for_each(|name| add(name, "null")),
        other => assert_eq!(other, Value::Unset),
    }
    format!("{{{}}}", members.join(","))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_value_comes_back_as_it_was((data_type, value) in typed_value()) {
        let json = json_of(&value);
        let batch = read(data_type, &json).map_err(|error| TestCaseError::fail(format!("{json}: {error}")))?;
        let back = batch.get(0).expect("a record").value(0);
        prop_assert_eq!(exact(&back), value.with(|value| exact(&value)), "{}", json);
        let mut again = String::new();
        write_json(&back, &mut again);
        prop_assert_eq!(again, json);
    }

    #[test]
    fn null_comes_back_as_null(data_type in data_type()) {
        let batch = read(data_type, "null").expect("null is of every type");
        prop_assert_eq!(batch.get(0).expect("a record").value(0), Value::Null);
    }

    #[test]
    fn a_record_comes_back_as_it_was((schema, rows) in rows(data_type())) {
        let written = batch(&schema, &rows);
        let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
        for record in written.records() {
            let json = record_json(&record);
            builder
                .push_json_record(&json, Op::Put)
                .map_err(|error| TestCaseError::fail(format!("{json}: {error}")))?;
        }
        prop_assert_eq!(exact_rows(&builder.finish()), exact_rows(&written));
    }

    #[test]
    fn folded_fields_come_back_as_they_were((schema, rows) in rows(data_type()), seed in any::<u64>()) {
        let is_folded = |position: usize| seed >> (position % 64) & 1 == 1;
        let Ok(fold) = Fold::new(&schema, "\u{1}one", |position, _| is_folded(position)) else {
            // A name was empty.
            return Ok(());
        };
        let written = batch(&schema, &rows);
        let narrow = written.clone().fold(&fold).expect("a small batch");
        let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
        for record in narrow.records() {
            let json = unfolded(&schema, &record, is_folded);
            builder
                .push_json_record(&json, Op::Put)
                .map_err(|error| TestCaseError::fail(format!("{json}: {error}")))?;
        }
        prop_assert_eq!(exact_rows(&builder.finish()), exact_rows(&written));
    }

    #[test]
    fn the_order_of_keys_does_not_matter((schema, rows) in rows(data_type())) {
        let written = batch(&schema, &rows);
        let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
        for record in written.records() {
            let mut members = Vec::new();
            for (field, value) in schema.fields().iter().zip(record.values()) {
                if !matches!(value, Value::Unset) {
                    let mut member = serde_json::to_string(&field.name).expect("a name");
                    member.push_str(" :\n");
                    write_json(&value, &mut member);
                    members.push(member);
                }
            }
            members.reverse();
            let json = format!(" {{{}\t}} ", members.join(" , "));
            builder
                .push_json_record(&json, Op::Put)
                .map_err(|error| TestCaseError::fail(format!("{json}: {error}")))?;
        }
        prop_assert_eq!(exact_rows(&builder.finish()), exact_rows(&written));
    }

    #[test]
    fn a_value_of_another_type_is_kept_whole_or_refused(to in data_type(), (_, value) in typed_value()) {
        let json = json_of(&value);
        let mut builder = BatchBuilder::new(one_field(to), 0);
        if builder.push_json(&json).is_err() {
            prop_assert_eq!(builder.byte_len(), 0);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(to in data_type(), text in text()) {
        let mut builder = BatchBuilder::new(one_field(to), 0);
        let _ = builder.push_json(&text);
        let sequence = builder.next_sequence();
        prop_assert!(builder.push_json_record(&text, Op::Put).is_err());
        prop_assert_eq!(builder.next_sequence(), sequence + 1);
        prop_assert_eq!(builder.byte_len(), 0);
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value(to in data_type(), secret in "[k-z]{12}") {
        for json in [format!("\"{secret}\""), format!("[\"{secret}\"]"), format!("{{\"{secret}\":1}}")] {
            let mut builder = BatchBuilder::new(one_field(to), 0);
            if let Err(error) = builder.push_json_record(&format!("{{\"it\":{json}}}"), Op::Put) {
                let report = format!("{} {error:?}", error.report());
                prop_assert!(!report.contains(&secret), "{}", report);
                let wanted = format!("the field `it` should be {to}, found ");
                prop_assert!(error.to_string().starts_with(&wanted), "{}", report);
            }
        }
    }
}
