//! What the org was asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// Counters of requests.
#[derive(Debug, Default)]
pub(super) struct Stats {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calls: u64,
    by_kind: BTreeMap<String, u64>,
    auto_assign: BTreeMap<String, u64>,
}

impl Stats {
    /// Counts an API call (or, with `counted` false, one that costs nothing).
    pub(super) fn count(&self, kind: &str, counted: bool) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.calls += u64::from(counted);
        *inner.by_kind.entry(kind.to_owned()).or_default() += 1;
    }

    /// Remembers the header `Sforce-Auto-Assign` of a write.
    pub(super) fn auto_assign(&self, header: Option<&str>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        *inner
            .auto_assign
            .entry(header.unwrap_or("ABSENT").to_ascii_uppercase())
            .or_default() += 1;
    }

    pub(super) fn calls(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).calls
    }

    pub(super) fn to_json(&self) -> Value {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        json!({ "calls": inner.calls, "by_kind": inner.by_kind, "auto_assign": inner.auto_assign })
    }
}
