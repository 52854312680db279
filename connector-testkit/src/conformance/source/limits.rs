//! What a source must not do, however much there is to read and whatever goes wrong.

use connector_core::{Selection, SyncMode};

use super::{SourceSystem, open, request, source};
use crate::conformance::Verdict;
use crate::conformance::limits::{Ceiling, hidden};
use crate::conformance::verdict::ensure_eq;

pub(super) async fn secrets_are_never_shown(system: &dyn SourceSystem) -> Verdict {
    system.add(3).await;
    let connection = system.connect();
    let source = source(&*connection)?;
    let mut shown = format!("{connection:?}\n{}\n", connection.identity().await?);
    match connection.check().await {
        Ok(report) => shown.push_str(&format!("{report:?}\n")),
        Err(error) => shown.push_str(&format!("{error:?}\n{}\n", error.report())),
    }
    shown.push_str(&format!("{:?}\n", source.plan_read(&request(system)).await));
    let wrong = [
        request(system).with_fields(vec!["no_such_field_here".to_owned()]),
        request(system).with_sync(SyncMode::Keys(vec![connector_core::Key::new("\u{0}'\"")])),
    ];
    for request in wrong {
        for error in [
            source.plan_read(&request).await.err(),
            source.reader(request).await.err(),
        ]
        .into_iter()
        .flatten()
        {
            shown.push_str(&format!("{error:?}\n{}\n", error.report()));
        }
    }
    let nowhere = Selection::stream("no_such_stream_here");
    if let Err(error) = connection.describe(&nowhere).await {
        shown.push_str(&format!("{error:?}\n{}\n", error.report()));
    }
    hidden(&shown, &system.secrets())
}

pub(super) async fn memory_does_not_grow_with_the_stream(system: &dyn SourceSystem) -> Verdict {
    const RECORDS: usize = 100_000;
    system.add(RECORDS).await;
    // From before it is opened: what reads everything first does it there.
    let ceiling = Ceiling::from_here(32 << 20);
    let mut reader = open(system, request(system).with_batch_bytes(256 << 10)).await?;
    let mut records = 0;
    while let Some(event) = reader.next().await? {
        if let connector_core::Event::Records(batch) = event {
            records += batch.len();
        }
        ceiling.look("while a stream is read")?;
    }
    ensure_eq!(records, RECORDS, "records read");
    Ok(())
}
