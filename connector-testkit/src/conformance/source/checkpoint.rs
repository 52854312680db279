//! States: what they cover, and whose they are.

use connector_core::{ErrorKind, Reader, State};

use super::{SourceSystem, open, read, request, since, source};
use crate::conformance::rows::{lines, same};
use crate::conformance::taken::{Reading, Replica};
use crate::conformance::verdict::{ensure, ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

pub(super) async fn an_incremental_read_ends_with_a_checkpoint(system: &dyn SourceSystem) -> Verdict {
    system.add(10).await;
    system.settle().await;
    let reading = read(system, since(system, None)).await?;
    let (covered, _) = reading
        .checkpoints
        .last()
        .ok_or_else(|| Failure::new("an incremental read emitted no checkpoint"))?;
    ensure_eq!(
        *covered,
        reading.records.len(),
        "records that the last checkpoint covers"
    );
    Ok(())
}

pub(super) async fn an_empty_read_has_a_checkpoint_too(system: &dyn SourceSystem) -> Verdict {
    let reading = read(system, since(system, None)).await?;
    let state = reading.state()?;
    system.add(5).await;
    system.settle().await;
    let next = read(system, since(system, Some(state))).await?;
    same(
        next.lines(),
        lines(&system.truth().await),
        "a read on from an empty stream's checkpoint",
    )
}

pub(super) async fn resuming_from_every_checkpoint_loses_nothing(system: &dyn SourceSystem) -> Verdict {
    system.add(60).await;
    system.settle().await;
    let whole = read(system, since(system, None)).await?;
    for (covered, state) in &whole.checkpoints {
        let rest = read(system, since(system, Some(state.clone()))).await?;
        joined(system, &whole, *covered, &rest).await?;
    }
    Ok(())
}

pub(super) async fn resuming_a_full_read_loses_nothing(system: &dyn SourceSystem) -> Verdict {
    system.add(60).await;
    let whole = read(system, request(system)).await?;
    for (covered, state) in &whole.checkpoints {
        let rest = read(system, request(system).with_state(Some(state.clone()))).await?;
        joined(system, &whole, *covered, &rest).await?;
    }
    Ok(())
}

/// What was read before a checkpoint and what came on resuming from it are, together, the truth.
async fn joined(system: &dyn SourceSystem, whole: &Reading, covered: usize, rest: &Reading) -> Verdict {
    let mut replica = Replica::default();
    replica.apply(&whole.records[..covered])?;
    replica.apply(&rest.records)?;
    let what = format!("reading on from the checkpoint after {covered} records");
    same(replica.lines(), lines(&system.truth().await), &what)
}

pub(super) async fn resuming_goes_forward(system: &dyn SourceSystem) -> Verdict {
    system.add(30).await;
    system.settle().await;
    system.add(5).await;
    system.settle().await;
    let whole = read(system, since(system, None)).await?;
    let again = read(system, since(system, Some(whole.state()?))).await?;
    ensure!(
        again.records.len() < whole.records.len(),
        "reading on from the end brings all {} records again",
        whole.records.len()
    );
    Ok(())
}

pub(super) async fn a_state_survives_storage(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    system.settle().await;
    let state = read(system, since(system, None)).await?.state()?;
    let stored = json(&state)?.to_string();
    let back: State = serde_json::from_str(&stored).map_err(|error| Failure::new(error.to_string()))?;
    ensure_eq!(back, state, "a state that was stored as JSON and read back");
    system.add(3).await;
    system.settle().await;
    let direct = read(system, since(system, Some(state))).await?;
    let stored = read(system, since(system, Some(back))).await?;
    same(
        stored.lines(),
        direct.lines(),
        "reading on from a state that was stored",
    )
}

pub(super) async fn a_state_of_another_system_is_refused(system: &dyn SourceSystem) -> Verdict {
    system.add(3).await;
    let state = read(system, since(system, None)).await?.state()?;
    let Some(elsewhere) = system.connect_elsewhere() else {
        return Ok(());
    };
    let here = system.connect().identity().await?;
    let opened = source(&*elsewhere)?.reader(since(system, Some(state))).await;
    let error = refused_state(opened, "a state of another system")?;
    ensure!(
        error.contains(here.as_str()),
        "the error does not name the state's system `{here}`: {error}"
    );
    Ok(())
}

pub(super) async fn a_state_of_another_stream_is_refused(system: &dyn SourceSystem) -> Verdict {
    let Some(other) = system.another_selection() else {
        return Ok(());
    };
    let state = read(system, since(system, None)).await?.state()?;
    let mut request = since(system, Some(state));
    request.selection = other;
    let opened = source(&*system.connect())?.reader(request).await;
    let error = refused_state(opened, "a state of another stream")?;
    let stream = system.selection().to_string();
    ensure!(
        error.contains(&stream),
        "the error does not name the state's stream `{stream}`: {error}"
    );
    Ok(())
}

pub(super) async fn a_state_of_a_newer_version_is_refused(system: &dyn SourceSystem) -> Verdict {
    let state = read(system, since(system, None)).await?.state()?;
    let newer = altered(&state, "version", serde_json::json!(u32::MAX))?;
    let opened = source(&*system.connect())?
        .reader(since(system, Some(newer)))
        .await;
    refused_state(opened, "a state of a newer version").map(drop)
}

pub(super) async fn a_damaged_state_is_refused(system: &dyn SourceSystem) -> Verdict {
    let state = read(system, since(system, None)).await?.state()?;
    let damaged = altered(&state, "data", serde_json::json!("damaged"))?;
    let opened = source(&*system.connect())?
        .reader(since(system, Some(damaged)))
        .await;
    refused_state(opened, "a damaged state").map(drop)
}

pub(super) async fn acknowledging_changes_nothing_that_is_read(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    system.settle().await;
    let mut reader = open(system, since(system, None)).await?;
    let mut reading = Reading::default();
    while let Some(event) = reader.next().await? {
        reading.take(event);
        if let Some((_, state)) = reading.checkpoints.last() {
            reader.acknowledge(state).await?;
        }
    }
    let truth = lines(&system.truth().await);
    same(
        reading.lines(),
        truth.clone(),
        "a read whose checkpoints were acknowledged",
    )?;
    drop(reader);
    let again = read(system, since(system, None)).await?;
    same(
        again.lines(),
        truth,
        "a new read after everything was acknowledged",
    )
}

fn json(state: &State) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(state).map_err(|error| Failure::new(error.to_string()))
}

fn altered(state: &State, field: &str, value: serde_json::Value) -> Result<State, Failure> {
    let mut stored = json(state)?;
    stored[field] = value;
    serde_json::from_value(stored).map_err(|error| Failure::new(error.to_string()))
}

/// The report of a state's refusal, which must be of that kind.
fn refused_state(opened: connector_core::Result<Box<dyn Reader>>, what: &str) -> Result<String, Failure> {
    let error = refused(opened, what)?;
    ensure_eq!(error.kind(), ErrorKind::State, "the kind of error for {what}");
    Ok(error.report().to_string())
}
