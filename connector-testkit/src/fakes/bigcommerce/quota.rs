//! How many requests the store still answers in the current window.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::timestamp::SECOND;

/// Length of a window in microseconds.
const WINDOW: i64 = 30 * SECOND;

/// A fixed window of 30 seconds that begins with the first request after the last one ended.
#[derive(Debug)]
pub(super) struct Quota {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    quota: u32,
    used: u32,
    ends: i64,
}

/// What a request was told about the quota.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    quota: u32,
    left: u32,
    reset_millis: i64,
    /// Whether the request is within the quota.
    pub(super) allowed: bool,
}

impl Quota {
    pub(super) fn new(quota: u32) -> Self {
        Self {
            state: Mutex::new(State {
                quota,
                used: 0,
                ends: i64::MIN,
            }),
        }
    }

    /// Changes the quota, as the platform does when more apps become active.
    pub(super) fn set(&self, quota: u32) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).quota = quota;
    }

    /// Takes `requests` out of the window that `now` lies in.
    pub(super) fn spend(&self, now: i64, requests: u32) -> Spent {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= state.ends {
            state.used = 0;
            state.ends = now + WINDOW;
        }
        let allowed = state.used.saturating_add(requests) <= state.quota;
        if allowed {
            state.used += requests;
        } else {
            state.used = state.quota.max(state.used);
        }
        Spent {
            quota: state.quota,
            left: state.quota.saturating_sub(state.used),
            reset_millis: ((state.ends - now) / 1_000).max(1),
            allowed,
        }
    }
}

impl Spent {
    /// Adds the four headers of every answer, and `X-Retry-After` to a refusal.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        let mut set = |name: &'static str, value: i64| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        };
        set("x-rate-limit-time-window-ms", WINDOW / 1_000);
        set("x-rate-limit-time-reset-ms", self.reset_millis);
        set("x-rate-limit-requests-quota", i64::from(self.quota));
        set("x-rate-limit-requests-left", i64::from(self.left));
        if !self.allowed {
            set("x-retry-after", (self.reset_millis + 999) / 1_000);
        }
    }
}
