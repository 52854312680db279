//! Who holds a task.

use connector_core::{ErrorKind, Holder, TaskId};
use futures::future::join_all;
use serde_json::json;

use super::names::ODD;
use super::{StateStoreSystem, claim, holder, save, state, stored, task};
use crate::conformance::verdict::{ensure, ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

pub(super) async fn the_first_claim_finds_nothing(system: &dyn StateStoreSystem) -> Verdict {
    let claim = claim(system, &task()).await?;
    ensure_eq!(claim.state, None, "the state of a task never claimed before");
    ensure_eq!(claim.open, [], "the open work of a task never claimed before");
    ensure_eq!(claim.fence.task, task(), "the task of the fence");
    Ok(())
}

pub(super) async fn every_claim_raises_the_epoch(system: &dyn StateStoreSystem) -> Verdict {
    let store = system.store();
    let mut last = store.claim(&task(), &holder()).await?.fence.epoch;
    // Over one handle, over new ones, and after a save.
    for round in 0..6 {
        let claimed = if round < 2 {
            store.claim(&task(), &holder()).await?
        } else {
            claim(system, &task()).await?
        };
        let epoch = claimed.fence.epoch;
        ensure!(
            epoch > last,
            "the epoch {last} is followed by {epoch}, in claim {}",
            round + 2
        );
        if round % 2 == 1 {
            save(system, &claimed.fence, &state(&json!(round))?).await?;
        }
        last = epoch;
    }
    Ok(())
}

pub(super) async fn a_held_task_is_refused_and_its_holder_named(system: &dyn StateStoreSystem) -> Verdict {
    let store = system.store();
    let first = Holder::new("process 4711 on the first machine");
    let second = Holder::new("process 4712 on the second machine");
    let held = store.claim(&task(), &first).await?;
    for (store, handle) in [(store, "the holder's handle"), (system.store(), "a new handle")] {
        let what = format!("a claim of a held task over {handle}");
        let error = refused(store.claim(&task(), &second).await, &what)?;
        ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
        ensure!(
            error.message().contains(first.as_str()),
            "the error for {what} does not name the holder, `{}`: {}",
            first.as_str(),
            error.message()
        );
    }
    drop(held);
    Ok(())
}

pub(super) async fn a_refused_claim_takes_nothing_from_the_holder(system: &dyn StateStoreSystem) -> Verdict {
    let held = claim(system, &task()).await?;
    let other = Holder::new("another process");
    refused(
        system.store().claim(&task(), &other).await,
        "a claim of a held task",
    )?;
    let wanted = state(&json!("saved after another was refused"))?;
    save(system, &held.fence, &wanted).await?;
    drop(held);
    ensure_eq!(
        stored(system, &task()).await?,
        Some(wanted),
        "the state saved after another was refused the task"
    );
    Ok(())
}

pub(super) async fn dropping_a_claim_frees_the_task(system: &dyn StateStoreSystem) -> Verdict {
    let store = system.store();
    for round in 0..3 {
        let one = Holder::new(format!("process {round} on the first machine"));
        let other = Holder::new(format!("process {round} on the second machine"));
        drop(store.claim(&task(), &one).await?);
        drop(system.store().claim(&task(), &other).await?);
    }
    Ok(())
}

pub(super) async fn of_simultaneous_claims_one_wins(system: &dyn StateStoreSystem) -> Verdict {
    const CLAIMS: usize = 8;
    let task = task();
    let claims = (0..CLAIMS).map(|number| {
        let store = system.store();
        let (task, holder) = (&task, Holder::new(format!("claimant {number}")));
        async move { store.claim(task, &holder).await }
    });
    let mut winners = Vec::new();
    for result in join_all(claims).await {
        match result {
            Ok(claim) => winners.push(claim),
            Err(error) => ensure_eq!(
                error.kind(),
                ErrorKind::Conflict,
                "the kind of error of a simultaneous claim: {}",
                error.report()
            ),
        }
    }
    ensure_eq!(winners.len(), 1, "winners of {CLAIMS} simultaneous claims");
    let wanted = state(&json!("of the winner"))?;
    for winner in winners {
        save(system, &winner.fence, &wanted).await?;
    }
    ensure_eq!(
        stored(system, &task).await?,
        Some(wanted),
        "the state of the winner of simultaneous claims"
    );
    Ok(())
}

pub(super) async fn tasks_are_apart(system: &dyn StateStoreSystem) -> Verdict {
    let tasks = ["one", "two", "three"].map(|stream| TaskId::new("conformance", stream));
    let mut held = Vec::new();
    for task in &tasks {
        held.push(claim(system, task).await?);
    }
    // All of them are held: none of the claims made another worth nothing.
    for (claim, task) in held.iter().zip(&tasks) {
        save(system, &claim.fence, &state(&json!(task.as_str()))?).await?;
    }
    drop(held);
    for task in &tasks {
        ensure_eq!(
            stored(system, task).await?,
            Some(state(&json!(task.as_str()))?),
            "the state of the task `{task}`"
        );
    }
    Ok(())
}

pub(super) async fn odd_task_names_are_tasks_of_their_own(system: &dyn StateStoreSystem) -> Verdict {
    let tasks: Vec<TaskId> = ODD
        .iter()
        .map(|odd| TaskId::new(odd, "Thing"))
        .chain(ODD.iter().map(|odd| TaskId::new("odd", odd)))
        .chain(["first", "other"].map(|last| TaskId::new(&"long".repeat(125), last)))
        .collect();
    for task in &tasks {
        let claim = named(task, claim(system, task).await)?;
        ensure_eq!(claim.fence.task, *task, "the task of the fence");
        let saved = save(system, &claim.fence, &state(&json!(task.as_str()))?).await;
        named(task, saved)?;
    }
    for task in &tasks {
        let found = named(task, stored(system, task).await)?;
        ensure_eq!(
            found,
            Some(state(&json!(task.as_str()))?),
            "the state of the task `{task}`"
        );
    }
    Ok(())
}

/// The same, but a failure says of which task it is.
fn named<T>(task: &TaskId, result: Result<T, Failure>) -> Result<T, Failure> {
    result.map_err(|failure| Failure::new(format!("the task `{task}`: {failure}")))
}
