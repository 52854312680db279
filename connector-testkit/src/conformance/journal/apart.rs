//! Targets, tasks and keys that must not be taken for one another.

use connector_core::{Counts, Fate, Identity, Key, Outcome, Rest, Standing, Target, TaskId, Ticket};

use super::{JournalSystem, WriteBack, keys, outcomes, rejected, there};
use crate::conformance::Verdict;
use crate::conformance::state_store::names::ODD;
use crate::conformance::verdict::ensure_eq;

pub(super) async fn targets_are_apart(system: &dyn JournalSystem) -> Verdict {
    let target = |system: &str, object: &str| Target {
        identity: Identity::new("conformance", system),
        object: object.to_owned(),
    };
    let targets = [
        target("1", "Thing"),
        target("1", "Other"),
        target("1", "thing"),
        target("2", "Thing"),
        target("1:Thing", "s"),
        target("1", "Thing:s"),
        target("it's", "\"\u{1f980}\""),
    ];
    // The same keys everywhere; each target's meet an outcome of their own.
    let keys = keys("record", 3);
    for target in &targets {
        let write_back = WriteBack::of(system, &super::task(), target.clone()).await?;
        let what = format!("a record of {target:?}, of which nothing is known,");
        write_back.stand(system, &keys, None, &what).await?;
        write_back.intend(&keys, None).await?;
    }
    let mut wanted = vec![Standing::Sent; targets.len()];
    for (number, (outcome, standing)) in outcomes().into_iter().enumerate() {
        let settling = targets[number % targets.len()].clone();
        let write_back = WriteBack::of(system, &super::task(), settling).await?;
        write_back.settle(&keys, &outcome).await?;
        wanted[number % targets.len()] = standing;
        drop(write_back);
        for (target, standing) in targets.iter().zip(&wanted) {
            for key in &keys {
                ensure_eq!(
                    system.standing(target, key).await,
                    Some(*standing),
                    "the standing of a record of {target:?}"
                );
            }
        }
    }
    Ok(())
}

pub(super) async fn tasks_have_tickets_of_their_own(system: &dyn JournalSystem) -> Verdict {
    // Tickets are the other side's names: two other sides may use the same ones.
    let ticket = Ticket::new("job-1");
    let (only_one, only_two) = (Ticket::new("job-of-one"), Ticket::new("job-of-two"));
    let (task_one, task_two) = (
        TaskId::new("conformance", "one"),
        TaskId::new("conformance", "two"),
    );
    let (keys_one, keys_two) = (keys("record", 2), keys("record", 3));
    let one = WriteBack::of(system, &task_one, there("1", "Thing")).await?;
    let two = WriteBack::of(system, &task_two, there("2", "Thing")).await?;
    one.intend(&keys_one, Some(&ticket)).await?;
    two.intend(&keys_two, Some(&ticket)).await?;
    one.intend(&keys("more", 1), Some(&only_one)).await?;
    two.intend(&keys("more", 1), Some(&only_two)).await?;
    drop((one, two));
    let one = WriteBack::of(system, &task_one, there("1", "Thing")).await?;
    let two = WriteBack::of(system, &task_two, there("2", "Thing")).await?;
    ensure_eq!(
        one.open,
        [ticket.clone(), only_one.clone()],
        "the open work of one of two tasks"
    );
    ensure_eq!(
        two.open,
        [ticket.clone(), only_two],
        "the open work of the other of two tasks"
    );
    let mut wanted = Counts::default();
    wanted.updated = 3;
    ensure_eq!(
        two.close(&ticket, Rest::Updated).await?,
        wanted,
        "the counts of closing one of two tasks' tickets"
    );
    one.stand(
        system,
        &keys_one,
        Standing::Sent,
        "a record whose ticket has the same name as another task's",
    )
    .await?;
    drop(one);
    let one = WriteBack::of(system, &task_one, there("1", "Thing")).await?;
    ensure_eq!(
        one.open,
        [ticket, only_one],
        "the open work of a task after another task closed a ticket of the same name"
    );
    Ok(())
}

pub(super) async fn odd_keys_are_kept_apart(system: &dyn JournalSystem) -> Verdict {
    let long = "2 kB of a key, not all the same: \u{e9}\u{1f980} ".repeat(64);
    let long: String = long
        .chars()
        .scan(0, |bytes, one| {
            *bytes += one.len_utf8();
            (*bytes <= 2_040).then_some(one)
        })
        .collect();
    let mut odd: Vec<Key> = ODD.iter().map(|odd| Key::new(*odd)).collect();
    odd.extend(["1", "2"].map(|last| Key::new(format!("{long}{last}"))));
    let ticket = Ticket::new("job-1");
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&odd, Some(&ticket)).await?;
    write_back
        .stand(system, &odd, Standing::Sent, "an odd key that was intended")
        .await?;
    // Neighbours in the list look alike: each ends otherwise than the one before, and every fifth is left over.
    let ends = [
        Some((Outcome::Updated, Standing::Confirmed)),
        Some((rejected(), Standing::Unconfirmed)),
        Some((Outcome::Ambiguous, Standing::Sent)),
        None,
        Some((Outcome::Released, Standing::Planned)),
    ];
    let (mut fates, mut wanted, mut left) = (Vec::new(), Vec::new(), 0);
    for (key, end) in odd.iter().zip(ends.iter().cycle()) {
        if let Some((outcome, standing)) = end {
            fates.push(Fate {
                key: key.clone(),
                outcome: outcome.clone(),
            });
            wanted.push((key, *standing));
        } else {
            wanted.push((key, Standing::Confirmed));
            left += 1;
        }
    }
    write_back
        .journal
        .settle(&write_back.fence, &write_back.target, &fates)
        .await?;
    let mut counts = Counts::default();
    counts.updated = left;
    ensure_eq!(
        write_back.close(&ticket, Rest::Updated).await?,
        counts,
        "the counts of closing a ticket with odd keys"
    );
    for (key, standing) in wanted {
        write_back
            .stand(system, std::slice::from_ref(key), standing, "an odd key")
            .await?;
    }
    Ok(())
}

pub(super) async fn twenty_thousand_keys_are_all_kept(system: &dyn JournalSystem) -> Verdict {
    const KEYS: usize = 20_000;
    const SETTLED: usize = 14_993;
    const CHUNK: usize = 2_000;
    let ticket = Ticket::new("job-1");
    let keys = keys("00Q000000000000", KEYS);
    let write_back = WriteBack::begin(system).await?;
    write_back.intend(&keys, Some(&ticket)).await?;
    for chunk in keys[..SETTLED].chunks(CHUNK) {
        write_back.settle(chunk, &Outcome::Updated).await?;
    }
    let (settled, left) = keys.split_at(SETTLED);
    let some = |keys: &[Key]| keys.iter().step_by(997).cloned().collect::<Vec<_>>();
    write_back
        .stand(
            system,
            &some(settled),
            Standing::Confirmed,
            "one of many settled records",
        )
        .await?;
    write_back
        .stand(
            system,
            &some(left),
            Standing::Sent,
            "one of many records not settled yet",
        )
        .await?;
    // One that was lost, of either kind, would show here.
    let mut wanted = Counts::default();
    wanted.updated = (KEYS - SETTLED) as u64;
    ensure_eq!(
        write_back.close(&ticket, Rest::Updated).await?,
        wanted,
        "the counts of closing a ticket of {KEYS} records, {SETTLED} of them settled"
    );
    write_back
        .stand(
            system,
            &some(left),
            Standing::Confirmed,
            "one of many records whose ticket was closed",
        )
        .await
}
