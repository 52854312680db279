//! Rejections with and without what their records held.

use std::sync::Arc;

use connector_core::value::{Date, Instant, Interval};
use connector_core::{
    BatchBuilder, Connector, DataType, Fate, Identity, Intent, Key, Op, Outcome, Rejection, Schema, Target,
    TaskId, Value, WriteMode,
};
use connector_postgres::Postgres;

use crate::support::{
    Database, batch, claim, database, decimal, drain, field, puts, reading, schema, shown, tally, upsert,
    writer,
};

const PAYLOADS: &str = "SELECT sequence, code, payload FROM sync.rejection ORDER BY sequence";

fn keeping(database: &Database) -> Postgres {
    let mut config = database.config.clone();
    config.keep_payload = true;
    Postgres::new(config).unwrap()
}

fn lead() -> Arc<Schema> {
    let fields = vec![
        field("id", DataType::Int64),
        field("name", DataType::TEXT),
        field("score", DataType::decimal(5, 2)),
        field("doc", DataType::Json),
    ];
    schema(fields, &["id"])
}

#[tokio::test]
async fn what_a_refused_record_held_is_kept_where_that_is_wanted() {
    for keep in [false, true] {
        let database = database().await;
        let postgres = if keep {
            keeping(&database)
        } else {
            database.connector()
        };
        let schema = lead();
        let request = upsert("lead", &schema);
        let claim = claim(&postgres, &request.task).await;
        let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
        let fine = Value::Text("fine");
        let rows: [&[Value<'_>]; 4] = [
            &[Value::Int(1), fine, decimal("1000.50"), Value::Null],
            &[Value::Int(2), Value::Text("a\0b\"é"), decimal("1"), Value::Null],
            &[Value::Null, fine, decimal("1"), Value::Json(r#"{"a": [1, "x"]}"#)],
            &[Value::Int(3), fine, decimal("1"), Value::Json("1")],
        ];
        writer.write(puts(&schema, 0, &rows)).await.unwrap();
        writer
            .reject(vec![Rejection::new(9, None, "bad_csv", "a line is cut off")])
            .await
            .unwrap();
        let deleted = batch(&schema, 10, &[(Op::Delete, &[Value::Null; 4])]);
        writer.write(deleted).await.unwrap();
        assert_eq!(tally(&writer.finish(None).await.unwrap()), [1, 0, 0, 0, 5]);
        let stored = database.lines(PAYLOADS).await;
        let wanted = [
            r#"0|out_of_range|{"id": 1, "doc": null, "name": "fine", "score": 1000.50}"#,
            // What `jsonb` cannot hold is kept as text, which loses nothing either.
            r#"1|nul_character|"{\"id\":2,\"name\":\"a\\u0000b\\\"é\",\"score\":1,\"doc\":null}""#,
            r#"2|null_key|{"id": null, "doc": {"a": [1, "x"]}, "name": "fine", "score": 1}"#,
            // It was refused before the writer saw a record.
            "9|bad_csv|∅",
            r#"10|null_key|{"id": null, "doc": null, "name": null, "score": null}"#,
        ];
        if keep {
            assert_eq!(stored, wanted);
        } else {
            assert!(
                stored.len() == 5 && stored.iter().all(|line| line.ends_with("|∅")),
                "{stored:?}"
            );
        }
    }
}

#[tokio::test]
async fn staged_rows_are_kept_with_what_they_say() {
    for keep in [false, true] {
        let database = database().await;
        let postgres = if keep {
            keeping(&database)
        } else {
            database.connector()
        };
        database
            .run(
                "CREATE TABLE lead (id bigint PRIMARY KEY, name text CHECK (name <> 'taboo'), score numeric(5,2), doc json);
                 INSERT INTO lead VALUES (1, 'there', 1, NULL)",
            )
            .await;
        let schema = lead();
        let score = decimal("2.5");
        // The server refuses one of several; what a record leaves unset is not there.
        let request = upsert("lead", &schema);
        let held = claim(&postgres, &request.task).await;
        let mut writing = writer(&postgres, request.with_fence(Some(held.fence.clone()))).await;
        let rows: [&[Value<'_>]; 3] = [
            &[Value::Int(5), Value::Text("fine"), score, Value::Null],
            &[
                Value::Int(6),
                Value::Text("taboo"),
                Value::Unset,
                Value::Json(r#"{"a":1,"a":2}"#),
            ],
            &[Value::Int(7), Value::Text("fine"), Value::Unset, Value::Null],
        ];
        writing.write(puts(&schema, 0, &rows)).await.unwrap();
        assert_eq!(tally(&writing.finish(None).await.unwrap()), [2, 0, 0, 0, 1]);
        drop(held);
        // The mode does not let them in.
        for (mode, first, id) in [(WriteMode::Insert, 10, 1), (WriteMode::Update, 20, 99)] {
            let mut request = upsert("lead", &schema);
            request.mode = mode;
            if mode == WriteMode::Insert {
                request.match_on.clear();
            }
            let held = claim(&postgres, &request.task).await;
            let mut writing = writer(&postgres, request.with_fence(Some(held.fence.clone()))).await;
            let row = [Value::Int(id), Value::Text("new"), score, Value::Null];
            writing.write(puts(&schema, first, &[&row])).await.unwrap();
            assert_eq!(tally(&writing.finish(None).await.unwrap()), [0, 0, 0, 0, 1]);
        }
        let stored = database.lines(PAYLOADS).await;
        let wanted = [
            r#"1|check_violation|{"id": 6, "doc": "{\"a\":1,\"a\":2}", "name": "taboo"}"#,
            r#"10|duplicate_key|{"id": 1, "doc": null, "name": "new", "score": 2.50}"#,
            r#"20|not_found|{"id": 99, "doc": null, "name": "new", "score": 2.50}"#,
        ];
        if keep {
            assert_eq!(stored, wanted);
        } else {
            assert!(
                stored.len() == 3 && stored.iter().all(|line| line.ends_with("|∅")),
                "{stored:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_kept_can_be_read_back_as_the_record_it_was() {
    let database = database().await;
    let postgres = keeping(&database);
    let fields = vec![
        field("id", DataType::TEXT),
        field("data", DataType::Bytes),
        field("day", DataType::Date),
        field("at", DataType::Instant),
        field("span", DataType::Interval),
        field("uid", DataType::Uuid),
        field("single", DataType::Float32),
        field("double", DataType::Float64),
        field("exact", DataType::Decimal(None)),
        field("flag", DataType::Bool),
    ];
    let schema = schema(fields, &["id"]);
    let span = Interval {
        months: 14,
        days: -3,
        micros: 1_500_000,
    };
    let rest = [
        Value::Bytes(&[0, 255, 16]),
        Value::Date(Date::from_unix_days(19_782)),
        Value::Instant(Instant::from_unix_micros(1_709_204_400_123_456)),
        Value::Interval(span),
        Value::Uuid([7; 16]),
        Value::Float32(0.1),
        Value::Float64(f64::INFINITY),
        decimal("123456789012345678901234567890.0123456789"),
        Value::Bool(true),
    ];
    let row = |id: Value<'static>| -> Vec<Value<'_>> { std::iter::once(id).chain(rest).collect() };
    // One that is refused here, and one that the server's table refuses.
    database
        .run("CREATE TABLE odd (id text PRIMARY KEY CHECK (id <> 'taboo'), flag boolean)")
        .await;
    let request = upsert("odd", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    let (one, two, three) = (
        row(Value::Null),
        row(Value::Text("taboo")),
        row(Value::Text("fine")),
    );
    let records = puts(&schema, 0, &[&one, &two, &three]);
    let before = shown(std::slice::from_ref(&records));
    writer.write(records).await.unwrap();
    assert_eq!(tally(&writer.finish(None).await.unwrap()), [1, 0, 0, 0, 2]);
    let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
    for json in database
        .lines("SELECT payload FROM sync.rejection ORDER BY sequence")
        .await
    {
        builder.push_json_record(&json, Op::Put).unwrap();
    }
    assert_eq!(shown(&[builder.finish()]), before[..2]);
}

#[tokio::test]
async fn what_jsonb_cannot_hold_at_all_sinks_neither_rejections_nor_rows() {
    let database = database().await;
    let postgres = keeping(&database);
    let schema = lead();
    let request = upsert("lead", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    let rows: [&[Value<'_>]; 2] = [
        &[Value::Null, Value::Null, Value::Null, Value::Json("1e200000")],
        &[Value::Int(1), Value::Null, Value::Null, Value::Null],
    ];
    writer.write(puts(&schema, 0, &rows)).await.unwrap();
    assert_eq!(tally(&writer.finish(None).await.unwrap()), [1, 0, 0, 0, 1]);
    assert_eq!(
        database.lines(PAYLOADS).await,
        [r#"0|null_key|"{\"id\":null,\"name\":null,\"score\":null,\"doc\":1e200000}""#]
    );
}

#[tokio::test]
async fn a_write_back_s_rejection_keeps_what_was_sent() {
    for keep in [false, true] {
        let database = database().await;
        let postgres = if keep {
            keeping(&database)
        } else {
            database.connector()
        };
        database
            .run("CREATE TABLE lead (id text PRIMARY KEY, score numeric(9,2)); INSERT INTO lead VALUES ('a', 1.50)")
            .await;
        let task = TaskId::new("write-back", "lead");
        let claim = claim(&postgres, &task).await;
        let target = Target {
            identity: Identity::new("crm", "1"),
            object: "Lead".to_owned(),
        };
        let difference = connector_core::Difference {
            target: target.clone(),
            fence: claim.fence.clone(),
            match_on: vec![("Id".to_owned(), "id".to_owned())],
            fields: vec![("Score".to_owned(), "score".to_owned())],
            full: false,
        };
        let request = reading("lead", &task, connector_core::SyncMode::Difference(difference));
        let reader = connector_core::Source::reader(&postgres, request).await.unwrap();
        drain(reader).await;
        let journal = postgres.journal().unwrap();
        let keys = [Key::new("a")];
        let intent = Intent {
            keys: &keys,
            ticket: None,
        };
        journal.intend(&claim.fence, &target, &intent).await.unwrap();
        let refused = |key: &str| Fate {
            key: Key::new(key),
            outcome: Outcome::Rejected {
                code: "FIELD_INTEGRITY".to_owned(),
                message: "no".to_owned(),
                fields: vec!["Score".to_owned()],
            },
        };
        journal
            .settle(&claim.fence, &target, &[refused("a"), refused("unknown")])
            .await
            .unwrap();
        let held = if keep { r#"{"Score": 1.50}"# } else { "∅" };
        assert_eq!(
            database
                .lines("SELECT key, payload FROM sync.rejection ORDER BY key")
                .await,
            [format!("a|{held}"), "unknown|∅".to_owned()]
        );
    }
}
