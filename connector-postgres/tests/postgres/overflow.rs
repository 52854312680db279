//! More fields than a table holds: the rest is in one column.

use std::sync::Arc;

use connector_core::{
    Batch, DataType, Deletes, Destination, ErrorKind, Field, Identity, Op, Origin, Schema, Target, Value,
    WriteMode, WriteRequest,
};

use crate::support::{
    Database, batch, claim, database, decimal, field, load, puts, refusal, schema, state, tally, upsert,
};

const UNSET: Value<'static> = Value::Unset;
const NULL: Value<'static> = Value::Null;

/// A key `id`, and so many fields `f0`, `f1` and so on.
fn wide(fields: usize, data_type: DataType) -> Arc<Schema> {
    let mut all = vec![field("id", DataType::Int64)];
    all.extend((0..fields).map(|n| field(&format!("f{n}"), data_type)));
    schema(all, &["id"])
}

/// A record of [`wide`] in which all fields are `of` their number.
fn record<'v>(schema: &Schema, id: i64, of: impl Fn(usize) -> Value<'v>) -> Vec<Value<'v>> {
    let fields = 0..schema.fields().len() - 1;
    [Value::Int(id)].into_iter().chain(fields.map(of)).collect()
}

fn records(schema: &Arc<Schema>, rows: &[Vec<Value<'_>>]) -> Batch {
    let rows: Vec<&[Value<'_>]> = rows.iter().map(Vec::as_slice).collect();
    puts(schema, 0, &rows)
}

/// The number of columns that a table has.
async fn columns(database: &Database, table: &str) -> usize {
    let sql = format!(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
    );
    database.line(&sql).await.parse().unwrap()
}

/// The last field of 400 texts, which is folded; and one that has a column.
const FOLDED: usize = 399;
const OWN: usize = 0;

fn texts() -> Arc<Schema> {
    wide(400, DataType::TEXT)
}

/// A record of [`texts`] in which only two fields are not `others`.
fn two<'v>(schema: &Schema, id: i64, own: Value<'v>, folded: Value<'v>, others: Value<'v>) -> Vec<Value<'v>> {
    record(schema, id, |n| match n {
        OWN => own,
        FOLDED => folded,
        _ => others,
    })
}

/// The two fields of each row, and how many others are folded in it.
const TWO: &str = "SELECT id, f0, _rest->>'f399', (SELECT count(*) FROM jsonb_object_keys(_rest - 'f399')) FROM t ORDER BY id";

#[tokio::test]
async fn two_thousand_fields_are_created_and_read_back() {
    for data_type in [DataType::Bool, DataType::Int32, DataType::TEXT] {
        let database = database().await;
        let schema = wide(2_000, data_type);
        let text = |n: usize| format!("värde \"{n}\"\n");
        let texts: Vec<String> = (0..2_000).map(text).collect();
        let value = |n: usize| match data_type {
            DataType::Bool => Value::Bool(n % 3 == 1),
            DataType::Int32 => Value::Int(n as i64 * 1_000_003 % 2_000_000_011 - 1_000),
            _ => Value::Text(&texts[n]),
        };
        let rows = [
            record(&schema, 1, value),
            record(&schema, 2, |n| if n % 2 == 0 { NULL } else { value(n) }),
            record(&schema, 3, |_| NULL),
        ];
        // Into a new table, then into one that is there: nothing differs.
        for tallied in [[3, 0, 0, 0, 0], [0, 0, 3, 0, 0]] {
            let loaded = load(
                &database.connector(),
                upsert("t", &schema),
                vec![records(&schema, &rows)],
            )
            .await;
            assert_eq!(tally(&loaded), tallied, "{data_type}");
        }
        let own = columns(&database, "t").await - 1;
        assert!(own > 300, "{own} columns");
        let column = |n: usize| {
            if n + 1 < own {
                format!("f{n}::text")
            } else {
                format!("_rest->>'f{n}'")
            }
        };
        for (id, row) in rows.iter().enumerate().map(|(i, row)| (i + 1, row)) {
            for numbers in (0..2_000).collect::<Vec<_>>().chunks(500) {
                let list: Vec<String> = numbers.iter().map(|&n| column(n)).collect();
                let sql = format!("SELECT ARRAY[{}]::text FROM t WHERE id = {id}", list.join(", "));
                let wanted: Vec<String> = numbers.iter().map(|&n| row[n + 1]).map(quoted).collect();
                assert_eq!(
                    database.line(&sql).await,
                    format!("{{{}}}", wanted.join(",")),
                    "{data_type} {id}"
                );
            }
        }
        assert_eq!(database.line("SELECT _rest FROM t WHERE id = 3").await, "∅");
    }
}

/// A value as an element of PostgreSQL's array of texts.
fn quoted(value: Value<'_>) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Text(text) => format!("\"{}\"", text.replace('"', "\\\"")),
        value => value.to_string(),
    }
}

#[tokio::test]
async fn a_row_with_a_value_in_each_field_fits_whatever_they_are() {
    let long: Vec<String> = (0..600).map(|n| noise(8_000, n)).collect();
    for (fields, data_type, length) in [
        (1_000, DataType::Int64, 0),
        (600, DataType::TEXT, 8_000),
        (600, DataType::TEXT, 23),
        (1_595, DataType::Bool, 0),
        (900, DataType::Interval, 0),
    ] {
        let database = database().await;
        let schema = wide(fields, data_type);
        let value = |n: usize| match data_type {
            DataType::Int64 => Value::Int(i64::MAX - n as i64),
            DataType::Bool => Value::Bool(true),
            DataType::Interval => Value::Interval(connector_core::value::Interval {
                months: 1,
                days: 2,
                micros: n as i64,
            }),
            _ => Value::Text(&long[n][..length]),
        };
        let rows = [record(&schema, 1, value), record(&schema, 2, value)];
        let loaded = load(
            &database.connector(),
            upsert("t", &schema),
            vec![records(&schema, &rows)],
        )
        .await;
        assert_eq!(tally(&loaded), [2, 0, 0, 0, 0], "{data_type} {length}");
        // Through the staging table, with a mask.
        let mut partial = rows.clone();
        partial[0][1] = UNSET;
        partial[1][fields] = NULL;
        let loaded = load(
            &database.connector(),
            upsert("t", &schema),
            vec![records(&schema, &partial)],
        )
        .await;
        assert_eq!(tally(&loaded), [0, 1, 1, 0, 0], "{data_type} {length}");
    }
}

/// Text that does not compress.
fn noise(length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + (state >> 60) as u8)
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[tokio::test]
async fn every_type_is_what_it_was_when_folded() {
    use connector_core::ElementType;
    use connector_core::value::{ArrayBuf, Date, Instant, Interval, Time, Timestamp};
    let database = database().await;
    let mut list = ArrayBuf::new();
    list.push(&Value::Text("a\"b"));
    list.push(&NULL);
    let moment = Instant::from_unix_micros(1_700_000_000_123_456);
    let odd = [
        (DataType::Bool, Value::Bool(false), "boolean", "f"),
        (DataType::Int16, Value::Int(-32_768), "smallint", "-32768"),
        (
            DataType::Int64,
            Value::Int(i64::MIN),
            "bigint",
            "-9223372036854775808",
        ),
        (DataType::Float32, Value::Float32(0.1), "real", "0.1"),
        (DataType::Float64, Value::Float64(-0.0), "double precision", "-0"),
        (
            DataType::Float64,
            Value::Float64(5e-324),
            "double precision",
            "5e-324",
        ),
        (
            DataType::Float64,
            Value::Float64(f64::MAX),
            "double precision",
            "1.7976931348623157e+308",
        ),
        (
            DataType::Float64,
            Value::Float64(f64::NAN),
            "double precision",
            "NaN",
        ),
        (
            DataType::Decimal(None),
            decimal("-12345678901234567890.1200"),
            "numeric",
            "-12345678901234567890.1200",
        ),
        (
            DataType::TEXT,
            Value::Text("\u{1}\t\\ 改行 🚀"),
            "text",
            "\u{1}\t\\ 改行 🚀",
        ),
        (DataType::TEXT, Value::Text(""), "text", ""),
        (DataType::Bytes, Value::Bytes(&[0, 255]), "text", "00ff"),
        (
            DataType::Date,
            Value::Date(Date::parse("2024-02-29").unwrap()),
            "date",
            "2024-02-29",
        ),
        (
            DataType::Time,
            Value::Time(Time::parse("23:59:59.000001").unwrap()),
            "time",
            "23:59:59.000001",
        ),
        (
            DataType::Timestamp,
            Value::Timestamp(Timestamp::parse("2024-02-29T01:02:03.5").unwrap()),
            "timestamp",
            "2024-02-29 01:02:03.5",
        ),
        (
            DataType::Instant,
            Value::Instant(moment),
            "timestamptz AT TIME ZONE 'UTC'",
            "2023-11-14 22:13:20.123456",
        ),
        (
            DataType::Interval,
            Value::Interval(Interval {
                months: 14,
                days: -3,
                micros: 1,
            }),
            "interval",
            "1 year 2 mons -3 days +00:00:00.000001",
        ),
        (
            DataType::Uuid,
            Value::Uuid([7; 16]),
            "uuid",
            "07070707-0707-0707-0707-070707070707",
        ),
        (
            DataType::Json,
            Value::Json(r#"{"b": [1.0, null], "a": null}"#),
            "text",
            r#"{"a": null, "b": [1.0, null]}"#,
        ),
        (
            DataType::Array(ElementType::Text),
            Value::Array(list.as_array()),
            "text",
            r#"["a\"b", null]"#,
        ),
    ];
    let mut fields = vec![field("id", DataType::Int64)];
    fields.extend((0..350).map(|n| field(&format!("f{n}"), DataType::TEXT)));
    fields.extend(
        odd.iter()
            .enumerate()
            .map(|(n, odd)| field(&format!("Odd \"{n}'s\\"), odd.0)),
    );
    let schema = schema(fields, &["id"]);
    let mut row = vec![Value::Int(1)];
    row.extend([NULL; 350]);
    row.extend(odd.iter().map(|odd| odd.1));
    // Straight into the table, then compared with what is there, then as a patch.
    let mut patch = row.clone();
    patch[340] = UNSET;
    for (row, tallied) in [
        (&row, [1, 0, 0, 0, 0]),
        (&row, [0, 0, 1, 0, 0]),
        (&patch, [0, 0, 1, 0, 0]),
    ] {
        let loaded = load(
            &database.connector(),
            upsert("t", &schema),
            vec![records(&schema, std::slice::from_ref(row))],
        )
        .await;
        assert_eq!(tally(&loaded), tallied);
    }
    for (n, (_, _, sql_type, wanted)) in odd.iter().enumerate() {
        let sql = format!("SELECT (_rest->>E'Odd \"{n}\\'s\\\\')::{sql_type} FROM t");
        assert_eq!(database.line(&sql).await, *wanted, "{sql}");
    }
}

#[tokio::test]
async fn an_upsert_changes_what_differs_and_nothing_else() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let x = Value::Text("x");
    let y = Value::Text("y");
    let first = [
        two(&schema, 1, x, x, x),
        two(&schema, 2, x, x, NULL),
        two(&schema, 3, x, x, x),
    ];
    load(&postgres, upsert("t", &schema), vec![records(&schema, &first)]).await;
    let others: usize = database
        .line("SELECT count(*) FROM jsonb_object_keys((SELECT _rest FROM t WHERE id = 1))")
        .await
        .parse()
        .unwrap();
    assert_eq!(
        database.lines(TWO).await,
        [
            format!("1|x|x|{}", others - 1),
            "2|x|x|0".into(),
            format!("3|x|x|{}", others - 1)
        ]
    );
    // Only a folded field differs; one is cleared; one is the same.
    let second = [
        two(&schema, 1, x, y, x),
        two(&schema, 2, x, NULL, NULL),
        two(&schema, 3, x, x, x),
    ];
    let before = database.line("SELECT xmin FROM t WHERE id = 3").await;
    let loaded = load(&postgres, upsert("t", &schema), vec![records(&schema, &second)]).await;
    assert_eq!(tally(&loaded), [0, 2, 1, 0, 0]);
    assert_eq!(
        database.lines(TWO).await,
        [
            format!("1|x|y|{}", others - 1),
            "2|x|∅|0".into(),
            format!("3|x|x|{}", others - 1)
        ]
    );
    assert_eq!(database.line("SELECT _rest FROM t WHERE id = 2").await, "∅");
    assert_eq!(database.line("SELECT xmin FROM t WHERE id = 3").await, before);
}

#[tokio::test]
async fn unset_leaves_alone_and_null_clears_folded_or_not() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let (x, y) = (Value::Text("x"), Value::Text("y"));
    let first: Vec<_> = (1..=6).map(|id| two(&schema, id, x, x, x)).collect();
    load(&postgres, upsert("t", &schema), vec![records(&schema, &first)]).await;
    let second = [
        // Nothing is said of what is folded; or only of one; or only a null.
        record(&schema, 1, |n| if n < 300 { y } else { UNSET }),
        two(&schema, 2, UNSET, y, UNSET),
        two(&schema, 3, UNSET, NULL, UNSET),
        // All but one; all; the same.
        two(&schema, 4, UNSET, UNSET, NULL),
        two(&schema, 5, y, NULL, NULL),
        two(&schema, 6, UNSET, x, UNSET),
        // A new row is what it says.
        two(&schema, 7, x, y, UNSET),
        two(&schema, 8, x, NULL, UNSET),
        two(&schema, 9, x, UNSET, UNSET),
    ];
    let loaded = load(&postgres, upsert("t", &schema), vec![records(&schema, &second)]).await;
    let lines = database.lines(TWO).await;
    let others = lines[0].rsplit('|').next().unwrap().to_owned();
    assert!(others.parse::<usize>().unwrap() > 50);
    assert_eq!(tally(&loaded), [3, 5, 1, 0, 0]);
    assert_eq!(
        lines,
        [
            format!("1|y|x|{others}"),
            format!("2|x|y|{others}"),
            format!("3|x|∅|{others}"),
            "4|x|x|0".to_owned(),
            "5|y|∅|0".to_owned(),
            format!("6|x|x|{others}"),
            "7|x|y|0".to_owned(),
            "8|x|∅|0".to_owned(),
            "9|x|∅|0".to_owned(),
        ]
    );
    assert_eq!(
        database
            .lines("SELECT id FROM t WHERE _rest IS NULL ORDER BY id")
            .await,
        ["5", "8", "9"]
    );
    assert_eq!(database.lines("SELECT id FROM t WHERE _rest ? ''").await, [""; 0]);
}

#[tokio::test]
async fn the_last_that_says_something_wins_within_a_commit() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let (x, y, z) = (Value::Text("x"), Value::Text("y"), Value::Text("z"));
    load(
        &postgres,
        upsert("t", &schema),
        vec![records(
            &schema,
            &[two(&schema, 1, x, x, x), two(&schema, 5, x, x, x)],
        )],
    )
    .await;
    let other = |id: i64, value| record(&schema, id, move |n| if n == 398 { value } else { UNSET });
    let puts = [
        // A patch upon a patch.
        two(&schema, 1, UNSET, y, UNSET),
        other(1, NULL),
        // A patch upon a whole record, in a new row.
        two(&schema, 2, x, x, x),
        two(&schema, 2, UNSET, NULL, UNSET),
        // A whole record upon a patch.
        two(&schema, 3, UNSET, y, UNSET),
        two(&schema, 3, z, NULL, z),
        // Two patches, a new row.
        other(4, z),
        two(&schema, 4, x, y, UNSET),
        // A patch, and one that says nothing of what is folded.
        two(&schema, 5, UNSET, z, UNSET),
        two(&schema, 5, y, UNSET, UNSET),
        // Nothing is said of what is folded, twice.
        two(&schema, 6, x, UNSET, UNSET),
        two(&schema, 6, y, UNSET, UNSET),
    ];
    let mut rows: Vec<(Op, &[Value<'_>])> = puts.iter().map(|row| (Op::Put, row.as_slice())).collect();
    // A record after a delete starts from nothing.
    let (gone, again) = ([Value::Int(5)], two(&schema, 5, x, y, UNSET));
    let deletes = [(Op::Delete, gone.as_slice()), (Op::Put, again.as_slice())];
    let shown = "SELECT id, f0, _rest->>'f398', _rest->>'f399', (SELECT count(*) FROM jsonb_object_keys(_rest)) FROM t ORDER BY id";
    load(&postgres, upsert("t", &schema), vec![batch(&schema, 0, &rows)]).await;
    let lines = database.lines(shown).await;
    let folded: usize = lines[4].rsplit('|').next().unwrap().parse().unwrap();
    let wanted = [
        format!("1|x|∅|y|{}", folded - 1),
        format!("2|x|x|∅|{}", folded - 1),
        format!("3|z|z|∅|{}", folded - 1),
        "4|x|z|y|2".to_owned(),
        format!("5|y|x|z|{folded}"),
        "6|y|∅|∅|0".to_owned(),
    ];
    assert_eq!(lines, wanted);
    rows.clear();
    rows.push((Op::Put, &puts[8]));
    rows.extend(deletes);
    load(&postgres, upsert("t", &schema), vec![batch(&schema, 0, &rows)]).await;
    assert_eq!(database.lines(shown).await[4], "5|x|∅|y|1");
    // The same into a table that is not there yet.
    let rows: Vec<(Op, &[Value<'_>])> = puts[2..8].iter().map(|row| (Op::Put, row.as_slice())).collect();
    load(&postgres, upsert("u", &schema), vec![batch(&schema, 0, &rows)]).await;
    assert_eq!(
        database.lines(&shown.replace("FROM t", "FROM u")).await,
        wanted[1..4]
    );
}

#[tokio::test]
async fn what_is_a_column_stays_one_and_what_was_folded_stays_folded() {
    let database = database().await;
    let postgres = database.connector();
    let x = Value::Text("x");
    let schema = texts();
    load(
        &postgres,
        upsert("t", &schema),
        vec![records(&schema, &[record(&schema, 1, |_| x)])],
    )
    .await;
    let before = columns(&database, "t").await;
    // A new field comes first, and one of the columns is gone; the old rows stay as they are.
    let mut fields = vec![field("new", DataType::Int64)];
    fields.extend(
        schema
            .fields()
            .iter()
            .filter(|field| field.name != "f0" && field.name != "f398")
            .cloned(),
    );
    let other = schema_of(fields);
    let row = |id: i64| -> Vec<Value<'static>> {
        let fields = other.fields().iter();
        fields
            .map(|field| match field.name.as_str() {
                "id" => Value::Int(id),
                "new" => Value::Int(7),
                _ => Value::Text("x"),
            })
            .collect()
    };
    let request = upsert("t", &other);
    let plan = postgres.plan_write(&request).await.unwrap();
    let note = plan.notes.iter().find(|note| note.contains("_rest")).unwrap();
    assert!(
        note.contains("because the table keeps new fields there: `new`, "),
        "{note}"
    );
    let loaded = load(&postgres, request, vec![records(&other, &[row(1), row(2)])]).await;
    assert_eq!(tally(&loaded), [1, 1, 0, 0, 0]);
    assert_eq!(columns(&database, "t").await, before);
    assert_eq!(
        database
            .lines("SELECT id, f0, _rest->>'new', _rest->>'f398', _rest->>'f399' FROM t ORDER BY id")
            .await,
        // What nobody writes any more stays: a column, or folded.
        ["1|x|7|x|x", "2|∅|7|∅|x"]
    );
    // A column made by hand for a folded field is that field's from then on.
    database
        .run("ALTER TABLE t ADD COLUMN f399 text, DROP COLUMN f5")
        .await;
    let loaded = load(
        &postgres,
        upsert("t", &schema),
        vec![records(&schema, &[record(&schema, 1, |_| x)])],
    )
    .await;
    assert_eq!(tally(&loaded), [0, 1, 0, 0, 0]);
    assert_eq!(
        database
            .line("SELECT f399, _rest ? 'f399', _rest->>'f5', _rest->>'new' FROM t WHERE id = 1")
            .await,
        "x|f|x|7"
    );
    assert_eq!(columns(&database, "t").await, before);
}

fn schema_of(fields: Vec<Field>) -> Arc<Schema> {
    schema(fields, &["id"])
}

#[tokio::test]
async fn a_table_that_is_there_takes_new_columns_while_it_has_room() {
    let database = database().await;
    let postgres = database.connector();
    // 1,590 columns, of which 90 are gone: six more, one of them for the rest.
    let list: Vec<String> = (0..1_589).map(|n| format!("f{n} boolean")).collect();
    let gone: Vec<String> = (0..90).map(|n| format!("DROP COLUMN f{n}")).collect();
    database
        .run(&format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, {}); ALTER TABLE t {}",
            list.join(", "),
            gone.join(", ")
        ))
        .await;
    let mut fields: Vec<Field> = vec![field("id", DataType::Int64)];
    fields.extend((90..1_620).map(|n| field(&format!("f{n}"), DataType::Bool)));
    let wide = schema_of(fields);
    let row = |id: i64| record(&wide, id, |n| Value::Bool(n % 2 == 0));
    for (id, tallied) in [(1, [1, 0, 0, 0, 0]), (1, [0, 0, 1, 0, 0])] {
        let loaded = load(&postgres, upsert("t", &wide), vec![records(&wide, &[row(id)])]).await;
        assert_eq!(tally(&loaded), tallied);
        assert_eq!(columns(&database, "t").await, 1_500 + 10);
    }
    assert_eq!(
        database.line("SELECT f1588, f1597, _rest->>'f1598', _rest->>'f1619', (SELECT count(*) FROM jsonb_object_keys(_rest)) FROM t").await,
        "t|f|true|false|22"
    );
    // One that has had all of its columns takes none for the rest either.
    database.run("CREATE TABLE full_up (id bigint PRIMARY KEY)").await;
    for part in (0..1_599).collect::<Vec<_>>().chunks(400) {
        let list: Vec<String> = part.iter().map(|n| format!("ADD COLUMN g{n} boolean")).collect();
        database
            .run(&format!("ALTER TABLE full_up {}", list.join(", ")))
            .await;
    }
    database
        .run("ALTER TABLE full_up DROP COLUMN g0, DROP COLUMN g1")
        .await;
    let error = refusal(postgres.plan_write(&upsert("full_up", &wide)).await);
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert_eq!(
        error.report().to_string(),
        "\"public\".\"full_up\" has had 1600 columns of the 1600 that PostgreSQL gives a table, dropped ones included: there is no \
         room for new fields, nor for the column `_rest` that would hold them\nhelp: copy the table into a new one, which counts \
         only the columns that are there, or leave fields out with `columns` or `except`"
    );
}

#[tokio::test]
async fn a_table_whose_rows_are_wide_gets_its_new_fields_folded() {
    let database = database().await;
    let postgres = database.connector();
    let list: Vec<String> = (0..330).map(|n| format!("g{n} text")).collect();
    database
        .run(&format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, {})",
            list.join(", ")
        ))
        .await;
    let schema = wide(20, DataType::TEXT);
    let x = Value::Text("x");
    load(
        &postgres,
        upsert("t", &schema),
        vec![records(&schema, &[record(&schema, 1, |_| x)])],
    )
    .await;
    let folded = database
        .line("SELECT count(*) FROM t, jsonb_object_keys(_rest)")
        .await
        .parse::<usize>()
        .unwrap();
    assert!((1..20).contains(&folded), "{folded}");
    assert_eq!(columns(&database, "t").await, 331 + 20 - folded + 1);
}

#[tokio::test]
async fn a_field_called_like_the_column_for_the_rest_is_refused_only_where_it_is_in_the_way() {
    let database = database().await;
    let postgres = database.connector();
    let mut fields = texts().fields().to_vec();
    fields.push(field("_rest", DataType::TEXT));
    let narrow = schema_of(fields[390..].iter().chain(&fields[..1]).cloned().collect());
    let row: Vec<Value<'_>> = (0..narrow.fields().len())
        .map(|n| {
            if narrow.fields()[n].name == "id" {
                Value::Int(1)
            } else {
                Value::Text("x")
            }
        })
        .collect();
    load(&postgres, upsert("t", &narrow), vec![records(&narrow, &[row])]).await;
    assert_eq!(
        database.line("SELECT pg_typeof(_rest), _rest FROM t").await,
        "text|x"
    );
    let error = refusal(postgres.plan_write(&upsert("u", &schema_of(fields))).await);
    assert_eq!(
        error.report().to_string(),
        "the field `_rest` would share its column with the fields that have no column of their own\n  table: \"public\".\"u\"\n\
         help: give the field another name with `fields`, or leave fields out with `columns` or `except`"
    );
    // A column of that name that holds something else.
    let error = refusal(postgres.plan_write(&upsert("t", &texts())).await);
    assert_eq!(
        error.to_string(),
        "`_rest` is there and cannot hold fields: it is no jsonb that takes nulls"
    );
}

#[tokio::test]
async fn keys_and_kept_fields_always_have_columns() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let mut request = upsert("t", &schema).with_match_on(vec!["f398".to_owned(), "f399".to_owned()]);
    request.keep = vec!["f397".to_owned()];
    let (x, y) = (Value::Text("x"), Value::Text("y"));
    load(
        &postgres,
        request.clone(),
        vec![records(&schema, &[record(&schema, 1, |_| x)])],
    )
    .await;
    load(
        &postgres,
        request,
        vec![records(
            &schema,
            &[record(&schema, 1, |n| if n < 398 { y } else { x })],
        )],
    )
    .await;
    assert_eq!(
        database
            .line("SELECT id, f0, f397, f398, f399, _rest->>'f396' FROM t")
            .await,
        "1|y|x|x|x|y"
    );
    let many = (0..400).map(|n| format!("f{n}")).collect();
    let error = refusal(postgres.plan_write(&upsert("u", &schema).with_keep(many)).await);
    assert_eq!(
        error.report().to_string(),
        "the 401 fields that rows are found by, or that are kept, are more than a row of PostgreSQL holds\n  table: \"public\".\"u\"\n\
         help: name fewer with `match_on` and `keep`"
    );
}

#[tokio::test]
async fn a_record_whose_folded_field_cannot_be_stored_is_rejected_alone() {
    let database = database().await;
    let mut config = database.config.clone();
    config.keep_payload = true;
    let postgres = connector_postgres::Postgres::new(config).unwrap();
    let schema = texts();
    let x = Value::Text("x");
    for round in 0..2_i64 {
        let request = upsert("t", &schema);
        let fence = claim(&postgres, &request.task).await.fence;
        let first = round * 10;
        let rows = [
            two(&schema, first + 1, x, x, x),
            two(&schema, first + 2, x, Value::Text("a\0b"), NULL),
            two(&schema, first + 3, x, x, x),
            two(&schema, first + 4, x, Value::Text("c\0"), UNSET),
        ];
        let loaded = load(
            &postgres,
            request.with_fence(Some(fence)),
            vec![records(&schema, &rows)],
        )
        .await;
        assert_eq!(tally(&loaded), [2, 0, 0, 0, 2]);
        for rejection in &loaded.rejected {
            assert_eq!(rejection.code, "nul_character");
            assert_eq!(rejection.fields, ["f399"]);
            assert!(
                rejection.message.ends_with("(`f399`, in `_rest`)"),
                "{}",
                rejection.message
            );
        }
    }
    // What the records held is as they said it: null is null, and what is unset is left out.
    assert_eq!(
        database
            .lines("SELECT key, payload #>> '{}' LIKE '%\"f398\":null,\"f399\":\"a\\\\u0000b\"}', length(payload #>> '{}') > 4000 FROM sync.rejection ORDER BY rejected_at, sequence")
            .await,
        ["2|t|t", "4|f|f", "12|t|t", "14|f|f"]
    );
    assert_eq!(database.line("SELECT count(*) FROM t").await, "4");
    // One that only the server refuses, from the staging table.
    database.run("ALTER TABLE t ADD CHECK (f0 <> 'bad')").await;
    let request = upsert("t", &schema);
    let fence = claim(&postgres, &request.task).await.fence;
    let bad = Value::Text("bad");
    let rows = [
        two(&schema, 21, bad, x, NULL),
        two(&schema, 22, bad, x, UNSET),
        two(&schema, 23, x, x, x),
    ];
    let loaded = load(
        &postgres,
        request.with_fence(Some(fence)),
        vec![records(&schema, &rows)],
    )
    .await;
    assert_eq!(tally(&loaded), [1, 0, 0, 0, 2]);
    assert_eq!(
        database
            .lines("SELECT key, payload->>'f0', payload->>'f399', payload ? 'f398', payload ? '_rest', (SELECT count(*) FROM jsonb_object_keys(payload)) FROM sync.rejection WHERE code = 'check_violation' ORDER BY sequence")
            .await,
        ["21|bad|x|t|f|401", "22|bad|x|f|f|3"]
    );
}

fn in_mode(schema: &Arc<Schema>, mode: WriteMode) -> WriteRequest {
    let mut request = upsert("t", schema);
    request.mode = mode;
    request
}

#[tokio::test]
async fn inserts_fold_whatever_a_record_leaves_unset() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let (x, y) = (Value::Text("x"), Value::Text("y"));
    let loose = in_mode(&schema, WriteMode::Insert).with_match_on(Vec::new());
    // Into a new table, and into one that is there: each record is a row of its own.
    for round in 0..2 {
        let whole = [two(&schema, 1, x, x, NULL), two(&schema, 2, x, NULL, NULL)];
        let partial = [two(&schema, 3, x, y, UNSET), two(&schema, 4, UNSET, NULL, UNSET)];
        let batches = vec![
            records(&schema, &whole),
            records(&schema, &partial),
            records(&schema, &whole),
        ];
        let loaded = load(&postgres, loose.clone(), batches).await;
        assert_eq!(tally(&loaded), [6, 0, 0, 0, 0], "{round}");
    }
    let twice = ["1|x|x|0", "1|x|x|0", "2|x|∅|0", "2|x|∅|0", "3|x|y|0", "4|∅|∅|0"];
    let wanted: Vec<&str> = twice.iter().flat_map(|line| [*line, *line]).collect();
    assert_eq!(database.lines(TWO).await, wanted);
}

#[tokio::test]
async fn an_update_changes_folded_fields_of_rows_that_are_there() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let (x, y) = (Value::Text("x"), Value::Text("y"));
    let first: Vec<_> = (1..=3).map(|id| two(&schema, id, x, x, NULL)).collect();
    load(&postgres, upsert("t", &schema), vec![records(&schema, &first)]).await;
    for (rows, tallied) in [
        // All of them are whole, then some leave something unset.
        (
            vec![
                two(&schema, 1, x, y, NULL),
                two(&schema, 2, x, x, NULL),
                two(&schema, 9, x, x, NULL),
            ],
            [0, 1, 1, 0, 1],
        ),
        (
            vec![
                two(&schema, 2, UNSET, NULL, UNSET),
                two(&schema, 3, UNSET, x, UNSET),
            ],
            [0, 1, 1, 0, 0],
        ),
    ] {
        let loaded = load(
            &postgres,
            in_mode(&schema, WriteMode::Update),
            vec![records(&schema, &rows)],
        )
        .await;
        assert_eq!(tally(&loaded), tallied);
    }
    assert_eq!(database.lines(TWO).await, ["1|x|y|0", "2|x|∅|0", "3|x|x|0"]);
}

#[tokio::test]
async fn many_rows_are_merged_either_way() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let rows = |changed: i64| -> Vec<Vec<Value<'static>>> {
        let value = |id| Value::Text(if id < changed { "y" } else { "x" });
        (0..1_500)
            .map(|id| two(&schema, id, Value::Text("x"), value(id), NULL))
            .collect()
    };
    load(&postgres, upsert("t", &schema), vec![records(&schema, &rows(0))]).await;
    // Few differ, then most.
    for (changed, tallied) in [(5, [0, 5, 1_495, 0, 0]), (1_400, [0, 1_395, 105, 0, 0])] {
        let loaded = load(
            &postgres,
            upsert("t", &schema),
            vec![records(&schema, &rows(changed))],
        )
        .await;
        assert_eq!(tally(&loaded), tallied);
        assert_eq!(
            database
                .line("SELECT count(*) FROM t WHERE _rest = '{\"f399\": \"y\"}'")
                .await,
            changed.to_string()
        );
    }
}

#[tokio::test]
async fn a_history_keeps_every_version_of_what_is_folded() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let (x, y) = (Value::Text("x"), Value::Text("y"));
    let commits = [
        (
            vec![two(&schema, 1, x, x, x), two(&schema, 2, x, x, NULL)],
            [2, 0, 0, 0, 0],
        ),
        (
            vec![two(&schema, 1, x, x, x), two(&schema, 2, x, y, NULL)],
            [0, 1, 1, 0, 0],
        ),
        (
            vec![two(&schema, 1, UNSET, NULL, UNSET), two(&schema, 3, x, y, UNSET)],
            [1, 1, 0, 0, 0],
        ),
    ];
    for (rows, tallied) in commits {
        let loaded = load(
            &postgres,
            in_mode(&schema, WriteMode::History),
            vec![records(&schema, &rows)],
        )
        .await;
        assert_eq!(tally(&loaded), tallied);
    }
    let gone = [Value::Int(3)];
    load(
        &postgres,
        in_mode(&schema, WriteMode::History),
        vec![batch(&schema, 0, &[(Op::Delete, &gone)])],
    )
    .await;
    let all = database
        .line("SELECT count(*) FROM t, jsonb_object_keys(_rest) WHERE id = 1 AND NOT _current")
        .await;
    let others = all.parse::<usize>().unwrap() - 1;
    assert_eq!(
        database
            .lines("SELECT id, f0, _rest->>'f399', (SELECT count(*) FROM jsonb_object_keys(_rest - 'f399')), _current FROM t ORDER BY id, _valid_from")
            .await,
        [
            format!("1|x|x|{others}|f"),
            format!("1|x|∅|{others}|t"),
            "2|x|x|0|f".to_owned(),
            "2|x|y|0|t".to_owned(),
            "3|x|y|0|f".to_owned(),
        ]
    );
}

#[tokio::test]
async fn an_overwrite_folds_beside_and_in_place() {
    for view in [None, Some("CREATE VIEW shown AS SELECT id, _rest FROM t")] {
        let database = database().await;
        let postgres = database.connector();
        let schema = texts();
        let (x, y) = (Value::Text("x"), Value::Text("y"));
        let overwrite = || in_mode(&schema, WriteMode::Overwrite);
        load(
            &postgres,
            overwrite(),
            vec![records(
                &schema,
                &[two(&schema, 1, x, x, x), two(&schema, 2, x, x, NULL)],
            )],
        )
        .await;
        assert_eq!(database.line("SELECT col_description('t'::regclass, attnum) IS NOT NULL FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = '_rest'").await, "t");
        let before = columns(&database, "t").await;
        if let Some(view) = view {
            database.run(view).await;
        }
        // Cut short after a commit, gone on with, and with patches of one key.
        let first = claim(&postgres, &overwrite().task).await;
        let mut one = postgres
            .writer(overwrite().with_fence(Some(first.fence.clone())))
            .await
            .unwrap();
        one.write(records(
            &schema,
            &[two(&schema, 1, x, y, NULL), two(&schema, 3, x, y, NULL)],
        ))
        .await
        .unwrap();
        one.commit(Some(&state(1))).await.unwrap();
        drop((one, first));
        let second = claim(&postgres, &overwrite().task).await;
        let request = overwrite()
            .with_fence(Some(second.fence.clone()))
            .with_resumes(true);
        let mut two_ = postgres.writer(request).await.unwrap();
        two_.write(records(
            &schema,
            &[two(&schema, 3, UNSET, NULL, UNSET), two(&schema, 4, x, UNSET, x)],
        ))
        .await
        .unwrap();
        two_.finish(Some(&state(2))).await.unwrap();
        let folded = database
            .line("SELECT count(*) FROM t, jsonb_object_keys(_rest) WHERE id = 4")
            .await;
        assert_eq!(
            database.lines(TWO).await,
            [
                "1|x|y|0".to_owned(),
                "3|x|∅|0".to_owned(),
                format!("4|x|∅|{folded}")
            ]
        );
        assert_eq!(columns(&database, "t").await, before);
    }
}

#[tokio::test]
async fn an_overwrite_does_not_go_on_with_a_table_that_folds_other_fields() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let overwrite = || in_mode(&schema, WriteMode::Overwrite);
    let row = two(&schema, 1, Value::Text("x"), Value::Text("x"), NULL);
    load(
        &postgres,
        overwrite(),
        vec![records(&schema, std::slice::from_ref(&row))],
    )
    .await;
    let first = claim(&postgres, &overwrite().task).await;
    let mut one = postgres
        .writer(overwrite().with_fence(Some(first.fence.clone())))
        .await
        .unwrap();
    one.write(records(&schema, &[row])).await.unwrap();
    one.commit(Some(&state(1))).await.unwrap();
    drop((one, first));
    database.run("ALTER TABLE t ADD COLUMN f399 text").await;
    let second = claim(&postgres, &overwrite().task).await;
    let error = refusal(
        postgres
            .writer(
                overwrite()
                    .with_fence(Some(second.fence.clone()))
                    .with_resumes(true),
            )
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::State);
    assert_eq!(
        error.to_string(),
        "the columns of \"public\".\"t\" have been changed since an earlier run began to overwrite it"
    );
}

#[tokio::test]
async fn deletes_and_prunes_name_rows_of_wide_tables() {
    let database = database().await;
    let postgres = database.connector();
    // More fields than a table has columns: nothing but the key of them is looked at.
    let schema = wide(2_000, DataType::TEXT);
    let rows: Vec<_> = (1..=10)
        .map(|id| record(&schema, id, |_| Value::Text("x")))
        .collect();
    let all = records(&schema, &rows);
    load(&postgres, upsert("t", &schema), vec![all.clone()]).await;
    let delete = in_mode(&schema, WriteMode::Delete).with_deletes(Deletes::Soft);
    assert_eq!(postgres.plan_write(&delete).await.unwrap().columns.len(), 1);
    let loaded = load(&postgres, delete, vec![records(&schema, &rows[8..])]).await;
    assert_eq!(tally(&loaded), [0, 0, 0, 2, 0]);
    // A row that is marked comes back with what is folded.
    let soft = upsert("t", &schema).with_deletes(Deletes::Soft);
    let loaded = load(&postgres, soft, vec![records(&schema, &rows[8..9])]).await;
    assert_eq!(tally(&loaded), [0, 1, 0, 0, 0]);
    assert_eq!(
        database
            .line("SELECT count(*) FROM t WHERE _deleted_at IS NULL AND _rest->>'f1999' = 'x'")
            .await,
        "9"
    );
    let loaded = load(
        &postgres,
        in_mode(&schema, WriteMode::Delete),
        vec![records(&schema, &rows[..2])],
    )
    .await;
    assert_eq!(tally(&loaded), [0, 0, 0, 2, 0]);
    // Other tests have transactions that are older than the rows.
    let prune = in_mode(&schema, WriteMode::Prune).with_max_delete(1.0);
    let loaded = load(&postgres, prune, vec![records(&schema, &rows[2..9])]).await;
    assert_eq!(loaded.counts.unchanged, 7);
}

#[tokio::test]
async fn a_plan_names_what_is_folded_and_says_why() {
    let database = database().await;
    let postgres = database.connector();
    let schema = wide(2_000, DataType::Bool);
    let plan = postgres.plan_write(&upsert("t", &schema)).await.unwrap();
    assert_eq!(
        plan.notes,
        [
            "makes \"public\".\"t\" with 1596 columns and the primary key (id)",
            "fields without a column of their own, 406 of them, go into the jsonb column `_rest`, because a table of PostgreSQL has \
             1,600 columns at most, dropped ones included: `f1594`, `f1595`, `f1596`, `f1597`, `f1598`, `f1599`, `f1600`, `f1601`, \
             `f1602`, `f1603` and 396 more; in SQL, \"_rest\"->>'name' is the value of one"
        ]
    );
    assert_eq!(plan.columns.len(), 2_001);
    let names: std::collections::HashSet<&str> =
        plan.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names.len(), 2_001);
    let column = plan.columns.last().unwrap();
    assert_eq!(
        (column.name.as_str(), column.from.as_str(), column.to.as_str()),
        ("f1999", "bool", "jsonb, in `_rest`")
    );
    assert_eq!(
        column.reason.as_deref(),
        Some("it has no column of its own; a null is left out of `_rest`")
    );
    let plan = postgres
        .plan_write(&upsert("t", &wide(340, DataType::TEXT)))
        .await
        .unwrap();
    assert!(plan.notes[1].contains(
        "because a row of PostgreSQL lies in one page, and with a value in every field it might not fit: `f"
    ));
    // Where each field has a column, there is nothing to say.
    let plan = postgres
        .plan_write(&upsert("t", &wide(300, DataType::TEXT)))
        .await
        .unwrap();
    assert_eq!(
        plan.notes,
        ["makes \"public\".\"t\" with 301 columns and the primary key (id)"]
    );
}

#[tokio::test]
async fn fields_that_were_written_back_have_columns_to_be_compared_by() {
    let database = database().await;
    let postgres = database.connector();
    let schema = texts();
    let crm = Target {
        identity: Identity::new("crm", "here"),
        object: "Lead".to_owned(),
    };
    let fields = schema
        .fields()
        .iter()
        .map(|field| (field.name.clone(), field.name.to_uppercase()));
    let origin = Origin {
        target: crm,
        fields: fields.collect(),
    };
    let claim = claim(&postgres, &upsert("t", &schema).task).await;
    let request = upsert("t", &schema)
        .with_fence(Some(claim.fence.clone()))
        .with_origin(Some(origin));
    let folded = async || -> Vec<String> {
        let plan = postgres.plan_write(&request).await.unwrap();
        let folded = plan
            .columns
            .into_iter()
            .filter(|column| column.to.contains("_rest"));
        folded.map(|column| column.name).collect()
    };
    assert!(folded().await.contains(&"f399".to_owned()));
    database
        .run(
            "INSERT INTO sync.target (identity, object, match_on, fields) VALUES ('crm:here', 'Lead', '{ID}', '{F399}');
             INSERT INTO sync.intent (target, key, state, confirmed) VALUES (1, '1', 'confirmed', '{\"F399\": \"x\"}')",
        )
        .await;
    assert!(!folded().await.contains(&"f399".to_owned()));
    let (x, y) = (Value::Text("x"), Value::Text("y"));
    let mut writer = postgres.writer(request.clone()).await.unwrap();
    for (others, folded, counted) in [
        (NULL, x, [1, 0, 0, 0]),
        (y, x, [0, 1, 0, 0]),
        (y, x, [0, 0, 1, 0]),
        (y, y, [0, 1, 0, 1]),
    ] {
        writer
            .write(records(&schema, &[two(&schema, 1, x, folded, others)]))
            .await
            .unwrap();
        let counts = writer.commit(None).await.unwrap().counts;
        assert_eq!(
            [
                counts.created,
                counts.updated,
                counts.unchanged + counts.echo,
                counts.drifted
            ],
            counted
        );
    }
}

#[tokio::test]
async fn as_many_columns_as_there_can_be_are_written_in_every_way() {
    let database = database().await;
    let postgres = database.connector();
    let schema = wide(1_700, DataType::Bool);
    let (own, folded) = ([0, 7, 1_500], [1_650, 1_699]);
    let rows = |changed: i64, others: Value<'static>| -> Vec<Vec<Value<'static>>> {
        let of = |id: i64, n| {
            if own.contains(&n) || folded.contains(&n) {
                Value::Bool(id < changed)
            } else {
                others
            }
        };
        (0..1_100).map(|id| record(&schema, id, |n| of(id, n))).collect()
    };
    let write = async |mode, rows: Vec<Vec<Value<'static>>>| {
        tally(&load(&postgres, in_mode(&schema, mode), vec![records(&schema, &rows)]).await)
    };
    assert_eq!(write(WriteMode::Upsert, rows(0, NULL)).await, [1_100, 0, 0, 0, 0]);
    assert_eq!(columns(&database, "t").await, 1_596);
    // More rows than a sample has: few that differ, and many.
    assert_eq!(write(WriteMode::Upsert, rows(5, NULL)).await, [0, 5, 1_095, 0, 0]);
    assert_eq!(
        write(WriteMode::Upsert, rows(1_000, NULL)).await,
        [0, 995, 105, 0, 0]
    );
    assert_eq!(
        write(WriteMode::Update, rows(1_001, NULL)).await,
        [0, 1, 1_099, 0, 0]
    );
    // Some leave something unset, and a key comes twice.
    let part = |changed, others, from: usize| rows(changed, others)[from..from + 10].to_vec();
    let mut partial = part(1_003, UNSET, 1_000);
    partial.push(partial[1].clone());
    assert_eq!(write(WriteMode::Upsert, partial.clone()).await, [0, 2, 9, 0, 0]);
    assert_eq!(write(WriteMode::Update, partial).await, [0, 0, 11, 0, 0]);
    assert_eq!(
        database
            .line("SELECT count(*) FROM t WHERE f0 AND f7 AND f1500 AND _rest = '{\"f1650\": true, \"f1699\": true}'")
            .await,
        "1003"
    );
    database.run("DROP TABLE t").await;
    for (changed, counted) in [(0, [10, 0, 0, 0, 0]), (3, [0, 3, 7, 0, 0])] {
        assert_eq!(write(WriteMode::History, part(changed, NULL, 0)).await, counted);
    }
    let mut partial = part(4, UNSET, 0);
    partial[9][1] = NULL;
    assert_eq!(write(WriteMode::History, partial).await, [0, 2, 8, 0, 0]);
}
