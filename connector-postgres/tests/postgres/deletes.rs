//! What becomes of rows whose records are gone.

use std::sync::Arc;

use connector_core::{
    Batch, DataType, Deletes, Destination, ErrorKind, Op, Schema, Value, WriteMode, WriteRequest,
};

use crate::support::{
    Database, batch, claim, database, field, load, puts, refusal, schema, state, tally, upsert, writer,
};

const SHOWN: &str = "SELECT id, v, _deleted_at IS NOT NULL FROM t ORDER BY id";

fn two() -> Arc<Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    )
}

fn rows(schema: &Arc<Schema>, op: Op, ids: &[i64], v: &str) -> Batch {
    let rows: Vec<[Value<'_>; 2]> = ids.iter().map(|id| [Value::Int(*id), Value::Text(v)]).collect();
    let rows: Vec<(Op, &[Value<'_>])> = rows.iter().map(|row| (op, row.as_slice())).collect();
    batch(schema, 0, &rows)
}

fn in_mode(schema: &Arc<Schema>, mode: WriteMode, deletes: Deletes) -> WriteRequest {
    let mut request = upsert("t", schema).with_deletes(deletes);
    request.mode = mode;
    request
}

async fn filled() -> Database {
    let database = database().await;
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'old' FROM generate_series(1, 5) n")
        .await;
    database
}

#[tokio::test]
async fn ignored_deletes_change_nothing_on_any_path() {
    let schema = two();
    for mode in [
        WriteMode::Upsert,
        WriteMode::Update,
        WriteMode::Insert,
        WriteMode::Overwrite,
    ] {
        let database = filled().await;
        let request = in_mode(&schema, mode, Deletes::Ignore);
        let batches = vec![
            rows(&schema, Op::Put, &[5], "new"),
            rows(&schema, Op::Delete, &[5, 1, 9], ""),
        ];
        let report = load(&database.connector(), request, batches).await;
        assert_eq!(
            (report.counts.deleted, report.counts.accounted()),
            (0, 4),
            "{mode}"
        );
        let left = if mode == WriteMode::Overwrite { "1" } else { "5" };
        assert_eq!(database.line("SELECT count(*) FROM t").await, left, "{mode}");
    }
    let database = database().await;
    let request = in_mode(&schema, WriteMode::Upsert, Deletes::Ignore);
    let batches = vec![
        rows(&schema, Op::Put, &[1, 2], "new"),
        rows(&schema, Op::Delete, &[1], ""),
    ];
    assert_eq!(
        tally(&load(&database.connector(), request, batches).await),
        [2, 0, 1, 0, 0]
    );
}

#[tokio::test]
async fn a_soft_delete_marks_the_row_until_its_record_comes_back() {
    let (database, schema) = (filled().await, two());
    let postgres = database.connector();
    let soft = || in_mode(&schema, WriteMode::Upsert, Deletes::Soft);
    let notes = postgres.plan_write(&soft()).await.unwrap().notes;
    assert_eq!(
        notes[1],
        "a deleted row stays: `_deleted_at`, which is added, says since when it is gone, until its record comes back"
    );
    let report = load(
        &postgres,
        soft(),
        vec![
            rows(&schema, Op::Delete, &[1, 2, 9], ""),
            rows(&schema, Op::Put, &[6], "new"),
        ],
    )
    .await;
    assert_eq!(tally(&report), [1, 0, 1, 2, 0]);
    let marked = database
        .lines("SELECT id, _deleted_at, xmin FROM t ORDER BY id")
        .await;
    let report = load(&postgres, soft(), vec![rows(&schema, Op::Delete, &[1, 2], "")]).await;
    assert_eq!(tally(&report), [0, 0, 2, 0, 0]);
    assert_eq!(
        database
            .lines("SELECT id, _deleted_at, xmin FROM t ORDER BY id")
            .await,
        marked
    );

    // Back with the values it had, with others, as a part, and deleted again within one commit.
    let part = puts(
        &schema,
        10,
        &[&[Value::Int(3), Value::Unset], &[Value::Int(2), Value::Unset]],
    );
    load(&postgres, soft(), vec![rows(&schema, Op::Delete, &[3, 4, 5], "")]).await;
    let report = load(
        &postgres,
        soft(),
        vec![
            rows(&schema, Op::Put, &[1], "old"),
            rows(&schema, Op::Put, &[5], "new"),
            rows(&schema, Op::Put, &[4], "new"),
            part,
            rows(&schema, Op::Delete, &[4], ""),
        ],
    )
    .await;
    assert_eq!(tally(&report), [0, 4, 2, 0, 0]);
    assert_eq!(
        database.lines(SHOWN).await,
        ["1|old|f", "2|old|f", "3|old|f", "4|old|t", "5|new|f", "6|new|f"]
    );
    // An update finds a row that is marked.
    let report = load(
        &postgres,
        in_mode(&schema, WriteMode::Update, Deletes::Soft),
        vec![rows(&schema, Op::Put, &[4, 5], "new")],
    )
    .await;
    assert_eq!(tally(&report), [0, 1, 1, 0, 0]);
    assert_eq!(
        database
            .line("SELECT count(*) FROM t WHERE _deleted_at IS NOT NULL")
            .await,
        "0"
    );
}

#[tokio::test]
async fn a_part_that_comes_after_a_delete_starts_from_nothing_unless_the_row_stayed() {
    let schema = two();
    for deletes in [Deletes::Hard, Deletes::Soft, Deletes::Ignore] {
        let database = filled().await;
        let part = puts(
            &schema,
            10,
            &[&[Value::Int(1), Value::Unset], &[Value::Int(2), Value::Unset]],
        );
        let batches = vec![rows(&schema, Op::Delete, &[1], ""), part];
        load(
            &database.connector(),
            in_mode(&schema, WriteMode::Upsert, deletes),
            batches,
        )
        .await;
        let wanted = if deletes == Deletes::Hard {
            ["1|∅", "2|old"]
        } else {
            ["1|old", "2|old"]
        };
        let found = database
            .lines("SELECT id, v FROM t WHERE id < 3 ORDER BY id")
            .await;
        assert_eq!(found, wanted, "{deletes}");
    }
}

#[tokio::test]
async fn a_table_that_is_made_has_the_mark() {
    let (database, schema) = (database().await, two());
    let postgres = database.connector();
    let soft = in_mode(&schema, WriteMode::Upsert, Deletes::Soft);
    let batches = vec![
        rows(&schema, Op::Put, &[1, 2], "a"),
        rows(&schema, Op::Delete, &[2], ""),
    ];
    assert_eq!(
        tally(&load(&postgres, soft.clone(), batches).await),
        [1, 0, 2, 0, 0]
    );
    let report = load(&postgres, soft, vec![rows(&schema, Op::Delete, &[1], "")]).await;
    assert_eq!(tally(&report), [0, 0, 0, 1, 0]);
    assert_eq!(database.lines(SHOWN).await, ["1|a|t"]);
}

#[tokio::test]
async fn named_rows_are_deleted_by_nothing_but_their_key() {
    let schema = schema(
        vec![
            field("other", DataType::Bytes),
            field("id", DataType::Int64),
            field("v", DataType::Int64),
        ],
        &["id"],
    );
    let named = |ids: &[i64]| {
        let rows: Vec<[Value<'_>; 3]> = ids
            .iter()
            .map(|id| [Value::Unset, Value::Int(*id), Value::Int(7)])
            .collect();
        let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 3]>::as_slice).collect();
        puts(&schema, 0, &rows)
    };
    for deletes in [Deletes::Hard, Deletes::Soft] {
        let database = filled().await;
        let request = || in_mode(&schema, WriteMode::Delete, deletes);
        let plan = database.connector().plan_write(&request()).await.unwrap();
        assert_eq!(plan.notes[0], "delete from \"public\".\"t\" by (id)");
        assert_eq!(plan.columns.len(), 1);
        let batches = vec![named(&[1, 2, 2, 9]), rows_of_key(&schema, &[3])];
        let report = load(&database.connector(), request(), batches).await;
        assert_eq!(tally(&report), [0, 0, 2, 3, 0], "{deletes}");
        let report = load(&database.connector(), request(), vec![named(&[1, 4])]).await;
        assert_eq!(tally(&report), [0, 0, 1, 1, 0], "{deletes}");
        let there = match deletes {
            Deletes::Soft => "SELECT id, v FROM t WHERE _deleted_at IS NULL",
            _ => "SELECT id, v FROM t",
        };
        assert_eq!(database.lines(there).await, ["5|old"], "{deletes}");
        let all = if deletes == Deletes::Soft { "5" } else { "1" };
        assert_eq!(database.line("SELECT count(*) FROM t").await, all);
        assert_eq!(
            database
                .line("SELECT count(*) FROM information_schema.columns WHERE table_name = 't' AND column_name = 'other'")
                .await,
            "0"
        );
    }
}

/// The same as deletes, with nothing but a key.
fn rows_of_key(schema: &Arc<Schema>, ids: &[i64]) -> Batch {
    let rows: Vec<[Value<'_>; 3]> = ids
        .iter()
        .map(|id| [Value::Null, Value::Int(*id), Value::Unset])
        .collect();
    let rows: Vec<(Op, &[Value<'_>])> = rows.iter().map(|row| (Op::Delete, row.as_slice())).collect();
    batch(schema, 100, &rows)
}

#[tokio::test]
async fn a_row_that_others_hold_is_not_deleted_and_said_to_be() {
    let (database, schema) = (filled().await, two());
    database
        .run("CREATE TABLE child (t bigint REFERENCES t); INSERT INTO child VALUES (2), (4)")
        .await;
    let request = in_mode(&schema, WriteMode::Delete, Deletes::Hard);
    let claim = claim(&database.connector(), &request.task).await;
    let request = request.with_fence(Some(claim.fence.clone()));
    let report = load(
        &database.connector(),
        request,
        vec![rows(&schema, Op::Put, &[1, 2, 3, 4], "")],
    )
    .await;
    assert_eq!(tally(&report), [0, 0, 0, 2, 2]);
    assert_eq!(report.rejected[0].code, "foreign_key_violation");
    assert_eq!(
        database.lines("SELECT id FROM t ORDER BY id").await,
        ["2", "4", "5"]
    );
}

#[tokio::test]
async fn a_delete_that_is_cut_short_is_made_again() {
    let (database, schema) = (filled().await, two());
    let postgres = database.connector();
    let request = in_mode(&schema, WriteMode::Delete, Deletes::Soft);
    let first = claim(&postgres, &request.task).await;
    let mut one = writer(&postgres, request.clone().with_fence(Some(first.fence.clone()))).await;
    one.write(rows(&schema, Op::Put, &[1], "")).await.unwrap();
    one.commit(Some(&state(1))).await.unwrap();
    one.write(rows(&schema, Op::Put, &[2], "")).await.unwrap();
    drop(one);
    drop(first);
    assert_eq!(
        database
            .line("SELECT count(*) FROM t WHERE _deleted_at IS NULL")
            .await,
        "4"
    );
    let second = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(second.fence.clone()))).await;
    writer.write(rows(&schema, Op::Put, &[2], "")).await.unwrap();
    assert_eq!(
        tally(&writer.finish(Some(&state(2))).await.unwrap()),
        [0, 0, 0, 1, 0]
    );
    assert_eq!(
        database
            .line("SELECT count(*) FROM t WHERE _deleted_at IS NULL")
            .await,
        "3"
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_moves() {
    let (database, schema) = (filled().await, two());
    let postgres = database.connector();
    let error = async |request: WriteRequest| {
        let planned = refusal(postgres.plan_write(&request).await);
        assert_eq!(
            refusal(postgres.writer(request).await).message(),
            planned.message()
        );
        planned
    };
    let refused = error(in_mode(&schema, WriteMode::Delete, Deletes::Ignore)).await;
    assert_eq!(refused.kind(), ErrorKind::Config);
    let refused = error(in_mode(&schema, WriteMode::Overwrite, Deletes::Soft)).await;
    assert_eq!(refused.kind(), ErrorKind::Config);
    let mut nowhere = in_mode(&schema, WriteMode::Delete, Deletes::Hard);
    nowhere.stream = "nowhere".into();
    assert_eq!(error(nowhere).await.kind(), ErrorKind::NotFound);
    let other = in_mode(&schema, WriteMode::Delete, Deletes::Hard).with_match_on(vec!["v".to_owned()]);
    assert_eq!(error(other).await.kind(), ErrorKind::Schema);
    let clash = crate::support::schema(
        vec![
            field("id", DataType::Int64),
            field("_deleted_at", DataType::Instant),
        ],
        &["id"],
    );
    let refused = error(in_mode(&clash, WriteMode::Upsert, Deletes::Soft)).await;
    assert_eq!(
        refused.message(),
        "the field `_deleted_at` would share its column with one that the write adds of its own"
    );
    database
        .run("ALTER TABLE t ADD COLUMN _deleted_at timestamp")
        .await;
    let refused = error(in_mode(&schema, WriteMode::Upsert, Deletes::Soft)).await;
    assert_eq!(refused.kind(), ErrorKind::Schema);
    assert_eq!(database.line("SELECT count(*) FROM t").await, "5");
}
