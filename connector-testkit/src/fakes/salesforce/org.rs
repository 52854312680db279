//! The org behind the endpoints.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use super::bulk_query::QueryJob;
use super::config::SalesforceConfig;
use super::fault::Faults;
use super::id;
use super::ingest::IngestJob;
use super::keys::SeedKeys;
use super::lead_seed::SeedContext;
use super::object::ObjectType;
use super::query::Cursor;
use super::schema::Schema;
use super::sessions::Sessions;
use super::stats::Stats;
use super::table::Table;
use super::timestamp::{self, DAY, SECOND};
use super::view::{Tables, View};
use crate::fakes::Ledger;

/// Everything the endpoints share.
#[derive(Debug)]
pub(super) struct Org {
    pub(super) config: SalesforceConfig,
    pub(super) sessions: Sessions,
    pub(super) stats: Stats,
    pub(super) faults: Faults,
    pub(super) ledger: Ledger,
    /// Set once the server listens.
    pub(super) url: OnceLock<String>,
    seeds: SeedContext,
    schema: RwLock<Arc<Schema>>,
    data: Mutex<Data>,
    pub(super) seed_keys: Mutex<HashMap<(String, usize), Arc<SeedKeys>>>,
    cursors: Mutex<HashMap<String, Cursor>>,
    query_jobs: Mutex<Vec<QueryJob>>,
    ingest_jobs: Mutex<Vec<IngestJob>>,
    numbers: AtomicU64,
    requests: AtomicU64,
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) tables: Arc<Tables>,
}

impl Org {
    pub(super) fn new(config: SalesforceConfig) -> Self {
        // A fixed instant makes the seeds the same in every run; only a clock set before it moves them.
        let fixed = timestamp::days(2026, 1, 1) * DAY;
        let started = config.clock.now_micros() / SECOND;
        let seeds = SeedContext {
            until: fixed.min(started - DAY),
            converted_every: config.converted_every,
            deleted_every: config.deleted_every,
        };
        let schema = Schema::new(&config.objects);
        let tables: Tables = schema
            .objects()
            .iter()
            .map(|object| {
                let table = Table::new(seeded(&config, &object.name));
                (object.name.clone(), Arc::new(table))
            })
            .collect();
        Self {
            config,
            sessions: Sessions::default(),
            stats: Stats::default(),
            faults: Faults::default(),
            ledger: Ledger::new(),
            url: OnceLock::new(),
            seeds,
            schema: RwLock::new(Arc::new(schema)),
            data: Mutex::new(Data {
                tables: Arc::new(tables),
            }),
            seed_keys: Mutex::default(),
            cursors: Mutex::default(),
            query_jobs: Mutex::default(),
            ingest_jobs: Mutex::default(),
            numbers: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.config.clock.now_micros()
    }

    pub(super) fn org_id(&self) -> String {
        id::make("00D", self.config.org_number)
    }

    pub(super) fn url(&self) -> String {
        self.url.get().cloned().unwrap_or_default()
    }

    /// Number of seeded leads.
    pub(super) fn leads(&self) -> u64 {
        seeded(&self.config, "Lead")
    }

    /// Number of records of an object that exist without having been written.
    pub(super) fn seeded(&self, object: &str) -> u64 {
        seeded(&self.config, object)
    }

    /// The org's objects as they are now.
    pub(super) fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The object of this name, in any letter case.
    pub(super) fn object(&self, name: &str) -> Option<Arc<ObjectType>> {
        self.schema().find(name).map(Arc::clone)
    }

    /// The object Lead.
    pub(super) fn lead(&self) -> Arc<ObjectType> {
        // The schema always has it.
        self.object("Lead")
            .unwrap_or_else(|| Arc::new(ObjectType::new("Lead", "00Q")))
    }

    /// Changes an object's description.
    pub(super) fn change_schema(
        &self,
        object: &str,
        change: impl FnOnce(&mut ObjectType) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut schema = self.schema.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = schema
            .find(object)
            .map(|object| ObjectType::clone(object))
            .ok_or_else(|| format!("there is no object {object}"))?;
        change(&mut changed)?;
        changed.changed = self.now();
        Arc::make_mut(&mut schema).replace(changed);
        Ok(())
    }

    /// The org as it is now.
    pub(super) fn view(&self) -> View {
        self.view_of(&self.data())
    }

    pub(super) fn view_of(&self, data: &Data) -> View {
        View {
            seeds: self.seeds,
            tables: Arc::clone(&data.tables),
            now: self.now(),
        }
    }

    pub(super) fn seeds(&self) -> &SeedContext {
        &self.seeds
    }

    pub(super) fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn cursors(&self) -> MutexGuard<'_, HashMap<String, Cursor>> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn query_jobs(&self) -> MutexGuard<'_, Vec<QueryJob>> {
        self.query_jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ingest_jobs(&self) -> MutexGuard<'_, Vec<IngestJob>> {
        self.ingest_jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new id with this key prefix, for a job or a cursor.
    pub(super) fn new_id(&self, prefix: &str) -> String {
        id::make(prefix, self.numbers.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// The number under which the ledger keeps the next request's writes.
    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }
}

fn seeded(config: &SalesforceConfig, object: &str) -> u64 {
    match object {
        "Lead" => config.leads.min(u64::from(u32::MAX)),
        "User" => 2,
        "LeadStatus" => 4,
        _ => 0,
    }
}
