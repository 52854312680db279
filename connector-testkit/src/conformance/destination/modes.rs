//! What the write modes mean.

use connector_core::{Op, Value, WriteMode};

use super::DestinationSystem;
use super::write::{found, holds, keyed_mode, open, ready, request, write};
use crate::conformance::rows::lines;
use crate::conformance::sample::{altered, joined};
use crate::conformance::verdict::{ensure, ensure_eq};
use crate::conformance::{Failure, Verdict};

pub(super) async fn an_insert_adds_each_record_once(system: &dyn DestinationSystem) -> Verdict {
    let (first, second) = (system.records(0..20, 1), system.records(20..30, 1));
    let report = write(system, request(system, WriteMode::Insert), [first.clone()]).await?;
    ensure_eq!(report.counts.created, 20, "records counted as created");
    ensure_eq!(report.counts.accounted(), 20, "records accounted for");
    write(system, request(system, WriteMode::Insert), [second.clone()]).await?;
    holds(system, &[&first, &second], "two inserts").await
}

pub(super) async fn an_insert_changes_nothing_that_is_there(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let before = found(system).await;
    let report = write(
        system,
        request(system, WriteMode::Insert),
        [system.records(5..15, 1)],
    )
    .await?;
    let after = found(system).await;
    for line in before {
        ensure!(
            after.contains(&line),
            "an insert changed a record that was there: {line}"
        );
    }
    for line in lines(&system.records(10..15, 1)) {
        ensure!(
            after.contains(&line),
            "an insert lost a record beside those that were there: {line}"
        );
    }
    ensure_eq!(
        report.counts.updated,
        0,
        "records counted as updated by an insert"
    );
    Ok(())
}

pub(super) async fn an_upsert_creates_and_updates(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let records = system.records(5..15, 1);
    let report = write(system, request(system, WriteMode::Upsert), [records.clone()]).await?;
    let counts = (
        report.counts.created,
        report.counts.updated,
        report.counts.rejected,
    );
    ensure_eq!(
        counts,
        (5, 5, 0),
        "records counted as created, updated and rejected"
    );
    holds(
        system,
        &[&system.records(0..5, 0), &records],
        "an upsert over ten records",
    )
    .await
}

pub(super) async fn writing_the_same_again_changes_nothing(system: &dyn DestinationSystem) -> Verdict {
    let records = system.records(0..20, 1);
    write(system, request(system, WriteMode::Upsert), [records.clone()]).await?;
    let report = write(system, request(system, WriteMode::Upsert), [records.clone()]).await?;
    ensure_eq!(
        report.counts.created,
        0,
        "records counted as created that were there"
    );
    ensure_eq!(
        report.counts.updated + report.counts.unchanged,
        20,
        "records counted as updated or unchanged"
    );
    holds(system, &[&records], "the same records written twice").await
}

pub(super) async fn an_update_changes_what_is_there(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let records = system.records(3..8, 1);
    let report = write(system, request(system, WriteMode::Update), [records.clone()]).await?;
    ensure_eq!(report.counts.updated, 5, "records counted as updated");
    let (before, after) = (system.records(0..3, 0), system.records(8..10, 0));
    holds(
        system,
        &[&before, &records, &after],
        "an update of five among ten",
    )
    .await
}

pub(super) async fn an_update_creates_nothing(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..5).await;
    let there = found(system).await.len();
    // Prepared and removed again would be surer still; a number that never was is what every system can do.
    let (known, unknown) = (system.records(0..5, 1), system.records(5..8, 1));
    let both = joined([&known, &unknown]).ok_or_else(|| Failure::new("no records"))?;
    let report = write(system, request(system, WriteMode::Update), [both]).await?;
    ensure_eq!(
        found(system).await.len(),
        there,
        "records after an update that names some that are not there"
    );
    ensure_eq!(
        (report.counts.updated, report.counts.rejected),
        (5, 3),
        "records counted as updated and rejected"
    );
    holds(
        system,
        &[&known],
        "an update that names records that are not there",
    )
    .await
}

pub(super) async fn the_last_of_several_in_a_batch_wins(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..4).await;
    let versions = [1, 2, 3].map(|version| system.records(0..2, version));
    let other = system.records(2..4, 1);
    let batch = joined(versions.iter().chain([&other])).ok_or_else(|| Failure::new("no records"))?;
    let report = write(system, request(system, mode), [batch]).await?;
    ensure_eq!(report.counts.accounted(), 8, "records accounted for");
    holds(
        system,
        &[&versions[2], &other],
        "a batch that names two records three times",
    )
    .await
}

pub(super) async fn the_last_of_several_batches_wins(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..4).await;
    let batches = [1, 2, 3].map(|version| system.records(0..4, version));
    let report = write(system, request(system, mode), batches.clone()).await?;
    ensure_eq!(report.counts.accounted(), 12, "records accounted for");
    holds(
        system,
        &[&batches[2]],
        "three versions of the same records in one commit",
    )
    .await
}

pub(super) async fn deletes_are_carried_out(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..10).await;
    let mode = keyed_mode(system)?;
    let schema = system.schema();
    let gone = altered(&system.records(2..6, 0), Op::Delete, |_, field, value| {
        let key = schema.primary_key_names().any(|name| name == field.name);
        if key { value } else { Value::Unset }
    });
    let changed = system.records(6..8, 1);
    let report = write(system, request(system, mode), [gone, changed.clone()]).await?;
    ensure_eq!(report.counts.deleted, 4, "records counted as deleted");
    let (before, after) = (system.records(0..2, 0), system.records(8..10, 0));
    holds(
        system,
        &[&before, &changed, &after],
        "four deletes among ten records",
    )
    .await
}

pub(super) async fn deleting_what_is_not_there_is_harmless(system: &dyn DestinationSystem) -> Verdict {
    system.prepare(0..3).await;
    let mode = keyed_mode(system)?;
    let gone = altered(&system.records(1..5, 0), Op::Delete, |_, _, value| value);
    let mut writer = open(system, request(system, mode)).await?;
    writer.write(gone).await?;
    let report = writer.finish(None).await?;
    ensure_eq!(report.counts.accounted(), 4, "records accounted for");
    holds(
        system,
        &[&system.records(0..1, 0)],
        "deletes of which two find nothing",
    )
    .await
}

pub(super) async fn kept_fields_are_filled_and_left_alone(system: &dyn DestinationSystem) -> Verdict {
    let schema = system.schema();
    let kept = schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(position, _)| !schema.primary_key().contains(position))
        .map(|(_, field)| field.name.clone())
        .next()
        .ok_or_else(|| Failure::new("the test's schema has no field beside its key"))?;
    let request = || request(system, WriteMode::Upsert).with_keep(vec![kept.clone()]);
    write(system, request(), [system.records(0..5, 1)]).await?;
    holds(
        system,
        &[&system.records(0..5, 1)],
        "new records with a field to keep",
    )
    .await?;
    write(system, request(), [system.records(0..8, 2)]).await?;
    let old = system.records(0..5, 1);
    let new = system.records(0..5, 2);
    let mut builder = connector_core::BatchBuilder::new(std::sync::Arc::clone(&schema), 0);
    for (old, new) in old.records().zip(new.records()) {
        for (position, field) in schema.fields().iter().enumerate() {
            builder.push(if field.name == kept {
                old.value(position)
            } else {
                new.value(position)
            });
        }
        builder.end_record(Op::Put);
    }
    let merged = builder.finish();
    holds(
        system,
        &[&merged, &system.records(5..8, 2)],
        "records written again with a field to keep",
    )
    .await
}
