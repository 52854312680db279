//! Values of every type of the core, written and read back: equal cell by cell.

use std::sync::Arc;

use connector_core::value::{Array, ArrayBuf, Date, Instant, Interval, Time, Timestamp};
use connector_core::{BatchBuilder, DataType, Decimal, ElementType, Field, Op, Schema, Value};

use crate::database::Database;
use crate::random::Random;
use crate::{seed, values};

const ELEMENTS: [ElementType; 16] = [
    ElementType::Bool,
    ElementType::Int16,
    ElementType::Int32,
    ElementType::Int64,
    ElementType::Float32,
    ElementType::Float64,
    ElementType::Decimal,
    ElementType::Text,
    ElementType::Bytes,
    ElementType::Date,
    ElementType::Time,
    ElementType::Timestamp,
    ElementType::Instant,
    ElementType::Interval,
    ElementType::Uuid,
    ElementType::Json,
];

/// One value in so many is null.
const NULLS: u64 = 20;
const ROWS: u64 = 2_000;

#[tokio::test]
async fn every_type_of_the_core_arrives_as_it_was() {
    let (seed, values) = (seed(), values());
    let database = Database::new().await;
    let mut fields = vec![Field::new("n", DataType::Int64)];
    for element in ELEMENTS {
        fields.push(Field::new(format!("{element:?}"), element.data_type()));
        fields.push(Field::new(format!("{element:?}s"), DataType::Array(element)));
    }
    let schema = Arc::new(Schema::new(fields, []).unwrap());
    let rows = |numbers: &mut dyn Iterator<Item = u64>| {
        let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
        for n in numbers {
            push_row(&mut builder, seed, n);
        }
        builder.finish()
    };
    let mut writer = database.writer("t", &schema).await;
    for first in (0..values).step_by(ROWS as usize) {
        let batch = rows(&mut (first..(first + ROWS).min(values)));
        writer.write(batch).await.unwrap();
    }
    let report = writer.finish(None).await.unwrap();
    assert_eq!(
        (report.counts.created, report.counts.rejected),
        (values, 0),
        "{:?}",
        report.rejected
    );

    let mut seen = vec![false; values as usize];
    database
        .read("t", async |batch| {
            assert_eq!(batch.schema().fields(), schema.fields());
            let number = |value: Value<'_>| match value {
                Value::Int(n) => n as u64,
                other => panic!("{other:?}"),
            };
            let wanted = rows(&mut batch.records().map(|record| number(record.value(0))));
            for (came, sent) in batch.records().zip(wanted.records()) {
                let n = number(came.value(0));
                assert!(!std::mem::replace(&mut seen[n as usize], true), "{n} came twice");
                for ((came, sent), field) in came.values().zip(sent.values()).zip(schema.fields()) {
                    assert!(same(&came, &sent), "{n} {}: {sent:?} became {came:?}", field.name);
                }
            }
        })
        .await;
    assert!(seen.iter().all(|seen| *seen));
}

/// The row with the number `n`, whatever came before it.
fn push_row(builder: &mut BatchBuilder, seed: u64, n: u64) {
    let mut random = Random::new(seed ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    builder.push(Value::Int(n as i64));
    let mut array = ArrayBuf::new();
    for element in ELEMENTS {
        if random.one_in(NULLS) {
            builder.push(Value::Null);
        } else {
            with(element, &mut random, &mut |value| builder.push(value));
        }
        array.clear();
        for _ in 0..random.below(4) {
            if random.one_in(4) {
                array.push(&Value::Null);
            } else {
                with(element, &mut random, &mut |value| array.push(&value));
            }
        }
        builder.push(Value::Array(array.as_array()));
    }
    builder.end_record(Op::Put);
}

/// Gives a value of the type to `take`.
fn with(element: ElementType, random: &mut Random, take: &mut dyn FnMut(Value<'_>)) {
    match element {
        ElementType::Bool => take(Value::Bool(random.one_in(2))),
        ElementType::Int16 => take(Value::Int(random.integer(16))),
        ElementType::Int32 => take(Value::Int(random.integer(32))),
        ElementType::Int64 => take(Value::Int(random.integer(64))),
        ElementType::Float32 => {
            // Any bits, and often those of a NaN with something in it.
            let bits = random.bits() as u32;
            let nan = if random.one_in(8) { 0x7F80_0000 } else { 0 };
            take(Value::Float32(match random.below(16) {
                0 => -0.0,
                1 => f32::INFINITY,
                _ => f32::from_bits(bits | nan),
            }));
        }
        ElementType::Float64 => {
            let bits = random.bits();
            let nan = if random.one_in(8) {
                0x7FF0_0000_0000_0000
            } else {
                0
            };
            take(Value::Float64(match random.below(16) {
                0 => -0.0,
                1 => f64::NEG_INFINITY,
                2 => 5e-324,
                _ => f64::from_bits(bits | nan),
            }));
        }
        ElementType::Decimal => {
            if random.one_in(2) {
                take(Value::Decimal(Decimal::new(
                    random.integer(60),
                    random.below(24) as u16,
                )));
                return;
            }
            let mut scratch = String::new();
            take(Value::Decimal(
                Decimal::parse(&random.decimal(), &mut scratch).unwrap(),
            ));
        }
        ElementType::Text => take(Value::Text(&random.text(40))),
        ElementType::Bytes => take(Value::Bytes(&random.bytes())),
        ElementType::Date => {
            let days = match random.below(8) {
                0 => random.one_of(&[i32::MIN.into(), i32::MAX.into(), -2_440_588, 2_145_042_905, 0]),
                1..4 => random.within(-2_440_588, 2_145_042_905),
                _ => random.within(-40_000, 40_000),
            };
            take(Value::Date(Date::from_unix_days(days as i32)));
        }
        ElementType::Time => take(Value::Time(Time::from_micros(random.time()).unwrap())),
        ElementType::Timestamp => take(Value::Timestamp(Timestamp::from_micros_since_2000(moment(
            random,
        )))),
        ElementType::Instant => take(Value::Instant(Instant::from_micros_since_2000(moment(random)))),
        ElementType::Interval => take(Value::Interval(Interval {
            months: random.integer(32) as i32,
            days: random.integer(32) as i32,
            micros: random.integer(64),
        })),
        ElementType::Uuid => {
            let bits = u128::from(random.bits()) << 64 | u128::from(random.bits());
            take(Value::Uuid(bits.to_be_bytes()));
        }
        ElementType::Json => {
            // As PostgreSQL's `jsonb` writes it.
            let text = serde_json::to_string(&random.text(12)).unwrap();
            let json = match random.below(4) {
                0 => format!("[{}, null, 1.50, {{}}]", random.integer(50)),
                1 => format!("{{{text}: [true, {text}]}}"),
                2 => random
                    .one_of(&["null", "[]", "\"\"", "12345678901234567890.1230"])
                    .to_owned(),
                _ => text,
            };
            take(Value::Json(&json));
        }
    }
}

/// Microseconds from 2000, within PostgreSQL's calendar, or one of its infinities.
fn moment(random: &mut Random) -> i64 {
    const FIRST: i64 = -211_813_488_000_000_000;
    const LAST: i64 = 9_223_371_331_199_999_999;
    match random.below(8) {
        0 => random.one_of(&[i64::MIN, i64::MAX, FIRST, LAST, 0, -1]),
        1..4 => random.within(FIRST, LAST),
        _ => random.within(-3_000_000_000_000_000, 3_000_000_000_000_000),
    }
}

/// Whether two values are the same to the last bit, and the last zero.
fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Float32(a), Value::Float32(b)) => a.to_bits() == b.to_bits(),
        (Value::Float64(a), Value::Float64(b)) => a.to_bits() == b.to_bits(),
        (Value::Decimal(a), Value::Decimal(b)) => a == b && a.scale() == b.scale(),
        (Value::Array(a), Value::Array(b)) => same_elements(a, b),
        _ => a == b,
    }
}

fn same_elements(a: &Array<'_>, b: &Array<'_>) -> bool {
    let (mut a, mut b) = (a.iter(), b.iter());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if same(&a, &b) => {}
            _ => return false,
        }
    }
}
