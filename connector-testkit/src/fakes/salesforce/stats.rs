//! What the org was asked for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::timestamp::{DAY, SECOND};

/// Counters of requests.
#[derive(Debug, Default)]
pub(super) struct Stats {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calls: u64,
    /// When each call of the last 24 hours came.
    recent: VecDeque<i64>,
    by_kind: BTreeMap<String, u64>,
    auto_assign: BTreeMap<String, u64>,
}

impl Stats {
    /// Counts an API call, or one that costs nothing: `at` is `None`.
    pub(super) fn count(&self, kind: &str, at: Option<i64>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.calls += u64::from(at.is_some());
        inner.recent.extend(at);
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

    /// Calls of the 24 hours before `now`.
    pub(super) fn recent(&self, now: i64) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        while inner.recent.front().is_some_and(|at| *at <= now - DAY * SECOND) {
            inner.recent.pop_front();
        }
        inner.recent.len() as u64
    }

    pub(super) fn calls(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).calls
    }

    pub(super) fn to_json(&self) -> Value {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        json!({ "calls": inner.calls, "by_kind": inner.by_kind, "auto_assign": inner.auto_assign })
    }
}
