//! What a connection says of itself and of its streams.

use connector_core::{ErrorKind, Selection, Usage};

use super::{SourceSystem, spec};
use crate::conformance::Verdict;
use crate::conformance::verdict::{ensure, ensure_eq, refused};

pub(super) async fn every_handle_has_the_same_identity(system: &dyn SourceSystem) -> Verdict {
    let connection = system.connect();
    let first = connection.identity().await?;
    ensure_eq!(
        connection.identity().await?,
        first,
        "asked twice, one handle has two identities"
    );
    ensure_eq!(
        system.connect().identity().await?,
        first,
        "another handle of the same system has another identity"
    );
    Ok(())
}

pub(super) async fn systems_have_identities_of_their_own(system: &dyn SourceSystem) -> Verdict {
    let Some(elsewhere) = system.connect_elsewhere() else {
        return Ok(());
    };
    let (here, there) = (system.connect().identity().await?, elsewhere.identity().await?);
    ensure!(here != there, "two systems have the same identity, `{here}`");
    Ok(())
}

pub(super) async fn a_connection_that_works_passes_its_check(system: &dyn SourceSystem) -> Verdict {
    let report = system.connect().check().await?;
    ensure!(
        !report.facts.is_empty(),
        "the check of a connection that works says nothing at all"
    );
    Ok(())
}

pub(super) async fn what_was_used_is_never_used_less(system: &dyn SourceSystem) -> Verdict {
    let connection = system.connect();
    let mut before = Vec::new();
    for _ in 0..2 {
        connection.check().await?;
        connection.streams().await?;
        let now = connection.usage();
        for usage in &before {
            let Usage { what, here, .. } = usage;
            let later = now.iter().find(|later| later.what == *what);
            ensure!(
                later.is_some_and(|later| later.here >= *here),
                "{here} {what} were used here, and then {later:?}"
            );
        }
        before = now;
    }
    for (i, usage) in before.iter().enumerate() {
        ensure!(
            before[..i].iter().all(|other| other.what != usage.what),
            "`{}` is accounted for twice",
            usage.what
        );
    }
    Ok(())
}

pub(super) async fn the_stream_is_listed(system: &dyn SourceSystem) -> Verdict {
    let Selection::Stream(name) = system.selection() else {
        return Ok(());
    };
    let streams = system.connect().streams().await?;
    let times = streams.iter().filter(|stream| stream.name == name).count();
    ensure_eq!(times, 1, "the number of times that `streams` lists `{name}`");
    Ok(())
}

pub(super) async fn a_description_stays_the_same(system: &dyn SourceSystem) -> Verdict {
    let before = spec(system).await?;
    system.add(3).await;
    let after = spec(system).await?;
    ensure_eq!(
        after.selection,
        system.selection(),
        "what the description says it describes"
    );
    ensure_eq!(
        after,
        before,
        "the description changed although only records were added"
    );
    Ok(())
}

pub(super) async fn the_primary_key_can_be_read(system: &dyn SourceSystem) -> Verdict {
    let spec = spec(system).await?;
    for &position in spec.schema.primary_key() {
        let field = &spec.schema.fields()[position];
        ensure!(
            field.access.readable,
            "the key field `{}` is not readable",
            field.name
        );
        ensure!(!field.nullable, "the key field `{}` may be null", field.name);
        ensure!(
            field.data_type.can_be_key(),
            "the key field `{}` is of type {}, whose text is no key",
            field.name,
            field.data_type
        );
    }
    Ok(())
}

pub(super) async fn a_stream_that_is_not_there_is_not_found(system: &dyn SourceSystem) -> Verdict {
    let Selection::Stream(name) = system.selection() else {
        return Ok(());
    };
    let misspelt = Selection::stream(format!("{name}x"));
    let error = refused(
        system.connect().describe(&misspelt).await,
        "a stream that is not there",
    )?;
    ensure_eq!(
        error.kind(),
        ErrorKind::NotFound,
        "the kind of error for a stream that is not there"
    );
    let help = error.help().unwrap_or_default();
    let bare = name.as_str().rsplit('.').next().unwrap_or_default();
    ensure!(
        help.contains(bare),
        "the help for `{misspelt}` does not name `{name}`, its nearest: {help:?}"
    );
    Ok(())
}
