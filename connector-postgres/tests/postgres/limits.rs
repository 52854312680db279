//! What PostgreSQL's pages and calendars do not hold is one record's trouble.

use connector_core::value::{Date, Timestamp};
use connector_core::{DataType, Op, Value, WriteMode};

use crate::support::{batch, database, field, load, puts, schema, tally, upsert};

/// Text that does not compress.
fn noise(length: usize, seed: u64) -> String {
    const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(LETTERS[(state >> 58) as usize])
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[tokio::test]
async fn keys_too_long_for_an_index_are_rejected_and_those_just_short_enough_land() {
    let database = database().await;
    let postgres = database.connector();
    let fields = vec![
        field("a", DataType::TEXT),
        field("b", DataType::TEXT),
        field("v", DataType::TEXT),
    ];
    let long = noise(9_000, 9);
    for (table, key) in [("one", &["a"][..]), ("two", &["a", "b"])] {
        let schema = schema(fields.clone(), key);
        // Into a new table, then into one that is there.
        for round in 0..2 {
            let most = if key.len() == 1 { 2_692 } else { 2_688 - 1_000 };
            let (fits, over) = (noise(most, 10 + round), noise(most + 1, 20 + round));
            let b = noise(1_000, 30);
            let (fits, over, b) = (Value::Text(&fits), Value::Text(&over), Value::Text(&b));
            let rows = batch(
                &schema,
                0,
                &[
                    (Op::Put, &[fits, b, Value::Text(&long)]),
                    (Op::Put, &[over, b, Value::Null]),
                    (Op::Delete, &[over, b]),
                ],
            );
            let report = load(&postgres, upsert(table, &schema), vec![rows]).await;
            assert_eq!(tally(&report), [1, 0, 1, 0, 1], "{table} {round}");
            assert_eq!(report.rejected[0].code, "key_too_long");
            assert_eq!(report.rejected[0].fields, key);
        }
    }
}

#[tokio::test]
async fn other_indexes_have_limits_of_their_own() {
    let database = database().await;
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text); CREATE INDEX ON t (v)")
        .await;
    let schema = schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    );
    let long = noise(5_000, 1);
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Int(1), Value::Text("short")],
            &[Value::Int(2), Value::Text(&long)],
            &[Value::Int(3), Value::Text("short")],
        ],
    );
    let report = load(&database.connector(), upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [2, 0, 0, 0, 1]);
    assert_eq!(report.rejected[0].code, "54000");
    assert_eq!(report.rejected[0].key.as_ref().unwrap().as_str(), "2");
}

#[tokio::test]
async fn rows_too_large_for_a_page_are_rejected_and_those_just_small_enough_land() {
    // A table that is made has no more columns than fit, whatever they hold: see overflow.rs.
    for (data_type, sql_type, columns) in [(DataType::TEXT, "text", 452), (DataType::Int64, "bigint", 1_017)]
    {
        // One column more than fits.
        let mut fields = vec![field("id", DataType::Int64)];
        fields.extend((0..columns).map(|n| field(&format!("c{n}"), data_type)));
        let schema = schema(fields, &["id"]);
        let texts: Vec<String> = (0..columns).map(|n| noise(100, n as u64 + 1)).collect();
        let value = |n: usize| match data_type {
            DataType::Int64 => Value::Int(n as i64),
            _ => Value::Text(&texts[n]),
        };
        let full = |id: i64, empty: usize| {
            let mut row = vec![Value::Int(id)];
            row.extend((0..columns).map(|n| if n < empty { Value::Null } else { value(n) }));
            row
        };
        let all = [full(1, 0), full(2, columns), full(3, 20), full(4, 0)];
        let all: Vec<&[Value<'_>]> = all.iter().map(Vec::as_slice).collect();
        let database = database().await;
        let postgres = database.connector();
        let list: Vec<String> = (0..columns).map(|n| format!("c{n} {sql_type}")).collect();
        for (table, key) in [("keyed", "PRIMARY KEY"), ("loose", "")] {
            database
                .run(&format!(
                    "CREATE TABLE {table} (id bigint {key}, {})",
                    list.join(", ")
                ))
                .await;
            let mut request = upsert(table, &schema);
            if key.is_empty() {
                // Straight into the table.
                request = request.with_match_on(Vec::new());
                request.mode = WriteMode::Insert;
            }
            let report = load(&postgres, request, vec![puts(&schema, 0, &all)]).await;
            assert_eq!(tally(&report), [2, 0, 0, 0, 2], "{table} {data_type}");
            assert_eq!(report.rejected[0].code, "row_too_large");
            assert_eq!(
                database
                    .lines(&format!("SELECT id FROM {table} ORDER BY id"))
                    .await,
                ["2", "3"]
            );
        }
    }
}

#[tokio::test]
async fn dates_beyond_the_calendar_are_rejected_alone() {
    let database = database().await;
    let schema = schema(
        vec![
            field("id", DataType::Int64),
            field("d", DataType::Date),
            field("t", DataType::Timestamp),
        ],
        &["id"],
    );
    let date = |days| Value::Date(Date::from_unix_days(days));
    let stamp = |micros| Value::Timestamp(Timestamp::from_unix_micros(micros));
    let zero = stamp(0);
    // 4714-11-24 BC, the calendar's first day.
    let first = -2_440_588;
    let rows = puts(
        &schema,
        0,
        &[
            &[
                Value::Int(1),
                date(first),
                stamp(i64::from(first) * 86_400_000_000),
            ],
            &[Value::Int(2), date(first - 1), zero],
            &[
                Value::Int(3),
                date(0),
                stamp(i64::from(first) * 86_400_000_000 - 1),
            ],
            &[Value::Int(4), date(i32::MAX - 1), zero],
            &[Value::Int(5), date(2_145_042_905), stamp(i64::MAX)],
            &[Value::Int(6), date(2_145_042_906), zero],
        ],
    );
    let mut request = upsert("t", &schema);
    request.mode = WriteMode::Insert;
    let report = load(&database.connector(), request, vec![rows]).await;
    let refused: Vec<_> = report
        .rejected
        .iter()
        .map(|one| (one.sequence, one.code.as_str(), one.fields[0].as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            (1, "out_of_range", "d"),
            (2, "out_of_range", "t"),
            (3, "out_of_range", "d"),
            (5, "out_of_range", "d")
        ]
    );
    assert_eq!(
        database.lines("SELECT id, d FROM t ORDER BY id").await,
        ["1|4714-11-24 BC", "5|5874897-12-31"]
    );
}
