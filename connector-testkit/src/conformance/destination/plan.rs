//! What a destination says before it writes.

use connector_core::{Capabilities, ErrorKind, StreamName, WriteMode};

use super::write::{found, keyed_mode, request, usual_mode};
use super::{DestinationSystem, destination};
use crate::conformance::Verdict;
use crate::conformance::verdict::{ensure, ensure_eq, refused};

/// A mode that is not declared.
pub(super) fn missing_mode(capabilities: &Capabilities) -> Option<WriteMode> {
    let all = [
        WriteMode::Overwrite,
        WriteMode::Insert,
        WriteMode::Update,
        WriteMode::Upsert,
        WriteMode::History,
        WriteMode::Delete,
        WriteMode::Prune,
    ];
    all.into_iter().find(|mode| !capabilities.modes.contains(mode))
}

pub(super) async fn planning_changes_nothing(system: &dyn DestinationSystem) -> Verdict {
    let connection = system.connect();
    let request = request(system, usual_mode(system)?);
    let before = system.rows(&system.stream(), &system.schema()).await.is_some();
    destination(&*connection)?.plan_write(&request).await?;
    let after = system.rows(&system.stream(), &system.schema()).await.is_some();
    ensure_eq!(
        after,
        before,
        "whether the table is there after it was planned to write to it"
    );
    ensure_eq!(found(system).await, Vec::<String>::new(), "records after a plan");
    Ok(())
}

pub(super) async fn the_plan_names_every_column(system: &dyn DestinationSystem) -> Verdict {
    let connection = system.connect();
    let plan = destination(&*connection)?
        .plan_write(&request(system, usual_mode(system)?))
        .await?;
    let planned: Vec<&str> = plan.columns.iter().map(|column| column.name.as_str()).collect();
    let schema = system.schema();
    let wanted: Vec<&str> = schema.fields().iter().map(|field| field.name.as_str()).collect();
    ensure_eq!(planned, wanted, "the columns of the plan");
    for column in &plan.columns {
        ensure!(
            !column.to.is_empty(),
            "the plan does not say what `{}` becomes",
            column.name
        );
    }
    Ok(())
}

pub(super) async fn a_match_field_that_is_not_there_is_refused_by_name(
    system: &dyn DestinationSystem,
) -> Verdict {
    let request = request(system, keyed_mode(system)?).with_match_on(vec!["no_such_field_here".to_owned()]);
    let connection = system.connect();
    let destination = destination(&*connection)?;
    let planned = refused(
        destination.plan_write(&request).await,
        "the plan for a key that is not there",
    )?;
    let opened = refused(
        destination.writer(request).await,
        "writing by a key that is not there",
    )?;
    for error in [planned, opened] {
        ensure_eq!(
            error.kind(),
            ErrorKind::Schema,
            "the kind of error for a key that is not there"
        );
        let text = error.report().to_string();
        ensure!(
            text.contains("no_such_field_here"),
            "the error does not name the field: {text}"
        );
    }
    Ok(())
}

pub(super) async fn a_mode_that_is_not_declared_is_refused(system: &dyn DestinationSystem) -> Verdict {
    let connection = system.connect();
    let destination = destination(&*connection)?;
    let Some(mode) = missing_mode(&destination.capabilities()) else {
        return Ok(());
    };
    let request = request(system, mode);
    let planned = refused(
        destination.plan_write(&request).await,
        "the plan for a mode that is not declared",
    )?;
    let opened = refused(destination.writer(request).await, "a mode that is not declared")?;
    for error in [planned, opened] {
        ensure_eq!(
            error.kind(),
            ErrorKind::Unsupported,
            "the kind of error for the mode {mode}"
        );
    }
    Ok(())
}

pub(super) async fn an_object_that_is_not_there_is_refused(system: &dyn DestinationSystem) -> Verdict {
    let connection = system.connect();
    let destination = destination(&*connection)?;
    let mut request = request(system, usual_mode(system)?);
    request.stream = StreamName::new(format!("{}x", system.stream()));
    let planned = refused(
        destination.plan_write(&request).await,
        "the plan for an object that is not there",
    )?;
    let opened = refused(
        destination.writer(request).await,
        "writing to an object that is not there",
    )?;
    for error in [planned, opened] {
        ensure_eq!(
            error.kind(),
            ErrorKind::NotFound,
            "the kind of error for an object that is not there"
        );
    }
    Ok(())
}
