//! The org's usage of its daily API calls, as each answer tells it.

use std::sync::atomic::{AtomicU64, Ordering};

use connector_http::HeaderMap;

/// API calls used and allowed, of the last 24 hours.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    used: AtomicU64,
    allowed: AtomicU64,
}

impl Usage {
    /// Learns from an answer.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        let text = headers
            .get("sforce-limit-info")
            .and_then(|value| value.to_str().ok());
        if let Some((used, allowed)) = text.and_then(parse) {
            self.used.store(used, Ordering::Relaxed);
            self.allowed.store(allowed, Ordering::Relaxed);
        }
    }

    /// Used and allowed, once an answer has told.
    pub(crate) fn last(&self) -> Option<(u64, u64)> {
        let allowed = self.allowed.load(Ordering::Relaxed);
        (allowed > 0).then(|| (self.used.load(Ordering::Relaxed), allowed))
    }
}

/// `api-usage=18/15000`, perhaps with more behind a comma.
fn parse(text: &str) -> Option<(u64, u64)> {
    let usage = text
        .split(',')
        .find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, allowed) = usage.split_once('/')?;
    Some((used.parse().ok()?, allowed.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_with_and_without_its_second_part() {
        assert_eq!(parse("api-usage=18/15000"), Some((18, 15_000)));
        assert_eq!(
            parse("api-usage=25/5000, per-app-api-usage=17/250(appName=x)"),
            Some((25, 5_000))
        );
        assert_eq!(parse("nonsense"), None);
    }
}
