//! The contract of [`Journal`](connector_core::Journal).

mod apart;
mod cancel;
mod fate;
mod fence;
mod limits;
mod ticket;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Claim, Counts, Fate, Fence, Holder, Identity, Intent, Journal, Key, Outcome, Rest, Result, Standing,
    StateStore, Target, TaskId, Ticket,
};

use super::need::Need;
use super::suite::{Listed, Suite, check};
use super::verdict::{Failure, Verdict, ensure_eq};

/// A journal and the store whose fences it honours, under the control of a test.
///
/// A new one knows no task and no record.
#[async_trait]
pub trait JournalSystem: Send + Sync + 'static {
    /// A new handle to the store, as a program that was just started would make it.
    fn store(&self) -> Arc<dyn StateStore>;

    /// A new handle to the journal.
    fn journal(&self) -> Arc<dyn Journal>;

    /// How the record `key` of `target` stands, looked up behind the journal's back; `None` where nothing is known
    /// of it.
    async fn standing(&self, target: &Target, key: &Key) -> Option<Standing>;

    /// The secrets that the store and the journal were given.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Suite {
    /// Checks for the [`Journal`] called `name`; `system` makes a new system for each.
    pub fn journal<S, F>(
        name: impl Into<String>,
        system: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        S: JournalSystem,
        F: Future<Output = S> + Send + 'static,
    {
        Self::over(
            name.into(),
            CHECKS,
            move || {
                let starting = system();
                Box::pin(async move { Box::new(starting.await) as Box<dyn JournalSystem> })
            },
            |system| Box::pin(std::future::ready(Ok(declared(system)))),
        )
    }
}

fn declared(system: &dyn JournalSystem) -> BTreeSet<Need> {
    let secrets = !system.secrets().is_empty();
    secrets.then_some(Need::Secrets).into_iter().collect()
}

/// The task of most checks.
fn task() -> TaskId {
    TaskId::new("conformance", "journal")
}

/// The other side of the write-back.
fn there(system: &str, object: &str) -> Target {
    Target {
        identity: Identity::new("conformance", system),
        object: object.to_owned(),
    }
}

/// A write-back under way: the task claimed, one handle of the journal at hand.
struct WriteBack {
    fence: Fence,
    open: Vec<Ticket>,
    /// Held until the task is taken over.
    claim: Option<Claim>,
    journal: Arc<dyn Journal>,
    target: Target,
}

impl WriteBack {
    async fn begin(system: &dyn JournalSystem) -> Result<Self, Failure> {
        Self::of(system, &task(), there("1", "Thing")).await
    }

    /// Writes to `target` on behalf of `task`, as a program that was just started.
    async fn of(system: &dyn JournalSystem, task: &TaskId, target: Target) -> Result<Self, Failure> {
        let claim = system.store().claim(task, &Holder::new("the suite")).await?;
        Ok(Self {
            fence: claim.fence.clone(),
            open: claim.open.clone(),
            claim: Some(claim),
            journal: system.journal(),
            target,
        })
    }

    /// Another program takes the task over; what is left of this one does not know it.
    async fn overtaken(&mut self, system: &dyn JournalSystem) -> Result<Self, Failure> {
        self.claim = None;
        Self::of(system, &self.fence.task, self.target.clone()).await
    }

    async fn intend(&self, keys: &[Key], ticket: Option<&Ticket>) -> Result<()> {
        let intent = Intent { keys, ticket };
        self.journal.intend(&self.fence, &self.target, &intent).await
    }

    /// Settles every one of `keys` with `outcome`.
    async fn settle(&self, keys: &[Key], outcome: &Outcome) -> Result<()> {
        let fate = |key: &Key| Fate {
            key: key.clone(),
            outcome: outcome.clone(),
        };
        let fates: Vec<Fate> = keys.iter().map(fate).collect();
        self.journal.settle(&self.fence, &self.target, &fates).await
    }

    async fn close(&self, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        self.journal.close(&self.fence, &self.target, ticket, rest).await
    }

    /// Fails unless all of `keys` stand as `wanted`.
    async fn stand(
        &self,
        system: &dyn JournalSystem,
        keys: &[Key],
        wanted: impl Into<Option<Standing>>,
        what: &str,
    ) -> Verdict {
        let wanted = wanted.into();
        for key in keys {
            let found = system.standing(&self.target, key).await;
            ensure_eq!(found, wanted, "the standing of {what}, here `{}`", shown(key));
        }
        Ok(())
    }
}

/// A key, cut where it is long.
fn shown(key: &Key) -> String {
    key.as_str().chars().take(80).collect()
}

/// As many keys, each different.
fn keys(name: &str, count: usize) -> Vec<Key> {
    (0..count)
        .map(|number| Key::new(format!("{name}-{number}")))
        .collect()
}

fn rejected() -> Outcome {
    Outcome::Rejected {
        code: "REQUIRED_FIELD_MISSING".to_owned(),
        message: "a field is missing".to_owned(),
        fields: vec!["Name".to_owned()],
    }
}

/// Every outcome, with the standing it leads to.
fn outcomes() -> [(Outcome, Standing); 7] {
    [
        (
            Outcome::Created {
                id: Some("00Q1".to_owned()),
            },
            Standing::Confirmed,
        ),
        (Outcome::Created { id: None }, Standing::Confirmed),
        (Outcome::Updated, Standing::Confirmed),
        (Outcome::Deleted, Standing::Confirmed),
        (rejected(), Standing::Unconfirmed),
        (Outcome::Ambiguous, Standing::Sent),
        (Outcome::Released, Standing::Planned),
    ]
}

/// Every check, with what it needs.
const CHECKS: &[Listed<dyn JournalSystem>] = &[
    check!(fate::what_is_intended_is_sent_until_settled),
    check!(fate::every_outcome_leads_to_its_standing),
    check!(fate::the_last_fate_stands),
    check!(fate::the_fate_of_what_was_never_sent_is_kept),
    check!(fate::intending_again_what_was_confirmed_makes_it_sent),
    check!(fate::what_is_intended_survives_a_new_handle),
    check!(fate::standings_are_told_in_the_order_of_the_keys),
    check!(ticket::open_tickets_come_back_in_order),
    check!(ticket::settling_every_record_leaves_its_ticket_open),
    check!(ticket::closing_ends_the_ticket),
    check!(ticket::closing_confirms_the_rest_and_counts_it),
    check!(ticket::closing_returns_the_rest_to_be_done),
    check!(ticket::closing_leaves_fates_alone),
    check!(ticket::closing_touches_no_other_ticket),
    check!(ticket::a_record_belongs_to_its_last_intent),
    check!(ticket::closing_twice_counts_nothing_more),
    check!(fence::an_old_fence_cannot_intend),
    check!(fence::an_old_fence_cannot_settle),
    check!(fence::an_old_fence_cannot_close),
    check!(apart::targets_are_apart),
    check!(apart::tasks_have_tickets_of_their_own),
    check!(apart::odd_keys_are_kept_apart),
    check!(apart::twenty_thousand_keys_are_all_kept),
    check!(cancel::a_dropped_intend_stores_all_or_nothing),
    check!(cancel::a_dropped_close_can_be_made_again),
    check!(limits::secrets_are_never_shown, Secrets),
];
