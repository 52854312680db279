//! Formula fields, whose values change without a mark: a job of their own refreshes them.

use std::time::Duration;

use connector_testkit::fakes::salesforce::{FieldSpec, FieldValue, ObjectSpec, SalesforceConfig};

use crate::world::World;

const DEALS: i64 = 40;

/// Deals as they change, and beside them the formulas of all.
const JOBS: &str = r#"
[[jobs]]
name = "deals"
source = "crm"
destination = "warehouse"
tasks = [{ stream = "Deal__c", into = "deal" }]

[[jobs]]
name = "formulas"
source = "crm"
destination = "warehouse"
after = ["deals"]
tasks = [{ stream = "Deal__c", into = "deal", sync = "full", write = "update", match_on = ["Id"], fields = { Worth__c = "Worth__c" } }]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn formulas_are_refreshed_on_their_own_and_nothing_else_is_touched() {
    let deal = ObjectSpec::new("Deal__c", "a0D")
        .field(FieldSpec::string("Title__c", 80))
        .field(FieldSpec::double("Worth__c", 18, 2).calculated());
    let config = SalesforceConfig {
        objects: vec![deal],
        ..SalesforceConfig::default()
    };
    let world = World::with(config, 1).await;
    let worth = |text: &str| [("Worth__c", FieldValue::Number(text.to_owned().into()))];
    let mut ids = Vec::new();
    for number in 0..DEALS {
        let title = FieldValue::from(format!("deal {number}").as_str());
        let id = world
            .salesforce
            .insert_record("Deal__c", &[("Title__c", title)])
            .unwrap();
        world
            .salesforce
            .set_silently("Deal__c", &id, &worth("10"))
            .unwrap();
        ids.push(id);
    }
    world.clock.advance(Duration::from_secs(3600));
    world.use_jobs_of_example(JOBS);
    let first = world.run_well().await;
    // read, written, unchanged, echo, rejected
    let deals = DEALS as u64;
    assert_eq!(first.job("deals"), [deals, deals, 0, 0, 0], "{}", first.stdout);

    for id in &ids[3..5] {
        world
            .salesforce
            .set_silently("Deal__c", id, &worth("12.5"))
            .unwrap();
    }
    let mine = "UPDATE deal SET \"Title__c\" = 'mine' WHERE \"Id\" = $1";
    world.database.execute(mine, &[&ids[0]]).await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    let second = world.run_well().await;
    // No stamp has moved: only who reads the formulas sees it.
    assert_eq!(second.job("deals"), [0, 0, 0, 0, 0], "{}", second.stdout);
    assert_eq!(
        second.job("formulas"),
        [deals, 2, deals - 2, 0, 0],
        "{}",
        second.stdout
    );
    let count = async |condition: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM deal WHERE {condition}");
        world.database.query_one(&sql, &[]).await.unwrap().get(0)
    };
    assert_eq!(count("\"Worth__c\" = 12.5").await, 2);
    assert_eq!(count("\"Worth__c\" = 10").await, DEALS - 2);
    assert_eq!(count("\"Title__c\" = 'mine'").await, 1);
    assert_eq!(count("\"Title__c\" LIKE 'deal %'").await, DEALS - 1);
}
