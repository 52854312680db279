//! Records that their table cannot hold: left out, counted, and remembered without their contents.

use connector_core::{DataType, Op, Rejection, Value};

use crate::support::{batch, claim, database, decimal, field, load, puts, schema, tally, upsert, writer};

const REJECTIONS: &str = "SELECT task, epoch, sequence, key, code, array_to_string(fields, '+') FROM sync.rejection ORDER BY sequence";

fn lead() -> std::sync::Arc<connector_core::Schema> {
    let fields = vec![
        field("id", DataType::TEXT),
        field("name", DataType::TEXT),
        field("score", DataType::decimal(5, 2)),
    ];
    schema(fields, &["id"])
}

#[tokio::test]
async fn refused_records_are_stored_in_the_rows_transaction_and_the_others_land() {
    let database = database().await;
    let postgres = database.connector();
    let schema = lead();
    let request = upsert("lead", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    let batch = puts(
        &schema,
        10,
        &[
            &[Value::Text("a"), Value::Text("fine"), decimal("999.99")],
            &[Value::Text("b"), Value::Text("secret\0value"), decimal("1")],
            &[Value::Text("c"), Value::Text("x"), decimal("1000")],
            &[Value::Text("d"), Value::Text("x"), decimal("1.005")],
            &[Value::Null, Value::Text("x"), decimal("1")],
            &[Value::Text("e\0e"), Value::Text("x"), decimal("1")],
            &[Value::Text("f"), Value::Text("fine too"), decimal("1.500")],
        ],
    );
    writer.write(batch).await.unwrap();
    writer
        .reject(vec![Rejection::new(99, None, "bad_csv", "a line is cut off")])
        .await
        .unwrap();
    assert_eq!(database.lines(REJECTIONS).await, [""; 0]);
    let report = writer.commit(Some(&crate::support::state(1))).await.unwrap();
    assert_eq!(tally(&report), [2, 0, 0, 0, 6]);
    assert_eq!(report.counts.accounted(), 8);
    assert_eq!(
        database.lines("SELECT * FROM lead ORDER BY id").await,
        ["a|fine|999.99", "f|fine too|1.50"]
    );
    assert_eq!(
        database.lines(REJECTIONS).await,
        [
            "job/lead|1|11|b|nul_character|name",
            "job/lead|1|12|c|out_of_range|score",
            "job/lead|1|13|d|out_of_range|score",
            "job/lead|1|14|null|null_key|id",
            "job/lead|1|15|e\u{fffd}e|nul_character|id",
            "job/lead|1|99|∅|bad_csv|",
        ]
    );
    let stored = database
        .line("SELECT string_agg(r::text, '') FROM sync.rejection r")
        .await;
    assert!(
        !stored.contains("secret") && !stored.contains("1.005") && !stored.contains("1000"),
        "{stored}"
    );
    let xmins = database.line("SELECT count(DISTINCT x) FROM (SELECT xmin::text x FROM sync.rejection UNION SELECT xmin::text FROM sync.task) x").await;
    assert_eq!(xmins, "1");
}

#[tokio::test]
async fn a_dropped_writer_leaves_no_rejections() {
    let database = database().await;
    let postgres = database.connector();
    let schema = lead();
    let request = upsert("lead", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    writer
        .write(puts(&schema, 0, &[&[Value::Null, Value::Null, Value::Null]]))
        .await
        .unwrap();
    drop(writer);
    assert_eq!(database.lines(REJECTIONS).await, [""; 0]);
}

#[tokio::test]
async fn many_refusals_within_one_commit_are_all_stored_and_a_few_reported() {
    let database = database().await;
    let postgres = database.connector();
    let schema = lead();
    for table in ["fresh", "there"] {
        if table == "there" {
            database
                .run("CREATE TABLE there (id text PRIMARY KEY, name text, score numeric(5,2))")
                .await;
        }
        let request = upsert(table, &schema);
        let claim = claim(&postgres, &request.task).await;
        let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
        for chunk in 0..5_u64 {
            let ids: Vec<String> = (0..5_000).map(|i| format!("{chunk}-{i}")).collect();
            let rows: Vec<[Value<'_>; 3]> = ids
                .iter()
                .enumerate()
                .map(|(i, id)| {
                    [
                        Value::Text(id),
                        Value::Text("x"),
                        decimal(if i == 7 { "1" } else { "12345" }),
                    ]
                })
                .collect();
            let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 3]>::as_slice).collect();
            writer.write(puts(&schema, chunk * 5_000, &rows)).await.unwrap();
        }
        let report = writer.finish(None).await.unwrap();
        assert_eq!(tally(&report), [5, 0, 0, 0, 24_995]);
        assert_eq!(report.rejected.len(), 20);
        let stored = database
            .line(&format!(
                "SELECT count(*), count(DISTINCT sequence) FROM sync.rejection WHERE task = 'job/{table}'"
            ))
            .await;
        assert_eq!(stored, "24995|24995");
        assert_eq!(database.line(&format!("SELECT count(*) FROM {table}")).await, "5");
    }
}

#[tokio::test]
async fn json_that_jsonb_refuses_is_one_record_s_trouble() {
    let database = database().await;
    let postgres = database.connector();
    let schema = schema(
        vec![field("id", DataType::Int32), field("j", DataType::Json)],
        &["id"],
    );
    let texts = [
        r#""\u0000""#,
        r#""\ud800""#,
        r#""\udc00 ""#,
        r#""\ud83d\ude00""#,
        r#""\\u0000 \\ud800""#,
        r#"{"\u00e9":"\\\\"}"#,
    ];
    let rows: Vec<[Value<'_>; 2]> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| [Value::Int(i as i64), Value::Json(text)])
        .collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    let report = load(&postgres, upsert("t", &schema), vec![puts(&schema, 0, &rows)]).await;
    assert_eq!(tally(&report), [3, 0, 0, 0, 3]);
    let codes: Vec<&str> = report
        .rejected
        .iter()
        .map(|rejection| rejection.code.as_str())
        .collect();
    assert_eq!(codes, ["nul_character", "lone_surrogate", "lone_surrogate"]);
    assert_eq!(
        database.lines("SELECT j FROM t ORDER BY id").await,
        ["\"😀\"", r#""\\u0000 \\ud800""#, r#"{"é": "\\\\"}"#]
    );
}

#[tokio::test]
async fn an_instant_that_postgres_does_not_reach_is_refused() {
    let database = database().await;
    let postgres = database.connector();
    let schema = schema(
        vec![field("id", DataType::Int32), field("at", DataType::Instant)],
        &["id"],
    );
    let at = |micros| Value::Instant(connector_core::value::Instant::from_unix_micros(micros));
    let rows = batch(
        &schema,
        0,
        &[
            (Op::Put, &[Value::Int(1), at(i64::MIN)]),
            (Op::Put, &[Value::Int(2), at(i64::MAX)]),
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [1, 0, 0, 0, 1]);
    assert_eq!(
        database.lines("SELECT at FROM t").await,
        ["294247-01-10 04:00:54.775807+00"]
    );
}
