//! Updates: existing rows only.

use std::sync::Arc;

use connector_core::{Destination, ErrorKind, Op, Schema, Value, WriteMode, WriteRequest};

use crate::support::{batch, claim, database, field, load, puts, refusal, schema, tally, upsert, writer};
use connector_core::DataType;

fn two() -> Arc<Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    )
}

fn update(schema: &Arc<Schema>) -> WriteRequest {
    let mut request = upsert("t", schema);
    request.mode = WriteMode::Update;
    request
}

#[tokio::test]
async fn rows_that_are_not_there_are_rejected_with_their_keys() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text, mine text DEFAULT 'm'); INSERT INTO t VALUES (1, 'old'), (2, 'old'), (3, 'old')")
        .await;
    let schema = two();
    let request = update(&schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    let row = |id, v: &'static str| (Op::Put, [Value::Int(id), Value::Text(v)]);
    let rows = [
        row(1, "a"),
        row(7, "x"),
        row(1, "b"),
        row(7, "y"),
        row(2, "old"),
        row(8, "z"),
    ];
    let mut rows: Vec<(Op, &[Value<'_>])> = rows.iter().map(|(op, row)| (*op, row.as_slice())).collect();
    rows.push((Op::Delete, &[Value::Int(3)]));
    rows.push((Op::Delete, &[Value::Int(9)]));
    writer.write(batch(&schema, 5, &rows)).await.unwrap();
    let report = writer.finish(None).await.unwrap();
    assert_eq!(tally(&report), [0, 1, 3, 1, 3]);
    assert_eq!(report.counts.accounted(), 8);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["1|b|m", "2|old|m"]
    );
    let stored = database
        .lines("SELECT sequence, key, code, fields FROM sync.rejection ORDER BY sequence")
        .await;
    assert_eq!(
        stored,
        ["6|7|not_found|{id}", "8|7|not_found|{id}", "10|8|not_found|{id}"]
    );
    let keys: Vec<_> = report
        .rejected
        .iter()
        .map(|one| one.key.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(keys, ["7", "7", "8"]);
}

#[tokio::test]
async fn many_missing_rows_are_all_stored_and_few_reported() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (0, 'old')")
        .await;
    let schema = two();
    let request = update(&schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    let rows: Vec<[Value<'_>; 2]> = (0..30_000).map(|id| [Value::Int(id), Value::Null]).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    writer.write(puts(&schema, 0, &rows)).await.unwrap();
    let report = writer.finish(None).await.unwrap();
    assert_eq!(tally(&report), [0, 1, 0, 0, 29_999]);
    assert_eq!(report.rejected.len(), 20);
    assert_eq!(
        database
            .line("SELECT count(*), count(DISTINCT key), max(sequence) FROM sync.rejection")
            .await,
        "29999|29999|29999"
    );
}

#[tokio::test]
async fn an_update_leaves_alone_what_is_unset_or_to_be_kept() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text, k int); INSERT INTO t VALUES (1, 'old', 1), (2, 'old', 2)")
        .await;
    let schema = schema(
        vec![
            field("id", DataType::Int64),
            field("v", DataType::TEXT),
            field("k", DataType::Int32),
        ],
        &["id"],
    );
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Int(1), Value::Unset, Value::Int(9)],
            &[Value::Int(2), Value::Text("new"), Value::Unset],
        ],
    );
    let request = update(&schema).with_keep(vec!["k".to_owned()]);
    assert_eq!(
        tally(&load(&postgres, request, vec![rows.clone()]).await),
        [0, 1, 1, 0, 0]
    );
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["1|old|1", "2|new|2"]
    );
    assert_eq!(
        tally(&load(&postgres, update(&schema), vec![rows]).await),
        [0, 1, 1, 0, 0]
    );
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["1|old|9", "2|new|2"]
    );
}

#[tokio::test]
async fn an_update_of_a_table_that_is_not_there_is_refused() {
    let database = database().await;
    let postgres = database.connector();
    let schema = two();
    for result in [
        postgres.plan_write(&update(&schema)).await.map(drop),
        postgres.writer(update(&schema)).await.map(drop),
    ] {
        let error = refusal(result);
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(
            error.to_string(),
            "there is no table \"public\".\"t\" whose rows could be updated"
        );
    }
}
