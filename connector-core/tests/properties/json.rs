//! JSON, both ways.

use std::sync::Arc;

use connector_core::value::write_json;
use connector_core::{Batch, BatchBuilder, DataType, Field, Op, Record, Schema, Value};
use proptest::prelude::*;

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
