//! Salesforce keeps every promise of a destination that it declares.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use common::Bench;
use connector_core::value::{Date, Instant, Time};
use connector_core::{
    Batch, BatchBuilder, Connector, DataType, Decimal, Field, Op, Schema, StreamName, Value,
};
use connector_testkit::conformance::{self, DestinationSystem, Suite};
use connector_testkit::fakes::salesforce::{
    Fault, FaultAction, FieldSpec, FieldValue, ObjectSpec, SalesforceConfig,
};

const OBJECT: &str = "Thing__c";

/// A fake org with an object that has a field of every type.
struct Org(Bench);

impl Org {
    async fn start() -> Self {
        let object = ObjectSpec::new(OBJECT, "a09")
            .field(
                FieldSpec::string("Code__c", 40)
                    .external_id()
                    .unique()
                    .case_sensitive(),
            )
            .field(FieldSpec::textarea("Note__c", 32_768))
            .field(FieldSpec::boolean("Flag__c"))
            .field(FieldSpec::int("Count__c", 10))
            .field(FieldSpec::currency("Amount__c", 18, 2))
            .field(FieldSpec::picklist("Stage__c", &["Open", "Won", "Lost"]).restricted())
            .field(FieldSpec::date("Day__c"))
            .field(FieldSpec::datetime("Moment__c"))
            .field(FieldSpec::time("Hour__c"));
        let config = SalesforceConfig {
            objects: vec![object],
            ..SalesforceConfig::default()
        };
        Self(Bench::start(config).await)
    }
}

fn push(builder: &mut BatchBuilder, field: &Field, n: usize, version: usize) {
    let turn = n + 3 * version;
    let plain = i64::try_from(n * 1_000 + version).unwrap();
    if field.nullable && field.name != "Note__c" && turn % 8 == 7 {
        builder.push(Value::Null);
        return;
    }
    let edge = |edges: [i64; 2]| edges.get(turn).copied().unwrap_or(plain);
    match field.name.as_str() {
        "Code__c" => builder.push(Value::Text(&format!("k-{n:06}"))),
        "Stage__c" => builder.push(Value::Text(["Open", "Won", "Lost"][turn % 3])),
        "Flag__c" => builder.push(Value::Bool(turn.is_multiple_of(2))),
        "Count__c" => builder.push(Value::Int(edge([i32::MIN.into(), i32::MAX.into()]))),
        "Amount__c" => builder.push(Value::Decimal(Decimal::new(
            edge([-999_999_999_999_999_999, 5]),
            2,
        ))),
        "Day__c" => {
            let edges = [
                Date::from_ymd(1700, 1, 1),
                Date::from_ymd(4000, 12, 31),
                Date::from_ymd(2024, 2, 29),
            ];
            let day = edges.get(turn).copied().flatten();
            builder.push(Value::Date(
                day.unwrap_or(Date::from_unix_days((plain % 50_000) as i32)),
            ));
        }
        "Moment__c" => builder.push(Value::Instant(Instant::from_unix_micros(
            (1_700_000_000 + plain * 61) * 1_000_000,
        ))),
        "Hour__c" => {
            let millis = edge([0, 86_399_999]) * 1_001 % 86_400_000;
            builder.push(Value::Time(Time::from_micros(millis * 1_000).unwrap()));
        }
        name => builder.push(Value::Text(&format!("{name} {n} v{version}"))),
    }
}

/// Pushes what the org holds in a field.
fn push_held(builder: &mut BatchBuilder, field: &Field, held: Option<&FieldValue>) {
    match (held, field.data_type) {
        (None, _) => builder.push(Value::Unset),
        (Some(FieldValue::Null), _) => builder.push(Value::Null),
        (Some(FieldValue::Bool(value)), _) => builder.push(Value::Bool(*value)),
        (Some(FieldValue::Number(text)), DataType::Int32) => builder.push(Value::Int(text.parse().unwrap())),
        (Some(FieldValue::Number(text)), _) => builder.push_decimal(text).unwrap(),
        (Some(FieldValue::DateTime(micros)), _) => {
            builder.push(Value::Instant(Instant::from_unix_micros(*micros)));
        }
        (Some(FieldValue::Text(text)), DataType::Date) => {
            builder.push(Value::Date(Date::parse(text).unwrap()))
        }
        (Some(FieldValue::Text(text)), DataType::Time) => {
            builder.push(Value::Time(Time::parse(text).unwrap()))
        }
        (Some(held), _) => builder.push(Value::Text(&held.text().unwrap())),
    }
}

/// A value as a person would give it.
fn given(value: &Value<'_>) -> FieldValue {
    match value {
        Value::Null | Value::Unset => FieldValue::Null,
        Value::Bool(value) => FieldValue::Bool(*value),
        Value::Int(_) | Value::Decimal(_) => FieldValue::Number(value.to_string().into()),
        Value::Instant(value) => FieldValue::DateTime(value.unix_micros()),
        Value::Time(value) => FieldValue::Text(format!("{value}Z").into()),
        value => FieldValue::Text(value.to_string().into()),
    }
}

#[async_trait]
impl DestinationSystem for Org {
    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(self.0.reconnect())
    }

    fn stream(&self) -> StreamName {
        OBJECT.into()
    }

    fn schema(&self) -> Arc<Schema> {
        let text = |most| DataType::Text {
            max_chars: Some(most),
        };
        let fields = vec![
            Field::new("Code__c", text(40)).not_null(),
            Field::new("Note__c", DataType::TEXT),
            Field::new("Name", text(80)),
            // Never null in Salesforce.
            Field::new("Flag__c", DataType::Bool).not_null(),
            Field::new("Count__c", DataType::Int32),
            Field::new("Amount__c", DataType::decimal(18, 2)),
            Field::new("Stage__c", text(255)),
            Field::new("Day__c", DataType::Date),
            Field::new("Moment__c", DataType::Instant),
            Field::new("Hour__c", DataType::Time),
        ];
        Arc::new(Schema::new(fields, ["Code__c"]).unwrap())
    }

    fn records(&self, numbers: Range<usize>, version: usize) -> Batch {
        let schema = self.schema();
        let mut builder = BatchBuilder::new(Arc::clone(&schema), numbers.start as u64);
        for n in numbers {
            schema
                .fields()
                .iter()
                .for_each(|field| push(&mut builder, field, n, version));
            builder.end_record(Op::Put);
        }
        builder.finish()
    }

    async fn prepare(&self, numbers: Range<usize>) {
        for record in self.records(numbers, 0).records() {
            let fields = record.schema().fields().iter().zip(record.values());
            let fields: Vec<(&str, FieldValue)> = fields
                .map(|(field, value)| (field.name.as_str(), given(&value)))
                .collect();
            self.0.org.insert_record(OBJECT, &fields).unwrap();
        }
    }

    async fn rows(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        if stream.as_str() != OBJECT {
            return None;
        }
        let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
        for record in self.0.org.records(OBJECT) {
            if record["IsDeleted"] == FieldValue::Bool(true) {
                continue;
            }
            for field in schema.fields() {
                push_held(&mut builder, field, record.get(&field.name));
            }
            builder.end_record(Op::Put);
        }
        Some(builder.finish())
    }

    fn texts(&self) -> Vec<String> {
        // Salesforce knows no empty text.
        let all = conformance::sample::texts();
        all.into_iter().filter(|text| !text.is_empty()).collect()
    }

    fn flawed(&self, number: usize) -> Option<Batch> {
        let good = self.records(number..number + 1, 1);
        let mut builder = BatchBuilder::new(self.schema(), number as u64);
        for record in good.records() {
            for (field, value) in record.schema().fields().iter().zip(record.values()) {
                builder.push(if field.name == "Stage__c" {
                    Value::Text("Somewhere else")
                } else {
                    value
                });
            }
            builder.end_record(Op::Put);
        }
        Some(builder.finish())
    }

    fn lose_answers(&self, requests: usize) -> bool {
        if requests > 0 {
            self.0.org.fail_next(Fault {
                times: requests as u64,
                ..Fault::next("composite/sobjects", FaultAction::ApplyThenDrop)
            });
        }
        true
    }

    fn is_large(&self) -> bool {
        // The org keeps its records in this process: its memory would be measured.
        false
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.0.org.client_secret(), self.0.org.access_token()]
    }
}

fn main() -> ExitCode {
    conformance::run([Suite::destination("salesforce::destination", Org::start)])
}
