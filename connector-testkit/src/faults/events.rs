//! The I/O of one run, numbered and handed to a hook.

use std::fmt;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use connector_core::{Clock, SystemClock};

use super::action::Action;
use super::event::IoEvent;

/// Says what becomes of each I/O of a run.
pub trait Hook: fmt::Debug + Send + Sync {
    /// Called before each call is carried out, and again after it, before its answer is handed on.
    fn on(&self, event: &IoEvent) -> Action;
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn on(&self, event: &IoEvent) -> Action {
        (**self).on(event)
    }
}

/// What all connectors of one run share: a counter, the hook, and the clock on which slow calls wait.
///
/// Clones are the same run. Numbers are given in the order in which calls begin: a run of connectors that answer in
/// the same order every time is numbered the same every time.
#[derive(Clone, Debug)]
pub struct Events {
    begun: Arc<AtomicU64>,
    hook: Arc<dyn Hook>,
    clock: Arc<dyn Clock>,
}

impl Events {
    /// A run under `hook`, on the machine's clock.
    pub fn new(hook: impl Hook + 'static) -> Self {
        Self {
            begun: Arc::default(),
            hook: Arc::new(hook),
            clock: Arc::new(SystemClock),
        }
    }

    /// The same on another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How many calls have begun: the number of the newest.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    pub(super) fn next_number(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn ask(&self, event: &IoEvent) -> Action {
        self.hook.on(event)
    }

    pub(super) async fn wait(&self, pause: Pause) {
        match pause {
            Pause::None => {}
            Pause::Once => yield_once().await,
            Pause::For(duration) => self.clock.sleep(duration).await,
            Pause::Forever => pending().await,
        }
    }
}

/// How long a call waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pause {
    None,
    Once,
    For(Duration),
    Forever,
}

/// Pending at the first poll, and ready at the second.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
