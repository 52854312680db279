//! Many records of which few are news: only those are taken up.

use connector_core::{BatchBuilder, DataType, Decimal, Op, Schema, Value};

use crate::support::{database, field, load, schema, tally, upsert};

const ROWS: i64 = 5_000;

/// Every id with its own name, and then `more`.
fn records(schema: &std::sync::Arc<Schema>, more: &[(i64, &str)]) -> connector_core::Batch {
    let mut builder = BatchBuilder::new(std::sync::Arc::clone(schema), 0);
    let mut push = |id: i64, name: &str| {
        builder.push(Value::Int(id));
        builder.push(Value::Text(name));
        builder.push(Value::Float64(if name == "-0" { -0.0 } else { 0.0 }));
        builder.end_record(Op::Put);
    };
    for id in 0..ROWS {
        push(id, &format!("name of {id}"));
    }
    more.iter().for_each(|(id, name)| push(*id, name));
    builder.finish()
}

#[tokio::test]
async fn the_last_word_of_a_key_counts_where_few_records_differ() {
    let database = database().await;
    let postgres = database.connector();
    let fields = vec![
        field("id", DataType::Int64),
        field("name", DataType::TEXT),
        field("zero", DataType::Float64),
    ];
    let schema = schema(fields, &["id"]);
    load(&postgres, upsert("t", &schema), vec![records(&schema, &[])]).await;
    database
        .run("ALTER TABLE t ADD touched bigint DEFAULT 0; CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS \
              'BEGIN NEW.touched = OLD.touched + 1; RETURN NEW; END'; \
              CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()")
        .await;
    // Each of these keys came before, as the table has it.
    let more = [
        (7, "another"),
        (8, "another"),
        (8, "name of 8"),
        (9, "another"),
        (9, "a third"),
        (10, "-0"),
        (-1, "new"),
        (-1, "newer"),
    ];
    let report = load(&postgres, upsert("t", &schema), vec![records(&schema, &more)]).await;
    assert_eq!(tally(&report), [1, 3, 5_004, 0, 0]);
    assert_eq!(
        database
            .lines("SELECT id, name, zero, touched FROM t WHERE name <> 'name of ' || id OR touched > 0 ORDER BY id")
            .await,
        ["-1|newer|0|0", "7|another|0|1", "9|a third|0|1", "10|-0|-0|1"]
    );
    assert_eq!(database.line("SELECT count(*) FROM t").await, "5001");
}

#[tokio::test]
async fn a_key_may_be_called_anything_and_what_was_done_is_counted_without_triggers_too() {
    let database = database().await;
    let postgres = database.connector();
    let fields = vec![
        field("place", DataType::Int64),
        field("s", DataType::TEXT),
        field("ctid of it", DataType::Float64),
    ];
    let schema = schema(fields, &["place"]);
    load(&postgres, upsert("t", &schema), vec![records(&schema, &[])]).await;
    let more = [(7, "another"), (-1, "new"), (-2, "new")];
    let report = load(&postgres, upsert("t", &schema), vec![records(&schema, &more)]).await;
    assert_eq!(tally(&report), [2, 1, 5_000, 0, 0]);
    assert_eq!(
        database
            .lines("SELECT place, s FROM t WHERE s <> 'name of ' || place ORDER BY place")
            .await,
        ["-2|new", "-1|new", "7|another"]
    );
}

#[tokio::test]
async fn keys_that_are_equal_and_not_the_same_are_one() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE n (id numeric PRIMARY KEY, name text); INSERT INTO n SELECT i, 'old' FROM generate_series(1, 3000) i")
        .await;
    let schema = schema(
        vec![
            field("id", DataType::Decimal(None)),
            field("name", DataType::TEXT),
        ],
        &["id"],
    );
    let mut builder = BatchBuilder::new(std::sync::Arc::clone(&schema), 0);
    let mut scratch = String::new();
    let mut push = |id: &str, name: &str| {
        builder.push(Value::Decimal(Decimal::parse(id, &mut scratch).unwrap()));
        builder.push(Value::Text(name));
        builder.end_record(Op::Put);
    };
    (1..=3_000).for_each(|id| push(&id.to_string(), "old"));
    push("5.0", "first");
    push("5.00", "last");
    push("6.0", "first");
    push("6", "old");
    let report = load(&postgres, upsert("n", &schema), vec![builder.finish()]).await;
    assert_eq!(tally(&report), [0, 1, 3_003, 0, 0]);
    assert_eq!(
        database
            .lines("SELECT id, name FROM n WHERE name <> 'old' OR id <> trunc(id)")
            .await,
        ["5|last"]
    );
}
