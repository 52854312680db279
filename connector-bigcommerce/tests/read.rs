//! Every cell arrives, once, and what changes afterwards arrives by itself.

#![allow(clippy::unwrap_used, reason = "a test ends where a helper of it fails")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use connector_core::{Connector, Event, SyncMode};
use connector_testkit::fakes::bigcommerce::{BigCommerceConfig, FakeBigCommerce};
use serde_json::{Map, Value, json};
use support::{Brought, connect, expected, fake, fake_of, read, request, schema};

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn id_of(ids: &[u64], position: usize) -> u64 {
    ids[position]
}

fn assert_cells(
    brought: &Brought,
    schema: &connector_core::Schema,
    ids: &[u64],
    truth: impl Fn(u64) -> Value,
) {
    assert_eq!(brought.ids().len(), ids.len());
    assert!(brought.rejected.is_empty());
    for (id, row) in &brought.rows {
        let truth = truth(u64::try_from(*id).unwrap());
        assert_eq!(*row, expected(schema, &truth), "record {id}");
        let known = |name: &String| schema.field(name).is_some();
        assert!(
            truth.as_object().unwrap().keys().all(known),
            "the table has every field of the store"
        );
    }
    let distinct: BTreeSet<i64> = brought.ids().into_iter().collect();
    assert_eq!(distinct.len(), ids.len());
    assert_eq!(brought.sequences, (0..ids.len() as u64).collect::<Vec<_>>());
}

async fn assert_all(fake: &FakeBigCommerce, sync: SyncMode) {
    let (store, _) = connect(fake);
    let customers = read(&store, request("customers", sync.clone())).await.unwrap();
    let shape = schema(&store, "customers").await;
    assert_cells(&customers, &shape, &fake.customer_ids(), |id| {
        fake.customer(id).unwrap()
    });
    let orders = read(&store, request("orders", sync)).await.unwrap();
    let shape = schema(&store, "orders").await;
    assert_cells(&orders, &shape, &fake.order_ids(), |id| fake.order(id).unwrap());
    assert!(fake.ledger().entries().is_empty(), "nothing was written");
}

#[tokio::test]
async fn every_cell_of_a_full_read_is_the_stores() {
    let fake = fake(BigCommerceConfig {
        customers: 600,
        archived_every: 7,
        ..BigCommerceConfig::default()
    })
    .await;
    assert_all(&fake, SyncMode::FullRefresh).await;
}

#[tokio::test]
async fn a_first_incremental_read_is_a_whole_one() {
    assert_all(&fake_of(300).await, SyncMode::Incremental).await;
}

#[tokio::test]
async fn an_empty_store_is_read_to_its_end() {
    let fake = fake_of(0).await;
    let (store, _) = connect(&fake);
    for stream in ["customers", "orders"] {
        let brought = read(&store, request(stream, SyncMode::FullRefresh))
            .await
            .unwrap();
        assert!(brought.rows.is_empty() && !brought.states.is_empty());
    }
}

#[tokio::test]
async fn an_incremental_read_brings_what_changed_and_nothing_else() {
    let fake = fake_of(400).await;
    let (store, _) = connect(&fake);
    let mut states = Vec::new();
    for (stream, sync) in [
        ("customers", SyncMode::FullRefresh),
        ("orders", SyncMode::Incremental),
    ] {
        states.push(read(&store, request(stream, sync)).await.unwrap().last_state());
    }
    let (customers, orders) = (fake.customer_ids(), fake.order_ids());
    fake.clock().advance(Duration::from_secs(3600));
    let edited = [id_of(&customers, 3), id_of(&customers, 390)];
    for id in edited {
        assert!(fake.edit_customer(
            id,
            fields(&json!({ "notes": "changed", "loyalty": { "tier": 2 } }))
        ));
    }
    let archived = id_of(&orders, 5);
    assert!(fake.edit_order(archived, fields(&json!({ "is_deleted": true }))));
    let added = fake.add_order(Map::new());
    fake.clock().advance(Duration::from_secs(3600));

    let again =
        |stream: &str, at: usize| request(stream, SyncMode::Incremental).with_state(Some(states[at].clone()));
    let brought = read(&store, again("customers", 0)).await.unwrap();
    assert_eq!(brought.ids(), edited.map(u64::cast_signed));
    assert_eq!(brought.rows[0].1["notes"], r#"Text("changed")"#);
    assert_eq!(
        brought.rows[0].1["_extra"],
        r#"Json("{\"loyalty\":{\"tier\":2}}")"#
    );
    let brought = read(&store, again("orders", 1)).await.unwrap();
    assert_eq!(brought.ids(), [added, archived].map(u64::cast_signed));
    assert_eq!(brought.rows[1].1["is_deleted"], "Bool(true)");
}

#[tokio::test]
async fn what_is_too_fresh_waits_for_the_next_read() {
    let fake = fake_of(20).await;
    let (store, _) = connect(&fake);
    let first = read(&store, request("customers", SyncMode::Incremental))
        .await
        .unwrap()
        .last_state();
    let id = id_of(&fake.customer_ids(), 0);
    fake.edit_customer(id, Map::new());
    let incremental = || request("customers", SyncMode::Incremental).with_state(Some(first.clone()));
    assert!(read(&store, incremental()).await.unwrap().rows.is_empty());
    let unsettled = incremental().with_settle(Some(Duration::ZERO));
    let brought = read(&store, unsettled).await.unwrap();
    assert_eq!(brought.ids(), [id.cast_signed()]);
    // Both ends of a window are inclusive: a record on the edge comes again rather than never.
    let edge = request("customers", SyncMode::Incremental).with_state(Some(brought.last_state()));
    assert!(
        read(&store, edge.with_settle(Some(Duration::ZERO)))
            .await
            .unwrap()
            .ids()
            .len()
            <= 1
    );
}

#[tokio::test]
async fn reading_on_from_any_checkpoint_skips_nothing() {
    let fake = fake(BigCommerceConfig {
        customers: 700,
        archived_every: 9,
        ..BigCommerceConfig::default()
    })
    .await;
    let (store, _) = connect(&fake);
    for stream in ["customers", "orders"] {
        for sync in [SyncMode::FullRefresh, SyncMode::Incremental] {
            let whole = read(&store, request(stream, sync.clone())).await.unwrap();
            assert!(whole.states.len() > 3);
            let (_, unfinished) = whole.states.split_last().unwrap();
            for (before, state) in unfinished {
                let rest = read(
                    &store,
                    request(stream, sync.clone()).with_state(Some(state.clone())),
                )
                .await
                .unwrap();
                let joined: BTreeSet<_> = whole.rows[..*before].iter().chain(&rest.rows).collect();
                assert_eq!(joined, whole.rows.iter().collect(), "{stream} {sync}");
                assert!(
                    rest.rows.len() <= whole.rows.len() - before,
                    "{stream} {sync} begins where it was left off"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_resumed_incremental_read_ends_in_the_present() {
    let fake = fake_of(600).await;
    let (store, _) = connect(&fake);
    let whole = read(&store, request("customers", SyncMode::Incremental))
        .await
        .unwrap();
    let (before, state) = whole.states[0].clone();
    fake.clock().advance(Duration::from_secs(600));
    // Read already, and changed before the second run: a window of its own brings it.
    let id = whole.rows[..before][0].0.cast_unsigned();
    fake.edit_customer(id, fields(&json!({ "notes": "late" })));
    fake.clock().advance(Duration::from_secs(600));
    let rest = read(
        &store,
        request("customers", SyncMode::Incremental).with_state(Some(state)),
    )
    .await
    .unwrap();
    let late = rest
        .rows
        .iter()
        .find(|(row, _)| row.cast_unsigned() == id)
        .unwrap();
    assert_eq!(late.1["notes"], r#"Text("late")"#);
    assert!(late.1 != whole.rows[0].1);
}

#[tokio::test]
async fn some_columns_in_another_order_are_what_was_asked_for() {
    let fake = fake_of(5).await;
    let (store, _) = connect(&fake);
    let wanted = vec!["email".to_owned(), "id".to_owned()];
    let brought = read(
        &store,
        request("customers", SyncMode::FullRefresh).with_fields(wanted),
    )
    .await
    .unwrap();
    assert!(brought.rows.iter().all(|(_, row)| row.keys().eq(["email", "id"])));
    let misspelt = request("customers", SyncMode::FullRefresh).with_fields(vec!["emial".to_owned()]);
    assert_eq!(
        read(&store, misspelt).await.unwrap_err().help(),
        Some("did you mean `email`?")
    );
}

#[tokio::test]
async fn small_batches_hold_the_same_records() {
    let fake = fake_of(300).await;
    let (store, _) = connect(&fake);
    let small = request("customers", SyncMode::FullRefresh).with_batch_bytes(4096);
    let brought = read(&store, small).await.unwrap();
    assert_eq!(brought.ids().len(), 300);
    assert_eq!(brought.sequences, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_bad_value_costs_one_record() {
    let fake = fake_of(10).await;
    let id = id_of(&fake.order_ids(), 4);
    fake.edit_order(id, fields(&json!({ "total_inc_tax": "hunter2" })));
    let (store, _) = connect(&fake);
    let brought = read(&store, request("orders", SyncMode::FullRefresh))
        .await
        .unwrap();
    assert_eq!(brought.ids().len() as u64, fake.order_count() - 1);
    let [rejection] = brought.rejected.as_slice() else {
        panic!("{:?}", brought.rejected)
    };
    assert_eq!((rejection.sequence, rejection.code.as_str()), (4, "bad_value"));
    assert_eq!(
        rejection.key.as_ref().map(connector_core::Key::as_str),
        Some(id.to_string().as_str())
    );
    assert_eq!(rejection.fields, ["total_inc_tax"]);
    assert!(!format!("{rejection:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_plan_says_how_much_and_what_is_not_seen() {
    let fake = fake(BigCommerceConfig {
        customers: 300,
        archived_every: 10,
        ..BigCommerceConfig::default()
    })
    .await;
    let (store, _) = connect(&fake);
    for (stream, records, passes) in [
        ("customers", fake.customer_count(), 1),
        ("orders", fake.order_count(), 2),
    ] {
        let plan = store
            .as_source()
            .unwrap()
            .plan_read(&request(stream, SyncMode::Incremental))
            .await
            .unwrap();
        assert_eq!(plan.records, Some(records));
        assert_eq!(plan.requests, Some(records.div_ceil(250) + passes));
        assert!(
            plan.notes
                .iter()
                .any(|note| note.contains("BigCommerce has no feed")),
            "{:?}",
            plan.notes
        );
    }
}

#[tokio::test]
async fn what_changes_while_it_is_read_comes_now_or_with_the_next_read() {
    let fake = fake(BigCommerceConfig {
        customers: 600,
        archived_every: 5,
        ..BigCommerceConfig::default()
    })
    .await;
    let (store, _) = connect(&fake);
    for stream in ["customers", "orders"] {
        let mut reader = store
            .as_source()
            .unwrap()
            .reader(request(stream, SyncMode::Incremental))
            .await
            .unwrap();
        let (mut ids, mut state) = (Vec::new(), None);
        let all = if stream == "customers" {
            fake.customer_ids()
        } else {
            fake.order_ids()
        };
        let edit = |id: u64| {
            // An order that is archived moves to the other list.
            let edited = match stream {
                "customers" => fake.edit_customer(id, fields(&json!({ "notes": "moved" }))),
                _ => fake.edit_order(
                    id,
                    fields(&json!({ "staff_notes": "moved", "is_deleted": id.is_multiple_of(2) })),
                ),
            };
            assert!(edited);
        };
        let mut edited = BTreeSet::new();
        while let Some(event) = reader.next().await.unwrap() {
            match event {
                Event::Records(batch) => {
                    ids.extend(
                        batch
                            .records()
                            .map(|record| record.source_key().unwrap().to_string()),
                    );
                    // One that was read, one that was not, and one far away.
                    let last = all
                        .iter()
                        .position(|id| Some(&id.to_string()) == ids.last())
                        .unwrap();
                    let touched = [last, (last + 1) % all.len(), (last + 300) % all.len()].map(|at| all[at]);
                    touched.iter().for_each(|&id| edit(id));
                    edited.extend(touched);
                }
                Event::Checkpoint { state: covered, .. } => state = Some(covered),
                other => panic!("{other:?}"),
            }
        }
        fake.clock().advance(Duration::from_secs(600));
        let next = read(&store, request(stream, SyncMode::Incremental).with_state(state))
            .await
            .unwrap();
        assert!(
            edited.iter().all(|&id| next.ids().contains(&id.cast_signed())),
            "{stream}"
        );
        ids.extend(next.ids().iter().map(ToString::to_string));
        let brought: BTreeSet<String> = ids.into_iter().collect();
        assert_eq!(brought, all.iter().map(ToString::to_string).collect(), "{stream}");
    }
}

#[tokio::test]
async fn a_full_read_does_not_go_on_from_the_middle_of_an_incremental_one() {
    let fake = fake_of(600).await;
    let (store, _) = connect(&fake);
    let incremental = read(&store, request("customers", SyncMode::Incremental))
        .await
        .unwrap();
    let state = Some(incremental.states[0].1.clone());
    let full = read(
        &store,
        request("customers", SyncMode::FullRefresh).with_state(state),
    )
    .await
    .unwrap();
    assert_eq!(full.ids().len(), 600);
    // The other way round nothing is read twice: all of the stream is part of any window.
    let full = read(&store, request("customers", SyncMode::FullRefresh))
        .await
        .unwrap();
    let (before, state) = full.states[0].clone();
    let rest = read(
        &store,
        request("customers", SyncMode::Incremental).with_state(Some(state)),
    )
    .await
    .unwrap();
    assert_eq!(before + rest.ids().len(), 600);
}
