//! One cell out of PostgreSQL's binary format.

use std::error::Error as StdError;

use bytes::Buf;
use connector_core::Value;
use connector_core::value::{ArrayBuf, Date, Instant, Interval, Time, Timestamp};
use tokio_postgres::types::{FromSql, Type};

use super::array::decode_array;
use super::encode::Refusal;
use super::{EPOCH_DAYS, numeric};
use crate::types::PgType;

/// The bytes of a cell as they came; `None` is null.
pub(crate) struct Raw<'a>(pub(crate) Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Days since 1970; the type's two ends are the infinities, here and there.
fn date(days: i32) -> Option<Date> {
    Some(match days {
        i32::MAX => Date::INFINITY,
        i32::MIN => Date::NEGATIVE_INFINITY,
        days => Date::from_unix_days(days.checked_add(EPOCH_DAYS)?),
    })
}

/// What a value borrows from that is not as it came.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    text: String,
    pub(super) elements: ArrayBuf,
}

/// Why [`decode`] has nothing to show for a cell of such a column.
pub(crate) fn unreadable(from: &PgType) -> Refusal {
    match from {
        PgType::Array { .. } => Refusal {
            code: "array_shape",
            message: "the array has several dimensions, or its first element is not number 1",
        },
        _ => Refusal {
            code: "out_of_range",
            message: "the value lies outside what can be read",
        },
    }
}

/// Reads a cell of a column of type `from`; `None` where no value of the core stands for what it holds.
pub(crate) fn decode<'a>(
    raw: Option<&'a [u8]>,
    from: &PgType,
    scratch: &'a mut Scratch,
) -> Option<Value<'a>> {
    let Some(mut bytes) = raw else {
        return Some(Value::Null);
    };
    let sized = |length: usize| (bytes.len() == length).then_some(());
    Some(match from {
        PgType::Bool => {
            sized(1)?;
            Value::Bool(bytes[0] != 0)
        }
        PgType::Int2 => {
            sized(2)?;
            Value::Int(bytes.get_i16().into())
        }
        PgType::Int4 => {
            sized(4)?;
            Value::Int(bytes.get_i32().into())
        }
        PgType::Int8 => {
            sized(8)?;
            Value::Int(bytes.get_i64())
        }
        PgType::Float4 => {
            sized(4)?;
            Value::Float32(bytes.get_f32())
        }
        PgType::Float8 => {
            sized(8)?;
            Value::Float64(bytes.get_f64())
        }
        PgType::Numeric(_) => return numeric::decode(bytes, &mut scratch.text),
        PgType::Text { .. } | PgType::Citext(_) | PgType::Enum { .. } | PgType::Other(_) => {
            Value::Text(std::str::from_utf8(bytes).ok()?)
        }
        PgType::Bytea => Value::Bytes(bytes),
        PgType::Date => {
            sized(4)?;
            Value::Date(date(bytes.get_i32())?)
        }
        PgType::Time => {
            sized(8)?;
            Value::Time(Time::from_micros(bytes.get_i64())?)
        }
        PgType::Timestamp => {
            sized(8)?;
            Value::Timestamp(Timestamp::from_micros_since_2000(bytes.get_i64()))
        }
        PgType::Timestamptz => {
            sized(8)?;
            Value::Instant(Instant::from_micros_since_2000(bytes.get_i64()))
        }
        PgType::Interval => {
            sized(16)?;
            let micros = bytes.get_i64();
            let days = bytes.get_i32();
            Value::Interval(Interval {
                months: bytes.get_i32(),
                days,
                micros,
            })
        }
        PgType::Uuid => Value::Uuid(bytes.try_into().ok()?),
        PgType::Json => Value::Json(std::str::from_utf8(bytes).ok()?),
        PgType::Jsonb => {
            let [1, text @ ..] = bytes else { return None };
            Value::Json(std::str::from_utf8(text).ok()?)
        }
        PgType::Char { .. } => Value::Text(std::str::from_utf8(bytes).ok()?.trim_end_matches(' ')),
        PgType::Array { element, .. } => return decode_array(bytes, element, scratch),
        PgType::Narrow { of, .. } => return decode(raw, of, scratch),
    })
}
