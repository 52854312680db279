//! A one-dimensional array inside a cell.

use std::fmt;

use super::{Date, Decimal, DecimalRepr, Instant, Interval, Time, Timestamp, Value};

/// The elements of an array cell: values or nulls, all of the field's element type.
#[derive(Clone, Copy, PartialEq)]
pub struct Array<'a> {
    encoded: &'a [u8],
}

/// An array being put together, to be pushed into a batch.
#[derive(Clone, Debug, Default)]
pub struct ArrayBuf {
    encoded: Vec<u8>,
}

impl ArrayBuf {
    /// An empty array.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one element; an unset element counts as null, and an array inside an array is kept as its JSON text.
    pub fn push(&mut self, element: &Value<'_>) {
        let out = &mut self.encoded;
        let fixed = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
            out.push(tag);
            out.extend_from_slice(bytes);
        };
        let sized = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
            out.push(tag);
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        match element {
            Value::Unset | Value::Null => out.push(0),
            Value::Bool(value) => fixed(out, 1, &[u8::from(*value)]),
            Value::Int(value) => fixed(out, 2, &value.to_le_bytes()),
            Value::Float32(value) => fixed(out, 3, &value.to_le_bytes()),
            Value::Float64(value) => fixed(out, 4, &value.to_le_bytes()),
            Value::Decimal(Decimal(DecimalRepr::Small { coefficient, scale })) => {
                fixed(out, 5, &coefficient.to_le_bytes());
                out.extend_from_slice(&scale.to_le_bytes());
            }
            Value::Decimal(Decimal(DecimalRepr::Text(text))) => sized(out, 6, text.as_bytes()),
            Value::Text(text) => sized(out, 7, text.as_bytes()),
            Value::Bytes(bytes) => sized(out, 8, bytes),
            Value::Date(value) => fixed(out, 9, &value.unix_days().to_le_bytes()),
            Value::Time(value) => fixed(out, 10, &value.micros().to_le_bytes()),
            Value::Timestamp(value) => fixed(out, 11, &value.micros_since_2000().to_le_bytes()),
            Value::Instant(value) => fixed(out, 12, &value.micros_since_2000().to_le_bytes()),
            Value::Interval(value) => {
                fixed(out, 13, &value.months.to_le_bytes());
                out.extend_from_slice(&value.days.to_le_bytes());
                out.extend_from_slice(&value.micros.to_le_bytes());
            }
            Value::Uuid(value) => fixed(out, 14, value),
            Value::Json(text) => sized(out, 15, text.as_bytes()),
            Value::Array(_) => {
                let mut json = String::new();
                super::write_json(element, &mut json);
                sized(out, 15, json.as_bytes());
            }
        }
    }

    /// Takes every element out; the room they took stays.
    pub fn clear(&mut self) {
        self.encoded.clear();
    }

    /// The array, borrowed.
    pub fn as_array(&self) -> Array<'_> {
        Array {
            encoded: &self.encoded,
        }
    }
}

impl<'a> Array<'a> {
    pub(crate) fn from_encoded(encoded: &'a [u8]) -> Self {
        Self { encoded }
    }

    pub(crate) fn encoded(&self) -> &'a [u8] {
        self.encoded
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let mut rest = self.encoded;
        std::iter::from_fn(move || (!rest.is_empty()).then(|| decode(&mut rest)).flatten())
    }
}

/// Takes one element off the front. The bytes are our own, so `None` stands for "cannot happen".
fn decode<'a>(rest: &mut &'a [u8]) -> Option<Value<'a>> {
    fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
        let (head, tail) = rest.split_first_chunk::<N>()?;
        *rest = tail;
        Some(*head)
    }
    fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let length = usize::try_from(u64::from_le_bytes(take(rest)?)).ok()?;
        let (head, tail) = rest.split_at_checked(length)?;
        *rest = tail;
        Some(head)
    }
    fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
        std::str::from_utf8(sized(rest)?).ok()
    }
    let [tag] = take::<1>(rest)?;
    Some(match tag {
        0 => Value::Null,
        1 => Value::Bool(take::<1>(rest)? == [1]),
        2 => Value::Int(i64::from_le_bytes(take(rest)?)),
        3 => Value::Float32(f32::from_le_bytes(take(rest)?)),
        4 => Value::Float64(f64::from_le_bytes(take(rest)?)),
        5 => Value::Decimal(Decimal::new(
            i64::from_le_bytes(take(rest)?),
            u16::from_le_bytes(take(rest)?),
        )),
        6 => Value::Decimal(Decimal(DecimalRepr::Text(text(rest)?))),
        7 => Value::Text(text(rest)?),
        8 => Value::Bytes(sized(rest)?),
        9 => Value::Date(Date::from_unix_days(i32::from_le_bytes(take(rest)?))),
        10 => Value::Time(Time::from_micros(i64::from_le_bytes(take(rest)?))?),
        11 => Value::Timestamp(Timestamp::from_micros_since_2000(i64::from_le_bytes(take(rest)?))),
        12 => Value::Instant(Instant::from_micros_since_2000(i64::from_le_bytes(take(rest)?))),
        13 => Value::Interval(Interval {
            months: i32::from_le_bytes(take(rest)?),
            days: i32::from_le_bytes(take(rest)?),
            micros: i64::from_le_bytes(take(rest)?),
        }),
        14 => Value::Uuid(take(rest)?),
        15 => Value::Json(text(rest)?),
        _ => return None,
    })
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_type_come_back() {
        let elements = [
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float64(-0.5),
            Value::Decimal(Decimal::new(-125, 2)),
            Value::Decimal(Decimal(DecimalRepr::Text("123456789012345678901.5"))),
            Value::Text("改行\n"),
            Value::Bytes(&[0, 255]),
            Value::Date(Date::from_unix_days(-1)),
            Value::Instant(Instant::from_unix_micros(7)),
            Value::Interval(Interval {
                months: -1,
                days: 2,
                micros: -3,
            }),
            Value::Uuid([9; 16]),
            Value::Json("{}"),
        ];
        let mut array = ArrayBuf::new();
        elements.iter().for_each(|element| array.push(element));
        assert_eq!(array.as_array().iter().collect::<Vec<_>>(), elements);
    }
}
