//! What a second round does: nothing more than it must.

use std::time::Duration;

use connector_testkit::fakes::salesforce::FieldValue;

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn our_own_write_back_comes_back_as_an_echo_and_is_not_sent_again() {
    let world = World::new(400, 200).await;
    world.use_example_jobs();
    world.run_well().await;
    world
        .salesforce
        .edit_lead(7, &[("Title", FieldValue::from("CEO"))])
        .unwrap();
    world.clock.advance(HOUR);

    let second = world.run_well().await;
    // read, written, unchanged, echo, rejected
    assert_eq!(second.job("leads"), [400, 1, 0, 399, 0], "{}", second.stdout);
    assert_eq!(second.job("write-back"), [400, 0, 400, 0, 0], "{}", second.stdout);
    world.assert_leads_equal(&[]).await;
    assert_eq!(world.salesforce.ledger().len(), 400);

    let third = world.run_well().await;
    assert_eq!(third.job("leads")[0], 0, "{}", third.stdout);
    assert_eq!(third.job("shop")[0], 0, "{}", third.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_scores_that_differ_are_sent() {
    let world = World::new(400, 200).await;
    world.use_example_jobs();
    world.run_well().await;
    let before = world.scores().await;
    for order in world.store.order_ids().into_iter().take(60) {
        world
            .store
            .edit_order(order, [("status_id".to_owned(), 5.into())].into_iter().collect());
    }
    world.clock.advance(HOUR);
    let second = world.run_well().await;
    let after = world.scores().await;
    let changed = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before != after)
        .count() as u64;
    assert!(changed > 0);
    assert_eq!(second.job("write-back"), [400, changed, 400 - changed, 0, 0]);
    assert_eq!(world.salesforce.ledger().len() as u64, 400 + changed);
    // The ten best leads are shown as Salesforce holds them.
    let shown: Vec<&str> = second
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("10 leads"))
        .skip(3)
        .collect();
    assert_eq!(shown.len(), 10, "{}", second.stdout);
    for line in shown {
        let number = world
            .salesforce
            .lead_number(line.split_whitespace().next().unwrap())
            .unwrap();
        let held: f64 = world.salesforce.lead(number)["LeadScore__c"]
            .text()
            .unwrap()
            .parse()
            .unwrap();
        let printed: f64 = line.split_whitespace().last().unwrap().parse().unwrap();
        assert_eq!(printed, held, "{line}");
    }
    world.assert_scores_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_human_edit_of_a_score_is_overwritten_unless_it_is_only_to_be_reported() {
    for (drift, sent_again) in [("overwrite", 1), ("report", 0)] {
        let world = World::new(300, 100).await;
        world.use_example_jobs();
        world.run_well().await;
        let ours = world.salesforce.lead(5)["LeadScore__c"].clone();
        world
            .salesforce
            .edit_lead(5, &[("LeadScore__c", FieldValue::number("999.99"))])
            .unwrap();
        world.clock.advance(HOUR);

        let jobs = include_str!("../../src/bin/lead_scoring/jobs.toml");
        world.use_jobs(&jobs.replace("keep = [", &format!("drift = \"{drift}\", keep = [")));
        let second = world.run_well().await;
        assert!(
            second
                .stderr
                .contains("1 records of leads/Lead had been edited at the other side"),
            "{}",
            second.stderr
        );
        assert_eq!(
            second.job("write-back"),
            [300, sent_again, 300 - sent_again, 0, 0],
            "{drift}"
        );
        let expected = if sent_again == 1 {
            ours
        } else {
            FieldValue::number("999.99")
        };
        assert_eq!(
            world.salesforce.lead(5)["LeadScore__c"].to_json(),
            expected.to_json(),
            "{drift}"
        );
    }
}
