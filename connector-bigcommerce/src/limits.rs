//! The store's quota, and how not to use it up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_core::Clock;
use connector_core::value::Instant;
use connector_http::HeaderMap;

/// Keeps requests within the store's quota, as the answers tell it.
///
/// The quota belongs to the store, not to us: other apps draw on it too. A tenth is left to them, and where that is
/// reached, requests wait for the next window.
#[derive(Debug)]
pub(crate) struct Limiter {
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known>>,
}

/// What the last answer said.
#[derive(Clone, Copy, Debug)]
struct Known {
    quota: u32,
    left: u32,
    ends: Instant,
}

impl Known {
    /// Requests that are left to others.
    fn reserve(self) -> u32 {
        (self.quota / 10).max(5).min(self.quota.saturating_sub(1))
    }
}

impl Limiter {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            known: Mutex::new(None),
        }
    }

    /// Waits until a request may be sent, and counts it.
    pub(crate) async fn admit(&self) {
        while let Some((ends, pause)) = self.take() {
            tracing::debug!(?pause, "waiting for the next window of the store's quota");
            self.clock.sleep(pause).await;
            self.renew(ends);
        }
    }

    /// Learns from the headers of an answer.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        let (Some(quota), Some(left)) = (
            number(headers, "x-rate-limit-requests-quota"),
            number(headers, "x-rate-limit-requests-left"),
        ) else {
            return;
        };
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let ends = self.clock.now().plus(reset(headers).unwrap_or_default());
        self.set(Some(Known {
            quota: narrow(quota),
            left: narrow(left),
            ends,
        }));
    }

    /// Requests per window, once an answer has said it.
    pub(crate) fn quota(&self) -> Option<u32> {
        self.get().map(|known| known.quota)
    }

    /// Takes one request out of the window; where none is left, when the window ends and how long that is.
    fn take(&self) -> Option<(Instant, Duration)> {
        let mut known = self.get()?;
        if known.left > known.reserve() {
            known.left -= 1;
            self.set(Some(known));
            return None;
        }
        let pause = known.ends.unix_micros() - self.clock.now().unix_micros();
        match u64::try_from(pause) {
            Ok(pause) if pause > 0 => Some((known.ends, Duration::from_micros(pause))),
            _ => {
                self.set(None);
                None
            }
        }
    }

    /// A window has ended: all of the quota is there again. Only the first who waited for it says so.
    fn renew(&self, ended: Instant) {
        if let Some(known) = self.get().filter(|known| known.ends == ended) {
            let ends = self.clock.now().plus(Duration::from_secs(30));
            self.set(Some(Known {
                left: known.quota.max(1),
                ends,
                ..known
            }));
        }
    }

    fn get(&self) -> Option<Known> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, known: Option<Known>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

/// The pause that an answer asks for: the longer of the two headers, for they do not always agree.
pub(crate) fn pause(headers: &HeaderMap) -> Option<Duration> {
    let asked = number(headers, "x-retry-after").map(Duration::from_secs);
    asked.max(reset(headers)).filter(|pause| !pause.is_zero())
}

fn reset(headers: &HeaderMap) -> Option<Duration> {
    number(headers, "x-rate-limit-time-reset-ms").map(Duration::from_millis)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use connector_http::{HeaderName, HeaderValue};

    use super::*;

    #[derive(Debug, Default)]
    struct Still {
        slept: Mutex<Vec<Duration>>,
    }

    #[async_trait::async_trait]
    impl Clock for Still {
        fn now(&self) -> Instant {
            Instant::from_unix_micros(0).plus(self.slept.lock().unwrap().iter().sum())
        }

        async fn sleep(&self, duration: Duration) {
            self.slept.lock().unwrap().push(duration);
        }
    }

    fn headers(pairs: &[(&'static str, u64)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from(value)))
            .collect()
    }

    fn window(quota: u64, left: u64, reset_ms: u64) -> HeaderMap {
        headers(&[
            ("x-rate-limit-requests-quota", quota),
            ("x-rate-limit-requests-left", left),
            ("x-rate-limit-time-reset-ms", reset_ms),
        ])
    }

    #[tokio::test]
    async fn a_tenth_of_the_quota_stays_for_others() {
        let clock = Arc::new(Still::default());
        let limiter = Limiter::new(Arc::<Still>::clone(&clock));
        limiter.admit().await;
        limiter.observe(&window(150, 17, 12_000));
        for _ in 0..2 {
            limiter.admit().await;
        }
        assert!(clock.slept.lock().unwrap().is_empty());
        limiter.admit().await;
        assert_eq!(*clock.slept.lock().unwrap(), [Duration::from_secs(12)]);
        // Of the new window, all but the reserve can be used before an answer says more.
        for _ in 0..134 {
            limiter.admit().await;
        }
        assert_eq!(clock.slept.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_tiny_quota_still_lets_something_through() {
        let clock = Arc::new(Still::default());
        let limiter = Limiter::new(Arc::<Still>::clone(&clock));
        for quota in [0, 1, 3] {
            limiter.observe(&window(quota, 0, 1_000));
            limiter.admit().await;
        }
        assert_eq!(clock.slept.lock().unwrap().len(), 3);
    }

    #[test]
    fn the_longer_pause_counts() {
        assert_eq!(
            pause(&headers(&[("x-retry-after", 3)])),
            Some(Duration::from_secs(3))
        );
        let both = headers(&[("x-retry-after", 3), ("x-rate-limit-time-reset-ms", 7_500)]);
        assert_eq!(pause(&both), Some(Duration::from_millis(7_500)));
        assert_eq!(pause(&headers(&[])), None);
    }
}
