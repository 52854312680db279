//! Reading records by their keys.

use connector_core::{Key, ReadRequest, SyncMode};

use super::{SourceSystem, read, request};
use crate::conformance::Verdict;
use crate::conformance::rows::{line, same};
use crate::conformance::verdict::ensure_eq;

fn of(system: &dyn SourceSystem, keys: Vec<Key>) -> ReadRequest {
    request(system).with_sync(SyncMode::Keys(keys))
}

/// Every third key, and the lines of its records.
async fn some(system: &dyn SourceSystem) -> (Vec<Key>, Vec<String>) {
    let truth = system.truth().await;
    let records = truth.records().step_by(3);
    records
        .filter_map(|record| Some((record.source_key()?, line(&record))))
        .unzip()
}

pub(super) async fn keys_read_their_records_and_no_others(system: &dyn SourceSystem) -> Verdict {
    system.add(30).await;
    let (keys, wanted) = some(system).await;
    same(
        read(system, of(system, keys)).await?.lines(),
        wanted,
        "a read by keys",
    )
}

pub(super) async fn keys_that_are_not_there_are_left_out(system: &dyn SourceSystem) -> Verdict {
    system.add(9).await;
    let (mut keys, wanted) = some(system).await;
    keys.extend(system.missing_key());
    same(
        read(system, of(system, keys)).await?.lines(),
        wanted,
        "a read by keys of which one is not there",
    )
}

pub(super) async fn reading_keys_makes_no_checkpoint(system: &dyn SourceSystem) -> Verdict {
    system.add(9).await;
    let (keys, _) = some(system).await;
    let reading = read(system, of(system, keys)).await?;
    ensure_eq!(reading.checkpoints.len(), 0, "checkpoints of a read by keys");
    Ok(())
}

pub(super) async fn no_keys_read_nothing(system: &dyn SourceSystem) -> Verdict {
    system.add(9).await;
    let reading = read(system, of(system, Vec::new())).await?;
    ensure_eq!(
        reading.lines(),
        Vec::<String>::new(),
        "records of a read by no keys"
    );
    Ok(())
}
