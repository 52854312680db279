//! Values of every type, there and back.

use connector_core::value::{ArrayBuf, Date, Instant, Interval, Time, Timestamp};
use connector_core::{
    Connector, DataType, ElementType, Event, ReadRequest, Selection, Source, TaskId, Value,
};

use crate::support::{
    database, decimal, field, load, puts, read, refusal, schema, shown, tally, try_load, upsert,
};

const UUID: [u8; 16] = [
    0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0,
];

/// Writes one column of `values` into a new table, reads it back, and returns what both sides show.
async fn round_trip(data_type: DataType, values: &[Value<'_>]) -> (Vec<String>, Vec<String>) {
    let database = database().await;
    let postgres = database.connector();
    let schema = schema(vec![field("n", DataType::Int32), field("v", data_type)], &["n"]);
    let rows: Vec<[Value<'_>; 2]> = values
        .iter()
        .enumerate()
        .map(|(n, value)| [Value::Int(n as i64), *value])
        .collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    let batch = puts(&schema, 0, &rows);
    let sent = shown(std::slice::from_ref(&batch));
    let report = load(&postgres, upsert("t", &schema), vec![batch.clone()]).await;
    assert_eq!(
        tally(&report),
        [values.len() as u64, 0, 0, 0, 0],
        "{:?}",
        report.rejected
    );
    let came = shown(&read(&postgres, "t").await);
    // The same again goes through the staging table and finds nothing to do.
    let report = load(&postgres, upsert("t", &schema), vec![batch]).await;
    assert_eq!(tally(&report), [0, 0, values.len() as u64, 0, 0]);
    (sent, came)
}

async fn comes_back(data_type: DataType, values: &[Value<'_>]) {
    let (sent, came) = round_trip(data_type, values).await;
    assert_eq!(came, sent);
}

#[tokio::test]
async fn booleans_and_integers() {
    comes_back(
        DataType::Bool,
        &[Value::Bool(true), Value::Bool(false), Value::Null],
    )
    .await;
    comes_back(
        DataType::Int16,
        &[Value::Int(i16::MIN.into()), Value::Int(i16::MAX.into())],
    )
    .await;
    comes_back(
        DataType::Int32,
        &[Value::Int(i32::MIN.into()), Value::Int(i32::MAX.into())],
    )
    .await;
    comes_back(
        DataType::Int64,
        &[Value::Int(i64::MIN), Value::Int(i64::MAX), Value::Int(0)],
    )
    .await;
}

#[tokio::test]
async fn floats_bit_for_bit() {
    let values = [
        0.1,
        -0.0,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    comes_back(DataType::Float64, &values.map(Value::Float64)).await;
    comes_back(
        DataType::Float32,
        &[0.1, -0.0, f32::MAX, f32::NAN, f32::INFINITY].map(Value::Float32),
    )
    .await;
}

#[tokio::test]
async fn texts_with_everything_in_them() {
    let texts = [
        "",
        "null",
        "\\N",
        "it's \"quoted\"",
        "a\nb\r\nc\td",
        "\\",
        "🚀👩‍👩‍👧",
        "日本語テキスト",
        "007",
        " padded ",
        "é",
        "e\u{301}",
        "\u{1}\u{7f}",
        "a|b,c;d",
    ];
    let mut values: Vec<Value<'_>> = texts.iter().map(|text| Value::Text(text)).collect();
    values.push(Value::Null);
    comes_back(DataType::TEXT, &values).await;
}

#[tokio::test]
async fn decimals_keep_every_digit_and_the_scale() {
    let texts = [
        "0",
        "-1",
        "336.3200",
        "0.000000000000000001",
        "999999999999999999",
        "-123456789012345678",
        "1234567890123456789012345678901234567890",
        "-0.1234567890123456789012345678901234567890",
        "12345678901234567890.000000000000000000",
        "100000000",
        "NaN",
        "Infinity",
        "-Infinity",
        "0.00000000000000000000",
    ];
    comes_back(DataType::Decimal(None), &texts.map(decimal)).await;
    comes_back(
        DataType::decimal(18, 2),
        &["9999999999999999.99", "-0.01", "0.00", "5.50"].map(decimal),
    )
    .await;
}

#[tokio::test]
async fn the_longest_decimals_there_are() {
    let (nines, zeros) = ("9".repeat(131_072), "0".repeat(16_382));
    let longest = format!("-{nines}");
    let smallest = format!("0.{zeros}1");
    comes_back(DataType::Decimal(None), &[decimal(&longest), decimal(&smallest)]).await;
}

#[tokio::test]
async fn rows_with_values_nothing_stands_for_are_rejected_one_by_one() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE t (a int, b numeric(5,1), d date, ts timestamp, tz timestamptz, PRIMARY KEY (a, b));
             INSERT INTO t VALUES (1, 1, 'infinity', NULL, NULL), (2, 2, '2024-02-29', 'now', 'now'), (3, 3, NULL, '-infinity', NULL),
                (4, 4, NULL, NULL, '294276-12-31')",
        )
        .await;
    let request = ReadRequest::new(Selection::stream("t"), TaskId::new("read", "t"));
    let mut reader = database.connector().reader(request).await.unwrap();
    let Some(Event::Records(batch)) = reader.next().await.unwrap() else {
        panic!("records come first")
    };
    assert_eq!(
        batch
            .records()
            .map(|record| record.sequence())
            .collect::<Vec<_>>(),
        [1]
    );
    let Some(Event::Rejected(rejected)) = reader.next().await.unwrap() else {
        panic!("then rejections")
    };
    let told: Vec<String> = rejected
        .iter()
        .map(|r| {
            format!(
                "{} {} {} {}",
                r.sequence,
                r.key.as_ref().unwrap(),
                r.code,
                r.fields[0]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"0 ["1","1.0"] out_of_range d"#,
            r#"2 ["3","3.0"] out_of_range ts"#,
            r#"3 ["4","4.0"] out_of_range tz"#
        ]
    );
    let Some(Event::Checkpoint { .. }) = reader.next().await.unwrap() else {
        panic!("then the end of the table")
    };
    assert!(reader.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_negative_zero_becomes_zero_of_the_same_scale() {
    let (_, came) = round_trip(
        DataType::Decimal(None),
        &["-0", "-0.00", "-0.00000000000000000000"].map(decimal),
    )
    .await;
    assert_eq!(
        came,
        [
            "Int(0) Decimal(0)",
            "Int(1) Decimal(0.00)",
            "Int(2) Decimal(0.00000000000000000000)"
        ]
    );
}

#[tokio::test]
async fn a_sized_decimal_takes_the_scale_of_its_column() {
    let (_, came) = round_trip(DataType::decimal(5, 2), &["7", "7.5", "7.500"].map(decimal)).await;
    assert_eq!(
        came,
        [
            "Int(0) Decimal(7.00)",
            "Int(1) Decimal(7.50)",
            "Int(2) Decimal(7.50)"
        ]
    );
}

#[tokio::test]
async fn dates_far_and_near() {
    let days = [
        (1700, 1, 1),
        (1969, 12, 31),
        (2024, 2, 29),
        (4000, 12, 31),
        (294_276, 12, 31),
        (-43, 3, 15),
        (0, 1, 1),
    ];
    let dates = days.map(|(year, month, day)| Value::Date(Date::from_ymd(year, month, day).unwrap()));
    comes_back(DataType::Date, &dates).await;
}

#[tokio::test]
async fn times_timestamps_and_instants_to_the_microsecond() {
    let micros = [0, 1, 86_399_999_999, 86_400_000_000];
    comes_back(
        DataType::Time,
        &micros.map(|micros| Value::Time(Time::from_micros(micros).unwrap())),
    )
    .await;
    // The years 1700, 1969, 4000, 294246 and 44 BC.
    let micros = [
        -8_520_336_000_000_000 + 1,
        -1,
        64_060_588_799_999_999,
        9_223_339_708_799_999_999,
        -63_517_651_200_000_000,
    ];
    comes_back(
        DataType::Timestamp,
        &micros.map(|micros| Value::Timestamp(Timestamp::from_unix_micros(micros))),
    )
    .await;
    comes_back(
        DataType::Instant,
        &micros.map(|micros| Value::Instant(Instant::from_unix_micros(micros))),
    )
    .await;
}

#[tokio::test]
async fn intervals_keep_months_days_and_microseconds_apart() {
    let interval = |months, days, micros| Value::Interval(Interval { months, days, micros });
    let values = [
        interval(0, 0, 0),
        interval(1, 0, 0),
        interval(0, 30, 0),
        interval(-13, 45, -3_600_000_001),
    ];
    comes_back(DataType::Interval, &values).await;
}

#[tokio::test]
async fn bytes_and_uuids() {
    let all: Vec<u8> = (0..=255).collect();
    comes_back(
        DataType::Bytes,
        &[Value::Bytes(&all), Value::Bytes(&[]), Value::Null],
    )
    .await;
    comes_back(
        DataType::Uuid,
        &[Value::Uuid(UUID), Value::Uuid([0; 16]), Value::Uuid([255; 16])],
    )
    .await;
}

#[tokio::test]
async fn json_of_every_kind() {
    let texts = [
        r#"{"a": [1, 2.50, null, true]}"#,
        r#""text 🚀""#,
        "null",
        "[]",
        "12345678901234567890.123",
        r#""a\\u0000b""#,
        r#"{"\"": "\\"}"#,
        r#""😀""#,
    ];
    comes_back(DataType::Json, &texts.map(Value::Json)).await;
}

#[tokio::test]
async fn arrays_come_back_as_json() {
    let elements: [(ElementType, Value<'_>, &str); 10] = [
        (
            ElementType::Int64,
            Value::Int(i64::MAX),
            "[9223372036854775807, null]",
        ),
        (
            ElementType::Text,
            Value::Text("a\"b\n日"),
            r#"["a\"b\n日", null]"#,
        ),
        (
            ElementType::Decimal,
            decimal("1234567890123456789012.50"),
            "[1234567890123456789012.50, null]",
        ),
        (ElementType::Bool, Value::Bool(true), "[true, null]"),
        (ElementType::Float64, Value::Float64(0.1), "[0.1, null]"),
        (
            ElementType::Date,
            Value::Date(Date::from_ymd(2024, 2, 29).unwrap()),
            r#"["2024-02-29", null]"#,
        ),
        (ElementType::Bytes, Value::Bytes(&[0, 255]), r#"["00ff", null]"#),
        (
            ElementType::Uuid,
            Value::Uuid(UUID),
            r#"["123e4567-e89b-12d3-a456-426614174000", null]"#,
        ),
        (
            ElementType::Json,
            Value::Json(r#"{"a":1}"#),
            r#"[{"a": 1}, null]"#,
        ),
        (ElementType::Float64, Value::Float64(f64::NAN), r#"["NaN", null]"#),
    ];
    for (element, value, wanted) in elements {
        let mut array = ArrayBuf::new();
        array.push(&value);
        array.push(&Value::Null);
        let (_, came) = round_trip(DataType::Array(element), &[Value::Array(array.as_array())]).await;
        assert_eq!(came, [format!("Int(0) Json({wanted:?})")]);
    }
}

#[tokio::test]
async fn odd_names_are_kept_letter_for_letter() {
    let database = database().await;
    let postgres = database.connector();
    let names = [
        "select",
        "User",
        "it's",
        "say \"hi\"",
        "名前",
        "with space",
        "a;b--",
        "ctid2",
        "%s $1 {}",
        "back\\slash",
    ];
    let fields = names.iter().map(|name| field(name, DataType::TEXT)).collect();
    let schema = schema(fields, &["select", "say \"hi\""]);
    for table in ["order", "we\"ird テーブル", "other schema.Table; DROP"] {
        let row: Vec<Value<'_>> = names.iter().map(|name| Value::Text(name)).collect();
        let batch = puts(&schema, 0, &[&row]);
        let report = load(&postgres, upsert(table, &schema), vec![batch.clone()]).await;
        assert_eq!(tally(&report), [1, 0, 0, 0, 0]);
        let mut changed = row.clone();
        changed[4] = Value::Text("新しい");
        let report = load(
            &postgres,
            upsert(table, &schema),
            vec![puts(&schema, 0, &[&changed])],
        )
        .await;
        assert_eq!(tally(&report), [0, 1, 0, 0, 0]);
        let spec = postgres.describe(&Selection::stream(table)).await.unwrap();
        assert_eq!(
            spec.schema
                .fields()
                .iter()
                .map(|field| field.name.as_str())
                .collect::<Vec<_>>(),
            names
        );
        assert_eq!(spec.schema.primary_key(), [0, 3]);
        assert_eq!(
            read(&postgres, table).await[0].get(0).unwrap().get("名前"),
            Value::Text("新しい")
        );
    }
}

#[tokio::test]
async fn columns_whose_names_are_too_long_are_found_again_and_keep_the_name_as_a_comment() {
    let database = database().await;
    let postgres = database.connector();
    let (long, longer) = ("x".repeat(64), "x".repeat(65));
    let schema = schema(
        vec![
            field("id", DataType::TEXT),
            field(&long, DataType::TEXT),
            field(&longer, DataType::TEXT),
        ],
        &["id"],
    );
    let plan = connector_core::Destination::plan_write(&postgres, &upsert("t", &schema))
        .await
        .unwrap();
    assert_eq!(plan.notes.len(), 3, "{:?}", plan.notes);
    assert!(
        plan.notes[1].starts_with(&format!(
            "`{long}` is too long a name for PostgreSQL: its column is `xxx"
        )),
        "{:?}",
        plan.notes
    );
    for (version, created) in [("1", 1), ("2", 0)] {
        let rows = puts(
            &schema,
            0,
            &[
                &[Value::Text("a"), Value::Text(version), Value::Text("z\0")],
                &[Value::Text("a"), Value::Text(version), Value::Text("z")],
            ],
        );
        let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
        assert_eq!(tally(&report), [created, 1 - created, 0, 0, 1]);
        assert_eq!(report.rejected[0].fields, [longer.as_str()]);
    }
    let comments = "SELECT col_description('t'::regclass, attnum) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1 ORDER BY attnum";
    assert_eq!(database.lines(comments).await, [long, longer]);
    let row = database.line("SELECT * FROM t").await;
    assert_eq!(row, "a|2|z");
}

#[tokio::test]
async fn a_table_name_that_postgres_would_cut_is_refused() {
    let database = database().await;
    let schema = schema(vec![field("id", DataType::TEXT)], &["id"]);
    let error = refusal(try_load(&database.connector(), upsert(&"x".repeat(64), &schema), vec![]).await);
    assert!(
        error.message().contains("has 64 bytes; PostgreSQL keeps 63"),
        "{error}"
    );
}

#[tokio::test]
async fn the_primary_key_of_a_described_table_has_its_own_order() {
    let database = database().await;
    database
        .run("CREATE TABLE t (a int, b text, c int, PRIMARY KEY (c, a) INCLUDE (b))")
        .await;
    let spec = database
        .connector()
        .describe(&Selection::stream("t"))
        .await
        .unwrap();
    assert_eq!(spec.schema.primary_key_names().collect::<Vec<_>>(), ["c", "a"]);
}

#[tokio::test]
async fn types_without_a_counterpart_are_read_as_text() {
    let database = database().await;
    database
        .run(
            "CREATE DOMAIN money2 AS numeric(9,2); CREATE TYPE mood AS ENUM ('sad', 'ok');
             CREATE TABLE t (ip inet, tags text[], m mood, d money2, c char(3), f name);
             INSERT INTO t VALUES ('10.0.0.1', '{a,\"b c\"}', 'ok', 1.5, 'a', 'n')",
        )
        .await;
    let came = shown(&read(&database.connector(), "t").await);
    assert_eq!(
        came,
        [r#"Text("10.0.0.1/32") Text("{a,\"b c\"}") Text("ok") Decimal(1.50) Text("a") Text("n")"#]
    );
}
