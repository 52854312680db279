//! Writing, as the checks do it.

use std::sync::Arc;

use connector_core::{
    Batch, Claim, CommitReport, Connector, Holder, Journaled, Schema, StreamName, TaskId, WriteMode,
    WriteRequest, Writer, target_of,
};

use super::{DestinationSystem, destination};
use crate::conformance::rows::{lines, same};
use crate::conformance::{Failure, Verdict};

/// The task on whose behalf the suite writes.
pub(super) fn task() -> TaskId {
    TaskId::new("conformance", "destination")
}

/// A write of the system's own schema into its own table.
pub(super) fn request(system: &dyn DestinationSystem, mode: WriteMode) -> WriteRequest {
    request_of(system.stream(), system.schema(), mode)
}

/// A write of `schema` into `stream`, matching on its primary key.
pub(super) fn request_of(stream: StreamName, schema: Arc<Schema>, mode: WriteMode) -> WriteRequest {
    let key: Vec<String> = schema.primary_key_names().map(str::to_owned).collect();
    let request = WriteRequest::new(stream, schema, mode, task());
    if mode == WriteMode::Insert {
        request
    } else {
        request.with_match_on(key)
    }
}

/// The mode in which records come to be, or are changed where none can: what most checks write in.
pub(super) fn usual_mode(system: &dyn DestinationSystem) -> Result<WriteMode, Failure> {
    let modes = destination(&*system.connect())?.capabilities().modes;
    let usual = [
        WriteMode::Upsert,
        WriteMode::Insert,
        WriteMode::Update,
        WriteMode::Overwrite,
    ];
    usual
        .into_iter()
        .find(|mode| modes.contains(mode))
        .ok_or_else(|| Failure::new("the destination declares no mode to write in"))
}

/// A mode that finds records by their key.
pub(super) fn keyed_mode(system: &dyn DestinationSystem) -> Result<WriteMode, Failure> {
    match usual_mode(system)? {
        WriteMode::Upsert => Ok(WriteMode::Upsert),
        _ => Ok(WriteMode::Update),
    }
}

/// Lets the records with these numbers exist, where the mode changes only what is there.
pub(super) async fn ready(system: &dyn DestinationSystem, mode: WriteMode, numbers: std::ops::Range<usize>) {
    if mode == WriteMode::Update {
        system.prepare(numbers).await;
    }
}

/// A writer over a new connection.
pub(super) async fn open(
    system: &dyn DestinationSystem,
    request: WriteRequest,
) -> Result<Box<dyn Writer>, Failure> {
    Ok(destination(&*system.connect())?.writer(request).await?)
}

/// Writes `batches`, and finishes.
pub(super) async fn write(
    system: &dyn DestinationSystem,
    request: WriteRequest,
    batches: impl IntoIterator<Item = Batch>,
) -> Result<CommitReport, Failure> {
    let mut writer = open(system, request).await?;
    for batch in batches {
        writer.write(batch).await?;
    }
    Ok(writer.finish(None).await?)
}

/// Claims the task at the destination's own state store.
pub(super) async fn claim(connection: &dyn Connector) -> Result<Claim, Failure> {
    let store = connection
        .state_store()
        .ok_or_else(|| Failure::new("a transactional destination has no state store"))?;
    Ok(store.claim(&task(), &Holder::new("the suite")).await?)
}

/// `journal`, as a writer into the system's table is handed it.
pub(super) async fn journaled(
    system: &dyn DestinationSystem,
    claim: &Claim,
    journal: Arc<dyn connector_core::Journal>,
) -> Result<Journaled, Failure> {
    Ok(Journaled {
        journal,
        fence: claim.fence.clone(),
        target: target_of(system.connect().identity().await?, &system.stream()),
        open: claim.open.clone(),
    })
}

/// Whether the system's table holds exactly `wanted`.
pub(super) async fn holds(system: &dyn DestinationSystem, wanted: &[&Batch], what: &str) -> Verdict {
    let wanted = wanted.iter().flat_map(|batch| lines(batch)).collect();
    same(found(system).await, wanted, what)
}

/// Whether exactly `wanted` counts as being there.
pub(super) async fn shows(system: &dyn DestinationSystem, wanted: &[&Batch], what: &str) -> Verdict {
    let wanted = wanted.iter().flat_map(|batch| lines(batch)).collect();
    let rows = system.current(&system.stream(), &system.schema()).await;
    let found = rows.map(|rows| lines(&rows)).unwrap_or_default();
    same(found, wanted, &format!("{what}, as far as it counts"))
}

/// The lines of what stands in the system's table; none where there is no table.
pub(super) async fn found(system: &dyn DestinationSystem) -> Vec<String> {
    let rows = system.rows(&system.stream(), &system.schema()).await;
    rows.map(|rows| lines(&rows)).unwrap_or_default()
}
