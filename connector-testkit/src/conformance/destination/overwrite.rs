//! Overwriting a table.

use connector_core::{ErrorKind, State, WriteMode, WriteRequest};

use super::DestinationSystem;
use super::write::{claim, holds, open, request, write};
use crate::conformance::verdict::{ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

fn overwrite(system: &dyn DestinationSystem) -> WriteRequest {
    request(system, WriteMode::Overwrite)
}

fn checkpoint(system: &str) -> Result<State, Failure> {
    let source = connector_core::Identity::new("conformance", system);
    Ok(State::new(source, "things", 1, &"halfway")?)
}

pub(super) async fn an_overwrite_leaves_only_what_was_written(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..20).await;
    let (first, second) = (system.records(10..20, 1), system.records(20..25, 1));
    write(system, overwrite(system), [first.clone(), second.clone()]).await?;
    holds(system, &[&first, &second], "a table that was overwritten").await
}

pub(super) async fn an_overwrite_shows_the_old_until_it_ends(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..20).await;
    let old = system.records(0..20, 0);
    let mut writer = open(system, overwrite(system)).await?;
    holds(system, &[&old], "a table about to be overwritten").await?;
    writer.write(system.records(0..5, 1)).await?;
    holds(system, &[&old], "a table that is being overwritten").await?;
    writer.commit(None).await?;
    holds(
        system,
        &[&old],
        "a table that is being overwritten, after a commit",
    )
    .await?;
    writer.write(system.records(5..9, 1)).await?;
    writer.finish(None).await?;
    holds(
        system,
        &[&system.records(0..9, 1)],
        "a table that was overwritten in two commits",
    )
    .await
}

pub(super) async fn a_dropped_overwrite_leaves_the_old(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..20).await;
    let mut writer = open(system, overwrite(system)).await?;
    writer.write(system.records(0..5, 1)).await?;
    writer.commit(None).await?;
    writer.write(system.records(5..9, 1)).await?;
    drop(writer);
    holds(
        system,
        &[&system.records(0..20, 0)],
        "a table whose overwrite was dropped",
    )
    .await
}

pub(super) async fn an_overwrite_with_nothing_empties(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..20).await;
    write(system, overwrite(system), []).await?;
    holds(system, &[], "a table overwritten with nothing").await
}

/// Half an overwrite, committed with a checkpoint and then left by its process.
async fn half(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..20).await;
    let connection = system.connect();
    let claim = claim(&*connection).await?;
    let request = overwrite(system).with_fence(Some(claim.fence.clone()));
    let mut writer = open(system, request).await?;
    writer.write(system.records(0..5, 1)).await?;
    writer.commit(Some(&checkpoint("there")?)).await?;
    Ok(())
}

pub(super) async fn an_overwrite_goes_on_where_it_was(system: &dyn DestinationSystem) -> Verdict {
    half(system).await?;
    let connection = system.connect();
    let claim = claim(&*connection).await?;
    let request = overwrite(system)
        .with_fence(Some(claim.fence.clone()))
        .with_resumes(true);
    write(system, request, [system.records(5..12, 1)]).await?;
    holds(
        system,
        &[&system.records(0..12, 1)],
        "an overwrite that went on from its checkpoint",
    )
    .await
}

pub(super) async fn an_old_fence_cannot_publish(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..20).await;
    let connection = system.connect();
    let old = claim(&*connection).await?.fence.clone();
    let mut zombie = open(system, overwrite(system).with_fence(Some(old))).await?;
    zombie.write(system.records(0..5, 1)).await?;
    // The lease is over, and somebody else takes the task over.
    let new = claim(&*connection).await?;
    let what = "an overwrite published under an old fence";
    let error = refused(zombie.finish(Some(&checkpoint("there")?)).await, what)?;
    ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
    holds(
        system,
        &[&system.records(0..20, 0)],
        "a table that an old fence was to overwrite",
    )
    .await?;
    let request = overwrite(system).with_fence(Some(new.fence.clone()));
    let records = system.records(5..12, 1);
    write(system, request, [records.clone()]).await?;
    holds(
        system,
        &[&records],
        "a table that the task's new holder overwrote",
    )
    .await
}

pub(super) async fn an_overwrite_can_begin_anew(system: &dyn DestinationSystem) -> Verdict {
    half(system).await?;
    let connection = system.connect();
    let claim = claim(&*connection).await?;
    let request = overwrite(system).with_fence(Some(claim.fence.clone()));
    let records = system.records(5..12, 1);
    write(system, request, [records.clone()]).await?;
    holds(system, &[&records], "an overwrite that began anew").await
}
