//! Time, handed in.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::value::Instant;

/// What time it is, and how to wait. Everything that waits does so through the clock it was given, so that a test
/// can move it.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock.
    fn now(&self) -> Instant;
    /// Returns after `duration`; cancel-safe.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock and tokio's timer.
#[cfg(feature = "system-clock")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "system-clock")]
#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is handed"
    )]
    fn now(&self) -> Instant {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Instant::from_unix_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
