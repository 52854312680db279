//! What the host hands in.

use std::sync::Arc;

use connector_core::{Clock, Holder, RetryPolicy, SystemClock};

/// How to run jobs: the host's clock, name and patience.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOptions {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who claims the tasks: shown to whoever is refused.
    pub holder: Holder,
    /// How often a task goes on from its last checkpoint after a failure that may pass.
    pub retry: RetryPolicy,
    /// Most bytes of records held at once per task: the batch being written and the one read ahead.
    pub memory_budget: usize,
    /// Ignore what the other sides of write-backs have confirmed, and every state: everything is read and sent.
    pub full: bool,
}

impl Default for RunOptions {
    /// The machine's clock, three tries, 16 MiB.
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            holder: Holder::new(format!("process {}", std::process::id())),
            retry: RetryPolicy {
                max_attempts: 3,
                ..RetryPolicy::default()
            },
            memory_budget: 16 << 20,
            full: false,
        }
    }
}

impl RunOptions {
    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// As somebody else.
    #[must_use]
    pub fn with_holder(mut self, holder: Holder) -> Self {
        self.holder = holder;
        self
    }

    /// With other patience.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Within other bounds of memory.
    #[must_use]
    pub fn with_memory_budget(mut self, bytes: usize) -> Self {
        self.memory_budget = bytes;
        self
    }
}
