//! The state store, watched for the newest fence.

use std::fmt;

use async_trait::async_trait;
use connector_core::{Claim, Error, ErrorKind, Fence, Holder, Result, Retry, State, StateStore, TaskId};

use super::defect::Defect;
use super::system::This;

pub(super) struct WatchedStates(pub(super) This);

#[async_trait]
impl StateStore for WatchedStates {
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim> {
        let Self(this) = self;
        let mut claim = match this.memory.claim(task, holder).await {
            Err(error) if this.has(Defect::HolderUnnamed) => {
                return Err(Error::new(error.kind(), "the task is held by another run"));
            }
            claim => claim?,
        };
        let mut server = this.server.lock();
        if server.commits > 0 {
            claim.fence.commit_no = server.commits;
        }
        server.fence = Some(claim.fence.clone());
        drop(server);
        if this.has(Defect::HeldIsClaimed) {
            // The lease ends here.
            return Ok(Claim::new(
                claim.fence.clone(),
                claim.state.clone(),
                claim.open.clone(),
            ));
        }
        Ok(claim)
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        let Self(this) = self;
        if this.has(Defect::SaveUnfenced) {
            let newest = this.server.lock().fence.clone();
            return this.memory.save(newest.as_ref().unwrap_or(fence), state).await;
        }
        this.memory.save(fence, state).await
    }
}

impl fmt::Debug for WatchedStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchedStates").finish_non_exhaustive()
    }
}

impl This {
    /// What a holder that was overtaken is told.
    pub(super) fn tell_fence(&self, error: Error) -> Error {
        match self.defect {
            _ if error.kind() != ErrorKind::Conflict => error,
            Some(Defect::OvertakenTriesAgain) => error.with_retry(Retry::Backoff),
            Some(Defect::OvertakenIsAnOutage) => {
                Error::new(ErrorKind::Unavailable, "the transaction was rolled back").with_retry(Retry::Never)
            }
            _ => error,
        }
    }
}
