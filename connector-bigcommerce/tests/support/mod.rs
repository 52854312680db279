//! A fake store, a clock that moves it along, and what a read brought.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connector_bigcommerce::{BigCommerce, Config};
use connector_core::value::{Instant, Value};
use connector_core::{
    Clock, Connector, DataType, Event, ReadRequest, Reader, Rejection, Result, Schema, Secret, Selection,
    State, SyncMode, TaskId,
};
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::bigcommerce::{BigCommerceConfig, FakeBigCommerce};
use serde_json::Value as Json;

/// The store's own clock; waiting moves it.
#[derive(Debug)]
pub struct StoreClock {
    clock: FakeClock,
    sleeps: Mutex<Vec<Duration>>,
}

impl StoreClock {
    pub fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for StoreClock {
    fn now(&self) -> Instant {
        Instant::from_unix_micros(self.clock.now_micros())
    }

    async fn sleep(&self, duration: Duration) {
        self.sleeps.lock().unwrap().push(duration);
        self.clock.advance(duration);
    }
}

pub async fn fake(config: BigCommerceConfig) -> FakeBigCommerce {
    FakeBigCommerce::start(config).await.unwrap()
}

pub async fn fake_of(customers: u64) -> FakeBigCommerce {
    fake(BigCommerceConfig {
        customers,
        ..BigCommerceConfig::default()
    })
    .await
}

pub fn config(fake: &FakeBigCommerce, token: &str) -> Config {
    Config::new(&fake.store_hash(), Secret::new(token))
        .unwrap()
        .with_api_url(&fake.url())
        .unwrap()
}

pub fn connect(fake: &FakeBigCommerce) -> (BigCommerce, Arc<StoreClock>) {
    connect_as(fake, config(fake, &fake.access_token()))
}

pub fn connect_as(fake: &FakeBigCommerce, config: Config) -> (BigCommerce, Arc<StoreClock>) {
    let clock = Arc::new(StoreClock {
        clock: fake.clock(),
        sleeps: Mutex::default(),
    });
    (
        BigCommerce::new(config, Arc::<StoreClock>::clone(&clock)).unwrap(),
        clock,
    )
}

pub fn request(stream: &str, sync: SyncMode) -> ReadRequest {
    ReadRequest::new(Selection::stream(stream), TaskId::new("test", stream)).with_sync(sync)
}

/// All that a read emitted. Rows by id, as text by field; states with the number of rows before them.
#[derive(Debug, Default)]
pub struct Brought {
    pub rows: Vec<(i64, BTreeMap<String, String>)>,
    pub rejected: Vec<Rejection>,
    pub states: Vec<(usize, State)>,
    pub sequences: Vec<u64>,
}

impl Brought {
    pub fn ids(&self) -> Vec<i64> {
        self.rows.iter().map(|(id, _)| *id).collect()
    }

    pub fn last_state(&self) -> State {
        self.states.last().unwrap().1.clone()
    }
}

pub async fn read(store: &BigCommerce, request: ReadRequest) -> Result<Brought> {
    let mut reader: Box<dyn Reader> = store.as_source().unwrap().reader(request).await?;
    let mut brought = Brought::default();
    while let Some(event) = reader.next().await? {
        match event {
            Event::Records(batch) => {
                for record in batch.records() {
                    let fields = record.schema().fields().iter().zip(record.values());
                    let fields = fields
                        .map(|(field, value)| (field.name.clone(), format!("{value:?}")))
                        .collect();
                    let Value::Int(id) = record.get("id") else {
                        panic!("an id is a number")
                    };
                    brought.rows.push((id, fields));
                    brought.sequences.push(record.sequence());
                }
            }
            Event::Rejected(rejected) => brought.rejected.extend(rejected),
            Event::Unchanged(records) => panic!("{records} records are said to be unchanged"),
            Event::Checkpoint { state, urgent } => {
                assert!(!urgent);
                brought.states.push((brought.rows.len(), state));
            }
        }
    }
    Ok(brought)
}

pub async fn schema(store: &BigCommerce, stream: &str) -> Arc<Schema> {
    store.describe(&Selection::stream(stream)).await.unwrap().schema
}

/// What a row must hold, worked out from the store's truth by other means than the connector's.
pub fn expected(schema: &Schema, truth: &Json) -> BTreeMap<String, String> {
    let of = |name: &str, data_type: DataType| {
        let value = &truth[name];
        if value.is_null() || (*value == "" && !matches!(data_type, DataType::Text { .. })) {
            return "Null".to_owned();
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match data_type {
            DataType::Int64 => format!("Int({text})"),
            DataType::Bool => format!("Bool({text})"),
            DataType::Decimal(_) => format!("Decimal({text})"),
            DataType::Instant => format!("{:?}", Value::Instant(Instant::parse_any(&text).unwrap())),
            DataType::Json => format!("{:?}", Value::Json(&value.to_string())),
            _ => format!("{:?}", Value::Text(&text)),
        }
    };
    schema
        .fields()
        .iter()
        .map(|field| (field.name.clone(), of(&field.name, field.data_type)))
        .collect()
}
