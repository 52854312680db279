//! Rows that only the server refuses: the others land.

use std::sync::Arc;

use connector_core::{DataType, ErrorKind, Op, Schema, Value, WriteMode, WriteRequest};

use crate::support::{
    batch, claim, database, field, load, puts, refusal, schema, tally, try_load, upsert, writer,
};

fn two() -> Arc<Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::Int64)],
        &["id"],
    )
}

fn insert(schema: &Arc<Schema>) -> WriteRequest {
    let mut request = upsert("t", schema).with_match_on(Vec::new());
    request.mode = WriteMode::Insert;
    request
}

#[tokio::test]
async fn rows_that_constraints_and_triggers_refuse_are_rejected_alone_with_the_reason() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run(
            "CREATE DOMAIN small AS bigint CONSTRAINT is_small CHECK (value < 1000);
             CREATE TABLE parent (id bigint PRIMARY KEY); INSERT INTO parent VALUES (1);
             CREATE TABLE t (id bigint PRIMARY KEY, v bigint UNIQUE CONSTRAINT even CHECK (v % 2 = 0),
                             s small, p bigint REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
             CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN IF NEW.v = 2000 THEN RAISE EXCEPTION 'no % here', NEW.v; END IF; RETURN NEW; END $$;
             CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION guard();
             INSERT INTO t VALUES (0, 0)",
        )
        .await;
    let schema = schema(
        vec![
            field("id", DataType::Int64),
            field("v", DataType::Int64),
            field("s", DataType::Int64),
            field("p", DataType::Int64),
        ],
        &["id"],
    );
    let request = upsert("t", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    let mut rows: Vec<[Value<'_>; 4]> = (0..400)
        .map(|id| [Value::Int(id), Value::Int(id * 2), Value::Int(id), Value::Int(1)])
        .collect();
    rows[3][1] = Value::Int(7);
    rows[77][2] = Value::Int(1_000);
    rows[250][3] = Value::Int(2);
    rows[251][1] = Value::Int(8);
    rows[399][1] = Value::Int(2_000);
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 4]>::as_slice).collect();
    writer.write(puts(&schema, 0, &rows)).await.unwrap();
    let report = writer.finish(Some(&crate::support::state(1))).await.unwrap();
    assert_eq!(tally(&report), [394, 1, 0, 0, 5]);
    let stored = database
        .lines("SELECT sequence, key, code, message FROM sync.rejection ORDER BY sequence")
        .await;
    assert_eq!(
        stored,
        [
            "3|3|check_violation|new row for relation \"t\" violates check constraint \"even\"",
            "77|77|check_violation|value for domain small violates check constraint \"is_small\"",
            "250|250|foreign_key_violation|insert or update on table \"t\" violates foreign key constraint \"t_p_fkey\"",
            "251|251|unique_violation|duplicate key value violates unique constraint \"t_v_key\"",
            "399|399|P0001|a trigger or function of the table refused the row",
        ]
    );
    assert_eq!(
        database
            .line("SELECT count(*), count(DISTINCT xmin::text) > 0 FROM t")
            .await,
        "395|t"
    );
    assert_eq!(database.line("SELECT state ->> 'data' FROM sync.task").await, "1");
}

#[tokio::test]
async fn one_row_alone_and_rows_that_wait_for_each_other() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v bigint REFERENCES t CHECK (v > 0))")
        .await;
    let schema = two();
    let report = load(
        &postgres,
        upsert("t", &schema),
        vec![puts(&schema, 0, &[&[Value::Int(1), Value::Int(-1)]])],
    )
    .await;
    assert_eq!(tally(&report), [0, 0, 0, 0, 1]);
    // Each row refers to the next one; one is refused for its own sake.
    let mut rows: Vec<[Value<'_>; 2]> = (1..=9).map(|id| [Value::Int(id), Value::Int(id + 1)]).collect();
    rows.push([Value::Int(10), Value::Null]);
    rows.push([Value::Int(11), Value::Int(-1)]);
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    let report = load(&postgres, upsert("t", &schema), vec![puts(&schema, 0, &rows)]).await;
    assert_eq!(tally(&report), [10, 0, 0, 0, 1]);
    assert_eq!(report.rejected[0].key.as_ref().unwrap().as_str(), "11");
}

#[tokio::test]
async fn a_delete_that_others_refer_to_is_rejected_alone() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run(
            "CREATE TABLE t (id bigint PRIMARY KEY, v bigint CHECK (v > 0)); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);
             CREATE TABLE child (t bigint REFERENCES t); INSERT INTO child VALUES (2)",
        )
        .await;
    let schema = two();
    let rows = batch(
        &schema,
        0,
        &[
            (Op::Delete, &[Value::Int(1)]),
            (Op::Delete, &[Value::Int(2)]),
            (Op::Delete, &[Value::Int(3)]),
            (Op::Put, &[Value::Int(4), Value::Int(4)]),
            (Op::Put, &[Value::Int(5), Value::Int(-5)]),
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [1, 0, 0, 2, 2]);
    let codes: Vec<_> = report.rejected.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["foreign_key_violation", "check_violation"]);
    assert_eq!(database.lines("SELECT id FROM t ORDER BY id").await, ["2", "4"]);
}

#[tokio::test]
async fn an_insert_of_keys_that_are_there_or_come_twice_keeps_the_first() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v bigint UNIQUE); INSERT INTO t VALUES (1, 1)")
        .await;
    let schema = two();
    let row = |id, v| [Value::Int(id), Value::Int(v)];
    let rows = [row(1, 9), row(2, 2), row(2, 3), row(3, 1), row(4, 4)];
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    let report = load(&postgres, insert(&schema), vec![puts(&schema, 0, &rows)]).await;
    assert_eq!(tally(&report), [2, 0, 0, 0, 3]);
    let codes: Vec<_> = report
        .rejected
        .iter()
        .map(|one| (one.key.as_ref().unwrap().as_str(), one.code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            ("2", "duplicate_key"),
            ("1", "duplicate_key"),
            ("3", "unique_violation")
        ]
    );
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["1|1", "2|2", "4|4"]
    );
}

#[tokio::test]
async fn a_refused_row_that_a_later_one_of_its_key_replaces_is_nobody_s_trouble() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v bigint CHECK (v > 0))")
        .await;
    let schema = two();
    let row = |id, v| [Value::Int(id), Value::Int(v)];
    let rows = [row(1, -1), row(2, 2), row(1, 1), row(3, 3), row(3, -3)];
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    let report = load(&postgres, upsert("t", &schema), vec![puts(&schema, 0, &rows)]).await;
    assert_eq!(tally(&report), [2, 0, 2, 0, 1]);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["1|1", "2|2"]
    );
}

#[tokio::test]
async fn partial_records_and_updates_are_refused_alone_too() {
    for mode in [WriteMode::Upsert, WriteMode::Update] {
        let database = database().await;
        let postgres = database.connector();
        database
            .run("CREATE TABLE t (id bigint PRIMARY KEY, v bigint CHECK (v > 0), w text); INSERT INTO t SELECT n, n, 'w' FROM generate_series(1, 50) n")
            .await;
        let schema = schema(
            vec![
                field("id", DataType::Int64),
                field("v", DataType::Int64),
                field("w", DataType::TEXT),
            ],
            &["id"],
        );
        let rows: Vec<[Value<'_>; 3]> = (1..=50)
            .map(|id| {
                let v = if id % 20 == 7 { -1 } else { id + 1 };
                let w = if id % 2 == 0 { Value::Unset } else { Value::Null };
                [Value::Int(id), Value::Int(v), w]
            })
            .collect();
        let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 3]>::as_slice).collect();
        let mut request = upsert("t", &schema);
        request.mode = mode;
        let report = load(&postgres, request, vec![puts(&schema, 0, &rows)]).await;
        assert_eq!(tally(&report), [0, 47, 0, 0, 3]);
        let keys: Vec<_> = report
            .rejected
            .iter()
            .map(|one| one.key.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(keys, ["7", "27", "47"]);
        assert_eq!(
            database
                .line("SELECT count(*), count(w), sum(v) FROM t WHERE v = id + 1")
                .await,
            "47|25|1241"
        );
    }
}

#[tokio::test]
async fn a_commit_that_is_refused_as_a_whole_says_so_once() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v bigint CHECK (v < 0))")
        .await;
    let schema = two();
    let rows: Vec<[Value<'_>; 2]> = (0..1_500).map(|id| [Value::Int(id), Value::Int(id)]).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    let error = refusal(try_load(&postgres, upsert("t", &schema), vec![puts(&schema, 0, &rows)]).await);
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(
        error
            .report()
            .to_string()
            .contains("more than 1000 in one commit"),
        "{}",
        error.report()
    );
    assert_eq!(database.lines("SELECT * FROM t").await, [""; 0]);
}
