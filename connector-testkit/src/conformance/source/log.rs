//! Reading a log of changes.

use connector_core::{ErrorKind, ReadRequest, State, SyncMode};

use super::{SourceSystem, open, read, request, source};
use crate::conformance::rows::{lines, same};
use crate::conformance::taken::{Reading, Replica};
use crate::conformance::verdict::{ensure, ensure_eq};
use crate::conformance::{Failure, Verdict};

/// A read of the log in small batches, going on from `state`.
fn log(system: &dyn SourceSystem, state: Option<State>) -> ReadRequest {
    request(system).with_sync(SyncMode::Changed).with_state(state)
}

async fn read_log(system: &dyn SourceSystem, state: Option<State>) -> Result<Reading, Failure> {
    system.settle().await;
    read(system, log(system, state)).await
}

/// What a destination that merges these reads by key holds is the truth.
async fn replicated(system: &dyn SourceSystem, readings: &[&Reading], when: &str) -> Verdict {
    let mut replica = Replica::default();
    for reading in readings {
        ensure_eq!(reading.rejected, [], "records that were rejected");
        replica.apply(&reading.records)?;
    }
    same(
        replica.lines(),
        lines(&system.truth().await),
        &format!("a log merged by key {when}"),
    )
}

pub(super) async fn the_first_read_of_a_log_is_everything(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    system.change(5).await;
    system.remove(3).await;
    let reading = read_log(system, None).await?;
    replicated(system, &[&reading], "at its first read").await?;
    let (covered, _) = reading
        .checkpoints
        .last()
        .ok_or_else(|| Failure::new("the first read of a log emitted no checkpoint"))?;
    ensure_eq!(
        *covered,
        reading.records.len(),
        "records that the last checkpoint covers"
    );
    Ok(())
}

pub(super) async fn changes_of_a_log_arrive_in_order(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let first = read_log(system, None).await?;
    system.change(6).await;
    system.remove(3).await;
    system.add(4).await;
    system.change(5).await;
    system.remove(2).await;
    let second = read_log(system, Some(first.state()?)).await?;
    replicated(system, &[&first, &second], "in its order").await
}

pub(super) async fn a_changed_key_arrives_as_delete_and_put(system: &dyn SourceSystem) -> Verdict {
    system.add(10).await;
    let first = read_log(system, None).await?;
    system.rekey(4).await;
    let second = read_log(system, Some(first.state()?)).await?;
    replicated(system, &[&first, &second], "after keys changed").await
}

pub(super) async fn resuming_a_log_from_every_checkpoint_loses_nothing(system: &dyn SourceSystem) -> Verdict {
    system.add(10).await;
    let first = read_log(system, None).await?;
    for count in 1..8 {
        system.add(count).await;
        system.change(count).await;
        system.remove(1).await;
    }
    let second = read_log(system, Some(first.state()?)).await?;
    for (covered, state) in &second.checkpoints {
        let rest = read(system, log(system, Some(state.clone()))).await?;
        let mut replica = Replica::default();
        replica.apply(&first.records)?;
        replica.apply(&second.records[..*covered])?;
        replica.apply(&rest.records)?;
        let what = format!("a log that is read on after {covered} of its records");
        same(replica.lines(), lines(&system.truth().await), &what)?;
    }
    ensure_eq!(
        second.checkpoints.last().map(|(covered, _)| *covered),
        Some(second.records.len()),
        "records that the last checkpoint covers"
    );
    Ok(())
}

pub(super) async fn what_changes_while_a_log_is_read_is_not_lost(system: &dyn SourceSystem) -> Verdict {
    system.add(60).await;
    system.settle().await;
    let mut reader = open(system, log(system, None)).await?;
    let mut first = Reading::default();
    if let Some(event) = reader.next().await? {
        first.take(event);
    }
    system.change(30).await;
    system.remove(4).await;
    system.add(10).await;
    while let Some(event) = reader.next().await? {
        first.take(event);
    }
    drop(reader);
    let second = read_log(system, Some(first.state()?)).await?;
    replicated(system, &[&first, &second], "after changes during its first read").await
}

pub(super) async fn what_was_not_acknowledged_comes_again(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let first = read_log(system, None).await?;
    system.change(6).await;
    system.remove(3).await;
    let lost = read_log(system, Some(first.state()?)).await?;
    ensure!(
        !lost.records.is_empty(),
        "nothing came of six changes and three removals"
    );
    // What was read was lost with the process before it was acknowledged.
    let again = read_log(system, Some(first.state()?)).await?;
    replicated(system, &[&first, &again], "whose last read was lost").await
}

pub(super) async fn acknowledging_a_log_forgets_nothing_after_it(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    let first = read_log(system, None).await?;
    system.change(6).await;
    system.settle().await;
    let mut reader = open(system, log(system, Some(first.state()?))).await?;
    let mut second = Reading::default();
    while let Some(event) = reader.next().await? {
        second.take(event);
    }
    // These come after what is acknowledged, and before it is.
    system.remove(2).await;
    system.add(5).await;
    let state = second.state()?;
    reader.acknowledge(&state).await?;
    reader.acknowledge(&state).await?;
    drop(reader);
    let third = read_log(system, Some(state)).await?;
    replicated(system, &[&first, &second, &third], "after it was acknowledged").await?;
    // The state before may have been forgotten, but then that is said.
    system.settle().await;
    match source(&*system.connect())?
        .reader(log(system, Some(first.state()?)))
        .await
    {
        Ok(reader) => {
            let again = Reading::of(reader).await?;
            replicated(
                system,
                &[&first, &again],
                "from a state before the acknowledged one",
            )
            .await
        }
        Err(error) => {
            ensure_eq!(
                error.kind(),
                ErrorKind::State,
                "the kind of error for a state that the log has forgotten"
            );
            Ok(())
        }
    }
}
