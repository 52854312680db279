//! The clock of a fake server.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The server's wall clock: the machine's, plus whatever a test has added.
///
/// Clones share one offset, so that both fakes and their test agree on the time.
#[derive(Clone, Debug, Default)]
pub struct FakeClock {
    offset_micros: Arc<AtomicI64>,
}

impl FakeClock {
    /// A clock that shows the machine's time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the fakes read the machine's clock"
    )]
    pub fn now_micros(&self) -> i64 {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let machine = i64::try_from(machine.as_micros()).unwrap_or(i64::MAX);
        machine.saturating_add(self.offset_micros.load(Ordering::SeqCst))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.offset_micros.fetch_add(by, Ordering::SeqCst);
    }
}
