//! Commits: what they make durable, and when.

use std::sync::Arc;

use connector_core::{Identity, State, StreamName, WriteMode};

use super::DestinationSystem;
use super::write::{claim, found, holds, keyed_mode, open, ready, request, request_of, usual_mode, write};
use crate::conformance::cancel::polled;
use crate::conformance::rows::{lines, same};
use crate::conformance::verdict::{ensure, ensure_eq};
use crate::conformance::{Failure, Verdict};

fn checkpoint(number: u32) -> Result<State, Failure> {
    Ok(State::new(
        Identity::new("conformance", "there"),
        "things",
        1,
        &number,
    )?)
}

pub(super) async fn several_commits_add_up(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..30).await;
    let mut writer = open(system, request(system, mode)).await?;
    for start in [0, 10, 20] {
        writer.write(system.records(start..start + 10, 1)).await?;
        writer.commit(None).await?;
    }
    writer.finish(None).await?;
    holds(system, &[&system.records(0..30, 1)], "three commits and a finish").await
}

pub(super) async fn a_finished_write_can_be_seen_by_everyone(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..10).await;
    let connection = system.connect();
    let mut writer = super::destination(&*connection)?
        .writer(request(system, mode))
        .await?;
    writer.write(system.records(0..10, 1)).await?;
    writer.finish(None).await?;
    // While the connection is still open: nothing may wait for its end.
    holds(system, &[&system.records(0..10, 1)], "a write that is finished").await?;
    drop(connection);
    holds(
        system,
        &[&system.records(0..10, 1)],
        "a write whose connection is gone",
    )
    .await
}

pub(super) async fn nothing_shows_before_the_commit(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    system.prepare(0..10).await;
    let before = found(system).await;
    let mut writer = open(system, request(system, mode)).await?;
    writer.write(system.records(5..15, 1)).await?;
    writer.write(system.records(15..20, 1)).await?;
    same(
        found(system).await,
        before,
        "a table while records are written to it",
    )?;
    // An overwrite shows when it ends.
    match mode {
        WriteMode::Overwrite => writer.finish(None).await?,
        _ => writer.commit(None).await?,
    };
    let after = found(system).await;
    for line in lines(&system.records(5..20, 1)) {
        ensure!(
            after.contains(&line),
            "after the commit a record is missing: {line}"
        );
    }
    Ok(())
}

pub(super) async fn a_dropped_writer_abandons(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    system.prepare(0..10).await;
    let mut writer = open(system, request(system, mode)).await?;
    writer.write(system.records(0..10, 1)).await?;
    writer.commit(None).await?;
    let committed = found(system).await;
    writer.write(system.records(10..20, 1)).await?;
    drop(writer);
    same(
        found(system).await,
        committed,
        "a table after a writer was dropped",
    )
}

pub(super) async fn the_checkpoint_is_stored_with_the_rows(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..20).await;
    let connection = system.connect();
    let first = claim(&*connection).await?;
    ensure_eq!(first.state, None, "the state of a task that never ran");
    let mut writer = open(
        system,
        request(system, mode).with_fence(Some(first.fence.clone())),
    )
    .await?;
    writer.write(system.records(0..10, 1)).await?;
    writer.commit(Some(&checkpoint(1)?)).await?;
    writer.write(system.records(10..20, 1)).await?;
    // Not committed: neither these rows nor a checkpoint that covers them may be found.
    drop(writer);
    drop(first);
    let second = claim(&*connection).await?;
    ensure_eq!(
        second.state,
        Some(checkpoint(1)?),
        "the state after one commit and an abandoned write"
    );
    let mut writer = open(
        system,
        request(system, mode)
            .with_fence(Some(second.fence.clone()))
            .with_resumes(true),
    )
    .await?;
    writer.write(system.records(10..20, 1)).await?;
    writer.finish(Some(&checkpoint(2)?)).await?;
    drop(second);
    let third = claim(&*connection).await?;
    ensure_eq!(
        third.state,
        Some(checkpoint(2)?),
        "the state after the write was finished"
    );
    holds(
        system,
        &[&system.records(0..20, 1)],
        "the rows that the state covers",
    )
    .await
}

pub(super) async fn a_commit_without_a_checkpoint_leaves_the_last_one(
    system: &dyn DestinationSystem,
) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..20).await;
    let connection = system.connect();
    let held = claim(&*connection).await?;
    let mut writer = open(system, request(system, mode).with_fence(Some(held.fence.clone()))).await?;
    writer.write(system.records(0..10, 1)).await?;
    writer.commit(Some(&checkpoint(1)?)).await?;
    writer.write(system.records(10..20, 1)).await?;
    writer.finish(None).await?;
    drop(held);
    let next = claim(&*connection).await?;
    ensure_eq!(
        next.state,
        Some(checkpoint(1)?),
        "the state after a commit that had no checkpoint"
    );
    holds(system, &[&system.records(0..20, 1)], "the rows of both commits").await
}

pub(super) async fn a_commit_cut_short_is_whole_or_nothing(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    system.prepare(0..10).await;
    for polls in 0..8 {
        let version = polls + 1;
        let connection = system.connect();
        let held = claim(&*connection).await?;
        let (state, before) = (held.state.clone(), found(system).await);
        let mut writer = open(system, request(system, mode).with_fence(Some(held.fence.clone()))).await?;
        let records = system.records(0..10, version);
        writer.write(records.clone()).await?;
        let mark = checkpoint(version as u32)?;
        let ended = polled(writer.commit(Some(&mark)), polls).await.transpose()?;
        drop(writer);
        drop(held);
        drop(connection);
        let after = claim(&*system.connect()).await?;
        let what = format!("a table whose commit was dropped after {polls} polls");
        if after.state == Some(mark) {
            same(found(system).await, lines(&records), &what)?;
        } else {
            ensure!(ended.is_none(), "a commit that returned is not there");
            ensure_eq!(after.state, state, "the state after a commit that was dropped");
            same(found(system).await, before, &what)?;
        }
    }
    Ok(())
}

pub(super) async fn a_write_cut_short_can_be_made_again(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    for polls in 0..6 {
        let version = polls + 1;
        ready(system, mode, 0..10).await;
        let mut writer = open(system, request(system, mode)).await?;
        polled(writer.write(system.records(0..10, version)), polls)
            .await
            .transpose()?;
        drop(writer);
        let records = system.records(0..10, version);
        let report = write(system, request(system, mode), [records.clone()]).await?;
        ensure_eq!(
            report.counts.accounted(),
            10,
            "records accounted for on writing them again"
        );
        let what = format!("records written again after a write was dropped after {polls} polls");
        holds(system, &[&records], &what).await?;
    }
    Ok(())
}

pub(super) async fn two_tables_are_written_side_by_side(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    let schema = system.schema();
    let names = [system.stream(), StreamName::new(format!("{}_2", system.stream()))];
    let connection = system.connect();
    let destination = super::destination(&*connection)?;
    let mut writers = Vec::new();
    for name in &names {
        let request = request_of(name.clone(), Arc::clone(&schema), mode);
        writers.push(destination.writer(request).await?);
    }
    for start in [0, 5, 10] {
        for (version, writer) in writers.iter_mut().enumerate() {
            writer
                .write(system.records(start..start + 5, version + 1))
                .await?;
        }
    }
    for writer in writers {
        writer.finish(None).await?;
    }
    for (version, name) in names.iter().enumerate() {
        let rows = system.rows(name, &schema).await;
        let rows = rows.ok_or_else(|| Failure::new(format!("the table `{name}` is not there")))?;
        let what = format!("`{name}`, written side by side with another");
        same(lines(&rows), lines(&system.records(0..15, version + 1)), &what)?;
    }
    Ok(())
}
