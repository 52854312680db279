//! Pruning a table by a sweep of what still exists.

use connector_core::{ErrorKind, Key, Rejection, State, WriteMode, WriteRequest};

use super::DestinationSystem;
use super::deletes::{names, naming};
use super::write::{claim, holds, open, request, write};
use crate::conformance::verdict::{ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

fn prune(system: &dyn DestinationSystem) -> Result<WriteRequest, Failure> {
    naming(system, WriteMode::Prune)
}

pub(super) async fn a_prune_removes_what_was_not_named(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let mut writer = open(system, prune(system)?).await?;
    writer.write(names(system, 0..4)?).await?;
    let first = writer.commit(None).await?.counts;
    writer.write(names(system, 4..9)?).await?;
    writer.write(names(system, 20..21)?).await?;
    let last = writer.finish(None).await?.counts;
    let unchanged = (first.unchanged, last.unchanged);
    ensure_eq!(unchanged, (4, 6), "names counted as unchanged by two commits");
    ensure_eq!(
        (last.pruned, first.written() + last.written()),
        (1, 0),
        "records counted as pruned, and as written"
    );
    holds(
        system,
        &[&system.records(0..9, 0)],
        "a sweep that named nine of ten",
    )
    .await
}

pub(super) async fn a_prune_removes_nothing_before_it_ends(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let all = system.records(0..10, 0);
    let mut writer = open(system, prune(system)?).await?;
    writer.write(names(system, 0..9)?).await?;
    holds(system, &[&all], "a sweep under way").await?;
    writer.commit(None).await?;
    holds(system, &[&all], "a sweep under way, after a commit").await?;
    drop(writer);
    holds(system, &[&all], "a sweep that was dropped").await
}

pub(super) async fn an_empty_prune_is_refused(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let what = "a sweep that named nothing";
    let request = prune(system)?.with_max_delete(1.0);
    let writer = open(system, request).await?;
    let error = refused(writer.finish(None).await, what)?;
    ensure_eq!(error.kind(), ErrorKind::Data, "the kind of error for {what}");
    holds(system, &[&system.records(0..10, 0)], what).await
}

pub(super) async fn a_prune_of_too_much_is_refused(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let what = "a sweep that named seven of ten";
    let mut writer = open(system, prune(system)?).await?;
    writer.write(names(system, 0..7)?).await?;
    let error = refused(writer.finish(None).await, what)?;
    ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
    holds(system, &[&system.records(0..10, 0)], what).await?;
    let report = write(
        system,
        prune(system)?.with_max_delete(0.5),
        [names(system, 0..7)?],
    )
    .await?;
    ensure_eq!(
        report.counts.pruned,
        3,
        "records pruned where half of them may go"
    );
    Ok(())
}

pub(super) async fn a_prune_with_a_rejected_record_is_refused(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let what = "a sweep of which a record was rejected";
    let mut writer = open(system, prune(system)?).await?;
    writer.write(names(system, 0..9)?).await?;
    let key = Some(Key::new("k"));
    let rejection = Rejection::new(100, key, "not_a_number", "not a number");
    writer.reject(vec![rejection]).await?;
    writer.commit(None).await?;
    let error = refused(writer.finish(None).await, what)?;
    ensure_eq!(error.kind(), ErrorKind::Data, "the kind of error for {what}");
    holds(system, &[&system.records(0..10, 0)], what).await
}

pub(super) async fn a_prune_spares_what_came_since(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let mut writer = open(system, prune(system)?).await?;
    let new = system.records(9..11, 1);
    write(system, request(system, WriteMode::Upsert), [new.clone()]).await?;
    writer.write(names(system, 0..8)?).await?;
    let report = writer.finish(None).await?;
    ensure_eq!(report.counts.pruned, 1, "records pruned");
    holds(
        system,
        &[&system.records(0..8, 0), &new],
        "records that came since the sweep began",
    )
    .await
}

pub(super) async fn a_prune_goes_on_where_it_was(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let half = {
        let connection = system.connect();
        let claim = claim(&*connection).await?;
        let mut writer = open(system, prune(system)?.with_fence(Some(claim.fence.clone()))).await?;
        writer.write(names(system, 0..5)?).await?;
        let source = connector_core::Identity::new("conformance", "there");
        let state = State::new(source, "things", 1, &"halfway")?;
        writer.commit(Some(&state)).await?.counts
    };
    ensure_eq!(half.unchanged, 5, "names counted as unchanged");
    let connection = system.connect();
    let claim = claim(&*connection).await?;
    let request = prune(system)?
        .with_fence(Some(claim.fence.clone()))
        .with_resumes(true);
    let report = write(system, request, [names(system, 5..9)?]).await?;
    ensure_eq!(report.counts.pruned, 1, "records pruned");
    holds(
        system,
        &[&system.records(0..9, 0)],
        "a sweep that went on from its checkpoint",
    )
    .await
}
