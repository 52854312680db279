//! An org whose records people make, change and delete.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{Batch, BatchBuilder, Connector, Key, Op, Selection};
use connector_testkit::conformance::{SourceSystem, sample};
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::salesforce::{FakeSalesforce, FieldValue, SalesforceConfig};

use crate::common::Bench;
use crate::thing;

/// An org, and another one.
pub(crate) struct Org {
    here: Bench,
    elsewhere: Bench,
    object: &'static str,
    /// A query in place of the object.
    query: Option<String>,
    /// The records there are, oldest first: number and id.
    records: Mutex<Vec<(usize, String)>>,
    next: AtomicUsize,
    version: AtomicUsize,
}

impl Org {
    pub(crate) async fn of_object(object: &'static str) -> Self {
        let config = |clock: &FakeClock, org_number| SalesforceConfig {
            org_number,
            leads: 0,
            page_size: 200,
            bulk_page_size: 1_000,
            objects: thing::objects(),
            clock: clock.clone(),
            ..SalesforceConfig::default()
        };
        let clock = FakeClock::new();
        Self {
            here: Bench::start(config(&clock, 1)).await,
            elsewhere: Bench::start(config(&clock, 2)).await,
            object,
            query: None,
            records: Mutex::default(),
            next: AtomicUsize::new(0),
            version: AtomicUsize::new(0),
        }
    }

    pub(crate) async fn of_query() -> Self {
        let query = "SELECT Id, Thing__c.Name, Note__c, Flag__c, Amount__c, At__c, Day__c FROM Thing__c \
                     WHERE (Ext__c != 'no' OR Name = null)";
        Self {
            query: Some(query.to_owned()),
            ..Self::of_object("Thing__c").await
        }
    }

    fn org(&self) -> &FakeSalesforce {
        &self.here.org
    }

    fn insert(&self, values: &[(&str, FieldValue)], number: usize) {
        let id = self.org().insert_record(self.object, values).unwrap();
        self.records.lock().unwrap().push((number, id));
    }
}

#[async_trait]
impl SourceSystem for Org {
    fn connect(&self) -> Arc<dyn Connector> {
        Arc::new(self.here.reconnect())
    }

    fn selection(&self) -> Selection {
        match &self.query {
            Some(query) => Selection::Query(query.clone()),
            None => Selection::stream(self.object),
        }
    }

    async fn add(&self, count: usize) {
        let start = self.next.fetch_add(count, Relaxed);
        for number in start..start + count {
            self.insert(&thing::values(number, 0), number);
        }
    }

    async fn add_texts(&self, texts: &[String]) -> bool {
        for text in texts {
            let number = self.next.fetch_add(1, Relaxed);
            self.insert(&[("Note__c", text.as_str().into())], number);
        }
        true
    }

    /// Salesforce knows no empty text.
    fn texts(&self) -> Vec<String> {
        sample::texts()
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect()
    }

    async fn change(&self, count: usize) {
        let version = self.version.fetch_add(1, Relaxed) + 1;
        for (number, id) in self.records.lock().unwrap().iter().take(count) {
            self.org()
                .update_record(self.object, id, &thing::values(*number, version))
                .unwrap();
        }
    }

    async fn remove(&self, count: usize) {
        for (turn, (_, id)) in self.records.lock().unwrap().drain(..count).enumerate() {
            if turn.is_multiple_of(3) {
                self.org().purge_record(self.object, &id).unwrap();
            } else {
                self.org().delete_record(self.object, &id).unwrap();
            }
        }
    }

    async fn truth(&self) -> Batch {
        let spec = self.here.crm.describe(&self.selection()).await.unwrap();
        let mut builder = BatchBuilder::new(Arc::clone(&spec.schema), 0);
        let is_deleted = Some(&FieldValue::Bool(true));
        for record in self.org().records(self.object) {
            if record.get("IsDeleted") == is_deleted {
                continue;
            }
            for field in spec.schema.fields() {
                thing::push(&mut builder, field.data_type, &record[&field.name]);
            }
            builder.end_record(Op::Put);
        }
        builder.finish()
    }

    async fn settle(&self) {
        self.here.clock.advance(Duration::from_secs(400));
    }

    fn missing_key(&self) -> Option<Key> {
        Some(Key::new("a01000000zzzzzzAAA"))
    }

    fn another_selection(&self) -> Option<Selection> {
        Some(Selection::stream("Other__c"))
    }

    fn connect_elsewhere(&self) -> Option<Arc<dyn Connector>> {
        Some(Arc::new(self.elsewhere.reconnect()))
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.org().client_secret()]
    }
}
