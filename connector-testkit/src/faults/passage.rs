//! A call's way past the hook.

use std::sync::Arc;

use connector_core::Result;

use super::action::{Action, Failure};
use super::event::{IoEvent, Phase};
use super::events::{Events, Pause};
use super::operation::Operation;

/// Leads the calls of one connector past the hook.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) who: Arc<str>,
    pub(super) events: Events,
}

/// A call that may be carried out now.
pub(super) struct Passage {
    event: IoEvent,
    /// The answer is to be thrown away for this.
    lost: Option<Failure>,
}

impl Gate {
    /// Carries `call` out as the hook says. A call that is refused is never polled.
    pub(super) async fn pass<T>(
        &self,
        operation: Operation,
        detail: impl Into<String>,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let passage = self.enter(operation, detail.into()).await?;
        let (answer, pause) = self.leave(passage, call.await, None);
        self.events.wait(pause).await;
        answer
    }

    /// The first half: returns once the call is to be carried out.
    pub(super) async fn enter(&self, operation: Operation, detail: String) -> Result<Passage> {
        let event = IoEvent {
            number: self.events.next_number(),
            operation,
            phase: Phase::Before,
            who: Arc::clone(&self.who),
            detail,
        };
        let mut lost = None;
        let pause = match self.events.ask(&event) {
            Action::Go => Pause::None,
            Action::Refuse(failure) => return Err(failure.refused(&event)),
            Action::ApplyThenFail(failure) => {
                lost = Some(failure);
                Pause::None
            }
            Action::Hang => Pause::Forever,
            Action::Slow(duration) => Pause::For(duration),
            Action::Yield => Pause::Once,
            Action::Kill => std::process::abort(),
        };
        self.events.wait(pause).await;
        Ok(Passage { event, lost })
    }

    /// The second half: the answer to hand on, and how long to wait before.
    ///
    /// Apart from the wait, so that whoever may be dropped while it waits can keep the answer.
    pub(super) fn leave<T>(
        &self,
        passage: Passage,
        answer: Result<T>,
        came: Option<String>,
    ) -> (Result<T>, Pause) {
        let Passage { mut event, mut lost } = passage;
        event.phase = Phase::After;
        if let Err(error) = &answer {
            event.detail = format!("failed: {error}");
        } else if let Some(came) = came {
            event.detail = came;
        }
        let pause = match self.events.ask(&event) {
            Action::Go => Pause::None,
            Action::Refuse(failure) | Action::ApplyThenFail(failure) => {
                lost = Some(failure);
                Pause::None
            }
            Action::Hang => Pause::Forever,
            Action::Slow(duration) => Pause::For(duration),
            Action::Yield => Pause::Once,
            Action::Kill => std::process::abort(),
        };
        match lost {
            Some(failure) => (Err(failure.lost(&event)), pause),
            None => (answer, pause),
        }
    }
}
