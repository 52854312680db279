//! What a destination must not do, however much is written and whatever goes wrong.

use connector_core::{StreamName, WriteMode};

use super::plan::missing_mode;
use super::write::{keyed_mode, open, ready, request, usual_mode};
use super::{DestinationSystem, destination};
use crate::conformance::Verdict;
use crate::conformance::limits::{Ceiling, hidden};
use crate::conformance::verdict::ensure_eq;

pub(super) async fn secrets_are_never_shown(system: &dyn DestinationSystem) -> Verdict {
    let connection = system.connect();
    let destination = destination(&*connection)?;
    let mode = usual_mode(system)?;
    let mut shown = format!("{connection:?}\n{}\n", connection.identity().await?);
    match connection.check().await {
        Ok(report) => shown.push_str(&format!("{report:?}\n")),
        Err(error) => shown.push_str(&format!("{error:?}\n{}\n", error.report())),
    }
    shown.push_str(&format!(
        "{:?}\n",
        destination.plan_write(&request(system, mode)).await
    ));
    let mut nowhere = request(system, mode);
    nowhere.stream = StreamName::new("no_such.table.here");
    let missing = missing_mode(&destination.capabilities()).unwrap_or(WriteMode::Upsert);
    let requests = [
        request(system, WriteMode::Update).with_match_on(vec!["no_such_field_here".to_owned()]),
        request(system, missing),
        nowhere,
    ];
    for request in requests {
        for error in [
            destination.plan_write(&request).await.err(),
            destination.writer(request).await.err(),
        ]
        .into_iter()
        .flatten()
        {
            shown.push_str(&format!("{error:?}\n{}\n", error.report()));
        }
    }
    hidden(&shown, &system.secrets())
}

pub(super) async fn memory_does_not_grow_with_what_is_written(system: &dyn DestinationSystem) -> Verdict {
    const RECORDS: usize = 500;
    const COMMITS: usize = 12;
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..RECORDS).await;
    let mut writer = open(system, request(system, mode)).await?;
    let mut ceiling = None;
    // The same records over and over: what is stored stays as small as it is.
    for commit in 0..COMMITS {
        for version in 0..20 {
            writer
                .write(system.records(0..RECORDS, commit * 20 + version))
                .await?;
            if let Some(ceiling) = &ceiling {
                Ceiling::look(ceiling, "while records are written")?;
            }
        }
        let report = writer.commit(None).await?;
        ensure_eq!(
            report.counts.accounted(),
            (20 * RECORDS) as u64,
            "records accounted for by a commit"
        );
        // The first commit's memory is what a writer needs.
        ceiling.get_or_insert_with(|| Ceiling::from_here(48 << 20));
    }
    writer.finish(None).await?;
    Ok(())
}
