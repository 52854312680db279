//! The state store, watched for the newest fence.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Claim, Fence, Holder, Result, State, StateStore, TaskId};

use super::system::Server;

#[derive(Debug)]
pub(super) struct WatchedStates {
    inner: Arc<dyn StateStore>,
    server: Server,
}

impl WatchedStates {
    pub(super) fn new(inner: Arc<dyn StateStore>, server: Server) -> Self {
        Self { inner, server }
    }
}

#[async_trait]
impl StateStore for WatchedStates {
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim> {
        let claim = self.inner.claim(task, holder).await?;
        self.server.lock().fence = Some(claim.fence.clone());
        Ok(claim)
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        self.inner.save(fence, state).await
    }
}
