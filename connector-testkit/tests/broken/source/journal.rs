//! A journal that hands everything on, but for its defect.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Counts, Fate, Fence, Identity, Intent, Journal, Key, Outcome, Rest, Result, Standing, Target, Ticket,
};

use super::defect::Defect;
use super::system::Server;

#[derive(Debug)]
pub(super) struct UnreliableJournal {
    inner: Arc<dyn Journal>,
    defect: Option<Defect>,
    server: Server,
}

impl UnreliableJournal {
    pub(super) fn new(inner: Arc<dyn Journal>, defect: Option<Defect>, server: Server) -> Self {
        Self {
            inner,
            defect,
            server,
        }
    }

    fn fence(&self, given: &Fence) -> Fence {
        let newest = self.server.lock().fence.clone();
        match (self.defect, newest) {
            (Some(Defect::JournalUnfenced), Some(newest)) => newest,
            _ => given.clone(),
        }
    }
}

/// The other side as the defect has it known.
pub(super) fn known_as(defect: Option<Defect>, target: &Target) -> Target {
    let mut target = target.clone();
    match defect {
        Some(Defect::SystemOfTargetIgnored) => target.identity = Identity::new("some", "system"),
        Some(Defect::ObjectOfTargetIgnored) => target.object = "Object".to_owned(),
        _ => {}
    }
    target
}

#[async_trait]
impl Journal for UnreliableJournal {
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()> {
        if self.defect == Some(Defect::IntentsNotStored) {
            // What is asked of the fence is asked all the same.
            return self.inner.settle(fence, target, &[]).await;
        }
        let target = known_as(self.defect, target);
        self.inner.intend(&self.fence(fence), &target, intent).await?;
        let mut server = self.server.lock();
        server.confirmed.retain(|key| !intent.keys.contains(key));
        Ok(())
    }

    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        let target = known_as(self.defect, target);
        let mut fates = fates.to_vec();
        if self.defect == Some(Defect::RejectedIsConfirmed) {
            fates.iter_mut().for_each(|fate| fate.outcome = Outcome::Updated);
        }
        self.inner.settle(&self.fence(fence), &target, &fates).await?;
        let confirmed = fates.iter().filter(|fate| fate.outcome == Outcome::Updated);
        self.server
            .lock()
            .confirmed
            .extend(confirmed.map(|fate| fate.key.clone()));
        Ok(())
    }

    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        let target = known_as(self.defect, target);
        let rest = match self.defect {
            Some(Defect::ReleasedIsConfirmed) => Rest::Updated,
            _ => rest,
        };
        self.inner.close(&self.fence(fence), &target, ticket, rest).await
    }

    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        let target = known_as(self.defect, target);
        self.inner.standings(&target, keys).await
    }
}
