//! What a record's intents and outcomes lead to.

use connector_core::{Counts, Fate, Key, Outcome, Rest, Standing, Ticket};

use super::{JournalSystem, WriteBack, keys, outcomes, rejected};
use crate::conformance::Verdict;
use crate::conformance::verdict::ensure_eq;

pub(super) async fn what_is_intended_is_sent_until_settled(system: &dyn JournalSystem) -> Verdict {
    let write_back = WriteBack::begin(system).await?;
    let (first, second, other) = (keys("first", 3), keys("second", 3), keys("other", 1));
    write_back.intend(&[], None).await?;
    write_back.intend(&first, None).await?;
    write_back.intend(&second, None).await?;
    let sent = Standing::Sent;
    write_back
        .stand(system, &first, sent, "what was intended")
        .await?;
    write_back
        .stand(system, &second, sent, "what was intended")
        .await?;
    write_back
        .stand(system, &other, None, "what was never intended")
        .await?;
    write_back.settle(&[], &Outcome::Updated).await?;
    write_back.settle(&first[..2], &Outcome::Updated).await?;
    write_back
        .stand(system, &first[..2], Standing::Confirmed, "what was settled")
        .await?;
    write_back
        .stand(
            system,
            &first[2..],
            sent,
            "what was intended together with what was settled",
        )
        .await?;
    write_back
        .stand(system, &second, sent, "what was intended and not settled")
        .await
}

pub(super) async fn every_outcome_leads_to_its_standing(system: &dyn JournalSystem) -> Verdict {
    let write_back = WriteBack::begin(system).await?;
    let outcomes = outcomes();
    let keys = keys("record", outcomes.len());
    write_back.intend(&keys, None).await?;
    // All of them in one call, as the answer to one request would have it.
    let fates = keys.iter().zip(&outcomes).map(|(key, (outcome, _))| Fate {
        key: key.clone(),
        outcome: outcome.clone(),
    });
    let fates: Vec<Fate> = fates.collect();
    write_back
        .journal
        .settle(&write_back.fence, &write_back.target, &fates)
        .await?;
    for (key, (outcome, standing)) in keys.iter().zip(outcomes) {
        let what = format!("a record whose outcome is {outcome:?}");
        let key = std::slice::from_ref(key);
        write_back.stand(system, key, standing, &what).await?;
    }
    Ok(())
}

pub(super) async fn the_last_fate_stands(system: &dyn JournalSystem) -> Verdict {
    let write_back = WriteBack::begin(system).await?;
    let key = keys("record", 1);
    write_back.intend(&key, None).await?;
    let last = [
        (Outcome::Ambiguous, Standing::Sent),
        (rejected(), Standing::Unconfirmed),
        (Outcome::Updated, Standing::Confirmed),
        (rejected(), Standing::Unconfirmed),
        (Outcome::Released, Standing::Planned),
        (Outcome::Deleted, Standing::Confirmed),
    ];
    for (outcome, standing) in last {
        write_back.settle(&key, &outcome).await?;
        let what = format!("a record that was settled before and now is {outcome:?}");
        write_back.stand(system, &key, standing, &what).await?;
    }
    Ok(())
}

pub(super) async fn the_fate_of_what_was_never_sent_is_kept(system: &dyn JournalSystem) -> Verdict {
    // A writer refuses what cannot be sent, and finds that of some records there is nothing to send.
    let write_back = WriteBack::begin(system).await?;
    let refused = keys("refused", 2);
    let nothing = keys("nothing", 2);
    write_back.settle(&refused, &rejected()).await?;
    write_back.settle(&nothing, &Outcome::Updated).await?;
    write_back
        .stand(
            system,
            &refused,
            Standing::Unconfirmed,
            "what was refused without an intent",
        )
        .await?;
    write_back
        .stand(
            system,
            &nothing,
            Standing::Confirmed,
            "what was found as it should be without an intent",
        )
        .await
}

pub(super) async fn intending_again_what_was_confirmed_makes_it_sent(system: &dyn JournalSystem) -> Verdict {
    // From now on nobody knows what the other side holds.
    let write_back = WriteBack::begin(system).await?;
    for (number, (outcome, _)) in outcomes().into_iter().enumerate() {
        let key = keys(&format!("record-{number}"), 1);
        let ticket = Ticket::new(format!("job-{number}"));
        write_back.intend(&key, None).await?;
        write_back.settle(&key, &outcome).await?;
        write_back.intend(&key, Some(&ticket)).await?;
        let what = format!("a record that is intended again after {outcome:?}");
        write_back.stand(system, &key, Standing::Sent, &what).await?;
    }
    Ok(())
}

pub(super) async fn what_is_intended_survives_a_new_handle(system: &dyn JournalSystem) -> Verdict {
    let ticket = Ticket::new("job-1");
    let (carried, alone) = (keys("carried", 5), keys("alone", 2));
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&carried, Some(&ticket)).await?;
    write_back.intend(&alone, None).await?;
    drop(write_back);
    // What comes now knows nothing but what is stored.
    let next = WriteBack::begin(system).await?;
    ensure_eq!(
        next.open,
        std::slice::from_ref(&ticket),
        "the open work that the next holder finds"
    );
    let all: Vec<Key> = carried.iter().chain(&alone).cloned().collect();
    next.stand(system, &all, Standing::Sent, "what an earlier holder intended")
        .await?;
    next.settle(&carried[..2], &Outcome::Updated).await?;
    let mut wanted = Counts::default();
    wanted.updated = 3;
    ensure_eq!(
        next.close(&ticket, Rest::Updated).await?,
        wanted,
        "the counts of closing an earlier holder's ticket"
    );
    next.stand(
        system,
        &carried,
        Standing::Confirmed,
        "what an earlier holder intended and this one settled",
    )
    .await?;
    next.stand(
        system,
        &alone,
        Standing::Sent,
        "what an earlier holder intended without a ticket",
    )
    .await
}

pub(super) async fn standings_are_told_in_the_order_of_the_keys(system: &dyn JournalSystem) -> Verdict {
    let write_back = WriteBack::begin(system).await?;
    let (sent, confirmed, unknown) = (keys("b-sent", 1), keys("a-confirmed", 1), keys("c-unknown", 1));
    let ticket = Ticket::new("job");
    write_back
        .intend(&[&sent[..], &confirmed].concat(), Some(&ticket))
        .await?;
    write_back.settle(&confirmed, &Outcome::Updated).await?;
    // A new handle, and neither the order of the keys nor that in which they came.
    let asked = [&unknown[..], &sent, &confirmed, &unknown].concat();
    let told = system.journal().standings(&write_back.target, &asked).await?;
    let wanted = [None, Some(Standing::Sent), Some(Standing::Confirmed), None];
    ensure_eq!(told, wanted, "the standings of four keys, two of them unknown");
    let other = super::there("1", "Another");
    let told = system.journal().standings(&other, &asked).await?;
    ensure_eq!(
        told,
        [None; 4],
        "the standings of the same keys at a target that nothing is known of"
    );
    Ok(())
}
