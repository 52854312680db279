//! What a fake applied, in order: the judge of every delivery test.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One write that a fake accepted and applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Number of the HTTP request (or of the Bulk job's processing) that brought the write; equal for the
    /// records of one request.
    pub request: u64,
    /// Object or resource written, such as `Lead`.
    pub object: String,
    /// `insert`, `update`, `upsert` or `delete`.
    pub operation: String,
    /// The record's id.
    pub id: String,
    /// The fields written, as they are stored after the write.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

/// An append-only list of [`LedgerEntry`]; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<LedgerEntry>>>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one applied write.
    pub fn record(&self, entry: LedgerEntry) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    /// Everything applied so far, in order.
    pub fn entries(&self) -> Vec<LedgerEntry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Number of applied writes.
    pub fn len(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing was applied yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
