//! A fault by number.

use super::action::Action;
use super::event::{IoEvent, Phase};
use super::events::Hook;

/// Acts at one event of a run, which a [`Recorder`](super::Recorder) has numbered: every event, one run each, is
/// every place where a run can break.
#[derive(Clone, Copy, Debug)]
pub struct At {
    number: u64,
    phase: Phase,
    action: Action,
}

impl At {
    /// Acts before the call `number` is carried out.
    pub fn before(number: u64, action: Action) -> Self {
        Self {
            number,
            phase: Phase::Before,
            action,
        }
    }

    /// Acts after the call `number` was carried out.
    pub fn after(number: u64, action: Action) -> Self {
        Self {
            number,
            phase: Phase::After,
            action,
        }
    }
}

impl Hook for At {
    fn on(&self, event: &IoEvent) -> Action {
        if event.number == self.number && event.phase == self.phase {
            self.action
        } else {
            Action::Go
        }
    }
}
