//! What arrives is what was there.

use crate::world::World;

/// As many as the demonstration has; `LEADS` makes it more.
fn leads() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test may be asked for more by hand")]
    std::env::var("LEADS")
        .ok()
        .map_or(5_000, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_equals_the_truth_and_every_score_is_applied() {
    let leads = leads();
    let world = World::new(leads, leads / 2).await;
    world.use_example_jobs();
    let outcome = world.run_well().await;
    assert_eq!(outcome.job("leads")[..2], [leads, leads]);
    // The write-back has moved these since they were read.
    world
        .assert_leads_equal(&["SystemModstamp", "LastModifiedDate", "LastModifiedById"])
        .await;

    let ledger = world.salesforce.ledger().entries();
    assert_eq!(ledger.len() as u64, leads, "each score once");
    assert!(
        ledger
            .iter()
            .all(|entry| entry.operation == "update" && entry.fields.len() == 1)
    );
    world.assert_scores_equal().await;
    let scored = world
        .scores()
        .await
        .into_iter()
        .filter(|(_, score)| score.as_deref() != Some("0.00"))
        .count();
    assert!(scored as u64 > leads / 20, "only {scored} leads have a score");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_and_orders_equal_the_truth() {
    let world = World::new(10, 300).await;
    world.use_example_jobs();
    world.run_well().await;
    for (table, ids) in [
        ("customers", world.store.customer_ids()),
        ("orders", world.store.order_ids()),
    ] {
        let rows = world
            .database
            .query(&format!("SELECT to_jsonb(t)::text FROM {table} t"), &[])
            .await
            .unwrap();
        let truth = |id| {
            if table == "orders" {
                world.store.order(id)
            } else {
                world.store.customer(id)
            }
        };
        let shown: Vec<_> = ids
            .into_iter()
            .filter_map(truth)
            .filter(|one| one["is_deleted"] != true)
            .collect();
        assert_eq!(rows.len(), shown.len(), "{table}");
        for row in rows {
            let row: serde_json::Value = serde_json::from_str(row.get(0)).unwrap();
            let truth = shown.iter().find(|one| one["id"] == row["id"]).unwrap();
            // Text is compared here; numbers, dates and nested values by the connector's own tests.
            for (name, value) in truth.as_object().unwrap() {
                if let (Some(text), Some(cell)) = (value.as_str(), row[name].as_str())
                    && !name.starts_with("date_")
                {
                    assert_eq!(cell, text, "{table}.{name} of {}", row["id"]);
                }
            }
        }
    }
}
