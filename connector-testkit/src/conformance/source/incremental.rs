//! Reading what changed since.

use std::collections::BTreeSet;

use super::{SourceSystem, open, read, since, source};
use crate::conformance::Verdict;
use crate::conformance::rows::{lines, same};
use crate::conformance::taken::{Reading, Replica};
use crate::conformance::verdict::{ensure, ensure_eq, refused};

pub(super) async fn the_first_incremental_read_is_everything(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    system.settle().await;
    let reading = read(system, since(system, None)).await?;
    same(
        reading.lines(),
        lines(&system.truth().await),
        "the first incremental read",
    )
}

pub(super) async fn what_was_added_arrives(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    system.settle().await;
    let first = read(system, since(system, None)).await?;
    system.add(10).await;
    system.settle().await;
    let second = read(system, since(system, Some(first.state()?))).await?;
    replicated(system, &[&first, &second], "after records were added").await
}

pub(super) async fn what_was_changed_arrives(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    system.settle().await;
    let first = read(system, since(system, None)).await?;
    system.change(8).await;
    system.settle().await;
    let second = read(system, since(system, Some(first.state()?))).await?;
    replicated(system, &[&first, &second], "after records were changed").await
}

pub(super) async fn nothing_is_invented_where_nothing_changed(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    system.settle().await;
    let first = read(system, since(system, None)).await?;
    let second = read(system, since(system, Some(first.state()?))).await?;
    let truth: BTreeSet<String> = lines(&system.truth().await).into_iter().collect();
    for line in second.lines() {
        ensure!(truth.contains(&line), "a record that is not there: {line}");
    }
    ensure_eq!(
        second.records.len(),
        second.lines().len(),
        "deletes where nothing was deleted"
    );
    second.state().map(drop)
}

pub(super) async fn ties_across_batches_all_arrive(system: &dyn SourceSystem) -> Verdict {
    system.add(5).await;
    system.settle().await;
    let first = read(system, since(system, None)).await?;
    // All of these changed at the same moment, and each comes in a batch of its own.
    system.add(120).await;
    system.settle().await;
    let second = read(system, since(system, Some(first.state()?)).with_batch_bytes(1)).await?;
    replicated(system, &[&first, &second], "with 120 records of one moment").await?;
    for (covered, state) in second.checkpoints.iter().step_by(17) {
        let rest = read(system, since(system, Some(state.clone())).with_batch_bytes(1)).await?;
        let mut replica = Replica::default();
        replica.apply(&first.records)?;
        replica.apply(&second.records[..*covered])?;
        replica.apply(&rest.records)?;
        let what = format!("resuming after {covered} of 120 records of one moment");
        same(replica.lines(), lines(&system.truth().await), &what)?;
    }
    Ok(())
}

pub(super) async fn what_changes_while_it_is_read_is_not_lost(system: &dyn SourceSystem) -> Verdict {
    system.add(60).await;
    system.settle().await;
    let mut reader = open(system, since(system, None)).await?;
    let mut first = Reading::default();
    if let Some(event) = reader.next().await? {
        first.take(event);
    }
    system.change(30).await;
    system.add(10).await;
    while let Some(event) = reader.next().await? {
        first.take(event);
    }
    drop(reader);
    system.settle().await;
    let second = read(system, since(system, Some(first.state()?))).await?;
    replicated(system, &[&first, &second], "after changes during the first read").await
}

pub(super) async fn an_old_state_still_leads_to_the_truth(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    system.settle().await;
    let first = read(system, since(system, None)).await?;
    system.change(10).await;
    system.settle().await;
    let second = read(system, since(system, Some(first.state()?))).await?;
    system.change(5).await;
    system.add(4).await;
    system.settle().await;
    // The second read's state was lost with the process: its records are there already, or were lost as well.
    let third = read(system, since(system, Some(first.state()?))).await?;
    replicated(
        system,
        &[&first, &second, &third],
        "from a state that was used before",
    )
    .await?;
    replicated(
        system,
        &[&first, &third],
        "from a state that was used before, for a read whose records were lost",
    )
    .await
}

pub(super) async fn a_cursor_that_is_not_there_is_refused_by_name(system: &dyn SourceSystem) -> Verdict {
    let request = since(system, None).with_cursor(Some("no_such_field_here".to_owned()));
    let connection = system.connect();
    let source = source(&*connection)?;
    let planned = refused(
        source.plan_read(&request).await,
        "the plan for a cursor that is not there",
    )?;
    let opened = refused(
        source.reader(request).await,
        "reading by a cursor that is not there",
    )?;
    for error in [planned, opened] {
        ensure!(
            error.report().to_string().contains("no_such_field_here"),
            "the error does not name the cursor: {}",
            error.report()
        );
    }
    Ok(())
}

pub(super) async fn deletes_arrive(system: &dyn SourceSystem) -> Verdict {
    system.add(20).await;
    system.settle().await;
    let first = read(system, since(system, None)).await?;
    system.remove(6).await;
    system.change(3).await;
    system.settle().await;
    let second = read(system, since(system, Some(first.state()?))).await?;
    replicated(system, &[&first, &second], "after records were removed").await
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
        &format!("merged by key {when}"),
    )
}
