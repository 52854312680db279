use std::time::Duration;

use async_trait::async_trait;
use connector_core::Clock;
use connector_core::value::Instant;
use connector_testkit::fakes::FakeClock;

/// The org's clock; sleeping moves it.
#[derive(Debug)]
pub struct TestClock(pub FakeClock);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_unix_micros(self.0.now_micros())
    }

    async fn sleep(&self, duration: Duration) {
        self.0.advance(duration);
        tokio::task::yield_now().await;
    }
}
