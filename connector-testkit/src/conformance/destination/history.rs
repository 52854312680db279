//! Keeping every version of a record.

use std::sync::Arc;

use connector_core::{Batch, BatchBuilder, Op, Value, WriteMode, WriteRequest};

use super::DestinationSystem;
use super::deletes::gone;
use super::write::{holds, request, shows, write};
use crate::conformance::Verdict;
use crate::conformance::sample::altered;
use crate::conformance::verdict::ensure_eq;

fn history(system: &dyn DestinationSystem) -> WriteRequest {
    request(system, WriteMode::History)
}

pub(super) async fn a_history_keeps_every_version(system: &dyn DestinationSystem) -> Verdict {
    let old = system.records(0..4, 1);
    write(system, history(system), [old.clone()]).await?;
    shows(system, &[&old], "a history that was begun").await?;
    let (changed, same) = (system.records(0..2, 2), system.records(2..4, 1));
    let report = write(system, history(system), [changed.clone(), same.clone()]).await?;
    ensure_eq!(
        (
            report.counts.created,
            report.counts.updated,
            report.counts.unchanged
        ),
        (0, 2, 2),
        "records counted as created, updated and unchanged"
    );
    holds(system, &[&old, &changed], "two versions of a record").await?;
    shows(system, &[&same, &changed], "two versions of a record").await
}

pub(super) async fn the_same_again_makes_no_version(system: &dyn DestinationSystem) -> Verdict {
    let records = system.records(0..4, 1);
    write(system, history(system), [records.clone()]).await?;
    let report = write(system, history(system), [records.clone()]).await?;
    ensure_eq!(
        (report.counts.written(), report.counts.unchanged),
        (0, 4),
        "records counted as written and unchanged"
    );
    holds(system, &[&records], "the same version written twice").await
}

pub(super) async fn a_delete_ends_the_version(system: &dyn DestinationSystem) -> Verdict {
    let records = system.records(0..4, 1);
    write(system, history(system), [records.clone()]).await?;
    let report = write(system, history(system), [gone(system, 0..2), gone(system, 8..9)]).await?;
    let counts = (report.counts.deleted, report.counts.accounted());
    ensure_eq!(counts, (2, 3), "records counted as deleted, and accounted for");
    let left = system.records(2..4, 1);
    holds(system, &[&records], "a history of which two records are gone").await?;
    shows(system, &[&left], "a history of which two records are gone").await?;
    let back = system.records(0..1, 1);
    write(system, history(system), [back.clone()]).await?;
    holds(system, &[&records, &back], "a record that came back to a history").await?;
    shows(system, &[&left, &back], "a record that came back to a history").await
}

pub(super) async fn the_last_version_of_a_commit_is_kept(system: &dyn DestinationSystem) -> Verdict {
    let version = |version| system.records(0..3, version);
    let report = write(system, history(system), [version(1), version(2), version(3)]).await?;
    ensure_eq!(report.counts.accounted(), 9, "records accounted for");
    holds(system, &[&version(3)], "three versions in one commit").await
}

pub(super) async fn unset_is_as_in_the_version_before(system: &dyn DestinationSystem) -> Verdict {
    let (old, new) = (system.records(0..3, 1), system.records(0..3, 2));
    write(system, history(system), [old.clone()]).await?;
    let key: Vec<String> = system.schema().primary_key_names().map(str::to_owned).collect();
    let said = |name: &str| key.iter().any(|key| key == name) || name == changed_field(system);
    let part = altered(&new, Op::Put, |_, field, value| {
        if said(&field.name) { value } else { Value::Unset }
    });
    write(system, history(system), [part]).await?;
    let merged = merged(&old, &new, said);
    holds(system, &[&old, &merged], "versions of which a part was said").await?;
    shows(system, &[&merged], "versions of which a part was said").await
}

/// A field of text beside the key: its value differs from version to version.
fn changed_field(system: &dyn DestinationSystem) -> String {
    let schema = system.schema();
    let fields = schema.fields().iter().enumerate();
    let mut texts = fields.filter(|(position, field)| {
        let is_long = field.data_type == connector_core::DataType::TEXT;
        is_long && !schema.primary_key().contains(position)
    });
    texts
        .next()
        .map(|(_, field)| field.name.clone())
        .unwrap_or_default()
}

/// The old records with the new values of some fields.
fn merged(old: &Batch, new: &Batch, is_new: impl Fn(&str) -> bool) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(old.schema()), 0);
    for (old, new) in old.records().zip(new.records()) {
        for (field, value) in old.schema().fields().iter().zip(old.values()) {
            let is_new = is_new(&field.name);
            builder.push(if is_new { new.get(&field.name) } else { value });
        }
        builder.end_record(Op::Put);
    }
    builder.finish()
}
