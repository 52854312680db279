//! A journal as a writer with a defect uses it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use connector_core::{
    Counts, Fate, Fence, Intent, Journal, Key, Outcome, Rest, Result, Standing, Target, Ticket,
};

use super::defect::Defect;

#[derive(Debug)]
pub(super) struct MisusedJournal {
    inner: Arc<dyn Journal>,
    defect: Option<Defect>,
    /// Intents that are not stored yet.
    late: Mutex<Vec<Key>>,
}

impl MisusedJournal {
    pub(super) fn new(inner: Arc<dyn Journal>, defect: Option<Defect>) -> Self {
        Self {
            inner,
            defect,
            late: Mutex::default(),
        }
    }

    fn late(&self) -> Vec<Key> {
        std::mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Journal for MisusedJournal {
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()> {
        if self.defect == Some(Defect::JournalledAfterSending) {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            late.extend_from_slice(intent.keys);
            return Ok(());
        }
        self.inner.intend(fence, target, intent).await
    }

    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        let late = self.late();
        if !late.is_empty() {
            let intent = Intent {
                keys: &late,
                ticket: None,
            };
            self.inner.intend(fence, target, &intent).await?;
        }
        let mut fates = fates.to_vec();
        match self.defect {
            Some(Defect::FatesLost) => return Ok(()),
            Some(Defect::FatesOfFirstPage) => fates.truncate(20),
            Some(Defect::RefusalIsUpdated) => {
                let refused = |fate: &&mut Fate| matches!(fate.outcome, Outcome::Rejected { .. });
                let refused = fates.iter_mut().filter(refused);
                refused.for_each(|fate| fate.outcome = Outcome::Updated);
            }
            Some(Defect::FatesByPosition) => {
                let outcomes: Vec<Outcome> = fates.iter().map(|fate| fate.outcome.clone()).collect();
                let shifted = outcomes.into_iter().cycle().skip(1);
                fates
                    .iter_mut()
                    .zip(shifted)
                    .for_each(|(fate, outcome)| fate.outcome = outcome);
            }
            Some(Defect::UnansweredIsDone) => {
                let unanswered = fates.iter_mut().filter(|fate| fate.outcome == Outcome::Ambiguous);
                unanswered.for_each(|fate| fate.outcome = Outcome::Created { id: None });
            }
            _ => {}
        }
        self.inner.settle(fence, target, &fates).await
    }

    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        self.inner.close(fence, target, ticket, rest).await
    }

    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        self.inner.standings(target, keys).await
    }
}
