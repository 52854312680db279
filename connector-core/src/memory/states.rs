//! Tasks: who may commit, and where each was left off.

use std::collections::HashMap;

use async_trait::async_trait;

use super::Memory;
use crate::error::{Error, ErrorKind, Result};
use crate::state::{Claim, Fence, Holder, State, StateStore, TaskId};

/// The tasks of one system.
#[derive(Debug, Default)]
pub(super) struct States(HashMap<TaskId, Task>);

#[derive(Debug, Default)]
struct Task {
    /// Counts claims.
    epoch: i64,
    /// Counts commits.
    commit_no: i64,
    state: Option<State>,
    /// Whoever holds the lease of the newest epoch.
    holder: Option<Holder>,
}

impl States {
    fn claim(&mut self, task: &TaskId, holder: &Holder) -> Result<(Fence, Option<State>)> {
        let stored = self.0.entry(task.clone()).or_default();
        if let Some(other) = &stored.holder {
            let message = format!("the task `{task}` is held by {}", other.as_str());
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_help("wait until that run has ended; dropping its claim ends its hold"));
        }
        stored.epoch += 1;
        stored.holder = Some(holder.clone());
        let fence = Fence {
            task: task.clone(),
            epoch: stored.epoch,
            commit_no: stored.commit_no,
        };
        Ok((fence, stored.state.clone()))
    }

    /// Makes sure that nobody has taken the task over.
    pub(super) fn hold(&self, fence: &Fence) -> Result<()> {
        let held = self.0.get(&fence.task).filter(|task| task.epoch == fence.epoch);
        held.map(drop).ok_or_else(|| fenced_off(fence))
    }

    /// Makes sure that nobody has taken the task over, and that no commit was missed.
    pub(super) fn expect(&self, fence: &Fence) -> Result<()> {
        self.hold(fence)?;
        let expected = self
            .0
            .get(&fence.task)
            .filter(|task| task.commit_no == fence.commit_no);
        expected.map(drop).ok_or_else(|| fenced_off(fence))
    }

    /// Counts a commit and stores its checkpoint, if `fence` may; moves the fence along.
    pub(super) fn commit(&mut self, fence: &mut Fence, checkpoint: Option<&State>) -> Result<()> {
        self.expect(fence)?;
        if let Some(task) = self.0.get_mut(&fence.task) {
            task.commit_no += 1;
            fence.commit_no = task.commit_no;
            if let Some(state) = checkpoint {
                task.state = Some(state.clone());
            }
        }
        Ok(())
    }

    fn save(&mut self, fence: &Fence, state: &State) -> Result<()> {
        self.hold(fence)?;
        if let Some(task) = self.0.get_mut(&fence.task) {
            task.state = Some(state.clone());
        }
        Ok(())
    }

    /// Ends the lease of an epoch; a newer one's stays.
    fn release(&mut self, fence: &Fence) {
        if let Some(task) = self
            .0
            .get_mut(&fence.task)
            .filter(|task| task.epoch == fence.epoch)
        {
            task.holder = None;
        }
    }
}

/// The error of a holder that was overtaken.
fn fenced_off(fence: &Fence) -> Error {
    let message = format!(
        "another run has taken over the task `{}`; nothing of this commit was kept",
        fence.task
    );
    Error::new(ErrorKind::Conflict, message)
        .with_help("let the other run go on; this one has nothing left to do")
}

/// Ends when dropped.
struct Lease {
    memory: Memory,
    fence: Fence,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.memory.lock().states.release(&self.fence);
    }
}

#[async_trait]
impl StateStore for Memory {
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim> {
        let mut system = self.lock();
        let (fence, state) = system.states.claim(task, holder)?;
        let open = system.book.open(task);
        drop(system);
        let lease = Lease {
            memory: self.clone(),
            fence: fence.clone(),
        };
        Ok(Claim::new(fence, state, open).with_lease(lease))
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        self.lock().states.save(fence, state)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::now;
    use super::*;
    use crate::connector::Identity;

    fn state(data: i32) -> State {
        State::new(Identity::new("memory", "shop"), "order", 1, &data).unwrap()
    }

    #[test]
    fn a_task_is_held_until_its_claim_is_dropped() {
        let memory = Memory::new("db");
        let task = TaskId::new("job", "order");
        let first = now(memory.claim(&task, &Holder::new("process 1"))).unwrap();
        let error = now(memory.claim(&task, &Holder::new("process 2"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.message(), "the task `job/order` is held by process 1");
        now(memory.save(&first.fence, &state(7))).unwrap();
        let fence = first.fence.clone();
        drop(first);
        let second = now(memory.claim(&task, &Holder::new("process 2"))).unwrap();
        assert_eq!((fence.epoch, second.fence.epoch), (1, 2));
        assert_eq!(second.state, Some(state(7)));
    }

    #[test]
    fn an_older_fence_saves_nothing() {
        let memory = Memory::new("db");
        let task = TaskId::new("job", "order");
        let old = now(memory.claim(&task, &Holder::new("a"))).unwrap().fence.clone();
        let new = now(memory.claim(&task, &Holder::new("b"))).unwrap();
        now(memory.save(&new.fence, &state(1))).unwrap();
        let error = now(memory.save(&old, &state(2))).unwrap_err();
        assert_eq!(
            error.report().to_string(),
            "another run has taken over the task `job/order`; nothing of this commit was kept\nhelp: let the other \
             run go on; this one has nothing left to do"
        );
        drop(new);
        let third = now(memory.claim(&task, &Holder::new("c"))).unwrap();
        assert_eq!(third.state, Some(state(1)));
    }

    #[test]
    fn a_missed_commit_is_noticed() {
        let memory = Memory::new("db");
        let claim = now(memory.claim(&TaskId::new("job", "order"), &Holder::new("a"))).unwrap();
        let (mut one, mut other) = (claim.fence.clone(), claim.fence.clone());
        let states = &mut memory.lock().states;
        assert!(states.commit(&mut one, None).is_ok());
        assert!(states.commit(&mut one, None).is_ok());
        assert_eq!(one.commit_no, 2);
        assert_eq!(
            states.commit(&mut other, None).unwrap_err().kind(),
            ErrorKind::Conflict
        );
    }
}
