//! Misbehaviour that a test scripts.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What a [`Fault`] does to the request it fires on. As JSON: `{"answer": {"status": 503}}`, `"drop"`,
/// `{"cut_body": 100}`, `{"delay": 500}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultAction {
    /// Answers this, without the store's headers (such as those of the rate limit) and without touching its quota.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers by name.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body as text.
        #[serde(default)]
        body: String,
    },
    /// Closes the connection without an answer.
    Drop,
    /// Answers as usual, but closes the connection after so many bytes of the body.
    CutBody(usize),
    /// Answers as usual, after so many milliseconds of the machine's time.
    Delay(u64),
}

/// A scripted fault: it counts the requests that match it, and fires on the `nth` and those that follow until it has
/// fired `times` times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The method to match; any if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// What the request's target (path and query, as sent) has to contain.
    #[serde(default)]
    pub path: String,
    /// The first matching request to fire on, from 1, counted from when the fault was added.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many matching requests in a row to fire on.
    #[serde(default = "one")]
    pub times: u64,
    /// What to do.
    pub action: FaultAction,
}

fn one() -> u64 {
    1
}

impl Fault {
    /// A fault for the next request whose target contains `path`.
    pub fn new(path: &str, action: FaultAction) -> Self {
        Self {
            method: None,
            path: path.to_owned(),
            nth: 1,
            times: 1,
            action,
        }
    }

    /// The same fault for the `nth` matching request.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { nth, ..self }
    }

    /// The same fault for so many matching requests in a row.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    fn matches(&self, method: &str, target: &str) -> bool {
        self.method
            .as_ref()
            .is_none_or(|known| known.eq_ignore_ascii_case(method))
            && target.contains(&self.path)
    }
}

/// Faults that haven't all fired yet, each with how many requests it has matched.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Mutex<Vec<(Fault, u64)>>,
}

impl Faults {
    pub(super) fn add(&self, fault: Fault) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((fault, 0));
    }

    /// What to do to a request; the fault that was added first wins.
    pub(super) fn take(&self, method: &str, target: &str) -> Option<FaultAction> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut action = None;
        for (fault, matched) in waiting
            .iter_mut()
            .filter(|(fault, _)| fault.matches(method, target))
        {
            *matched += 1;
            if action.is_none() && *matched >= fault.nth {
                action = Some(fault.action.clone());
            }
        }
        waiting.retain(|(fault, matched)| *matched < fault.nth.saturating_add(fault.times).saturating_sub(1));
        action
    }

    /// How many haven't all fired yet.
    pub(super) fn len(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
