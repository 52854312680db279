//! The example's connector keeps every promise that it declares.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a test's own set-up fails the test"
)]

#[path = "../src/bin/custom_connector/connector.rs"]
mod connector;
#[path = "../src/bin/custom_connector/destination.rs"]
mod destination;
#[path = "../src/bin/custom_connector/files.rs"]
mod files;
#[path = "../src/bin/custom_connector/log.rs"]
mod log;
#[path = "../src/bin/custom_connector/plan.rs"]
mod plan;
#[path = "../src/bin/custom_connector/rows.rs"]
mod rows;
#[path = "../src/bin/custom_connector/schema.rs"]
mod schema;
#[path = "../src/bin/custom_connector/source.rs"]
mod source;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{Batch, BatchBuilder, Connector, Op, Schema, Selection, StreamName, Value};
use connector_testkit::conformance::{self, DestinationSystem, SourceSystem, Suite, sample};
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::connector::Ndjson;

fn main() -> ExitCode {
    conformance::run([
        Suite::source("ndjson::source", || async { Folders::with_streams() }),
        Suite::destination("ndjson::destination", || async { Folders::new() }),
    ])
}

/// The suites' records, as the schema file says it.
const SCHEMA: &str = r#"{
  "key": ["id"],
  "fields": [
    {"name": "id", "type": {"Text": {"max_chars": 40}}},
    {"name": "note", "type": {"Text": {}}},
    {"name": "name", "type": {"Text": {"max_chars": 80}}},
    {"name": "flag", "type": "Bool"},
    {"name": "small", "type": "Int16"},
    {"name": "medium", "type": "Int32"},
    {"name": "large", "type": "Int64"},
    {"name": "single", "type": "Float32"},
    {"name": "double", "type": "Float64"},
    {"name": "amount", "type": {"Decimal": {"precision": 18, "scale": 2}}},
    {"name": "exact", "type": {"Decimal": null}},
    {"name": "data", "type": "Bytes"},
    {"name": "day", "type": "Date"},
    {"name": "hour", "type": "Time"},
    {"name": "stamp", "type": "Timestamp"},
    {"name": "moment", "type": "Instant"},
    {"name": "span", "type": "Interval"},
    {"name": "uid", "type": "Uuid"},
    {"name": "doc", "type": "Json"},
    {"name": "tags", "type": {"Array": "Text"}},
    {"name": "numbers", "type": {"Array": "Int64"}}
  ]
}"#;

/// A folder and another one, which people write to with an editor.
struct Folders {
    here: TempDir,
    elsewhere: TempDir,
    /// The version of each record there is, and how often any was changed.
    there: Mutex<(BTreeMap<usize, usize>, usize)>,
}

impl Folders {
    fn new() -> Self {
        Self {
            here: tempfile::tempdir().unwrap(),
            elsewhere: tempfile::tempdir().unwrap(),
            there: Mutex::default(),
        }
    }

    fn with_streams() -> Self {
        let folders = Self::new();
        for folder in [&folders.here, &folders.elsewhere] {
            for name in ["things", "others"] {
                fs::write(folder.path().join(format!("{name}.schema.json")), SCHEMA).unwrap();
                fs::write(folder.path().join(format!("{name}.ndjson")), "").unwrap();
            }
        }
        folders
    }

    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(Ndjson::open(self.here.path()).unwrap())
    }

    fn append(&self, lines: &str) {
        let path = self.here.path().join("things.ndjson");
        let mut file = File::options().append(true).create(true).open(path).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    }

    fn put(&self, numbers: Range<usize>, version: usize) {
        let mut lines = String::new();
        for record in sample::records(&sample::schema(), numbers.clone(), version).records() {
            record.write_json(&mut lines);
            lines.push('\n');
        }
        self.append(&lines);
        let mut there = self.there.lock().unwrap();
        there.0.extend(numbers.map(|number| (number, version)));
    }

    /// The `count` oldest records; whose numbers follow one another, and another version for them.
    fn oldest(&self, count: usize) -> (Range<usize>, usize) {
        let mut there = self.there.lock().unwrap();
        there.1 += 1;
        let first = there.0.keys().next().copied().unwrap_or_default();
        (first..first + count, there.1)
    }
}

#[async_trait]
impl SourceSystem for Folders {
    fn connect(&self) -> Arc<dyn Connector> {
        self.connect()
    }

    fn selection(&self) -> Selection {
        Selection::stream("things")
    }

    async fn add(&self, count: usize) {
        let next = self
            .there
            .lock()
            .unwrap()
            .0
            .keys()
            .last()
            .map_or(0, |last| last + 1);
        self.put(next..next + count, 0);
    }

    async fn change(&self, count: usize) {
        let (numbers, version) = self.oldest(count);
        self.put(numbers, version);
    }

    async fn remove(&self, count: usize) {
        for number in self.oldest(count).0 {
            self.append(&format!("{{\"$delete\": {{\"id\": \"k-{number:06}\"}}}}\n"));
            self.there.lock().unwrap().0.remove(&number);
        }
    }

    async fn truth(&self) -> Batch {
        let there = self.there.lock().unwrap();
        let mut builder = BatchBuilder::new(sample::schema(), 0);
        for (&number, &version) in &there.0 {
            for record in sample::records(&sample::schema(), number..number + 1, version).records() {
                record.values().for_each(|value| builder.push(value));
                builder.end_record(Op::Put);
            }
        }
        builder.finish()
    }

    /// A reader holds the keys of its stream, a writer all of it: that is a bound for an example only.
    fn is_large(&self) -> bool {
        false
    }

    fn another_selection(&self) -> Option<Selection> {
        Some(Selection::stream("others"))
    }

    fn connect_elsewhere(&self) -> Option<Arc<dyn Connector>> {
        Some(Arc::new(Ndjson::open(self.elsewhere.path()).unwrap()))
    }
}

#[async_trait]
impl DestinationSystem for Folders {
    fn connect(&self) -> Arc<dyn Connector> {
        self.connect()
    }

    fn stream(&self) -> StreamName {
        StreamName::new("things")
    }

    async fn prepare(&self, numbers: Range<usize>) {
        fs::write(self.here.path().join("things.schema.json"), SCHEMA).unwrap();
        self.put(numbers, 0);
    }

    /// The last line of each key, as anybody's script would find it.
    async fn rows(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        let read = |ending| fs::read_to_string(self.here.path().join(format!("{stream}.{ending}"))).ok();
        let (log, known) = (read("ndjson")?, read("schema.json")?);
        let known: serde_json::Value = serde_json::from_str(&known).unwrap();
        let key = known["key"][0].as_str().unwrap();
        let mut rows = BTreeMap::new();
        for line in log.lines() {
            let fields: HashMap<String, &RawValue> = serde_json::from_str(line).unwrap();
            if let Some(gone) = fields.get("$delete") {
                let gone: HashMap<String, &RawValue> = serde_json::from_str(gone.get()).unwrap();
                rows.remove(gone[key].get());
            } else {
                rows.insert(fields[key].get(), fields);
            }
        }
        let is_known = |name: &str| {
            let fields = known["fields"].as_array().unwrap();
            fields.iter().any(|field| field["name"] == name)
        };
        let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
        for fields in rows.values() {
            for field in schema.fields() {
                match fields.get(&field.name) {
                    Some(value) => builder.push_json(value.get()).unwrap(),
                    None if is_known(&field.name) => builder.push(Value::Null),
                    None => builder.push(Value::Unset),
                }
            }
            builder.end_record(Op::Put);
        }
        Some(builder.finish())
    }

    fn is_large(&self) -> bool {
        false
    }

    fn flawed(&self, number: usize) -> Option<Batch> {
        let mut builder = BatchBuilder::new(sample::schema(), number as u64);
        for record in sample::records(&sample::schema(), number..number + 1, 1).records() {
            for (field, value) in record.schema().fields().iter().zip(record.values()) {
                let long = "more than eighty characters ".repeat(4);
                builder.push(if field.name == "name" {
                    Value::Text(&long)
                } else {
                    value
                });
            }
            builder.end_record(Op::Put);
        }
        Some(builder.finish())
    }
}
