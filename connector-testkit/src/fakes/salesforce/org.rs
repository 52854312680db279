//! The org behind the endpoints.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::bulk_query::QueryJob;
use super::config::SalesforceConfig;
use super::fault::Faults;
use super::id;
use super::ingest::IngestJob;
use super::lead_seed::SeedContext;
use super::query::Cursor;
use super::sessions::Sessions;
use super::stats::Stats;
use super::timestamp::{self, DAY, SECOND};
use super::view::{Overlay, View};
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
    data: Mutex<Data>,
    cursors: Mutex<HashMap<String, Cursor>>,
    query_jobs: Mutex<Vec<QueryJob>>,
    ingest_jobs: Mutex<Vec<IngestJob>>,
    numbers: AtomicU64,
    requests: AtomicU64,
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) overlay: Arc<Overlay>,
    /// Leads by the external key they were given, in lower case; may be out of date.
    pub(super) keys: HashMap<String, u64>,
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
        Self {
            config,
            sessions: Sessions::default(),
            stats: Stats::default(),
            faults: Faults::default(),
            ledger: Ledger::new(),
            url: OnceLock::new(),
            seeds,
            data: Mutex::default(),
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
        id::make("00D", 1)
    }

    pub(super) fn url(&self) -> String {
        self.url.get().cloned().unwrap_or_default()
    }

    /// Number of seeded leads.
    pub(super) fn leads(&self) -> u64 {
        self.config.leads.min(u64::from(u32::MAX))
    }

    /// The org as it is now.
    pub(super) fn view(&self) -> View {
        self.view_of(&self.data())
    }

    pub(super) fn view_of(&self, data: &Data) -> View {
        View {
            seeds: self.seeds,
            leads: self.leads(),
            overlay: Arc::clone(&data.overlay),
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
