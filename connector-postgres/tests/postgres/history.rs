//! Histories: every version a row of its own.

use std::sync::Arc;

use connector_core::{
    Batch, DataType, Deletes, Destination, ErrorKind, Op, Schema, Value, WriteMode, WriteRequest,
};

use crate::support::{
    Database, batch, claim, database, field, load, puts, refusal, schema, state, tally, upsert, writer,
};

const NONE: Value<'static> = Value::Unset;
/// Each version, its validity only as far as it can be known.
const VERSIONS: &str = "SELECT id, v, n, _valid_to IS NULL, _current FROM t ORDER BY id, _valid_from";
/// What must never be: two current versions, one that is current and over, a hole or an overlap where a key's record
/// was not gone, an interval that ends before it begins.
const WRONG: &str = "SELECT id FROM t GROUP BY id HAVING count(*) FILTER (WHERE _current) > 1
     UNION ALL SELECT id FROM t WHERE _current <> (_valid_to IS NULL) OR _valid_to <= _valid_from
     UNION ALL SELECT id FROM (SELECT id, _valid_to, lead(_valid_from) OVER (PARTITION BY id ORDER BY _valid_from) AS next FROM t) v
               WHERE next < _valid_to";

fn three() -> Arc<Schema> {
    schema(
        vec![
            field("id", DataType::Int64),
            field("v", DataType::TEXT),
            field("n", DataType::Int32),
        ],
        &["id"],
    )
}

fn history(schema: &Arc<Schema>) -> WriteRequest {
    let mut request = upsert("t", schema);
    request.mode = WriteMode::History;
    request
}

fn row<'a>(id: i64, v: &'a str, n: i64) -> [Value<'a>; 3] {
    [Value::Int(id), Value::Text(v), Value::Int(n)]
}

fn rows(schema: &Arc<Schema>, rows: &[[Value<'_>; 3]]) -> Batch {
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 3]>::as_slice).collect();
    puts(schema, 0, &rows)
}

fn gone(schema: &Arc<Schema>, ids: &[i64]) -> Batch {
    let rows: Vec<[Value<'_>; 3]> = ids.iter().map(|id| [Value::Int(*id), NONE, NONE]).collect();
    let rows: Vec<(Op, &[Value<'_>])> = rows.iter().map(|row| (Op::Delete, row.as_slice())).collect();
    batch(schema, 500, &rows)
}

async fn add(database: &Database, request: WriteRequest, batches: Vec<Batch>) -> [u64; 5] {
    let counts = tally(&load(&database.connector(), request, batches).await);
    assert!(
        database.lines(WRONG).await.is_empty(),
        "{:?}",
        database.lines("SELECT * FROM t").await
    );
    counts
}

#[tokio::test]
async fn each_commit_ends_what_differs_and_begins_what_is_new() {
    let (database, schema) = (database().await, three());
    let first = rows(&schema, &[row(1, "a", 1), row(2, "b", 2), row(3, "c", 3)]);
    assert_eq!(
        add(&database, history(&schema), vec![first.clone()]).await,
        [3, 0, 0, 0, 0]
    );
    let before = database.lines("SELECT ctid, xmin FROM t ORDER BY id").await;
    assert_eq!(
        add(&database, history(&schema), vec![first]).await,
        [0, 0, 3, 0, 0]
    );
    assert_eq!(
        database.lines("SELECT ctid, xmin FROM t ORDER BY id").await,
        before
    );

    let second = rows(
        &schema,
        &[
            row(2, "x", 9),
            row(2, "b", 3),
            row(3, "x", 3),
            row(3, "c", 3),
            row(4, "d", 4),
        ],
    );
    assert_eq!(
        add(&database, history(&schema), vec![second, gone(&schema, &[1, 9])]).await,
        [1, 1, 4, 1, 0]
    );
    assert_eq!(
        database.lines(VERSIONS).await,
        ["1|a|1|f|f", "2|b|2|f|f", "2|b|3|t|t", "3|c|3|t|t", "4|d|4|t|t"]
    );
    // The next version begins when the one before it ends.
    assert_eq!(
        database
            .line("SELECT count(*) FROM t a JOIN t b ON a.id = b.id AND a._valid_to = b._valid_from WHERE a.id = 2")
            .await,
        "1"
    );

    // A record that comes back begins anew, and not before it was gone.
    let back = rows(&schema, &[row(1, "a", 1)]);
    assert_eq!(
        add(&database, history(&schema), vec![gone(&schema, &[1, 2]), back]).await,
        [1, 0, 1, 1, 0]
    );
    assert_eq!(
        database.lines(VERSIONS).await,
        [
            "1|a|1|f|f",
            "1|a|1|t|t",
            "2|b|2|f|f",
            "2|b|3|f|f",
            "3|c|3|t|t",
            "4|d|4|t|t"
        ]
    );
    let request = history(&schema).with_deletes(Deletes::Ignore);
    assert_eq!(
        add(&database, request, vec![gone(&schema, &[3])]).await,
        [0, 0, 1, 0, 0]
    );
}

#[tokio::test]
async fn a_new_history_is_loaded_with_the_last_of_each_key_and_a_key_of_its_own() {
    let (database, schema) = (database().await, three());
    let first = rows(
        &schema,
        &[row(1, "a", 1), row(2, "b", 2), row(1, "c", 3), row(3, "d", 4)],
    );
    let partial = rows(
        &schema,
        &[
            [Value::Int(2), NONE, Value::Int(5)],
            [Value::Int(4), NONE, Value::Int(4)],
        ],
    );
    let counts = add(
        &database,
        history(&schema),
        vec![first, gone(&schema, &[3]), partial, gone(&schema, &[1])],
    )
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 8);
    assert_eq!(database.lines(VERSIONS).await, ["2|b|5|t|t", "4|∅|4|t|t"]);
    assert_eq!(
        database
            .lines("SELECT substr(pg_get_indexdef(indexrelid), strpos(pg_get_indexdef(indexrelid), 'USING')) FROM pg_index WHERE indrelid = 't'::regclass ORDER BY indisprimary DESC")
            .await,
        ["USING btree (id, _valid_from)", "USING btree (id) WHERE _current"]
    );
    let notes = database
        .connector()
        .plan_write(&history(&schema))
        .await
        .unwrap()
        .notes;
    assert_eq!(
        notes[0],
        "history into \"public\".\"t\" by (id); rows that are the same are not touched"
    );
    assert!(
        notes[1].starts_with("each version is a row: valid from `_valid_from`"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_clock_that_went_back_makes_no_interval_negative_and_no_key_twice() {
    let (database, schema) = (database().await, three());
    add(
        &database,
        history(&schema),
        vec![rows(&schema, &[row(1, "a", 1), row(2, "b", 2)])],
    )
    .await;
    database
        .run("UPDATE t SET _valid_from = now() + interval '1 day'")
        .await;
    for n in 2..5 {
        let batches = vec![rows(&schema, &[row(1, "a", n)])];
        assert_eq!(add(&database, history(&schema), batches).await, [0, 1, 0, 0, 0]);
    }
    add(&database, history(&schema), vec![gone(&schema, &[2])]).await;
    let counts = add(
        &database,
        history(&schema),
        vec![rows(&schema, &[row(2, "b", 2)])],
    )
    .await;
    assert_eq!(counts, [1, 0, 0, 0, 0]);
    assert_eq!(
        database.lines(VERSIONS).await,
        [
            "1|a|1|f|f",
            "1|a|2|f|f",
            "1|a|3|f|f",
            "1|a|4|t|t",
            "2|b|2|f|f",
            "2|b|2|t|t"
        ]
    );
}

#[tokio::test]
async fn what_is_unset_kept_or_written_by_others_is_as_in_the_version_before() {
    let (database, schema) = (database().await, three());
    let first = rows(&schema, &[row(1, "a", 1), row(2, "b", 2), row(3, "c", 3)]);
    add(&database, history(&schema), vec![first]).await;
    database
        .run("ALTER TABLE t ADD COLUMN note text DEFAULT 'none', ADD COLUMN number serial UNIQUE; UPDATE t SET note = 'mine' || id")
        .await;
    // Fields that every record leaves unset, then some that only some do.
    let uniform = rows(
        &schema,
        &[
            [Value::Int(1), NONE, Value::Int(9)],
            [Value::Int(2), NONE, Value::Int(2)],
        ],
    );
    assert_eq!(
        add(&database, history(&schema), vec![uniform]).await,
        [0, 1, 1, 0, 0]
    );
    let mixed = rows(
        &schema,
        &[
            [Value::Int(1), Value::Null, NONE],
            [Value::Int(2), NONE, Value::Int(7)],
            [Value::Int(3), NONE, NONE],
            [Value::Int(4), NONE, Value::Int(4)],
            [Value::Int(2), Value::Text("z"), NONE],
        ],
    );
    assert_eq!(
        add(&database, history(&schema), vec![mixed]).await,
        [1, 2, 2, 0, 0]
    );
    let kept = history(&schema).with_keep(vec!["n".to_owned()]);
    let batches = vec![rows(
        &schema,
        &[row(3, "c", 100), row(2, "y", 100), row(5, "e", 5)],
    )];
    assert_eq!(add(&database, kept, batches).await, [1, 1, 1, 0, 0]);
    assert_eq!(
        database
            .lines("SELECT id, v, n, note, _current FROM t ORDER BY id, _valid_from")
            .await,
        [
            "1|a|1|mine1|f",
            "1|a|9|mine1|f",
            "1|∅|9|mine1|t",
            "2|b|2|mine2|f",
            "2|z|7|mine2|f",
            "2|y|7|mine2|t",
            "3|c|3|mine3|t",
            "4|∅|4|none|t",
            "5|e|5|none|t",
        ]
    );
}

#[tokio::test]
async fn a_record_that_comes_after_its_delete_starts_from_nothing() {
    let (database, schema) = (database().await, three());
    let first = rows(&schema, &[row(1, "a", 1), row(2, "b", 2)]);
    add(&database, history(&schema), vec![first]).await;
    let back = rows(
        &schema,
        &[
            [Value::Int(1), NONE, Value::Int(1)],
            [Value::Int(2), NONE, Value::Int(2)],
        ],
    );
    let counts = add(&database, history(&schema), vec![gone(&schema, &[1]), back]).await;
    assert_eq!(counts, [0, 1, 2, 0, 0]);
    assert_eq!(
        database.lines(VERSIONS).await,
        ["1|a|1|f|f", "1|∅|1|t|t", "2|b|2|t|t"]
    );
}

#[tokio::test]
async fn a_version_that_the_server_refuses_is_rejected_alone_and_ends_nothing() {
    let (database, schema) = (database().await, three());
    let all: Vec<[Value<'_>; 3]> = (0..60).map(|id| row(id, "a", 1)).collect();
    add(&database, history(&schema), vec![rows(&schema, &all)]).await;
    database
        .run("ALTER TABLE t ADD CONSTRAINT even CHECK (n % 2 = 0) NOT VALID; UPDATE t SET n = 2")
        .await;
    let all: Vec<[Value<'_>; 3]> = (0..70)
        .map(|id| row(id, "b", if id % 20 == 7 { 3 } else { 4 }))
        .collect();
    let report = load(
        &database.connector(),
        history(&schema),
        vec![rows(&schema, &all), gone(&schema, &[59])],
    )
    .await;
    assert_eq!(tally(&report), [9, 56, 1, 1, 4]);
    assert_eq!(report.rejected[0].code, "check_violation");
    assert_eq!(
        database
            .lines("SELECT id, v, n FROM t WHERE _current AND v = 'a' ORDER BY id")
            .await,
        ["7|a|2", "27|a|2", "47|a|2"]
    );
    assert!(database.lines(WRONG).await.is_empty());
}

#[tokio::test]
async fn a_commit_that_is_made_again_after_a_crash_doubles_nothing() {
    let (database, schema) = (database().await, three());
    let postgres = database.connector();
    let request = history(&schema);
    let first = claim(&postgres, &request.task).await;
    let mut one = writer(&postgres, request.clone().with_fence(Some(first.fence.clone()))).await;
    one.write(rows(&schema, &[row(1, "a", 1), row(2, "b", 2)]))
        .await
        .unwrap();
    one.commit(Some(&state(1))).await.unwrap();
    one.write(rows(&schema, &[row(1, "a", 2)])).await.unwrap();
    drop(one);
    drop(first);
    let second = claim(&postgres, &request.task).await;
    assert_eq!(second.state, Some(state(1)));
    let mut zombie = writer(&postgres, request.clone().with_fence(Some(second.fence.clone()))).await;
    zombie
        .write(rows(&schema, &[row(1, "a", 2), row(2, "x", 2)]))
        .await
        .unwrap();
    let third = {
        drop(second);
        claim(&postgres, &request.task).await
    };
    assert_eq!(
        refusal(zombie.commit(Some(&state(9))).await).kind(),
        ErrorKind::Conflict
    );
    let again = request.with_fence(Some(third.fence.clone()));
    let mut writer = writer(&postgres, again).await;
    for _ in 0..2 {
        writer.write(rows(&schema, &[row(1, "a", 2)])).await.unwrap();
        writer.commit(Some(&state(2))).await.unwrap();
    }
    writer.finish(None).await.unwrap();
    assert_eq!(
        database.lines(VERSIONS).await,
        ["1|a|1|f|f", "1|a|2|t|t", "2|b|2|t|t"]
    );
    assert!(database.lines(WRONG).await.is_empty());
}

#[tokio::test]
async fn a_history_gets_new_and_wider_columns() {
    let (database, narrow) = (database().await, three());
    add(
        &database,
        history(&narrow),
        vec![rows(&narrow, &[row(1, "a", 1), row(2, "b", 2)])],
    )
    .await;
    let wide = schema(
        vec![
            field("id", DataType::Int64),
            field("n", DataType::Int64),
            field("more", DataType::Bool),
        ],
        &["id"],
    );
    let batch = puts(
        &wide,
        0,
        &[
            &[Value::Int(1), Value::Int(1 << 40), Value::Null],
            &[Value::Int(2), Value::Int(2), Value::Null],
        ],
    );
    assert_eq!(
        add(&database, history(&wide), vec![batch.clone()]).await,
        [0, 1, 1, 0, 0]
    );
    let batch = puts(&wide, 0, &[&[Value::Int(2), Value::Int(2), Value::Bool(true)]]);
    assert_eq!(add(&database, history(&wide), vec![batch]).await, [0, 1, 0, 0, 0]);
    assert_eq!(
        database
            .lines("SELECT id, v, n, more FROM t ORDER BY id, _valid_from")
            .await,
        ["1|a|1|∅", "1|a|1099511627776|∅", "2|b|2|∅", "2|b|2|t"]
    );
}

#[tokio::test]
async fn what_is_no_history_is_refused_with_what_to_do() {
    let (database, schema) = (database().await, three());
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text, n int)")
        .await;
    let error = refusal(postgres.plan_write(&history(&schema)).await);
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.message().contains("is no history"), "{}", error.report());
    database
        .run(
            "DROP TABLE t; CREATE TABLE t (id bigint, v text, n int, _valid_from timestamptz DEFAULT now(),
             _valid_to timestamptz, _current boolean NOT NULL DEFAULT true, PRIMARY KEY (_valid_from, id))",
        )
        .await;
    let error = refusal(postgres.plan_write(&history(&schema)).await);
    assert_eq!(
        error.help(),
        Some("run CREATE UNIQUE INDEX ON \"public\".\"t\" (\"id\") WHERE \"_current\"")
    );
    database
        .run("CREATE UNIQUE INDEX ON \"public\".\"t\" (\"id\") WHERE \"_current\"")
        .await;
    assert_eq!(
        add(
            &database,
            history(&schema),
            vec![rows(&schema, &[row(1, "a", 1)])]
        )
        .await,
        [1, 0, 0, 0, 0]
    );
    let clash = crate::support::schema(
        vec![field("id", DataType::Int64), field("_valid_to", DataType::TEXT)],
        &["id"],
    );
    let error = refusal(postgres.plan_write(&history(&clash)).await);
    assert!(
        error.message().starts_with("the field `_valid_to` would share"),
        "{}",
        error.report()
    );
    // A history is no table to upsert into.
    assert_eq!(
        refusal(postgres.plan_write(&upsert("t", &schema)).await).kind(),
        ErrorKind::Schema
    );
}
