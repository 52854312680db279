//! Tables that become wider.

use connector_core::{DataType, Destination, ErrorKind, Value, WriteMode};

use crate::support::{database, decimal, field, load, puts, refusal, schema, tally, try_load, upsert};

const TYPES: &str =
    "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped";

fn wide() -> std::sync::Arc<connector_core::Schema> {
    schema(
        vec![
            field("id", DataType::Int64),
            field("v", DataType::TEXT),
            field("n", DataType::decimal(10, 4)),
            field("f", DataType::Float64),
            field("w", DataType::Text { max_chars: Some(20) }),
            field("new", DataType::Date),
        ],
        &["id"],
    )
}

#[tokio::test]
async fn columns_are_widened_added_and_never_narrowed() {
    for mode in [WriteMode::Upsert, WriteMode::Insert, WriteMode::Update] {
        let database = database().await;
        let postgres = database.connector();
        database
            .run(
                "CREATE TABLE t (id int PRIMARY KEY, v varchar(3), n numeric(8,2), f real, w varchar(30), mine int);
                 INSERT INTO t VALUES (1, 'abc', 1.5, 0.1, 'w', 5)",
            )
            .await;
        let schema = wide();
        let mut request = upsert("t", &schema);
        request.mode = mode;
        let plan = postgres.plan_write(&request).await.unwrap();
        assert_eq!(
            plan.notes[1..5],
            [
                "`id` becomes bigint instead of integer",
                "`v` becomes text instead of character varying(3)",
                "`n` becomes numeric(10,4) instead of numeric(8,2)",
                "`f` becomes double precision instead of real",
            ]
        );
        assert!(plan.columns.iter().all(|column| column.lossless));
        let before = database.line(TYPES).await;
        assert_eq!(
            before,
            "integer, character varying(3), numeric(8,2), real, character varying(30), integer"
        );
        let id = if mode == WriteMode::Update { 1 } else { 1 << 40 };
        let row = [
            Value::Int(id),
            Value::Text("longer than three"),
            decimal("123456.7891"),
            Value::Float64(0.1),
            Value::Text("w"),
            Value::Null,
        ];
        let report = load(&postgres, request, vec![puts(&schema, 0, &[&row])]).await;
        assert_eq!(report.counts.written(), 1, "{mode}");
        assert_eq!(
            database.line(TYPES).await,
            "bigint, text, numeric(10,4), double precision, character varying(30), integer, date"
        );
        let rows = database
            .lines("SELECT id, v, n, f, w, mine FROM t ORDER BY id")
            .await;
        if mode == WriteMode::Update {
            assert_eq!(rows, ["1|longer than three|123456.7891|0.1|w|5"]);
        } else {
            assert_eq!(
                rows,
                [
                    "1|abc|1.5000|0.10000000149011612|w|5",
                    "1099511627776|longer than three|123456.7891|0.1|w|∅"
                ]
            );
        }
        // Once is enough.
        let plan = postgres.plan_write(&upsert("t", &schema)).await.unwrap();
        assert!(
            plan.notes.iter().all(|note| !note.contains("becomes")),
            "{:?}",
            plan.notes
        );
    }
}

#[tokio::test]
async fn a_view_that_shows_a_column_to_be_widened_is_named() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run(
            "CREATE TABLE t (id bigint PRIMARY KEY, v varchar(3)); CREATE VIEW shown AS SELECT v FROM t;
             CREATE VIEW other AS SELECT id FROM t",
        )
        .await;
    let schema = schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    );
    for result in [
        postgres.plan_write(&upsert("t", &schema)).await.map(drop),
        try_load(&postgres, upsert("t", &schema), vec![]).await.map(drop),
    ] {
        let error = refusal(result);
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert_eq!(
            error.report().to_string(),
            "\"public\".\"t\" needs wider columns (\"v\" text), which PostgreSQL does not allow while the view shown shows them\n\
             help: drop the view, widen the columns with ALTER TABLE, and make the view again"
        );
    }
    // A column that is only added is nobody's trouble.
    database
        .run("ALTER TABLE t ADD COLUMN w text; DROP VIEW shown")
        .await;
    let rows = puts(&schema, 0, &[&[Value::Int(1), Value::Text("four")]]);
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [1, 0, 0, 0, 0]);
}

#[tokio::test]
async fn readers_are_not_kept_waiting_while_rows_come() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); SET statement_timeout = '5s'")
        .await;
    let schema = schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    );
    let mut writer = postgres.writer(upsert("t", &schema)).await.unwrap();
    writer
        .write(puts(&schema, 0, &[&[Value::Int(1), Value::Text("x")]]))
        .await
        .unwrap();
    assert_eq!(database.lines("SELECT * FROM t").await, ["1"]);
    writer.finish(None).await.unwrap();
    assert_eq!(database.lines("SELECT * FROM t").await, ["1|x"]);
}
