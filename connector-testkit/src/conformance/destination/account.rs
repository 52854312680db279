//! The fate of every record.

use connector_core::{Batch, CommitReport, Key, Rejection};

use super::DestinationSystem;
use super::write::{found, holds, open, ready, request, usual_mode, write};
use crate::conformance::rows::lines;
use crate::conformance::sample::joined;
use crate::conformance::verdict::{ensure, ensure_eq};
use crate::conformance::{Failure, Verdict};

pub(super) async fn every_record_is_accounted_for(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..30).await;
    let batches = [system.records(0..20, 1), system.records(20..30, 1)];
    let report = write(system, request(system, mode), batches).await?;
    ensure_eq!(
        report.counts.accounted(),
        30,
        "records accounted for of thirty written: {:?}",
        report.counts
    );
    ensure_eq!(report.counts.rejected, 0, "records counted as rejected");
    ensure_eq!(
        report.counts.recovered,
        0,
        "records counted as recovered from an earlier run"
    );
    Ok(())
}

/// Three batches of good records with a flawed one at the front, in the middle, at the end.
fn mixed(system: &dyn DestinationSystem) -> Result<(Vec<Batch>, Vec<Batch>), Failure> {
    let flawed = |number| {
        system
            .flawed(number)
            .ok_or_else(|| Failure::new("the test has no flawed record"))
    };
    let pieces = [
        (
            vec![flawed(0)?, system.records(1..8, 1)],
            vec![system.records(1..8, 1)],
        ),
        (
            vec![system.records(8..11, 1), flawed(11)?, system.records(12..15, 1)],
            vec![system.records(8..11, 1), system.records(12..15, 1)],
        ),
        (
            vec![system.records(15..20, 1), flawed(20)?],
            vec![system.records(15..20, 1)],
        ),
    ];
    let (mut batches, mut good) = (Vec::new(), Vec::new());
    for (parts, wanted) in pieces {
        batches.push(joined(&parts).ok_or_else(|| Failure::new("no records"))?);
        good.extend(wanted);
    }
    Ok((batches, good))
}

pub(super) async fn a_flawed_record_is_rejected_alone(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    let (batches, good) = mixed(system)?;
    ready(system, mode, 0..21).await;
    let report = write(system, request(system, mode), batches).await?;
    ensure_eq!(report.counts.rejected, 3, "records counted as rejected");
    ensure_eq!(
        report.counts.accounted(),
        21,
        "records accounted for: {:?}",
        report.counts
    );
    let found = found(system).await;
    for line in good.iter().flat_map(lines) {
        ensure!(
            found.contains(&line),
            "a good record was lost beside a flawed one: {line}"
        );
    }
    if mode != connector_core::WriteMode::Update {
        let good: Vec<&Batch> = good.iter().collect();
        holds(system, &good, "good records among flawed ones").await?;
    }
    Ok(())
}

pub(super) async fn a_rejection_names_the_record_and_shows_none_of_it(
    system: &dyn DestinationSystem,
) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..1).await;
    let flawed = system
        .flawed(0)
        .ok_or_else(|| Failure::new("the test has no flawed record"))?;
    let report = write(system, request(system, mode), [flawed.clone()]).await?;
    let [rejection] = report.rejected.as_slice() else {
        return Err(Failure::new(format!(
            "one rejection was wanted: {:?}",
            report.rejected
        )));
    };
    ensure!(
        !rejection.code.is_empty(),
        "the rejection has no code: {rejection:?}"
    );
    ensure!(
        !rejection.message.is_empty(),
        "the rejection has no message: {rejection:?}"
    );
    let record = flawed.get(0).ok_or_else(|| Failure::new("no record"))?;
    if let Some(key) = record.source_key() {
        ensure_eq!(rejection.key.as_ref(), Some(&key), "the key of the rejection");
    }
    let key = rejection.key.as_ref().map_or("", Key::as_str);
    for (field, value) in record.schema().fields().iter().zip(record.values()) {
        let text = value.to_string();
        if text.chars().count() < 6 || text == key {
            continue;
        }
        let shown = rejection.message.contains(&text);
        ensure!(!shown, "the rejection shows the value of `{}`", field.name);
    }
    Ok(())
}

pub(super) async fn what_was_rejected_before_is_counted(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..5).await;
    let mut writer = open(system, request(system, mode)).await?;
    let rejected = (100..103).map(|sequence| {
        Rejection::new(
            sequence,
            Some(Key::new(format!("r-{sequence}"))),
            "not_a_number",
            "not a number",
        )
    });
    writer.write(system.records(0..5, 1)).await?;
    writer.reject(rejected.collect()).await?;
    let report = writer.finish(None).await?;
    ensure_eq!(report.counts.rejected, 3, "records counted as rejected");
    ensure_eq!(
        report.counts.accounted(),
        8,
        "records accounted for: {:?}",
        report.counts
    );
    let codes: Vec<&str> = report.rejected.iter().map(|one| one.code.as_str()).collect();
    ensure_eq!(codes, ["not_a_number"; 3], "the codes of the report's sample");
    Ok(())
}

pub(super) async fn each_commit_reports_its_own_records(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..12).await;
    let mut writer = open(system, request(system, mode)).await?;
    let mut accounted = Vec::new();
    for numbers in [0..5, 5..6, 6..12] {
        writer.write(system.records(numbers, 1)).await?;
        accounted.push(writer.commit(None).await?.counts.accounted());
    }
    accounted.push(writer.finish(None).await?.counts.accounted());
    ensure_eq!(accounted, [5, 1, 6, 0], "records that each commit accounts for");
    Ok(())
}

pub(super) async fn a_run_without_records_changes_nothing(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    if mode == connector_core::WriteMode::Overwrite {
        return Ok(());
    }
    system.prepare(0..10).await;
    let before = found(system).await;
    let report = write(system, request(system, mode), []).await?;
    ensure_eq!(
        report,
        CommitReport::default(),
        "the report of a run without records"
    );
    ensure_eq!(
        found(system).await,
        before,
        "the table after a run without records"
    );
    Ok(())
}

pub(super) async fn an_empty_batch_is_harmless(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..5).await;
    let records = system.records(0..5, 1);
    let batches = [system.records(0..0, 1), records.clone(), system.records(5..5, 1)];
    let report = write(system, request(system, mode), batches).await?;
    ensure_eq!(report.counts.accounted(), 5, "records accounted for");
    holds(system, &[&records], "records between two empty batches").await
}
