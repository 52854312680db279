//! Calls that are cut short.

use connector_core::{Outcome, Rest, Standing, Ticket};

use super::{JournalSystem, WriteBack, keys};
use crate::conformance::Verdict;
use crate::conformance::cancel::polled;
use crate::conformance::state_store::cancel::MOST_POLLS;
use crate::conformance::verdict::{ensure, ensure_eq};

pub(super) async fn a_dropped_intend_stores_all_or_nothing(system: &dyn JournalSystem) -> Verdict {
    let mut write_back = WriteBack::begin(system).await?;
    for polls in 0..MOST_POLLS {
        let ticket = Ticket::new(format!("job-{polls}"));
        let keys = keys(&format!("after-{polls}-polls"), 40);
        let done = polled(write_back.intend(&keys, Some(&ticket)), polls)
            .await
            .transpose()?;
        // Once the next holder has the task, nothing that was under way can still arrive. The journal's handle is the
        // same one: whatever the drop left must not be in its way.
        let mut next = write_back.overtaken(system).await?;
        next.journal = write_back.journal;
        write_back = next;
        let stored = system.standing(&write_back.target, &keys[0]).await.is_some();
        ensure!(
            stored || done.is_none(),
            "nothing is known of records after their intent was stored"
        );
        let what = format!("a record, of many whose intent was dropped after {polls} polls,");
        let standing = stored.then_some(Standing::Sent);
        write_back.stand(system, &keys, standing, &what).await?;
        // A ticket without records is looked up in vain; records without theirs would not be looked up at all.
        ensure!(
            !stored || write_back.open.contains(&ticket),
            "records stand as sent with a ticket that is not open, after their intent was dropped after {polls} polls"
        );
        write_back.close(&ticket, Rest::Released).await?;
        write_back.intend(&keys, None).await?;
        write_back.settle(&keys, &Outcome::Updated).await?;
        let what = format!("a record that was sent after an intent was dropped after {polls} polls");
        write_back
            .stand(system, &keys, Standing::Confirmed, &what)
            .await?;
        if done.is_some() {
            break;
        }
    }
    Ok(())
}

pub(super) async fn a_dropped_close_can_be_made_again(system: &dyn JournalSystem) -> Verdict {
    let mut write_back = WriteBack::begin(system).await?;
    for polls in 0..MOST_POLLS {
        let ticket = Ticket::new(format!("job-{polls}"));
        let keys = keys(&format!("after-{polls}-polls"), 10);
        write_back.intend(&keys, Some(&ticket)).await?;
        let done = polled(write_back.close(&ticket, Rest::Updated), polls)
            .await
            .transpose()?;
        let mut next = write_back.overtaken(system).await?;
        next.journal = write_back.journal;
        write_back = next;
        if write_back.open.is_empty() {
            let what = format!("a record whose ticket is closed, by a call dropped after {polls} polls,");
            write_back
                .stand(system, &keys, Standing::Confirmed, &what)
                .await?;
        } else {
            ensure_eq!(
                write_back.open,
                std::slice::from_ref(&ticket),
                "the open work after a close was dropped after {polls} polls"
            );
            ensure!(done.is_none(), "a ticket is open after it was closed");
            write_back.close(&ticket, Rest::Updated).await?;
            let what =
                format!("a record whose ticket was closed after a close was dropped after {polls} polls");
            write_back
                .stand(system, &keys, Standing::Confirmed, &what)
                .await?;
        }
        if done.is_some() {
            break;
        }
    }
    Ok(())
}
