//! Upserts: what is created, updated, left alone and deleted, and that the counts say so.

use connector_core::{DataType, Op, Value, WriteMode};

use crate::support::{batch, claim, database, decimal, field, load, puts, schema, tally, upsert, writer};

fn two_columns() -> std::sync::Arc<connector_core::Schema> {
    schema(
        vec![field("id", DataType::TEXT), field("v", DataType::Int64)],
        &["id"],
    )
}

#[tokio::test]
async fn an_upsert_counts_created_updated_and_unchanged_and_leaves_the_last_untouched() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id text PRIMARY KEY, v bigint, mine text DEFAULT 'x'); INSERT INTO t VALUES ('a', 1, 'y'), ('b', 2, 'x'), ('n', NULL, 'x'), ('z', 9, 'x')")
        .await;
    let before = database
        .lines("SELECT id, xmin, ctid FROM t WHERE id IN ('a', 'n', 'z') ORDER BY id")
        .await;
    let schema = two_columns();
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Text("a"), Value::Int(1)],
            &[Value::Text("b"), Value::Int(3)],
            &[Value::Text("c"), Value::Int(4)],
            &[Value::Text("n"), Value::Null],
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [1, 1, 2, 0, 0]);
    assert_eq!(report.counts.accounted(), 4);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["a|1|y", "b|3|x", "c|4|x", "n|∅|x", "z|9|x"]
    );
    assert_eq!(
        database
            .lines("SELECT id, xmin, ctid FROM t WHERE id IN ('a', 'n', 'z') ORDER BY id")
            .await,
        before
    );
}

#[tokio::test]
async fn the_last_of_a_repeated_key_wins_in_a_new_table() {
    let database = database().await;
    let schema = two_columns();
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Text("a"), Value::Int(1)],
            &[Value::Text("b"), Value::Int(2)],
            &[Value::Text("a"), Value::Int(3)],
            &[Value::Text("a"), Value::Int(4)],
        ],
    );
    let report = load(&database.connector(), upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [2, 0, 2, 0, 0]);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["a|4", "b|2"]
    );
    assert_eq!(
        database
            .line("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisprimary")
            .await,
        "1"
    );
}

#[tokio::test]
async fn the_last_of_a_repeated_key_wins_in_an_existing_table() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE t (id text PRIMARY KEY, v bigint); INSERT INTO t VALUES ('a', 1), ('b', 2), ('u', 7)").await;
    let schema = two_columns();
    let row = |id: &'static str, v| [Value::Text(id), Value::Int(v)];
    let rows = puts(
        &schema,
        0,
        &[
            // Changed twice; changed and changed back; same then changed; new twice.
            &row("a", 5),
            &row("a", 6),
            &row("b", 3),
            &row("b", 2),
            &row("u", 7),
            &row("u", 8),
            &row("c", 1),
            &row("c", 2),
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["a|6", "b|2", "c|2", "u|8"]
    );
    assert_eq!(tally(&report), [1, 2, 5, 0, 0]);
    assert_eq!(report.counts.accounted(), 8);
}

#[tokio::test]
async fn a_repeated_key_across_batches_and_commits_is_the_same_record() {
    let database = database().await;
    let postgres = database.connector();
    let schema = two_columns();
    let mut writer = writer(&postgres, upsert("t", &schema)).await;
    writer
        .write(puts(&schema, 0, &[&[Value::Text("a"), Value::Int(1)]]))
        .await
        .unwrap();
    writer
        .write(puts(&schema, 1, &[&[Value::Text("a"), Value::Int(2)]]))
        .await
        .unwrap();
    assert_eq!(tally(&writer.commit(None).await.unwrap()), [1, 0, 1, 0, 0]);
    writer
        .write(puts(
            &schema,
            2,
            &[
                &[Value::Text("a"), Value::Int(3)],
                &[Value::Text("b"), Value::Int(1)],
            ],
        ))
        .await
        .unwrap();
    assert_eq!(tally(&writer.commit(None).await.unwrap()), [1, 1, 0, 0, 0]);
    assert_eq!(tally(&writer.finish(None).await.unwrap()), [0, 0, 0, 0, 0]);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["a|3", "b|1"]
    );
}

#[tokio::test]
async fn deletes_in_an_existing_table() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE t (id text PRIMARY KEY, v bigint); INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3)").await;
    let schema = two_columns();
    let rows = batch(
        &schema,
        0,
        &[
            (Op::Delete, &[Value::Text("a")]),
            (Op::Delete, &[Value::Text("never there")]),
            // Deleted, then put; put, then deleted; new, then deleted.
            (Op::Delete, &[Value::Text("b")]),
            (Op::Put, &[Value::Text("b"), Value::Int(20)]),
            (Op::Put, &[Value::Text("c"), Value::Int(30)]),
            (Op::Delete, &[Value::Text("c")]),
            (Op::Put, &[Value::Text("d"), Value::Int(40)]),
            (Op::Delete, &[Value::Text("d")]),
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(database.lines("SELECT * FROM t ORDER BY id").await, ["b|20"]);
    assert_eq!(tally(&report), [0, 1, 5, 2, 0]);
    assert_eq!(report.counts.accounted(), 8);
}

#[tokio::test]
async fn deletes_in_the_first_load_of_a_new_table() {
    let database = database().await;
    let postgres = database.connector();
    let schema = two_columns();
    let rows = batch(
        &schema,
        0,
        &[
            (Op::Put, &[Value::Text("a"), Value::Int(1)]),
            (Op::Delete, &[Value::Text("a")]),
            (Op::Delete, &[Value::Text("never there")]),
            (Op::Put, &[Value::Text("b"), Value::Int(1)]),
            (Op::Delete, &[Value::Text("b")]),
            (Op::Put, &[Value::Text("b"), Value::Int(2)]),
            (Op::Put, &[Value::Text("c"), Value::Int(3)]),
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["b|2", "c|3"]
    );
    assert_eq!(tally(&report), [2, 0, 5, 0, 0]);
    assert_eq!(report.counts.accounted(), 7);
}

#[tokio::test]
async fn a_delete_in_the_first_load_finds_keys_whose_text_differs_from_theirs_in_the_table() {
    let database = database().await;
    let postgres = database.connector();
    let fields = vec![
        field("n", DataType::decimal(9, 2)),
        field("at", DataType::Instant),
        field("v", DataType::Int64),
    ];
    let schema = schema(fields, &["n", "at"]);
    let at = Value::Instant(connector_core::value::Instant::from_unix_micros(1));
    let rows = batch(
        &schema,
        0,
        &[
            (Op::Put, &[decimal("1.5"), at, Value::Int(1)]),
            (Op::Put, &[decimal("2.5"), at, Value::Int(2)]),
            (Op::Delete, &[decimal("1.5"), at]),
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(database.lines("SELECT n, v FROM t").await, ["2.50|2"]);
    assert_eq!(tally(&report), [1, 0, 2, 0, 0]);
}

#[tokio::test]
async fn a_refused_record_does_not_undo_the_delete_before_it_in_a_first_load() {
    let database = database().await;
    let schema = two_columns();
    let rows = batch(
        &schema,
        0,
        &[
            (Op::Put, &[Value::Text("a"), Value::Int(1)]),
            (Op::Delete, &[Value::Text("a")]),
            (Op::Put, &[Value::Text("a"), Value::Text("wrong")]),
        ],
    );
    let report = load(&database.connector(), upsert("t", &schema), vec![rows]).await;
    assert_eq!(database.lines("SELECT * FROM t").await, [""; 0]);
    assert_eq!(tally(&report), [0, 0, 2, 0, 1]);
}

#[tokio::test]
async fn kept_fields_are_filled_once_and_never_overwritten() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE t (id text PRIMARY KEY, v bigint, score numeric); INSERT INTO t VALUES ('a', 1, 99), ('b', 1, NULL)").await;
    let fields = vec![
        field("id", DataType::TEXT),
        field("v", DataType::Int64),
        field("score", DataType::Decimal(None)),
    ];
    let schema = schema(fields, &["id"]);
    let request = || upsert("t", &schema).with_keep(vec!["score".to_owned()]);
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Text("a"), Value::Int(2), decimal("1")],
            &[Value::Text("b"), Value::Int(1), decimal("2")],
            &[Value::Text("c"), Value::Int(3), decimal("3")],
        ],
    );
    let report = load(&postgres, request(), vec![rows]).await;
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["a|2|99", "b|1|∅", "c|3|3"]
    );
    assert_eq!(tally(&report), [1, 1, 1, 0, 0]);
}

#[tokio::test]
async fn kept_fields_are_filled_in_a_new_table() {
    let database = database().await;
    let schema = two_columns();
    let request = || upsert("t", &schema).with_keep(vec!["v".to_owned()]);
    load(
        &database.connector(),
        request(),
        vec![puts(&schema, 0, &[&[Value::Text("a"), Value::Int(1)]])],
    )
    .await;
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Text("a"), Value::Int(2)],
            &[Value::Text("b"), Value::Int(3)],
        ],
    );
    let report = load(&database.connector(), request(), vec![rows]).await;
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["a|1", "b|3"]
    );
    assert_eq!(tally(&report), [1, 0, 1, 0, 0]);
}

#[tokio::test]
async fn a_change_that_equality_does_not_see_is_still_a_change() {
    let database = database().await;
    let postgres = database.connector();
    // `json` has no equality at all; an interval of a month equals one of 30 days; 1.0 equals 1.00.
    database
        .run("CREATE TABLE t (id text PRIMARY KEY, j json, i interval, n numeric)")
        .await;
    let fields = vec![
        field("id", DataType::TEXT),
        field("j", DataType::Json),
        field("i", DataType::Interval),
        field("n", DataType::Decimal(None)),
    ];
    let schema = schema(fields, &["id"]);
    let interval = |months, days| {
        Value::Interval(connector_core::value::Interval {
            months,
            days,
            micros: 0,
        })
    };
    let first = puts(
        &schema,
        0,
        &[&[
            Value::Text("a"),
            Value::Json(r#"{"a":1}"#),
            interval(1, 0),
            decimal("1.0"),
        ]],
    );
    assert_eq!(
        tally(&load(&postgres, upsert("t", &schema), vec![first.clone()]).await),
        [1, 0, 0, 0, 0]
    );
    assert_eq!(
        tally(&load(&postgres, upsert("t", &schema), vec![first]).await),
        [0, 0, 1, 0, 0]
    );
    let second = puts(
        &schema,
        0,
        &[&[
            Value::Text("a"),
            Value::Json(r#"{"a":1}"#),
            interval(0, 30),
            decimal("1.0"),
        ]],
    );
    assert_eq!(
        tally(&load(&postgres, upsert("t", &schema), vec![second]).await),
        [0, 1, 0, 0, 0]
    );
    let third = puts(
        &schema,
        0,
        &[&[
            Value::Text("a"),
            Value::Json(r#"{"a":2}"#),
            interval(0, 30),
            decimal("1.00"),
        ]],
    );
    assert_eq!(
        tally(&load(&postgres, upsert("t", &schema), vec![third]).await),
        [0, 1, 0, 0, 0]
    );
    assert_eq!(
        database.lines("SELECT j, i, n FROM t").await,
        [r#"{"a":2}|30 days|1.00"#]
    );
}

#[tokio::test]
async fn an_insert_adds_rows_without_a_key_and_refuses_deletes() {
    let database = database().await;
    let postgres = database.connector();
    let schema = schema(vec![field("v", DataType::Int64)], &[]);
    let request = || {
        let mut request = upsert("t", &schema);
        request.mode = WriteMode::Insert;
        request
    };
    for _ in 0..2 {
        let rows = batch(
            &schema,
            0,
            &[(Op::Put, &[Value::Int(1)]), (Op::Delete, &[Value::Int(1)])],
        );
        let report = load(&postgres, request(), vec![rows]).await;
        assert_eq!(tally(&report), [1, 0, 0, 0, 1]);
        assert_eq!(report.rejected[0].code, "delete_refused");
    }
    assert_eq!(database.lines("SELECT * FROM t").await, ["1", "1"]);
}

#[tokio::test]
async fn an_insert_into_an_existing_table_with_a_key_refuses_deletes_too() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id text PRIMARY KEY, v bigint); INSERT INTO t VALUES ('a', 1)")
        .await;
    let schema = two_columns();
    let mut request = upsert("t", &schema);
    request.mode = WriteMode::Insert;
    let rows = batch(
        &schema,
        0,
        &[
            (Op::Put, &[Value::Text("b"), Value::Int(1)]),
            (Op::Delete, &[Value::Text("a")]),
        ],
    );
    let report = load(&postgres, request, vec![rows]).await;
    assert_eq!(tally(&report), [1, 0, 0, 0, 1]);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["a|1", "b|1"]
    );
}

#[tokio::test]
async fn rows_after_a_commit_without_rows_still_find_their_new_columns() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE t (id text PRIMARY KEY)").await;
    let schema = two_columns();
    let request = upsert("t", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    writer.commit(Some(&crate::support::state(1))).await.unwrap();
    writer
        .write(puts(&schema, 0, &[&[Value::Text("a"), Value::Int(1)]]))
        .await
        .unwrap();
    assert_eq!(tally(&writer.finish(None).await.unwrap()), [1, 0, 0, 0, 0]);
    assert_eq!(database.lines("SELECT * FROM t").await, ["a|1"]);
}
