//! Values of every type, there and back.

use connector_core::value::{ArrayBuf, Date, Instant, Interval, Time, Timestamp};
use connector_core::{
    Connector, DataType, ElementType, Event, ReadRequest, Selection, Source, StreamName, TaskId, Value,
    WriteMode, WriteRequest,
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
    let mut dates = days
        .map(|(year, month, day)| Value::Date(Date::from_ymd(year, month, day).unwrap()))
        .to_vec();
    // The calendar's first and last day, and what lies beyond.
    dates.extend([-2_440_588, 2_145_042_905].map(|days| Value::Date(Date::from_unix_days(days))));
    dates.extend([Date::INFINITY, Date::NEGATIVE_INFINITY].map(Value::Date));
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
    // The years 1700, 1969, 4000 and 44 BC, the first and the last moment of the calendar, and what lies beyond.
    let unix = |micros| Timestamp::from_unix_micros(micros).micros_since_2000();
    let micros = [
        unix(-8_520_336_000_000_000 + 1),
        unix(-1),
        unix(64_060_588_799_999_999),
        unix(-63_517_651_200_000_000),
        -211_813_488_000_000_000,
        9_223_371_331_199_999_999,
        i64::MIN,
        i64::MAX,
    ];
    comes_back(
        DataType::Timestamp,
        &micros.map(|micros| Value::Timestamp(Timestamp::from_micros_since_2000(micros))),
    )
    .await;
    comes_back(
        DataType::Instant,
        &micros.map(|micros| Value::Instant(Instant::from_micros_since_2000(micros))),
    )
    .await;
}

#[tokio::test]
async fn the_ends_of_time_are_the_server_s() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE t (n int, d date, ts timestamp, tz timestamptz);
             INSERT INTO t VALUES (1, 'infinity', '-infinity', 'infinity'),
                (2, '4713-01-01 BC', '4713-01-01 BC', '294276-12-31T23:59:59.999999Z')",
        )
        .await;
    let postgres = database.connector();
    let came = read(&postgres, "t").await;
    let texts: Vec<Vec<String>> = came[0]
        .records()
        .map(|record| record.values().map(|value| value.to_string()).collect())
        .collect();
    assert_eq!(
        texts,
        [
            ["1", "infinity", "-infinity", "infinity"],
            [
                "2",
                "-4712-01-01",
                "-4712-01-01T00:00:00",
                "294276-12-31T23:59:59.999999Z"
            ]
        ]
    );
    let schema = std::sync::Arc::clone(came[0].schema());
    let key = WriteRequest::new(
        StreamName::new("u"),
        schema,
        WriteMode::Insert,
        TaskId::new("job", "u"),
    );
    load(&postgres, key, came).await;
    let line = "SELECT n, d, ts, tz FROM t EXCEPT SELECT n, d, ts, tz FROM u";
    assert!(database.lines(line).await.is_empty());
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
async fn arrays_come_back_with_their_nulls() {
    let elements = [
        (ElementType::Bool, Value::Bool(true)),
        (ElementType::Int16, Value::Int(i16::MIN.into())),
        (ElementType::Int32, Value::Int(i32::MAX.into())),
        (ElementType::Int64, Value::Int(i64::MAX)),
        (ElementType::Float32, Value::Float32(-0.0)),
        (ElementType::Float64, Value::Float64(f64::NAN)),
        (ElementType::Decimal, decimal("1234567890123456789012.50")),
        (ElementType::Text, Value::Text("a\"b\n{日,NULL}")),
        (ElementType::Bytes, Value::Bytes(&[0, 255])),
        (ElementType::Date, Value::Date(Date::INFINITY)),
        (
            ElementType::Time,
            Value::Time(Time::from_micros(86_400_000_000).unwrap()),
        ),
        (
            ElementType::Timestamp,
            Value::Timestamp(Timestamp::NEGATIVE_INFINITY),
        ),
        (
            ElementType::Instant,
            Value::Instant(Instant::from_micros_since_2000(-1)),
        ),
        (
            ElementType::Interval,
            Value::Interval(Interval {
                months: -1,
                days: 2,
                micros: -3,
            }),
        ),
        (ElementType::Uuid, Value::Uuid(UUID)),
        (ElementType::Json, Value::Json(r#"{"a": 1}"#)),
    ];
    let database = database().await;
    let postgres = database.connector();
    let mut fields = vec![field("n", DataType::Int32)];
    fields.extend(
        elements
            .iter()
            .map(|(element, _)| field(&format!("{element:?}"), DataType::Array(*element))),
    );
    let schema = schema(fields, &["n"]);
    let arrays: Vec<[ArrayBuf; 3]> = elements
        .iter()
        .map(|(_, value)| {
            let mut arrays = [ArrayBuf::new(), ArrayBuf::new(), ArrayBuf::new()];
            arrays[0].push(value);
            for value in [&Value::Null, value, value, &Value::Null] {
                arrays[1].push(value);
            }
            arrays
        })
        .collect();
    let mut rows: Vec<Vec<Value<'_>>> = (0..3)
        .map(|n| {
            let arrays = arrays.iter().map(|arrays| Value::Array(arrays[n].as_array()));
            std::iter::once(Value::Int(n as i64)).chain(arrays).collect()
        })
        .collect();
    rows.push(vec![Value::Null; elements.len() + 1]);
    rows[3][0] = Value::Int(3);
    let rows: Vec<&[Value<'_>]> = rows.iter().map(Vec::as_slice).collect();
    let batch = puts(&schema, 0, &rows);
    for report in [[4, 0, 0, 0, 0], [0, 0, 4, 0, 0]] {
        assert_eq!(
            tally(&load(&postgres, upsert("t", &schema), vec![batch.clone()]).await),
            report
        );
    }
    assert_eq!(
        shown(&read(&postgres, "t").await),
        shown(std::slice::from_ref(&batch))
    );
    let types = "SELECT string_agg(DISTINCT pg_typeof(v)::text, ' ') FROM (SELECT \"Text\"::text, \"Text\" AS v FROM t) x";
    assert_eq!(database.line(types).await, "text[]");
    let spec = postgres.describe(&Selection::stream("t")).await.unwrap();
    let types = |schema: &connector_core::Schema| -> Vec<DataType> {
        schema.fields().iter().map(|field| field.data_type).collect()
    };
    assert_eq!(types(&spec.schema), types(&schema));
    let text = r#"SELECT "Text", "Int64", "Date" FROM t WHERE n = 1"#;
    assert_eq!(
        database.line(text).await,
        "{NULL,\"a\\\"b\n{日,NULL}\",\"a\\\"b\n{日,NULL}\",NULL}|{NULL,9223372036854775807,9223372036854775807,NULL}|{NULL,infinity,infinity,NULL}"
    );
}

#[tokio::test]
async fn arrays_go_into_columns_of_json_and_text_as_before() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (n int PRIMARY KEY, a jsonb, b json, c text, d smallint[])")
        .await;
    let ints = DataType::Array(ElementType::Int32);
    let fields = ["a", "b", "c", "d"].map(|name| field(name, ints));
    let mut all = vec![field("n", DataType::Int32)];
    all.extend(fields);
    let schema = schema(all, &["n"]);
    let (mut small, mut large) = (ArrayBuf::new(), ArrayBuf::new());
    small.push(&Value::Int(1));
    small.push(&Value::Null);
    large.push(&Value::Int(70_000));
    let row = |n, array: &ArrayBuf| {
        let array = array.clone();
        move |then: &mut dyn FnMut(&[Value<'_>])| {
            let array = Value::Array(array.as_array());
            then(&[Value::Int(n), array, array, array, array]);
        }
    };
    let mut batches = Vec::new();
    row(1, &small)(&mut |row| batches.push(puts(&schema, 0, &[row])));
    row(2, &large)(&mut |row| batches.push(puts(&schema, 1, &[row])));
    let report = load(&postgres, upsert("t", &schema), batches).await;
    assert_eq!(tally(&report), [1, 0, 0, 0, 1]);
    assert_eq!(
        (
            report.rejected[0].code.as_str(),
            report.rejected[0].fields[0].as_str()
        ),
        ("out_of_range", "d")
    );
    assert_eq!(
        database.lines("SELECT * FROM t").await,
        ["1|[1, null]|[1,null]|[1,null]|{1,NULL}"]
    );
}

#[tokio::test]
async fn the_last_array_of_a_record_that_comes_twice_stays() {
    let database = database().await;
    let postgres = database.connector();
    let ints = DataType::Array(ElementType::Int64);
    let schema = schema(
        vec![field("n", DataType::Int32), field("a", ints), field("b", ints)],
        &["n"],
    );
    let (mut one, mut two) = (ArrayBuf::new(), ArrayBuf::new());
    one.push(&Value::Int(1));
    two.push(&Value::Int(2));
    two.push(&Value::Null);
    let (one, two) = (Value::Array(one.as_array()), Value::Array(two.as_array()));
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Int(1), one, two],
            &[Value::Int(1), Value::Unset, one],
            &[Value::Int(1), two, Value::Unset],
        ],
    );
    load(&postgres, upsert("t", &schema), vec![]).await;
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [1, 0, 2, 0, 0]);
    assert_eq!(database.line("SELECT a, b FROM t").await, "{2,NULL}|{1}");
}

#[tokio::test]
async fn arrays_of_another_shape_are_rejected_one_by_one() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE t (a int, b numeric(5,1), c int[], PRIMARY KEY (a, b));
             INSERT INTO t VALUES (1, 1, '{{1,2},{3,4}}'), (2, 2, '{1,2}'), (3, 3, '[0:1]={1,2}'), (4, 4, '{}')",
        )
        .await;
    let request = ReadRequest::new(Selection::stream("t"), TaskId::new("read", "t"));
    let mut reader = database.connector().reader(request).await.unwrap();
    let Some(Event::Records(batch)) = reader.next().await.unwrap() else {
        panic!("records come first")
    };
    let sequences: Vec<u64> = batch.records().map(|record| record.sequence()).collect();
    assert_eq!(sequences, [1, 3]);
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
        [r#"0 ["1","1.0"] array_shape c"#, r#"2 ["3","3.0"] array_shape c"#]
    );
    assert!(matches!(
        reader.next().await.unwrap(),
        Some(Event::Checkpoint { .. })
    ));
    assert!(reader.next().await.unwrap().is_none());
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

/// A table with a column of every type that has no counterpart, and two rows in it.
const FOREIGN: &str = "CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\"');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN address AS inet CHECK (family(VALUE) = 4);
    CREATE DOMAIN short AS varchar(3);
    CREATE DOMAIN shorter AS short CHECK (length(VALUE) < 3);
    CREATE TABLE t (n int PRIMARY KEY, ip inet, net cidr, mac macaddr, mac8 macaddr8, b bit(3), vb bit varying,
        tz timetz, m mood, p pair, ps pair[], r int4range, nr numrange, tr tstzrange, mr int4multirange, x xml,
        v tsvector, money money, l pg_lsn, g point, moods mood[], ad address, sh shorter, c char(3), f name,
        one \"char\", path jsonpath, rounded numeric(3,-2), tiny numeric(2,4));
    INSERT INTO t VALUES (1, '10.0.0.1', '10/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'101', B'0110',
        '23:59:59.5-15:59', 'sad', '(1,\"a \"\"b\"\", \\\\c\")', '{\"(1,x)\",NULL}', '[1,5)', 'empty', '[2024-01-01 00:00+00,infinity)',
        '{[1,2),[5,9)}', '<a>&lt;</a>', $$'a':1A 'b c':2$$, -1234.56, '16/B374D848', '(0.1,-0)',
        $${sad,\"it's \\\"ok\\\"\"}$$, '10.0.0.1', 'ab', 'a', 'n', 'z', '$.a[*] ? (@ > 1)', 12300, 0.0012);
    INSERT INTO t (n) VALUES (2)";

#[tokio::test]
async fn types_without_a_counterpart_go_there_and_back_as_text() {
    let database = database().await;
    database.run(FOREIGN).await;
    let postgres = database.connector();
    let came = read(&postgres, "t").await;
    assert_eq!(
        shown(&came)[0],
        r#"Int(1) Text("10.0.0.1/32") Text("10.0.0.0/8") Text("08:00:2b:01:02:03") Text("08:00:2b:01:02:03:04:05") Text("101") Text("0110") Text("23:59:59.5-15:59") Text("sad") Text("(1,\"a \"\"b\"\", \\\\c\")") Text("{\"(1,x)\",NULL}") Text("[1,5)") Text("empty") Text("[\"2024-01-01 00:00:00+00\",infinity)") Text("{[1,2),[5,9)}") Text("<a>&lt;</a>") Text("'a':1A 'b c':2") Text("-1234.56") Text("16/B374D848") Text("(0.1,-0)") Text("{sad,\"it's \\\"ok\\\"\"}") Text("10.0.0.1/32") Text("ab") Text("a") Text("n") Text("z") Text("$.\"a\"[*]?(@ > 1)") Decimal(12300) Decimal(0.0012)"#
    );
    database
        .run("CREATE TABLE u (LIKE t INCLUDING ALL); CREATE TABLE o (LIKE t INCLUDING ALL); INSERT INTO o (n) VALUES (7)")
        .await;
    let schema = std::sync::Arc::clone(came[0].schema());
    let mut over = upsert("o", &schema);
    over.mode = WriteMode::Overwrite;
    let mut insert = upsert("u", &schema);
    insert.mode = WriteMode::Insert;
    let mut update = upsert("u", &schema);
    update.mode = WriteMode::Update;
    for (request, wanted) in [
        (insert, [2, 0, 0, 0, 0]),
        (upsert("u", &schema), [0, 0, 2, 0, 0]),
        (update, [0, 0, 2, 0, 0]),
        (over, [2, 0, 0, 0, 0]),
    ] {
        let table = request.stream.as_str().to_owned();
        let report = load(&postgres, request, came.clone()).await;
        assert_eq!(tally(&report), wanted, "{:?}", report.rejected);
        let sql = format!("SELECT count(*) FROM t JOIN {table} u USING (n) WHERE t *= u");
        assert_eq!(database.line(&sql).await, "2");
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(database.line(&sql).await, "2");
    }
}

#[tokio::test]
async fn what_the_server_cannot_read_is_rejected_alone() {
    let database = database().await;
    database
        .run("CREATE TABLE t (n int PRIMARY KEY, ip inet, b bit(3), m money)")
        .await;
    let schema = schema(
        vec![
            field("n", DataType::Int32),
            field("ip", DataType::TEXT),
            field("b", DataType::TEXT),
            field("m", DataType::TEXT),
        ],
        &["n"],
    );
    let null = Value::Null;
    let rows: Vec<[Value<'_>; 4]> = [
        [Value::Text("10.0.0.1"), Value::Text("101"), Value::Text("1.50")],
        [Value::Text("300.0.0.1"), null, null],
        [Value::Text("::1"), Value::Text("1"), null],
        [null, null, Value::Text("many")],
        [Value::Text("::2"), null, null],
    ]
    .iter()
    .enumerate()
    .map(|(n, [a, b, c])| [Value::Int(n as i64), *a, *b, *c])
    .collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 4]>::as_slice).collect();
    let postgres = database.connector();
    let report = load(&postgres, upsert("t", &schema), vec![puts(&schema, 0, &rows)]).await;
    assert_eq!(tally(&report), [2, 0, 0, 0, 3]);
    let mut refused: Vec<String> = report
        .rejected
        .iter()
        .map(|one| format!("{} {} {:?}", one.sequence, one.code, one.fields))
        .collect();
    refused.sort_unstable();
    // Of a length that is wrong the server does not say whose it is.
    assert_eq!(refused, [r#"1 22P02 ["ip"]"#, "2 22026 []", r#"3 22P02 ["m"]"#]);
    assert!(
        report
            .rejected
            .iter()
            .all(|one| !one.message.contains("300") && !one.message.contains("many"))
    );
    assert_eq!(
        database.lines("SELECT n, ip, b FROM t ORDER BY n").await,
        ["0|10.0.0.1|101", "4|::2|∅"]
    );
}

#[tokio::test]
async fn a_column_that_would_change_a_value_takes_it_not() {
    let database = database().await;
    database
        .run(
            "CREATE TYPE mood AS ENUM ('sad', 'ok');
             CREATE TABLE t (n int PRIMARY KEY, ts timestamp(3), tz timestamptz(0), t time(1), i interval day to minute,
                d numeric(3,-2), c char(3), m mood, f name, a timestamp(0)[], s numeric(4,2))",
        )
        .await;
    let names = ["ts", "tz", "t", "i", "d", "c", "m", "f", "a", "s"];
    let types = [
        DataType::Timestamp,
        DataType::Instant,
        DataType::Time,
        DataType::Interval,
        DataType::Decimal(None),
        DataType::TEXT,
        DataType::TEXT,
        DataType::TEXT,
        DataType::Array(ElementType::Timestamp),
        DataType::decimal(4, 2),
    ];
    let mut fields = vec![field("n", DataType::Int32)];
    fields.extend(
        names
            .iter()
            .zip(types)
            .map(|(name, data_type)| field(name, data_type)),
    );
    let schema = schema(fields, &["n"]);
    let postgres = database.connector();
    let plan = connector_core::Destination::plan_write(&postgres, &upsert("t", &schema))
        .await
        .unwrap();
    let lossless: Vec<bool> = plan.columns.iter().map(|column| column.lossless).collect();
    let mut wanted = vec![false; 11];
    wanted[0] = true;
    wanted[10] = true;
    assert_eq!(lossless, wanted);
    let told: Vec<bool> = plan
        .columns
        .iter()
        .map(|column| column.reason.is_some())
        .collect();
    assert_eq!(
        told,
        lossless.iter().map(|lossless| !lossless).collect::<Vec<_>>()
    );

    let (mut whole, mut part) = (ArrayBuf::new(), ArrayBuf::new());
    let moment = |micros| Timestamp::from_micros_since_2000(micros);
    let time = |micros| Value::Time(Time::from_micros(micros).unwrap());
    let span = |micros| {
        Value::Interval(Interval {
            months: 1,
            days: 1,
            micros,
        })
    };
    whole.push(&Value::Timestamp(moment(5_000_000)));
    part.push(&Value::Timestamp(moment(5_000_001)));
    let long = "é".repeat(32);
    let good = [
        Value::Timestamp(moment(1_000)),
        Value::Instant(Instant::INFINITY),
        time(86_399_900_000),
        span(-60_000_000),
        decimal("-99900.0"),
        Value::Text(" a"),
        Value::Text("ok"),
        Value::Text(&long[2..]),
        Value::Array(whole.as_array()),
        decimal("NaN"),
    ];
    let bad = [
        Value::Timestamp(moment(1_001)),
        Value::Instant(Instant::from_micros_since_2000(999_999)),
        time(1),
        span(1_000_000),
        decimal("150"),
        Value::Text("a "),
        Value::Text("OK"),
        Value::Text(&long),
        Value::Array(part.as_array()),
        decimal("Infinity"),
    ];
    let mut rows = vec![std::iter::once(Value::Int(0)).chain(good).collect::<Vec<_>>()];
    let sound = rows[0].clone();
    rows.extend((0..10).map(|i| {
        let mut row = sound.clone();
        row[0] = Value::Int(i as i64 + 1);
        row[i + 1] = bad[i];
        row
    }));
    let rows: Vec<&[Value<'_>]> = rows.iter().map(Vec::as_slice).collect();
    let report = load(&postgres, upsert("t", &schema), vec![puts(&schema, 0, &rows)]).await;
    assert_eq!(tally(&report), [1, 0, 0, 0, 10]);
    let told: Vec<String> = report
        .rejected
        .iter()
        .map(|one| format!("{} {}", one.fields[0], one.code))
        .collect();
    assert_eq!(
        told,
        [
            "ts inexact",
            "tz inexact",
            "t inexact",
            "i inexact",
            "d inexact",
            "c trailing_blanks",
            "m unknown_label",
            "f too_long",
            "a inexact",
            "s out_of_range"
        ]
    );
    let row = database
        .line("SELECT ts, tz, t, i, d, c, m, length(f), a, s FROM t")
        .await;
    assert_eq!(
        row,
        "2000-01-01 00:00:00.001|infinity|23:59:59.9|1 mon 1 day -00:01:00|-99900| a |ok|31|{\"2000-01-01 00:00:05\"}|NaN"
    );
}

#[tokio::test]
async fn what_is_read_or_written_as_text_is_said_in_the_plans() {
    let database = database().await;
    database
        .run("CREATE TABLE t (n int PRIMARY KEY, ip inet, m money, c char(3), a int[], plain text, b json)")
        .await;
    let postgres = database.connector();
    let request = ReadRequest::new(Selection::stream("t"), TaskId::new("read", "t"));
    let plan = postgres.plan_read(&request).await.unwrap();
    assert_eq!(
        plan.notes[2..],
        [
            "`ip` is read as text: PostgreSQL's `inet` has no type of its own here",
            "`m` is read as text, the number in plain digits: PostgreSQL's `money` has no type of its own here",
            "`c` is read without the blanks at its end, which do not count",
            "`a` is read as an array; a row whose array has several dimensions, or does not begin at 1, is rejected",
        ]
    );
    let schema = schema(
        vec![
            field("n", DataType::Int32),
            field("ip", DataType::TEXT),
            field("b", DataType::Array(ElementType::Int64)),
            field("plain", DataType::TEXT),
        ],
        &["n"],
    );
    let plan = connector_core::Destination::plan_write(&postgres, &upsert("t", &schema))
        .await
        .unwrap();
    let lines: Vec<String> = plan
        .columns
        .iter()
        .map(|column| {
            format!(
                "{} {} {} {} {}",
                column.name,
                column.from,
                column.to,
                column.lossless,
                column.reason.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "n int32 integer true -",
            "ip text inet false PostgreSQL's `inet` has no type of its own here: the server reads the text, and a row whose text it refuses is rejected",
            "b int64[] json true the array is written as JSON",
            "plain text text true -",
        ]
    );
}

#[tokio::test]
async fn a_key_that_only_the_server_can_read_is_refused_in_the_plan() {
    let database = database().await;
    database.run("CREATE TABLE t (ip inet PRIMARY KEY, v text)").await;
    let schema = schema(
        vec![field("ip", DataType::TEXT), field("v", DataType::TEXT)],
        &["ip"],
    );
    let postgres = database.connector();
    let error = refusal(try_load(&postgres, upsert("t", &schema), vec![]).await);
    assert!(
        error
            .message()
            .contains("records cannot be told apart by `ip` of type inet"),
        "{error}"
    );
    // An insert needs to find none; the server tells which are there.
    let mut request = upsert("t", &schema);
    request.mode = WriteMode::Insert;
    request.match_on.clear();
    let rows = ["10.0.0.1", "10.0.0.1/32", "::1"].map(|ip| [Value::Text(ip), Value::Null]);
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    let report = load(&postgres, request, vec![puts(&schema, 0, &rows)]).await;
    assert_eq!(tally(&report), [2, 0, 0, 0, 1]);
    assert_eq!(report.rejected[0].code, "unique_violation");
}
