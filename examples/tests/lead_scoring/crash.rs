//! Kill -9 at every stage, a rerun, and the same equality.

use std::collections::HashMap;

use connector_testkit::fakes::salesforce::{Fault, FaultAction, SalesforceConfig};

use crate::world::{World, kill_when};

/// Makes every request to `path` take a while, so that a kill falls where it is meant to.
fn slow(world: &World, path: &str, millis: u64) {
    let mut fault = Fault::next(path, FaultAction::Delay { millis });
    fault.times = u64::MAX;
    world.salesforce.fail_next(fault);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_killed_at_ten_moments_loses_and_doubles_nothing() {
    const LEADS: u64 = 3_000;
    let config = || SalesforceConfig {
        leads: LEADS,
        bulk_page_size: 200,
        ..SalesforceConfig::default()
    };
    // How many commits there are when nothing happens.
    let calm = World::with(config(), 10).await;
    calm.use_small_commits(1);
    calm.run_well().await;
    let last = calm.commits("leads/Lead").await;
    assert!(last >= 14, "{last} commits");

    let mut between = 0;
    for moment in 0..10 {
        let world = World::with(config(), 10).await;
        slow(&world, "/results", 15);
        world.use_small_commits(1);
        let wanted = format!("commit {}, ", 1 + moment * (last - 2) / 10);
        let killed = kill_when(world.program(), |lines| {
            lines
                .iter()
                .any(|line| line.starts_with("leads/Lead: ") && line.contains(&wanted))
        });
        let fell = world.commits("leads/Lead").await;
        println!("load, moment {moment}: killed after commit {fell} of {last}");
        between += u32::from(killed && fell > 0 && fell < last);

        let rerun = world.run_well().await;
        world
            .assert_leads_equal(&["SystemModstamp", "LastModifiedDate", "LastModifiedById"])
            .await;
        world.assert_scores_equal().await;
        assert_eq!(world.salesforce.ledger().len() as u64, LEADS);
        // It went on where it was: what had been committed was not read again.
        assert!(moment < 3 || rerun.job("leads")[0] < LEADS, "{}", rerun.stdout);
    }
    assert!(
        between >= 7,
        "only {between} kills fell between the first commit and the last"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_back_by_collections_killed_at_ten_moments_repeats_at_most_one_request() {
    let world = World::new(1_900, 10).await;
    world.use_small_commits(0);
    world.run_well().await;
    slow(&world, "/composite/sobjects", 20);
    let mut between = 0;
    for moment in 0..10_usize {
        world.use_small_commits(100 + moment as u32);
        let before = world.salesforce.ledger().len();
        let ledger = world.salesforce.ledger();
        let killed = kill_when(world.program(), |_| ledger.len() >= before + 1 + moment * 180);
        let fell = world.salesforce.ledger().len() - before;
        println!("write-back by collections, moment {moment}: killed after {fell} of 1900 records");
        between += u32::from(killed && fell > 0 && fell < 1_900);
        finish_and_compare(&world, before, 200).await;
    }
    assert!(
        between >= 7,
        "only {between} kills fell between the first request and the last"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_back_by_a_bulk_job_killed_at_ten_moments_repeats_nothing() {
    let config = SalesforceConfig {
        leads: 2_600,
        bulk_polls: 2,
        ..SalesforceConfig::default()
    };
    let world = World::with(config, 10).await;
    world.use_small_commits(0);
    world.run_well().await;
    slow(&world, "/jobs/ingest", 25);
    let mut killed = 0;
    for moment in 0..10_u64 {
        world.use_small_commits(100 + moment as u32);
        let before = world.salesforce.ledger().len();
        let mut started = None;
        let salesforce = &world.salesforce;
        let was_killed = kill_when(world.program(), |lines| {
            let begun = lines.iter().any(|line| line.starts_with("write-back/"));
            if begun && started.is_none() {
                started = Some(salesforce.calls());
            }
            started.is_some_and(|calls| salesforce.calls() > calls + moment)
        });
        let fell = world.salesforce.ledger().len() - before;
        println!("write-back by Bulk, moment {moment}: killed {was_killed}, {fell} of 2600 records applied");
        killed += u32::from(was_killed);
        finish_and_compare(&world, before, 0).await;
    }
    assert!(killed >= 7, "only {killed} runs were killed");
}

/// Reruns, then compares; `repeated` records may have been sent the same value twice.
async fn finish_and_compare(world: &World, before: usize, repeated: usize) {
    world.run_well().await;
    world.assert_scores_equal().await;
    let entries = world.salesforce.ledger().entries();
    let mut times: HashMap<(&str, String), usize> = HashMap::new();
    for entry in &entries[before..] {
        *times
            .entry((&entry.id, format!("{:?}", entry.fields)))
            .or_default() += 1;
    }
    let twice = times.values().filter(|&&times| times > 1).count();
    assert!(
        twice <= repeated,
        "{twice} records were sent the same value twice"
    );
    assert!(times.values().all(|&times| times <= 2));
    // Nothing else was ever sent.
    assert_eq!(times.len(), world.salesforce.lead_count() as usize);
}
