//! Whoever was overtaken cannot write.

use connector_core::{Counts, ErrorKind, Outcome, Rest, Result, Standing, Ticket};

use super::{JournalSystem, WriteBack, keys};
use crate::conformance::Verdict;
use crate::conformance::verdict::{ensure_eq, refused};

fn refused_call<T>(result: Result<T>, what: &str) -> Verdict {
    let error = refused(result, what)?;
    ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
    Ok(())
}

pub(super) async fn an_old_fence_cannot_intend(system: &dyn JournalSystem) -> Verdict {
    let (confirmed, unknown) = (keys("confirmed", 2), keys("unknown", 2));
    let mut old = WriteBack::begin(system).await?;
    old.intend(&confirmed, None).await?;
    old.settle(&confirmed, &Outcome::Updated).await?;
    let new = old.overtaken(system).await?;
    for keys in [&confirmed, &unknown] {
        let ticket = Ticket::new("job-of-the-old");
        refused_call(
            old.intend(keys, Some(&ticket)).await,
            "an intent with a ticket under an old fence",
        )?;
        refused_call(old.intend(keys, None).await, "an intent under an old fence")?;
    }
    new.stand(
        system,
        &confirmed,
        Standing::Confirmed,
        "a confirmed record that an old holder tried to send",
    )
    .await?;
    new.stand(
        system,
        &unknown,
        None,
        "a record that an old holder tried to send",
    )
    .await?;
    drop(new);
    let next = WriteBack::begin(system).await?;
    ensure_eq!(
        next.open,
        [],
        "the open work after an old holder tried to open some"
    );
    Ok(())
}

pub(super) async fn an_old_fence_cannot_settle(system: &dyn JournalSystem) -> Verdict {
    let (sent, unknown) = (keys("sent", 2), keys("unknown", 2));
    let mut old = WriteBack::begin(system).await?;
    old.intend(&sent, None).await?;
    let new = old.overtaken(system).await?;
    for keys in [&sent, &unknown] {
        let settled = old.settle(keys, &Outcome::Updated).await;
        refused_call(settled, "settling under an old fence")?;
    }
    new.stand(
        system,
        &sent,
        Standing::Sent,
        "a record that an old holder tried to settle",
    )
    .await?;
    new.stand(
        system,
        &unknown,
        None,
        "an unknown record that an old holder tried to settle",
    )
    .await?;
    // The new holder can.
    new.settle(&sent, &Outcome::Updated).await?;
    new.stand(
        system,
        &sent,
        Standing::Confirmed,
        "a record that the new holder settled",
    )
    .await
}

pub(super) async fn an_old_fence_cannot_close(system: &dyn JournalSystem) -> Verdict {
    let ticket = Ticket::new("job-1");
    let sent = keys("sent", 3);
    let mut old = WriteBack::begin(system).await?;
    old.intend(&sent, Some(&ticket)).await?;
    let new = old.overtaken(system).await?;
    for rest in [Rest::Updated, Rest::Released] {
        refused_call(
            old.close(&ticket, rest).await,
            "closing a ticket under an old fence",
        )?;
    }
    new.stand(
        system,
        &sent,
        Standing::Sent,
        "a record whose ticket an old holder tried to close",
    )
    .await?;
    drop(new);
    let next = WriteBack::begin(system).await?;
    ensure_eq!(
        next.open,
        std::slice::from_ref(&ticket),
        "the open work after an old holder tried to close it"
    );
    let mut wanted = Counts::default();
    wanted.updated = 3;
    ensure_eq!(
        next.close(&ticket, Rest::Updated).await?,
        wanted,
        "the counts of closing what an old holder could not close"
    );
    Ok(())
}
