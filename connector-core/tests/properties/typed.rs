//! Records as a program's own types, both ways.

use std::collections::HashMap;
use std::sync::Arc;

use connector_core::{BatchBuilder, DataType, ElementType, Field, Op, Patch, Schema};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::config;
use crate::strategy::{batch, data_type, exact_rows, rows, text};

/// A field of every type, out of the schema's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lead {
    #[serde(default)]
    json: Patch<Nested>,
    id: i64,
    #[serde(default)]
    flag: Patch<bool>,
    stars: Option<u8>,
    #[serde(default)]
    count: Patch<i32>,
    #[serde(default)]
    single: Patch<f32>,
    #[serde(default)]
    double: Patch<f64>,
    #[serde(default)]
    revenue: Patch<i128>,
    score: f64,
    #[serde(default)]
    text: Patch<String>,
    letter: char,
    status: Status,
    bytes: Vec<u8>,
    #[serde(default)]
    tags: Patch<Vec<Option<String>>>,
    pair: (i16, i16),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Status {
    Open,
    #[serde(rename = "Closed – Won")]
    Won,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nested {
    name: String,
    parts: Vec<Option<u64>>,
}

fn lead_schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("Id", DataType::Int64),
        Field::new("Stars", DataType::Int16),
        Field::new("NotInTheStruct", DataType::Date),
        Field::new("Flag", DataType::Bool),
        Field::new("Count", DataType::Int32),
        Field::new("Single", DataType::Float32),
        Field::new("Double", DataType::Float64),
        Field::new("Revenue", DataType::Decimal(None)),
        Field::new("Score", DataType::Decimal(None)),
        Field::new("Text", DataType::TEXT),
        Field::new("Letter", DataType::TEXT),
        Field::new("Status", DataType::TEXT),
        Field::new("Bytes", DataType::Bytes),
        Field::new("Tags", DataType::Array(ElementType::Text)),
        Field::new("Pair", DataType::Array(ElementType::Int16)),
        Field::new("Json", DataType::Json),
    ];
    Arc::new(Schema::new(fields, ["Id"]).expect("a schema"))
}

fn patch<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Patch<T>> {
    prop_oneof![
        1 => Just(Patch::Unset),
        1 => Just(Patch::Null),
        3 => value.prop_map(Patch::Set),
    ]
}

fn lead() -> impl Strategy<Value = Lead> {
    let nested = (text(), vec(any::<Option<u64>>(), 0..3)).prop_map(|(name, parts)| Nested { name, parts });
    let numbers = (
        any::<i64>(),
        any::<Option<u8>>(),
        patch(any::<i32>()),
        patch(any::<f32>()),
        patch(any::<f64>()),
        patch(any::<i128>()),
        any::<f64>(),
        any::<(i16, i16)>(),
    );
    let texts = (
        patch(text()),
        any::<char>(),
        prop_oneof![Just(Status::Open), Just(Status::Won)],
        vec(any::<u8>(), 0..9),
        patch(vec(proptest::option::of(text()), 0..4)),
    );
    (numbers, texts, patch(any::<bool>()), patch(nested)).prop_map(|(numbers, texts, flag, json)| {
        let (id, stars, count, single, double, revenue, score, pair) = numbers;
        let (text, letter, status, bytes, tags) = texts;
        Lead {
            json,
            id,
            flag,
            stars,
            count,
            single,
            double,
            revenue,
            score,
            text,
            letter,
            status,
            bytes,
            tags,
            pair,
        }
    })
}

/// Whatever a record may hold but JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Loose {
    Null(()),
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
}

fn not_json() -> impl Strategy<Value = DataType> {
    data_type().prop_filter("JSON is not kept byte for byte", |data_type| {
        !matches!(data_type, DataType::Json | DataType::Array(ElementType::Json))
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_struct_comes_back_as_it_was(leads in vec(lead(), 1..3)) {
        let mut builder = BatchBuilder::new(lead_schema(), 0);
        for lead in &leads {
            builder.push_typed(lead, Op::Put).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        let batch = builder.finish();
        for (record, lead) in batch.records().zip(&leads) {
            let back: Lead = record.deserialize().map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&back, lead);
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was((schema, rows) in rows(not_json())) {
        let written = batch(&schema, &rows);
        let mut builder = BatchBuilder::new(schema, 0);
        for record in written.records() {
            let map: HashMap<String, Loose> =
                record.deserialize().map_err(|error| TestCaseError::fail(error.to_string()))?;
            builder.push_typed(&map, Op::Put).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        prop_assert_eq!(exact_rows(&builder.finish()), exact_rows(&written));
    }

    #[test]
    fn json_comes_back_byte_for_byte_where_its_text_is_asked_for(
        (schema, rows) in rows(Just(DataType::Json)),
    ) {
        let written = batch(&schema, &rows);
        let mut builder = BatchBuilder::new(schema, 0);
        for record in written.records() {
            let map: HashMap<&str, Option<&serde_json::value::RawValue>> =
                record.deserialize().map_err(|error| TestCaseError::fail(error.to_string()))?;
            builder.push_typed(&map, Op::Put).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        prop_assert_eq!(exact_rows(&builder.finish()), exact_rows(&written));
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value(to in data_type(), secret in "[k-z]{12}") {
        let schema = Arc::new(Schema::new(vec![Field::new("it", to)], []).expect("a schema"));
        let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
        let as_text = builder.push_typed(&HashMap::from([("it", &secret)]), Op::Put);
        let as_list = builder.push_typed(&HashMap::from([("it", [&secret])]), Op::Put);
        for error in [as_text.err(), as_list.err()].into_iter().flatten() {
            let report = format!("{} {error:?}", error.report());
            prop_assert!(!report.contains(&secret), "{}", report);
            let wanted = format!("the field `it` should be {to}, found ");
            prop_assert!(error.to_string().starts_with(&wanted), "{}", report);
        }
    }

    #[test]
    fn what_a_type_does_not_take_is_refused_without_its_value(secret in "[k-z]{12}") {
        #[derive(Debug, Deserialize)]
        enum Wanted {
            Open,
        }
        let schema = Arc::new(Schema::new(vec![Field::new("it", DataType::TEXT)], []).expect("a schema"));
        let mut builder = BatchBuilder::new(schema, 0);
        builder.push_typed(&HashMap::from([("it", &secret)]), Op::Put).expect("text");
        let batch = builder.finish();
        let record = batch.get(0).expect("a record");
        for error in [
            record.deserialize::<HashMap<String, Wanted>>().map(|_| ()).expect_err("an enum"),
            record.deserialize::<HashMap<String, u64>>().map(|_| ()).expect_err("a number"),
            record.deserialize::<HashMap<String, char>>().map(|_| ()).expect_err("a character"),
            record.deserialize::<HashMap<String, std::net::IpAddr>>().map(|_| ()).expect_err("an address"),
        ] {
            let report = format!("{} {error:?}", error.report());
            prop_assert!(!report.contains(&secret), "{}", report);
            prop_assert!(report.contains("the field `it` ") || report.contains("of the field `it`"), "{}", report);
        }
    }
}
