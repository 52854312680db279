//! Records made up for a schema: each number and version its own, with the edges of every type among them.

use std::ops::Range;
use std::sync::Arc;

use connector_core::value::{ArrayBuf, Date, Instant, Interval, Time, Timestamp};
use connector_core::{Batch, BatchBuilder, DataType, Decimal, ElementType, Field, Op, Schema, Value};

/// A schema with a field of every type; its primary key is the text `id`.
pub fn schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("id", DataType::Text { max_chars: Some(40) }).not_null(),
        Field::new("note", DataType::TEXT),
        Field::new("name", DataType::Text { max_chars: Some(80) }),
        Field::new("flag", DataType::Bool),
        Field::new("small", DataType::Int16),
        Field::new("medium", DataType::Int32),
        Field::new("large", DataType::Int64),
        Field::new("single", DataType::Float32),
        Field::new("double", DataType::Float64),
        Field::new("amount", DataType::decimal(18, 2)),
        Field::new("exact", DataType::Decimal(None)),
        Field::new("data", DataType::Bytes),
        Field::new("day", DataType::Date),
        Field::new("hour", DataType::Time),
        Field::new("stamp", DataType::Timestamp),
        Field::new("moment", DataType::Instant),
        Field::new("span", DataType::Interval),
        Field::new("uid", DataType::Uuid),
        Field::new("doc", DataType::Json),
        Field::new("tags", DataType::Array(ElementType::Text)),
        Field::new("numbers", DataType::Array(ElementType::Int64)),
    ];
    // The names are different and the key is one of them.
    Arc::new(Schema::new(fields, ["id"]).unwrap_or_else(|error| panic!("{error}")))
}

/// Texts that have come to harm elsewhere.
pub fn texts() -> Vec<String> {
    [
        "",
        " leading and trailing ",
        "Ελληνικά, 日本語, ñandú, Ŝlosilo",
        "🚀👩‍👩‍👧‍👦",
        "e\u{301} is not \u{e9}",
        "\u{feff}a byte order mark",
        "it's \"quoted\", `ticked` and ´accented´",
        "back\\slash \\n \\N \\. \\x41 %41 &amp;",
        "\\.",
        "NULL",
        "null",
        "#N/A",
        "line\nfeed, return\rand both\r\n, tab\tend",
        "comma, semicolon; pipe| {\"json\":1}",
        "'; DROP TABLE thing; --",
        "=1+1",
        "\u{1}\u{1f}\u{7f}\u{85}\u{2028}",
        "00042",
        "1e5",
        "true",
        "2024-02-30",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Records of `schema` with these numbers: keys are made of the number, everything else of number and version.
pub fn records(schema: &Arc<Schema>, numbers: Range<usize>, version: usize) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(schema), numbers.start as u64);
    for number in numbers {
        for (position, field) in schema.fields().iter().enumerate() {
            if schema.primary_key().contains(&position) {
                push_key(&mut builder, field, number);
            } else {
                push(&mut builder, field, number, version);
            }
        }
        builder.end_record(Op::Put);
    }
    builder.finish()
}

/// The same records, with the values that `change` makes of each index, field and value.
pub(crate) fn altered(
    batch: &Batch,
    op: Op,
    change: impl for<'a> Fn(usize, &Field, Value<'a>) -> Value<'a>,
) -> Batch {
    let first = batch.get(0).map_or(0, |record| record.sequence());
    let mut builder = BatchBuilder::new(Arc::clone(batch.schema()), first);
    for (index, record) in batch.records().enumerate() {
        for (field, value) in batch.schema().fields().iter().zip(record.values()) {
            builder.push(change(index, field, value));
        }
        builder.end_record(op);
    }
    builder.finish()
}

/// Several batches' records, one after the other; later numbers for later ones.
pub(crate) fn joined<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> Option<Batch> {
    let mut batches = batches.into_iter().peekable();
    let schema = Arc::clone(batches.peek()?.schema());
    let mut builder = BatchBuilder::new(schema, 0);
    for record in batches.flat_map(Batch::records) {
        record.values().for_each(|value| builder.push(value));
        builder.end_record(record.op());
    }
    Some(builder.finish())
}

fn push_key(builder: &mut BatchBuilder, field: &Field, number: usize) {
    match field.data_type {
        DataType::Text { .. } => builder.push(Value::Text(&format!("k-{number:06}"))),
        DataType::Uuid => builder.push(Value::Uuid((number as u128).to_be_bytes())),
        DataType::Date => builder.push(Value::Date(Date::from_unix_days(number as i32))),
        DataType::Decimal(_) => builder.push(Value::Decimal(Decimal::new(number as i64, 0))),
        _ => builder.push(Value::Int(number as i64)),
    }
}

/// Pushes a value of the field's type: one in eight is null where that is allowed, the first few are edges.
fn push(builder: &mut BatchBuilder, field: &Field, number: usize, version: usize) {
    let turn = number + 3 * version;
    if field.nullable && turn % 8 == 7 && !matches!(field.data_type, DataType::Text { max_chars: None }) {
        builder.push(Value::Null);
        return;
    }
    let plain = (number * 1_000 + version) as i64;
    match field.data_type {
        DataType::Bool => builder.push(Value::Bool(turn.is_multiple_of(2))),
        DataType::Int16 => builder.push(Value::Int(pick(
            turn,
            [i16::MIN.into(), i16::MAX.into()],
            plain % 30_000,
        ))),
        DataType::Int32 => builder.push(Value::Int(pick(
            turn,
            [i32::MIN.into(), i32::MAX.into()],
            plain % 2_000_000_000,
        ))),
        DataType::Int64 => builder.push(Value::Int(pick(turn, [i64::MIN, i64::MAX], plain))),
        DataType::Float32 => builder.push(Value::Float32(pick(
            turn,
            [f32::MIN_POSITIVE, -0.0, f32::MAX, f32::INFINITY],
            plain as f32 / 8.0,
        ))),
        DataType::Float64 => builder.push(Value::Float64(pick(
            turn,
            [f64::MIN_POSITIVE, -0.0, f64::MAX, 0.1 + 0.2, f64::NEG_INFINITY],
            plain as f64 / 8.0,
        ))),
        DataType::Decimal(size) => push_decimal(
            builder,
            size.map_or(6, |size| size.scale),
            size.is_none(),
            turn,
            plain,
        ),
        DataType::Text { max_chars } => {
            let text = format!("{} {number} v{version}", field.name);
            let most = max_chars.map_or(usize::MAX, |most| most as usize);
            builder.push(Value::Text(text.get(..most.min(text.len())).unwrap_or_default()));
        }
        DataType::Bytes => builder.push(Value::Bytes(&[0, 255, b'\\', number as u8, version as u8])),
        DataType::Date => builder.push(Value::Date(pick(
            turn,
            dates(),
            Date::from_unix_days((plain % 50_000) as i32),
        ))),
        DataType::Time => builder.push(Value::Time(time(pick(
            turn,
            [0, 86_399_999_999],
            plain * 1_000_001 % 86_400_000_000,
        )))),
        DataType::Timestamp => {
            builder.push(Value::Timestamp(Timestamp::from_unix_micros(micros(turn, plain))));
        }
        DataType::Instant => builder.push(Value::Instant(Instant::from_unix_micros(micros(turn, plain)))),
        DataType::Interval => builder.push(Value::Interval(Interval {
            months: (plain % 1_000) as i32 - 500,
            days: version as i32 - 3,
            micros: plain * 1_001,
        })),
        DataType::Uuid => builder.push(Value::Uuid((plain as u128 * 0x1_0001_0001).to_be_bytes())),
        DataType::Json => builder.push(Value::Json(&format!(
            "{{\"n\": {number}, \"v\": [{version}, null, \"ä\"]}}"
        ))),
        DataType::Array(element) => builder.push(Value::Array(array(element, number, version).as_array())),
    }
}

/// One of `edges` for the first turns, `plain` for the others.
fn pick<T: Copy, const N: usize>(turn: usize, edges: [T; N], plain: T) -> T {
    edges.get(turn).copied().unwrap_or(plain)
}

fn push_decimal(builder: &mut BatchBuilder, scale: u16, long: bool, turn: usize, plain: i64) {
    if long && turn.is_multiple_of(5) {
        // More digits than any integer or float of a machine holds.
        let text = format!("-{plain}123456789012345678901234567890.{plain:06}0");
        // It is a number as it stands.
        let _ = builder.push_decimal(&text);
    } else {
        builder.push(Value::Decimal(Decimal::new(plain * 7 - 5_000, scale)));
    }
}

/// Years people's systems have met.
fn dates() -> [Date; 5] {
    [
        (1700, 1, 1),
        (4000, 12, 31),
        (2024, 2, 29),
        (1, 1, 1),
        (9999, 12, 31),
    ]
    .map(|(year, month, day)| Date::from_ymd(year, month, day).unwrap_or(Date::from_unix_days(0)))
}

fn time(micros: i64) -> Time {
    // Within a day by the way it is made.
    Time::from_micros(micros).unwrap_or_else(|| panic!("{micros} is no time of day"))
}

fn micros(turn: usize, plain: i64) -> i64 {
    let days = dates().map(|date| i64::from(date.unix_days()) * 86_400_000_000 + 1);
    pick(turn, days, 1_700_000_000_000_000 + plain * 1_000_003)
}

fn array(element: ElementType, number: usize, version: usize) -> ArrayBuf {
    let mut array = ArrayBuf::new();
    if number.is_multiple_of(4) {
        return array;
    }
    match element {
        ElementType::Int16 | ElementType::Int32 | ElementType::Int64 => {
            array.push(&Value::Int(number as i64 % 30_000));
            array.push(&Value::Null);
            array.push(&Value::Int(version as i64));
        }
        ElementType::Text => {
            for text in ["", "a,b", "\"q\"", "{}", "NULL", &format!("{number} v{version}")] {
                array.push(&Value::Text(text));
            }
            array.push(&Value::Null);
        }
        // An empty array is of any type.
        _ => {}
    }
    array
}
