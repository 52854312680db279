//! The journal's calls.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Counts, Fate, Fence, Intent, Journal, Key, Rest, Result, Standing, Target, Ticket};

use super::operation::Operation;
use super::passage::Gate;

#[derive(Debug)]
pub(super) struct FaultyJournal {
    pub(super) inner: Arc<dyn Journal>,
    pub(super) gate: Gate,
}

#[async_trait]
impl Journal for FaultyJournal {
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()> {
        let detail = format!("{}: {} keys", target.object, intent.keys.len());
        let call = self.inner.intend(fence, target, intent);
        self.gate.pass(Operation::Intend, detail, call).await
    }

    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        let detail = format!("{}: {} fates", target.object, fates.len());
        let call = self.inner.settle(fence, target, fates);
        self.gate.pass(Operation::Settle, detail, call).await
    }

    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        let detail = format!("{}: {}", target.object, ticket.as_str());
        let call = self.inner.close(fence, target, ticket, rest);
        self.gate.pass(Operation::Close, detail, call).await
    }

    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        let detail = format!("{}: {} keys", target.object, keys.len());
        let call = self.inner.standings(target, keys);
        self.gate.pass(Operation::Standings, detail, call).await
    }
}
