//! The contract of [`StateStore`](connector_core::StateStore).

pub(super) mod cancel;
mod claim;
mod fence;
mod limits;
pub(super) mod names;
mod save;

use std::collections::BTreeSet;
use std::sync::Arc;

use connector_core::{Claim, Fence, Holder, Identity, State, StateStore, TaskId};

use super::need::Need;
use super::suite::{Listed, Suite, check};
use super::verdict::Failure;

/// A place for states, under the control of a test.
///
/// A new one knows no task.
pub trait StateStoreSystem: Send + Sync + 'static {
    /// A new handle, as a program that was just started would make it.
    fn store(&self) -> Arc<dyn StateStore>;

    /// The secrets that the store was given.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Suite {
    /// Checks for the [`StateStore`] called `name`; `system` makes a new system for each.
    pub fn state_store<S, F>(
        name: impl Into<String>,
        system: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        S: StateStoreSystem,
        F: Future<Output = S> + Send + 'static,
    {
        Self::over(
            name.into(),
            CHECKS,
            move || {
                let starting = system();
                Box::pin(async move { Box::new(starting.await) as Box<dyn StateStoreSystem> })
            },
            |system| Box::pin(std::future::ready(Ok(declared(system)))),
        )
    }
}

fn declared(system: &dyn StateStoreSystem) -> BTreeSet<Need> {
    let secrets = !system.secrets().is_empty();
    secrets.then_some(Need::Secrets).into_iter().collect()
}

/// The task most checks claim.
fn task() -> TaskId {
    TaskId::new("conformance", "state_store")
}

/// Who claims it.
fn holder() -> Holder {
    Holder::new("the suite")
}

/// A state that holds `data`.
fn state(data: &serde_json::Value) -> Result<State, Failure> {
    Ok(State::new(
        Identity::new("conformance", "source"),
        "Thing",
        1,
        data,
    )?)
}

/// Claims `task` over a new handle.
async fn claim(system: &dyn StateStoreSystem, task: &TaskId) -> Result<Claim, Failure> {
    Ok(system.store().claim(task, &holder()).await?)
}

/// Saves over a new handle.
async fn save(system: &dyn StateStoreSystem, fence: &Fence, state: &State) -> Result<(), Failure> {
    Ok(system.store().save(fence, state).await?)
}

/// What a new holder of `task` starts from. Nobody may hold the task.
async fn stored(system: &dyn StateStoreSystem, task: &TaskId) -> Result<Option<State>, Failure> {
    Ok(claim(system, task).await?.state)
}

/// Every check, with what it needs.
const CHECKS: &[Listed<dyn StateStoreSystem>] = &[
    check!(claim::the_first_claim_finds_nothing),
    check!(claim::every_claim_raises_the_epoch),
    check!(claim::a_held_task_is_refused_and_its_holder_named),
    check!(claim::a_refused_claim_takes_nothing_from_the_holder),
    check!(claim::dropping_a_claim_frees_the_task),
    check!(claim::of_simultaneous_claims_one_wins),
    check!(claim::tasks_are_apart),
    check!(claim::odd_task_names_are_tasks_of_their_own),
    check!(save::a_saved_state_comes_back),
    check!(save::the_last_of_several_saves_wins),
    check!(save::a_large_state_comes_back),
    check!(save::a_state_is_kept_whoever_it_is_of),
    check!(fence::a_takeover_goes_on_from_the_last_state),
    check!(fence::an_old_fence_cannot_save),
    check!(fence::a_fence_of_another_task_cannot_save),
    check!(cancel::a_dropped_save_leaves_a_whole_state),
    check!(cancel::a_dropped_claim_holds_nothing),
    check!(limits::secrets_are_never_shown, Secrets),
];
