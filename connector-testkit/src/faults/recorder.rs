//! What a run did, in order.

use std::sync::{Arc, Mutex, PoisonError};

use super::action::Action;
use super::event::IoEvent;
use super::events::Hook;

/// Lists every event of a run, and lets it go on or asks another hook. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    events: Arc<Mutex<Vec<IoEvent>>>,
    inner: Option<Arc<dyn Hook>>,
}

impl Recorder {
    /// A recorder that does nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// A recorder of what `hook` is asked.
    pub fn over(hook: impl Hook + 'static) -> Self {
        Self {
            events: Arc::default(),
            inner: Some(Arc::new(hook)),
        }
    }

    /// The events so far.
    pub fn events(&self) -> Vec<IoEvent> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Hook for Recorder {
    fn on(&self, event: &IoEvent) -> Action {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
        self.inner.as_ref().map_or(Action::Go, |hook| hook.on(event))
    }
}
