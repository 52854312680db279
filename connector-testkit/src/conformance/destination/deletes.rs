//! What becomes of records that are gone.

use std::ops::Range;
use std::sync::Arc;

use connector_core::{Batch, Capabilities, Column, Deletes, ErrorKind, Op, Schema, WriteMode, WriteRequest};

use super::write::{found, holds, keyed_mode, open, request, request_of, shows, write};
use super::{DestinationSystem, destination};
use crate::conformance::sample::altered;
use crate::conformance::verdict::{ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

/// An answer to deletes that a destination does not declare.
pub(super) fn missing_deletes(capabilities: &Capabilities) -> Option<Deletes> {
    let all = [Deletes::Soft, Deletes::Ignore];
    all.into_iter().find(|one| !capabilities.deletes.contains(one))
}

/// The records with these numbers, gone.
pub(super) fn gone(system: &dyn DestinationSystem, numbers: Range<usize>) -> Batch {
    altered(&system.records(numbers, 0), Op::Delete, |_, _, value| value)
}

/// The shape of records that have nothing but a key.
fn key_schema(system: &dyn DestinationSystem) -> Result<Arc<Schema>, Failure> {
    let schema = system.schema();
    let key: Vec<&str> = schema.primary_key_names().collect();
    Ok(Arc::new(schema.select(&key)?))
}

/// A write of names.
pub(super) fn naming(system: &dyn DestinationSystem, mode: WriteMode) -> Result<WriteRequest, Failure> {
    Ok(request_of(system.stream(), key_schema(system)?, mode))
}

/// The names of the records with these numbers.
pub(super) fn names(system: &dyn DestinationSystem, numbers: Range<usize>) -> Result<Batch, Failure> {
    let schema = system.schema();
    let columns: Vec<Column> = schema
        .primary_key()
        .iter()
        .map(|&position| Column::Field(position))
        .collect();
    Ok(system.records(numbers, 0).remap(key_schema(system)?, &columns))
}

fn keyed(system: &dyn DestinationSystem, deletes: Deletes) -> Result<WriteRequest, Failure> {
    Ok(request(system, keyed_mode(system)?).with_deletes(deletes))
}

pub(super) async fn ignored_deletes_change_nothing(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..5).await;
    let changed = system.records(3..5, 1);
    let batches = [changed.clone(), gone(system, 0..4), gone(system, 8..9)];
    let report = write(system, keyed(system, Deletes::Ignore)?, batches).await?;
    ensure_eq!(
        (report.counts.deleted, report.counts.accounted()),
        (0, 7),
        "records counted as deleted, and accounted for"
    );
    holds(
        system,
        &[&system.records(0..3, 0), &changed],
        "deletes to be ignored",
    )
    .await
}

pub(super) async fn a_soft_delete_leaves_the_row(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..5).await;
    let request = keyed(system, Deletes::Soft)?;
    let all = system.records(0..5, 0);
    let report = write(system, request.clone(), [gone(system, 0..3), gone(system, 8..9)]).await?;
    let counts = (report.counts.deleted, report.counts.accounted());
    ensure_eq!(counts, (3, 4), "records counted as deleted, and accounted for");
    holds(system, &[&all], "soft deletes").await?;
    shows(system, &[&system.records(3..5, 0)], "soft deletes").await?;
    let report = write(system, request, [gone(system, 0..4)]).await?;
    ensure_eq!(
        report.counts.deleted,
        1,
        "records counted as deleted, of which three were marked already"
    );
    shows(system, &[&system.records(4..5, 0)], "soft deletes made again").await
}

pub(super) async fn what_comes_back_is_no_longer_deleted(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..4).await;
    let request = keyed(system, Deletes::Soft)?;
    write(system, request.clone(), [gone(system, 0..3)]).await?;
    let (same, changed) = (system.records(0..1, 0), system.records(1..2, 1));
    write(system, request, [same.clone(), changed.clone()]).await?;
    let (marked, other) = (system.records(2..3, 0), system.records(3..4, 0));
    holds(
        system,
        &[&same, &changed, &marked, &other],
        "two records that came back",
    )
    .await?;
    shows(system, &[&same, &changed, &other], "two records that came back").await
}

pub(super) async fn deletes_that_are_not_declared_are_refused(system: &dyn DestinationSystem) -> Verdict {
    let connection = system.connect();
    let destination = destination(&*connection)?;
    let Some(deletes) = missing_deletes(&destination.capabilities()) else {
        return Ok(());
    };
    let request = request(system, super::write::usual_mode(system)?).with_deletes(deletes);
    let what = "an answer to deletes that is not declared";
    let planned = refused(destination.plan_write(&request).await, what)?;
    let opened = refused(destination.writer(request).await, what)?;
    for error in [planned, opened] {
        ensure_eq!(
            error.kind(),
            ErrorKind::Unsupported,
            "the kind of error for {what}"
        );
    }
    Ok(())
}

pub(super) async fn named_records_are_deleted(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..6).await;
    let mut writer = open(system, naming(system, WriteMode::Delete)?).await?;
    writer.write(names(system, 2..4)?).await?;
    writer.write(names(system, 8..9)?).await?;
    let report = writer.finish(None).await?;
    ensure_eq!(
        (report.counts.deleted, report.counts.unchanged),
        (2, 1),
        "records counted as deleted, and as not there"
    );
    ensure_eq!(found(system).await.len(), 4, "records left of six");
    let (before, after) = (system.records(0..2, 0), system.records(4..6, 0));
    holds(system, &[&before, &after], "a delete that named two of six").await
}
