//! The state store's calls.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Claim, Fence, Holder, Result, State, StateStore, TaskId};

use super::operation::Operation;
use super::passage::Gate;

#[derive(Debug)]
pub(super) struct FaultyStore {
    pub(super) inner: Arc<dyn StateStore>,
    pub(super) gate: Gate,
}

#[async_trait]
impl StateStore for FaultyStore {
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim> {
        let call = self.inner.claim(task, holder);
        self.gate.pass(Operation::Claim, task.as_str(), call).await
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        let call = self.inner.save(fence, state);
        self.gate.pass(Operation::Save, fence.task.as_str(), call).await
    }
}
