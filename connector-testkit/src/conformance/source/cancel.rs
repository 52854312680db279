//! Reads that are cut short.

use connector_core::Reader;

use super::{SourceSystem, open, read, request};
use crate::conformance::cancel::polled;
use crate::conformance::rows::{lines, same};
use crate::conformance::taken::Reading;
use crate::conformance::verdict::ensure_eq;
use crate::conformance::{Failure, Verdict};

pub(super) async fn dropping_next_loses_nothing(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    let truth = lines(&system.truth().await);
    // Each call is dropped at its first pending poll, then at its second, and so on, before it may end.
    for patience in 0..4 {
        let mut reader = open(system, request(system)).await?;
        let mut reading = Reading::default();
        while let Some(event) = impatiently(&mut *reader, patience).await? {
            reading.take(event);
        }
        let what = format!("a read whose every call was dropped after {patience} polls and made again");
        same(reading.lines(), truth.clone(), &what)?;
        let mut numbers: Vec<u64> = reading.records.iter().map(|record| record.sequence).collect();
        numbers.dedup();
        ensure_eq!(
            numbers.len(),
            reading.records.len(),
            "different sequence numbers in {what}"
        );
    }
    Ok(())
}

/// `next`, dropped a few times while it waits before it is let through.
async fn impatiently(
    reader: &mut dyn Reader,
    patience: usize,
) -> Result<Option<connector_core::Event>, Failure> {
    for polls in 0..=patience {
        if let Some(done) = polled(reader.next(), polls).await {
            return Ok(done?);
        }
    }
    Ok(reader.next().await?)
}

pub(super) async fn a_dropped_reader_leaves_nothing_behind(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    for _ in 0..20 {
        let mut reader = open(system, request(system)).await?;
        reader.next().await?;
        drop(reader);
    }
    let reading = read(system, request(system)).await?;
    same(
        reading.lines(),
        lines(&system.truth().await),
        "a read after twenty that were dropped",
    )
}
