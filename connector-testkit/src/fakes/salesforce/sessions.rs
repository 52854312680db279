//! Access and refresh tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::consent::Consents;

/// The tokens that are good, and what people have consented to.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    inner: Mutex<Inner>,
    pub(super) consents: Consents,
}

#[derive(Debug, Default)]
struct Inner {
    issued: u64,
    /// Access tokens and when they were last used, in microseconds.
    access: HashMap<String, i64>,
    /// Refresh tokens, each with its family: all that came out of one consent.
    refresh: HashMap<String, u64>,
    /// Those that were rotated out.
    spent: HashMap<String, u64>,
}

impl Sessions {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn issue_access(&self, org: &str, now: i64) -> String {
        let mut inner = self.inner();
        inner.issued += 1;
        let token = format!("{}!AQEAQ{:08}.fake_{}", &org[..15], inner.issued, "x".repeat(80));
        inner.access.insert(token.clone(), now);
        token
    }

    /// The first refresh token of a new family.
    pub(super) fn issue_refresh(&self) -> String {
        let mut inner = self.inner();
        let family = inner.issued + 1;
        inner.issue_refresh(family)
    }

    /// Whether the access token is good; using it prolongs its life.
    pub(super) fn check(&self, token: &str, now: i64, timeout: Option<Duration>) -> bool {
        let timeout = timeout.map_or(i64::MAX, |timeout| {
            i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX)
        });
        match self.inner().access.get_mut(token) {
            Some(used) if now - *used <= timeout => {
                *used = now;
                true
            }
            _ => false,
        }
    }

    /// Uses a refresh token: `None` if it is not good, else the one that replaces it, if it is rotated.
    ///
    /// One that was rotated out before ends its whole family: somebody else may have it.
    pub(super) fn use_refresh(&self, token: &str, rotate: bool) -> Option<Option<String>> {
        let mut inner = self.inner();
        if let Some(family) = inner.spent.get(token).copied() {
            inner.refresh.retain(|_, other| *other != family);
        }
        let family = inner.refresh.get(token).copied()?;
        if !rotate {
            return Some(None);
        }
        inner.refresh.remove(token);
        inner.spent.insert(token.to_owned(), family);
        Some(Some(inner.issue_refresh(family)))
    }

    /// Expires every access token.
    pub(super) fn expire(&self) {
        self.inner().access.clear();
    }

    /// Revokes every refresh token.
    pub(super) fn revoke_refresh(&self) {
        self.inner().refresh.clear();
    }
}

impl Inner {
    fn issue_refresh(&mut self, family: u64) -> String {
        self.issued += 1;
        let token = format!("5Aep861.fake_refresh_{:08}", self.issued);
        self.refresh.insert(token.clone(), family);
        token
    }
}
