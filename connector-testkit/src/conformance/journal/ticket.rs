//! The other side's work: opened, found again, closed.

use connector_core::{Counts, Key, Outcome, Rest, Standing, Ticket};

use super::{JournalSystem, WriteBack, keys, outcomes, rejected};
use crate::conformance::Verdict;
use crate::conformance::verdict::ensure_eq;

/// Counts of `records` that were applied.
fn updated(records: u64) -> Counts {
    let mut counts = Counts::default();
    counts.updated = records;
    counts
}

pub(super) async fn open_tickets_come_back_in_order(system: &dyn JournalSystem) -> Verdict {
    let tickets = ["job-b", "job-c", "job-a", "it's \"\u{1f980}\"", "JOB-A"].map(Ticket::new);
    let write_back = WriteBack::begin(system).await?;
    ensure_eq!(write_back.open, [], "the open work of a new task");
    for (number, ticket) in tickets.iter().enumerate() {
        let keys = keys(&format!("of-{number}"), 2);
        write_back.intend(&keys, Some(ticket)).await?;
    }
    // More records for the first one's work: it is no newer for that.
    write_back.intend(&keys("more", 2), Some(&tickets[0])).await?;
    drop(write_back);
    // Finding it does not end it.
    for claim in ["the next claim", "the claim after that"] {
        let next = WriteBack::begin(system).await?;
        ensure_eq!(next.open, tickets, "the open work that {claim} finds");
    }
    Ok(())
}

pub(super) async fn settling_every_record_leaves_its_ticket_open(system: &dyn JournalSystem) -> Verdict {
    let ticket = Ticket::new("job-1");
    let keys = keys("record", 4);
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&keys, Some(&ticket)).await?;
    write_back.settle(&keys[..3], &Outcome::Updated).await?;
    write_back.settle(&keys[3..], &rejected()).await?;
    drop(write_back);
    let next = WriteBack::begin(system).await?;
    ensure_eq!(
        next.open,
        [ticket],
        "the open work after every record of it was settled"
    );
    Ok(())
}

pub(super) async fn closing_ends_the_ticket(system: &dyn JournalSystem) -> Verdict {
    let (applied, dropped, settled) = (Ticket::new("job-1"), Ticket::new("job-2"), Ticket::new("job-3"));
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&keys("applied", 2), Some(&applied)).await?;
    write_back.intend(&keys("dropped", 2), Some(&dropped)).await?;
    write_back.intend(&keys("settled", 2), Some(&settled)).await?;
    write_back.settle(&keys("settled", 2), &Outcome::Updated).await?;
    write_back.close(&applied, Rest::Updated).await?;
    write_back.close(&dropped, Rest::Released).await?;
    write_back.close(&settled, Rest::Updated).await?;
    drop(write_back);
    let next = WriteBack::begin(system).await?;
    ensure_eq!(next.open, [], "the open work after all of it was closed");
    Ok(())
}

pub(super) async fn closing_confirms_the_rest_and_counts_it(system: &dyn JournalSystem) -> Verdict {
    let ticket = Ticket::new("job-1");
    let keys = keys("record", 7);
    let write_back = WriteBack::begin(system).await?;
    // In two calls: the rest is of both.
    write_back.intend(&keys[..4], Some(&ticket)).await?;
    write_back.intend(&keys[4..], Some(&ticket)).await?;
    let counts = write_back.close(&ticket, Rest::Updated).await?;
    ensure_eq!(
        counts,
        updated(7),
        "the counts of closing a ticket that was applied"
    );
    write_back
        .stand(
            system,
            &keys,
            Standing::Confirmed,
            "the rest of a ticket that was applied",
        )
        .await
}

pub(super) async fn closing_returns_the_rest_to_be_done(system: &dyn JournalSystem) -> Verdict {
    let ticket = Ticket::new("job-1");
    let keys = keys("record", 7);
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&keys[..4], Some(&ticket)).await?;
    write_back.intend(&keys[4..], Some(&ticket)).await?;
    let counts = write_back.close(&ticket, Rest::Released).await?;
    ensure_eq!(
        counts,
        Counts::default(),
        "the counts of closing a ticket that was not applied"
    );
    write_back
        .stand(
            system,
            &keys,
            Standing::Planned,
            "the rest of a ticket that was not applied",
        )
        .await
}

pub(super) async fn closing_leaves_what_nobody_knows_as_sent(system: &dyn JournalSystem) -> Verdict {
    let ticket = Ticket::new("job-1");
    let keys = keys("record", 5);
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&keys, Some(&ticket)).await?;
    let counts = write_back.close(&ticket, Rest::Unknown).await?;
    ensure_eq!(
        counts,
        Counts::default(),
        "the counts of closing a ticket of which nobody knows what it did"
    );
    write_back
        .stand(
            system,
            &keys,
            Standing::Sent,
            "the rest of a ticket of which nobody knows what it did",
        )
        .await
}

pub(super) async fn closing_leaves_fates_alone(system: &dyn JournalSystem) -> Verdict {
    let write_back = WriteBack::begin(system).await?;
    for (rest, of_the_rest) in [
        (Rest::Updated, Standing::Confirmed),
        (Rest::Released, Standing::Planned),
    ] {
        let ticket = Ticket::new(format!("job-{rest:?}"));
        let fates = outcomes();
        let settled = keys(&format!("settled-{rest:?}"), fates.len());
        let left = keys(&format!("left-{rest:?}"), 3);
        let all: Vec<Key> = settled.iter().chain(&left).cloned().collect();
        write_back.intend(&all, Some(&ticket)).await?;
        for (key, (outcome, _)) in settled.iter().zip(&fates) {
            write_back.settle(std::slice::from_ref(key), outcome).await?;
        }
        let wanted = updated(if rest == Rest::Updated { 3 } else { 0 });
        ensure_eq!(
            write_back.close(&ticket, rest).await?,
            wanted,
            "the counts of closing ({rest:?}) a ticket of which three records were not settled"
        );
        for (key, (outcome, standing)) in settled.iter().zip(&fates) {
            let what = format!("a record that was {outcome:?} when its ticket was closed ({rest:?})");
            write_back
                .stand(system, std::slice::from_ref(key), *standing, &what)
                .await?;
        }
        let what = format!("a record that was not settled when its ticket was closed ({rest:?})");
        write_back.stand(system, &left, of_the_rest, &what).await?;
    }
    Ok(())
}

pub(super) async fn closing_touches_no_other_ticket(system: &dyn JournalSystem) -> Verdict {
    let (closed, other) = (Ticket::new("job-1"), Ticket::new("job-10"));
    let write_back = WriteBack::begin(system).await?;
    let (carried, elsewhere, alone) = (keys("carried", 2), keys("elsewhere", 3), keys("alone", 4));
    write_back.intend(&carried, Some(&closed)).await?;
    write_back.intend(&elsewhere, Some(&other)).await?;
    write_back.intend(&alone, None).await?;
    let counts = write_back.close(&closed, Rest::Updated).await?;
    ensure_eq!(counts, updated(2), "the counts of closing one of two tickets");
    write_back
        .stand(
            system,
            &elsewhere,
            Standing::Sent,
            "a record of a ticket that is still open",
        )
        .await?;
    write_back
        .stand(
            system,
            &alone,
            Standing::Sent,
            "a record without a ticket when one was closed",
        )
        .await?;
    drop(write_back);
    let next = WriteBack::begin(system).await?;
    ensure_eq!(next.open, [other], "the open work after one of two was closed");
    Ok(())
}

pub(super) async fn a_record_belongs_to_its_last_intent(system: &dyn JournalSystem) -> Verdict {
    let (before, after) = (Ticket::new("job-1"), Ticket::new("job-2"));
    let (moved, alone) = (keys("moved", 3), keys("alone", 2));
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&moved, Some(&before)).await?;
    write_back.intend(&alone, Some(&before)).await?;
    write_back.intend(&moved, Some(&after)).await?;
    write_back.intend(&alone, None).await?;
    let counts = write_back.close(&before, Rest::Updated).await?;
    ensure_eq!(
        counts,
        Counts::default(),
        "the counts of closing a ticket whose records were all sent again since"
    );
    for keys in [&moved, &alone] {
        write_back
            .stand(
                system,
                keys,
                Standing::Sent,
                "a record that was sent again before its first ticket was closed",
            )
            .await?;
    }
    let counts = write_back.close(&after, Rest::Updated).await?;
    ensure_eq!(
        counts,
        updated(3),
        "the counts of closing the ticket that records were sent again with"
    );
    write_back
        .stand(
            system,
            &moved,
            Standing::Confirmed,
            "a record whose last ticket was applied",
        )
        .await
}

pub(super) async fn closing_twice_counts_nothing_more(system: &dyn JournalSystem) -> Verdict {
    let ticket = Ticket::new("job-1");
    let keys = keys("record", 5);
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&keys, Some(&ticket)).await?;
    write_back.close(&ticket, Rest::Updated).await?;
    for rest in [Rest::Updated, Rest::Released] {
        let counts = write_back.close(&ticket, rest).await?;
        ensure_eq!(
            counts,
            Counts::default(),
            "the counts of closing ({rest:?}) a ticket that is closed already"
        );
        write_back
            .stand(
                system,
                &keys,
                Standing::Confirmed,
                "a record whose ticket was closed more than once",
            )
            .await?;
    }
    Ok(())
}
