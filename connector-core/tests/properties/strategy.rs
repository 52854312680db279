//! Strategies for schemas, and for values and records of them.

use std::sync::Arc;

use connector_core::value::{ArrayBuf, Date, Instant, Interval, Time, Timestamp};
use connector_core::{Batch, BatchBuilder, DataType, Decimal, ElementType, Field, Op, Schema, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A value that owns its data.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    /// One that borrows nothing.
    Plain(Value<'static>),
    /// The text of a decimal.
    Decimal(String),
    Text(String),
    Json(String),
    Bytes(Vec<u8>),
    Array(Vec<Self>),
}

impl Owned {
    fn push_into(&self, array: &mut ArrayBuf) {
        // As a trait object, since arrays call this for their elements.
        let push: &mut dyn FnMut(Value<'_>) = &mut |value| array.push(&value);
        self.with(push);
    }

    /// Gives the value to `take`.
    pub(crate) fn with<T>(&self, take: impl FnOnce(Value<'_>) -> T) -> T {
        match self {
            Self::Plain(value) => take(*value),
            Self::Decimal(text) => take(Value::Decimal(
                Decimal::parse(text, &mut String::new()).expect("a decimal"),
            )),
            Self::Text(text) => take(Value::Text(text)),
            Self::Json(text) => take(Value::Json(text)),
            Self::Bytes(bytes) => take(Value::Bytes(bytes)),
            Self::Array(elements) => {
                let mut array = ArrayBuf::new();
                for element in elements {
                    element.push_into(&mut array);
                }
                take(Value::Array(array.as_array()))
            }
        }
    }
}

/// What tells any two values apart: the bits of floats, the scale of decimals, null and unset. All `NaN`s are one.
pub(crate) fn exact(value: &Value<'_>) -> String {
    format!("{value:?}")
}

/// The same of every value of a batch.
pub(crate) fn exact_rows(batch: &Batch) -> Vec<Vec<String>> {
    batch
        .records()
        .map(|record| record.values().map(|value| exact(&value)).collect())
        .collect()
}

/// A batch of `rows`.
pub(crate) fn batch(schema: &Arc<Schema>, rows: &[Vec<Owned>]) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
    for row in rows {
        for value in row {
            value.with(|value| builder.push(value));
        }
        builder.end_record(Op::Put);
    }
    builder.finish()
}

/// Every element type.
pub(crate) const ELEMENTS: [ElementType; 16] = [
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

/// Any data type.
pub(crate) fn data_type() -> impl Strategy<Value = DataType> {
    prop_oneof![
        4 => select(&ELEMENTS[..]).prop_map(ElementType::data_type),
        1 => (1_u16..60)
            .prop_flat_map(|precision| (Just(precision), 0..=precision))
            .prop_map(|(precision, scale)| DataType::decimal(precision, scale)),
        1 => (0_u32..20).prop_map(|max| DataType::Text { max_chars: Some(max) }),
        2 => select(&ELEMENTS[..]).prop_map(DataType::Array),
    ]
}

/// Any text: every scalar value, and often those that JSON or a terminal minds.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        2 => proptest::char::range('\0', '\u{7f}'),
        1 => select(vec!['\0', '"', '\\', '/', '\u{2028}', '\u{feff}', '\u{ffff}', '\u{10ffff}']),
    ];
    vec(character, 0..20).prop_map(String::from_iter)
}

/// A decimal of up to `whole` digits before and `fraction` behind the point.
fn digits(whole: usize, fraction: usize) -> impl Strategy<Value = String> {
    let digit = || proptest::char::range('0', '9');
    (any::<bool>(), vec(digit(), 0..=whole), vec(digit(), 0..=fraction)).prop_map(
        |(negative, whole, fraction)| {
            let mut text = String::from(if negative { "-" } else { "" });
            text.push_str(if whole.is_empty() { "0" } else { "" });
            text.extend(whole);
            if !fraction.is_empty() {
                text.push('.');
                text.extend(fraction);
            }
            text
        },
    )
}

/// The text of any JSON value but `null`, which stands for a field that is null.
fn json() -> impl Strategy<Value = String> {
    let quoted = || text().prop_map(|text| serde_json::to_string(&text).expect("text"));
    let leaf = prop_oneof![
        quoted(),
        digits(1, 30).prop_map(|number| number + "e400"),
        Just("-0.0".to_owned()),
        Just("true".to_owned()),
        Just("\"\\ud800\\u0000\"".to_owned()),
        Just("[null, \t{}]".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let space = || select(vec!["", " ", "\n", "\r\n\t"]);
        prop_oneof![
            (vec(inner.clone(), 0..4), space()).prop_map(|(items, space)| {
                let items = items.join(&format!("{space},"));
                format!("[{space}{items}]")
            }),
            (vec((quoted(), inner), 0..4), space()).prop_map(|(members, space)| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value)| format!("{name}{space}:{value}"))
                    .collect();
                format!("{{{space}{}}}", members.join(","))
            }),
        ]
    })
}

/// Any value of `data_type`: neither null nor unset.
pub(crate) fn value(data_type: DataType) -> BoxedStrategy<Owned> {
    fn plain<T: std::fmt::Debug + Clone + 'static>(
        strategy: impl Strategy<Value = T> + 'static,
        make: impl Fn(T) -> Value<'static> + 'static,
    ) -> BoxedStrategy<Owned> {
        strategy.prop_map(move |value| Owned::Plain(make(value))).boxed()
    }
    // Years that people use, and the ends of the range.
    let days = || prop_oneof![-98_615..741_465_i32, any::<i32>(), Just(i32::MIN), Just(i32::MAX)];
    let micros = || {
        prop_oneof![
            (-98_615..741_465_i64, 0..86_400_000_000_i64).prop_map(|(day, time)| day * 86_400_000_000 + time),
            (-98_615..741_465_i64).prop_map(|second| second * 1_000_000),
            any::<i64>(),
            Just(i64::MIN),
            Just(i64::MAX),
        ]
    };
    match data_type {
        DataType::Bool => plain(any::<bool>(), Value::Bool),
        DataType::Int16 => plain(any::<i16>(), |value| Value::Int(value.into())),
        DataType::Int32 => plain(any::<i32>(), |value| Value::Int(value.into())),
        DataType::Int64 => plain(any::<i64>(), Value::Int),
        DataType::Float32 => plain(proptest::num::f32::ANY, Value::Float32),
        DataType::Float64 => plain(proptest::num::f64::ANY, Value::Float64),
        DataType::Decimal(None) => prop_oneof![
            4 => digits(60, 60).prop_map(Owned::Decimal),
            4 => digits(9, 4).prop_map(Owned::Decimal),
            2 => plain((any::<i64>(), 0_u16..60), |(coefficient, scale)| {
                Value::Decimal(Decimal::new(coefficient, scale))
            }),
            1 => select(vec!["NaN", "Infinity", "-Infinity"]).prop_map(|word| Owned::Decimal(word.to_owned())),
        ]
        .boxed(),
        DataType::Decimal(Some(size)) => digits((size.precision - size.scale).into(), size.scale.into())
            .prop_map(Owned::Decimal)
            .boxed(),
        DataType::Text { max_chars } => {
            let max = max_chars.map_or(usize::MAX, |max| max as usize);
            text()
                .prop_map(move |text| Owned::Text(text.chars().take(max).collect()))
                .boxed()
        }
        DataType::Bytes => vec(any::<u8>(), 0..20).prop_map(Owned::Bytes).boxed(),
        DataType::Date => plain(days(), |days| Value::Date(Date::from_unix_days(days))),
        DataType::Time => plain(0..=86_400_000_000_i64, |micros| {
            Value::Time(Time::from_micros(micros).expect("within a day"))
        }),
        DataType::Timestamp => plain(micros(), |micros| {
            Value::Timestamp(Timestamp::from_micros_since_2000(micros))
        }),
        DataType::Instant => plain(micros(), |micros| Value::Instant(Instant::from_micros_since_2000(micros))),
        DataType::Interval => plain(
            (any::<i32>(), any::<i32>(), micros()),
            |(months, days, micros)| Value::Interval(Interval { months, days, micros }),
        ),
        DataType::Uuid => plain(any::<[u8; 16]>(), Value::Uuid),
        DataType::Json => json().prop_map(Owned::Json).boxed(),
        DataType::Array(element) => {
            let element = prop_oneof![1 => Just(Owned::Plain(Value::Null)), 4 => value(element.data_type())];
            vec(element, 0..5).prop_map(Owned::Array).boxed()
        }
    }
}

/// Any cell of `data_type`: unset, null or a value.
pub(crate) fn cell(data_type: DataType) -> BoxedStrategy<Owned> {
    prop_oneof![
        1 => Just(Owned::Plain(Value::Unset)),
        1 => Just(Owned::Plain(Value::Null)),
        6 => value(data_type),
    ]
    .boxed()
}

/// Any value, and its data type.
pub(crate) fn typed_value() -> impl Strategy<Value = (DataType, Owned)> {
    data_type().prop_flat_map(|data_type| (Just(data_type), value(data_type)))
}

/// A schema of fields with these types, under any names.
pub(crate) fn schema(types: impl Strategy<Value = DataType>) -> impl Strategy<Value = Arc<Schema>> {
    vec((text(), types), 1..6).prop_map(|fields| {
        let named = |(i, (name, data_type)): (usize, (String, DataType))| {
            // Unlike every other name.
            Field::new(format!("{name}{i}"), data_type)
        };
        Arc::new(Schema::new(fields.into_iter().enumerate().map(named).collect(), []).expect("a schema"))
    })
}

/// A schema, and rows of any cells.
pub(crate) fn rows(
    types: impl Strategy<Value = DataType>,
) -> impl Strategy<Value = (Arc<Schema>, Vec<Vec<Owned>>)> {
    schema(types).prop_flat_map(|schema| {
        let row: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| cell(field.data_type))
            .collect();
        (Just(schema), vec(row, 0..3))
    })
}
