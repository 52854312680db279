//! Access and refresh tokens.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The tokens that are good.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    issued: u64,
    /// Access tokens and when they were last used, in microseconds.
    access: HashMap<String, i64>,
    refresh: HashSet<String>,
}

impl Sessions {
    pub(super) fn issue_access(&self, org: &str, now: i64) -> String {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.issued += 1;
        let token = format!("{}!AQEAQ{:08}.fake_{}", &org[..15], inner.issued, "x".repeat(80));
        inner.access.insert(token.clone(), now);
        token
    }

    pub(super) fn issue_refresh(&self) -> String {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.issued += 1;
        let token = format!("5Aep861.fake_refresh_{:08}", inner.issued);
        inner.refresh.insert(token.clone());
        token
    }

    /// Whether the access token is good; using it prolongs its life.
    pub(super) fn check(&self, token: &str, now: i64, timeout: Option<Duration>) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let timeout = timeout.map_or(i64::MAX, |timeout| {
            i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX)
        });
        match inner.access.get_mut(token) {
            Some(used) if now - *used <= timeout => {
                *used = now;
                true
            }
            _ => false,
        }
    }

    /// Whether the refresh token is good; with `rotate` it is good no more afterwards.
    pub(super) fn use_refresh(&self, token: &str, rotate: bool) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if rotate {
            inner.refresh.remove(token)
        } else {
            inner.refresh.contains(token)
        }
    }

    /// Expires every access token.
    pub(super) fn expire(&self) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .access
            .clear();
    }

    /// Revokes every refresh token.
    pub(super) fn revoke_refresh(&self) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .refresh
            .clear();
    }
}
