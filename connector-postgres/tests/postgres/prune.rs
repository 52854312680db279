//! Pruning: what a sweep did not name goes, within limits.

use std::ops::Range;
use std::sync::Arc;

use connector_core::{
    Batch, DataType, Deletes, Destination, Error, ErrorKind, Key, Op, Rejection, Schema, Value, WriteMode,
    WriteRequest,
};

use crate::support::{
    Database, batch, claim, database, field, load, puts, refusal, schema, state, tally, try_load, upsert,
    writer,
};

const NAMES: &str = "SELECT count(*) FROM pg_class WHERE relname LIKE 'connector prune %' AND relkind = 'r'";

fn two() -> Arc<Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    )
}

fn prune(schema: &Arc<Schema>) -> WriteRequest {
    let mut request = upsert("t", schema);
    request.mode = WriteMode::Prune;
    request
}

/// Names, with values that nobody must look at.
fn named(schema: &Arc<Schema>, ids: Range<i64>) -> Batch {
    let rows: Vec<[Value<'_>; 2]> = ids.map(|id| [Value::Int(id), Value::Text("other\0")]).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    puts(schema, 0, &rows)
}

async fn hundred() -> Database {
    let database = database().await;
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'old' FROM generate_series(0, 99) n")
        .await;
    settled(&database).await;
    database
}

/// Waits until every transaction of the server is over that was there when the rows were made: while one is not,
/// nobody can tell that they are older than a sweep. Other tests have such transactions.
async fn settled(database: &Database) {
    let now: i64 = database.line("SELECT txid_current()").await.parse().unwrap();
    let oldest = "SELECT txid_snapshot_xmin(txid_current_snapshot())";
    while database.line(oldest).await.parse::<i64>().unwrap() <= now {
        tokio::task::yield_now().await;
    }
}

async fn count(database: &Database) -> String {
    database.line("SELECT count(*) FROM t").await
}

#[tokio::test]
async fn what_is_not_named_goes_at_the_end_of_several_commits() {
    for deletes in [Deletes::Hard, Deletes::Soft] {
        let (database, schema) = (hundred().await, two());
        let postgres = database.connector();
        let request = prune(&schema).with_deletes(deletes);
        let plan = postgres.plan_write(&request).await.unwrap();
        assert_eq!(
            plan.notes[0],
            "prune \"public\".\"t\" by (id): what no record names goes with the last commit; what was made or changed \
             since the sweep began stays"
        );
        let before = database
            .lines("SELECT id, v, xmin FROM t WHERE id < 85 ORDER BY id")
            .await;
        let mut writer = writer(&postgres, request.clone()).await;
        for part in [0..40, 30..60, 60..85] {
            let names = i64::from(part.end as i32) - i64::from(part.start as i32);
            writer.write(named(&schema, part)).await.unwrap();
            let report = writer.commit(None).await.unwrap();
            assert_eq!(tally(&report), [0, 0, names.unsigned_abs(), 0, 0]);
            assert_eq!(
                (count(&database).await, database.line(NAMES).await),
                ("100".to_owned(), "1".to_owned())
            );
        }
        // What is gone is not named by that.
        let gone = batch(&schema, 200, &[(Op::Delete, &[Value::Int(99), Value::Unset])]);
        writer.write(gone).await.unwrap();
        let report = writer.finish(None).await.unwrap();
        assert_eq!((report.counts.pruned, report.counts.accounted()), (15, 1));
        let there = match deletes {
            Deletes::Soft => "_deleted_at IS NULL",
            _ => "true",
        };
        let left = format!("SELECT id, v, xmin FROM t WHERE {there} ORDER BY id");
        assert_eq!(database.lines(&left).await, before);
        assert_eq!(
            count(&database).await,
            if deletes == Deletes::Soft { "100" } else { "85" }
        );
        assert_eq!(database.line(NAMES).await, "0");
        // Once more: nothing is left to go.
        let report = load(&postgres, request, vec![named(&schema, 0..85)]).await;
        assert_eq!(report.counts.pruned, 0);
    }
}

async fn refused(database: &Database, request: WriteRequest, batches: Vec<Batch>) -> Error {
    let error = refusal(try_load(&database.connector(), request, batches).await);
    assert_eq!(
        (count(database).await, database.line(NAMES).await),
        ("100".to_owned(), "0".to_owned())
    );
    assert!(error.message().starts_with("nothing was pruned: ") && error.help().is_some());
    error
}

#[tokio::test]
async fn a_sweep_that_was_empty_or_would_take_too_much_removes_nothing() {
    let (database, schema) = (hundred().await, two());
    let all = || prune(&schema).with_max_delete(1.0);
    assert_eq!(refused(&database, all(), vec![]).await.kind(), ErrorKind::Data);
    let gone = batch(&schema, 0, &[(Op::Delete, &[Value::Int(1), Value::Unset])]);
    assert_eq!(
        refused(&database, all(), vec![gone]).await.kind(),
        ErrorKind::Data
    );
    let error = refused(&database, prune(&schema), vec![named(&schema, 0..79)]).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.retry(), connector_core::Retry::Never);
    assert_eq!(
        error.message(),
        "nothing was pruned: 21 of 100 rows would have gone, more than `max_delete` = 0.2 allows"
    );
    let report = load(&database.connector(), prune(&schema), vec![named(&schema, 0..80)]).await;
    assert_eq!(report.counts.pruned, 20);
    let report = load(&database.connector(), all(), vec![named(&schema, 200..201)]).await;
    assert_eq!((report.counts.pruned, count(&database).await.as_str()), (80, "0"));
    let error = refusal(
        database
            .connector()
            .plan_write(&prune(&schema).with_max_delete(20.0))
            .await,
    );
    assert_eq!(
        error.message(),
        "`max_delete` is 20, and a part is between 0 and 1"
    );
}

#[tokio::test]
async fn a_sweep_that_was_cut_short_removes_nothing_and_the_next_owner_sweeps_it_away() {
    let (database, schema) = (hundred().await, two());
    let postgres = database.connector();
    let first = claim(&postgres, &prune(&schema).task).await;
    let mut one = writer(&postgres, prune(&schema).with_fence(Some(first.fence.clone()))).await;
    one.write(named(&schema, 0..50)).await.unwrap();
    one.commit(Some(&state(1))).await.unwrap();
    one.write(named(&schema, 50..99)).await.unwrap();
    drop(one);
    drop(first);
    assert_eq!(
        (count(&database).await, database.line(NAMES).await),
        ("100".to_owned(), "1".to_owned())
    );
    assert!(
        !postgres_tables(&database)
            .await
            .iter()
            .any(|name| name.starts_with("connector"))
    );
    let second = claim(&postgres, &prune(&schema).task).await;
    let fence = Some(second.fence.clone());
    // Whatever the task does next.
    let mut other = upsert("t", &schema).with_fence(fence);
    other.mode = WriteMode::Upsert;
    let mut writer = writer(&postgres, other).await;
    writer.commit(None).await.unwrap();
    assert_eq!(database.line(NAMES).await, "0");
}

async fn postgres_tables(database: &Database) -> Vec<String> {
    use connector_core::Connector;
    let streams = database.connector().streams().await.unwrap();
    streams
        .iter()
        .map(|stream| stream.name.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn a_sweep_goes_on_with_the_names_it_has_or_not_at_all() {
    let (database, schema) = (hundred().await, two());
    let postgres = database.connector();
    let first = claim(&postgres, &prune(&schema).task).await;
    let mut one = writer(&postgres, prune(&schema).with_fence(Some(first.fence.clone()))).await;
    one.write(named(&schema, 0..50)).await.unwrap();
    one.commit(Some(&state(1))).await.unwrap();
    drop(one);
    drop(first);
    database
        .run("INSERT INTO t VALUES (1000, 'since'); UPDATE t SET v = 'since' WHERE id = 99")
        .await;
    let second = claim(&postgres, &prune(&schema).task).await;
    let resumed = prune(&schema)
        .with_fence(Some(second.fence.clone()))
        .with_resumes(true);
    let mut two = writer(&postgres, resumed).await;
    two.write(named(&schema, 50..98)).await.unwrap();
    assert_eq!(two.finish(Some(&state(2))).await.unwrap().counts.pruned, 1);
    assert_eq!(
        database.lines("SELECT id FROM t WHERE id > 96 ORDER BY id").await,
        ["97", "99", "1000"]
    );
    drop(second);
    let third = claim(&postgres, &prune(&schema).task).await;
    let resumed = prune(&schema)
        .with_fence(Some(third.fence.clone()))
        .with_resumes(true);
    assert_eq!(refusal(postgres.writer(resumed).await).kind(), ErrorKind::State);
}

#[tokio::test]
async fn what_was_made_or_changed_since_the_sweep_began_stays() {
    let (database, schema) = (hundred().await, two());
    let postgres = database.connector();
    let mut writer = writer(&postgres, prune(&schema)).await;
    // By the connector itself too, whose merges run in savepoints.
    database
        .run("UPDATE t SET v = 'since' WHERE id = 99; INSERT INTO t VALUES (100, 'since')")
        .await;
    load(
        &postgres,
        upsert("t", &schema),
        vec![puts(
            &schema,
            0,
            &[
                &[Value::Int(98), Value::Text("x")],
                &[Value::Int(101), Value::Text("x")],
            ],
        )],
    )
    .await;
    writer.write(named(&schema, 0..95)).await.unwrap();
    assert_eq!(writer.finish(None).await.unwrap().counts.pruned, 3);
    assert_eq!(
        database.lines("SELECT id FROM t WHERE id > 93 ORDER BY id").await,
        ["94", "98", "99", "100", "101"]
    );
    // The next sweep knows them.
    settled(&database).await;
    let report = load(&postgres, prune(&schema), vec![named(&schema, 0..99)]).await;
    assert_eq!(report.counts.pruned, 3);
    // Rows that were frozen are old.
    database.run("VACUUM FREEZE t").await;
    let report = load(&postgres, prune(&schema), vec![named(&schema, 0..95)]).await;
    assert_eq!((report.counts.pruned, count(&database).await.as_str()), (1, "95"));
}

#[tokio::test]
async fn a_rejected_record_leaves_a_sweep_incomplete_for_whoever_goes_on_with_it() {
    let (database, schema) = (hundred().await, two());
    let postgres = database.connector();
    let nothing = puts(&schema, 500, &[&[Value::Null, Value::Text("x")]]);
    let error = refused(&database, prune(&schema), vec![named(&schema, 0..99), nothing]).await;
    assert_eq!(error.kind(), ErrorKind::Data);
    let first = claim(&postgres, &prune(&schema).task).await;
    let mut one = writer(&postgres, prune(&schema).with_fence(Some(first.fence.clone()))).await;
    let rejection = Rejection::new(7, Some(Key::new("k")), "bad_value", "no number");
    one.reject(vec![rejection]).await.unwrap();
    one.commit(Some(&state(1))).await.unwrap();
    one.write(named(&schema, 0..99)).await.unwrap();
    one.commit(Some(&state(2))).await.unwrap();
    drop(one);
    drop(first);
    let second = claim(&postgres, &prune(&schema).task).await;
    let resumed = prune(&schema)
        .with_fence(Some(second.fence.clone()))
        .with_resumes(true);
    let mut two = writer(&postgres, resumed).await;
    let rejection = Rejection::new(8, Some(Key::new("l")), "bad_value", "no number");
    two.reject(vec![rejection]).await.unwrap();
    assert_eq!(refusal(two.finish(Some(&state(3))).await).kind(), ErrorKind::Data);
    // The reasons are there, the state is as it was, and no names are left.
    assert_eq!(
        database.lines("SELECT key FROM sync.rejection ORDER BY 1").await,
        ["k", "l"]
    );
    assert_eq!(
        (count(&database).await, database.line(NAMES).await),
        ("100".to_owned(), "0".to_owned())
    );
    drop(second);
    let third = claim(&postgres, &prune(&schema).task).await;
    assert_eq!(third.state, Some(state(2)));
}

#[tokio::test]
async fn an_old_fence_cannot_prune() {
    let (database, schema) = (hundred().await, two());
    let postgres = database.connector();
    let first = claim(&postgres, &prune(&schema).task).await;
    let mut zombie = writer(&postgres, prune(&schema).with_fence(Some(first.fence.clone()))).await;
    zombie.write(named(&schema, 0..90)).await.unwrap();
    drop(first);
    let second = claim(&postgres, &prune(&schema).task).await;
    assert_eq!(
        refusal(zombie.finish(Some(&state(1))).await).kind(),
        ErrorKind::Conflict
    );
    assert_eq!(
        (count(&database).await, database.line(NAMES).await),
        ("100".to_owned(), "0".to_owned())
    );
    let request = prune(&schema).with_fence(Some(second.fence.clone()));
    assert_eq!(
        load(&postgres, request, vec![named(&schema, 0..90)])
            .await
            .counts
            .pruned,
        10
    );
}

#[tokio::test]
async fn a_row_that_others_hold_keeps_all_of_them() {
    let (database, schema) = (hundred().await, two());
    database
        .run("CREATE TABLE child (t bigint REFERENCES t); INSERT INTO child VALUES (97)")
        .await;
    let error = refusal(try_load(&database.connector(), prune(&schema), vec![named(&schema, 0..95)]).await);
    assert!(
        error.report().to_string().contains("child_t_fkey"),
        "{}",
        error.report()
    );
    assert_eq!(
        (count(&database).await, database.line(NAMES).await),
        ("100".to_owned(), "0".to_owned())
    );
}
