//! Two holders of one task.

use connector_core::{Connector, ErrorKind, Fence, Holder, Identity, State, Writer};

use super::DestinationSystem;
use super::write::{claim, found, keyed_mode, open, request};
use crate::conformance::rows::same;
use crate::conformance::verdict::{ensure, ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

fn checkpoint(number: u32) -> Result<State, Failure> {
    Ok(State::new(
        Identity::new("conformance", "there"),
        "things",
        1,
        &number,
    )?)
}

/// The fence of a claim whose lease is over, as a process that was paused still holds it.
async fn lapsed(connection: &dyn Connector) -> Result<Fence, Failure> {
    Ok(claim(connection).await?.fence.clone())
}

async fn refused_commit(mut writer: Box<dyn Writer>, what: &str) -> Verdict {
    let error = refused(writer.commit(Some(&checkpoint(9)?)).await, what)?;
    ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
    ensure!(
        matches!(error.retry(), connector_core::Retry::Never),
        "the error for {what} asks to be tried again"
    );
    Ok(())
}

pub(super) async fn an_old_fence_cannot_commit(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    system.prepare(0..10).await;
    let connection = system.connect();
    let old = lapsed(&*connection).await?;
    let mut zombie = open(system, request(system, mode).with_fence(Some(old.clone()))).await?;
    zombie.write(system.records(0..10, 1)).await?;
    let mut other = open(system, request(system, mode).with_fence(Some(old))).await?;
    other.write(system.records(0..10, 1)).await?;
    let untouched = found(system).await;
    // Somebody else takes over: that is the end of the old fence, whether or not the new one commits anything.
    let new = claim(&*connection).await?;
    refused_commit(other, "a commit under an old fence before the new one's first").await?;
    same(
        found(system).await,
        untouched,
        "the table after a commit under an old fence before the new one's first",
    )?;
    let mut writer = open(system, request(system, mode).with_fence(Some(new.fence.clone()))).await?;
    writer.write(system.records(0..10, 2)).await?;
    writer.commit(Some(&checkpoint(1)?)).await?;
    let before = found(system).await;
    refused_commit(zombie, "a commit under an old fence").await?;
    same(
        found(system).await,
        before,
        "the table after a commit under an old fence",
    )?;
    writer.write(system.records(0..5, 3)).await?;
    writer.finish(Some(&checkpoint(2)?)).await?;
    drop(new);
    let last = claim(&*connection).await?;
    ensure_eq!(
        last.state,
        Some(checkpoint(2)?),
        "the state after the rightful holder's last commit"
    );
    Ok(())
}

pub(super) async fn an_old_fence_cannot_save_a_state(system: &dyn DestinationSystem) -> Verdict {
    let connection = system.connect();
    let store = connection
        .state_store()
        .ok_or_else(|| Failure::new("a transactional destination has no state store"))?;
    let old = claim(&*connection).await?;
    store.save(&old.fence, &checkpoint(1)?).await?;
    let fence = old.fence.clone();
    drop(old);
    let new = claim(&*connection).await?;
    ensure_eq!(new.state, Some(checkpoint(1)?), "the state that was saved");
    let what = "a state saved under an old fence";
    let error = refused(store.save(&fence, &checkpoint(2)?).await, what)?;
    ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
    drop(new);
    ensure_eq!(
        claim(&*connection).await?.state,
        Some(checkpoint(1)?),
        "the state after another was saved under an old fence"
    );
    Ok(())
}

pub(super) async fn a_task_that_is_held_cannot_be_claimed(system: &dyn DestinationSystem) -> Verdict {
    let held = claim(&*system.connect()).await?;
    let connection = system.connect();
    let store = connection
        .state_store()
        .ok_or_else(|| Failure::new("a transactional destination has no state store"))?;
    let again = store.claim(&held.fence.task, &Holder::new("another run")).await;
    let error = refused(again, "a claim of a task that is held")?;
    ensure_eq!(
        error.kind(),
        ErrorKind::Conflict,
        "the kind of error for a task that is held"
    );
    let text = error.report().to_string();
    ensure!(
        text.contains("the suite"),
        "the error does not say who holds the task: {text}"
    );
    drop(held);
    claim(&*connection).await.map(drop)
}

pub(super) async fn a_holder_that_missed_a_commit_cannot_commit(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    system.prepare(0..10).await;
    let connection = system.connect();
    let held = claim(&*connection).await?;
    // Two writers under one fence: a second one was opened after the first one's answer was lost.
    let fenced = || request(system, mode).with_fence(Some(held.fence.clone()));
    let mut first = open(system, fenced()).await?;
    let mut second = open(system, fenced()).await?;
    first.write(system.records(0..10, 1)).await?;
    first.commit(Some(&checkpoint(1)?)).await?;
    drop(first);
    second.write(system.records(0..10, 2)).await?;
    let before = found(system).await;
    refused_commit(second, "a commit that missed another one").await?;
    same(
        found(system).await,
        before,
        "the table after a commit that missed another one",
    )
}
