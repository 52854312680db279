//! One cell into PostgreSQL's binary COPY format.

use bytes::{BufMut, BytesMut};
use connector_core::value::{Date, write_json};
use connector_core::{DecimalSize, Value};

use super::{EPOCH_DAYS, array, numeric};
use crate::types::PgType;

/// What a binary COPY starts with: signature, no flags, no extension.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
pub(crate) const TRAILER: &[u8] = &[0xff, 0xff];

/// The days PostgreSQL's `date` spans, counted from its epoch: 4713 BC to 5874897.
const DATES: std::ops::RangeInclusive<i64> = -2_451_545..=2_145_031_948;
/// The microseconds its timestamps span, counted from its epoch: 4713 BC to 294276.
const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// Why a column cannot hold a value: a code and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

const fn refuse(code: &'static str, message: &'static str) -> Result<(), Refusal> {
    Err(Refusal { code, message })
}

const WRONG_TYPE: Refusal = Refusal {
    code: "wrong_type",
    message: "the value is not of its field's type",
};
const OUT_OF_RANGE: Refusal = Refusal {
    code: "out_of_range",
    message: "the number does not fit its column",
};
const DATE_RANGE: Refusal = Refusal {
    code: "out_of_range",
    message: "the date lies outside what PostgreSQL holds",
};

/// What is known of the values of a batch before each is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// A text may hold the character NUL.
    Unchecked,
    /// None does.
    WithoutNul,
}

/// Appends the length and bytes of `value` for a column of type `to`; null and unset become null.
///
/// # Errors
/// The column cannot hold the value unchanged; nothing of use was appended.
#[inline(always)]
pub(crate) fn encode_cell(
    value: &Value<'_>,
    to: &PgType,
    known: Text,
    out: &mut BytesMut,
) -> Result<(), Refusal> {
    if !value.is_present() {
        out.put_slice(&[0xff; 4]);
        return Ok(());
    }
    match (to, value) {
        (PgType::Bool, Value::Bool(value)) => {
            out.put_slice(&[0, 0, 0, 1, u8::from(*value)]);
        }
        (PgType::Int2 | PgType::Int4 | PgType::Int8, Value::Int(value)) => return integer(*value, to, out),
        (PgType::Int2 | PgType::Int4 | PgType::Int8, Value::Decimal(value)) => {
            return integer(value.to_i64().ok_or(OUT_OF_RANGE)?, to, out);
        }
        (PgType::Numeric(size), Value::Int(value)) => return decimal(&(*value).into(), *size, out),
        (PgType::Numeric(size), Value::Decimal(value)) => return decimal(value, *size, out),
        (PgType::Float4, Value::Float32(value)) => {
            four(value.to_be_bytes(), out);
        }
        (PgType::Float8, Value::Float64(value)) => {
            eight(value.to_be_bytes(), out);
        }
        (PgType::Float8, Value::Float32(value)) => {
            eight(f64::from(*value).to_be_bytes(), out);
        }
        (PgType::Text { max_chars }, Value::Text(value) | Value::Json(value)) => {
            return text(value, *max_chars, known, out);
        }
        (PgType::Bytea, Value::Bytes(value)) => sized(value, out),
        (PgType::Date, Value::Date(value)) => {
            four(days(*value)?.to_be_bytes(), out);
        }
        (PgType::Time, Value::Time(value)) => {
            eight(value.micros().to_be_bytes(), out);
        }
        (PgType::Timestamp, Value::Timestamp(value)) => return moment(value.micros_since_2000(), out),
        (PgType::Timestamptz, Value::Instant(value)) => return moment(value.micros_since_2000(), out),
        (PgType::Interval, Value::Interval(value)) => {
            out.put_i32(16);
            out.put_i64(value.micros);
            out.put_i32(value.days);
            out.put_i32(value.months);
        }
        (PgType::Uuid, Value::Uuid(value)) => sized(value, out),
        (PgType::Json | PgType::Jsonb, Value::Json(value)) => return json(value, to, out),
        (PgType::Json | PgType::Jsonb | PgType::Text { .. }, Value::Array(_)) => {
            let mut written = String::new();
            write_json(value, &mut written);
            return match to {
                PgType::Text { max_chars } => text(&written, *max_chars, Text::Unchecked, out),
                _ => json(&written, to, out),
            };
        }
        (PgType::Array { element, oid }, Value::Array(value)) => {
            return array::encode(value, element, *oid, out);
        }
        (PgType::Citext(_) | PgType::Other(_), Value::Text(value)) => return text(value, None, known, out),
        (PgType::Char { max_chars }, Value::Text(value)) => {
            if value.ends_with(' ') {
                return refuse(
                    "trailing_blanks",
                    "the column does not keep the blanks at the text's end",
                );
            }
            return text(value, *max_chars, known, out);
        }
        (PgType::Enum { labels, .. }, Value::Text(value)) => {
            if labels
                .binary_search_by(|label| label.as_str().cmp(value))
                .is_err()
            {
                return refuse("unknown_label", "the text is none of the column's labels");
            }
            sized(value.as_bytes(), out);
        }
        (PgType::Narrow { of, limit, .. }, value) => {
            limit.check(value)?;
            return encode_cell(value, of, known, out);
        }
        _ => return Err(WRONG_TYPE),
    }
    Ok(())
}

/// Four bytes after their length, in one piece.
#[inline]
fn four(bytes: [u8; 4], out: &mut BytesMut) {
    let [a, b, c, d] = bytes;
    out.put_slice(&[0, 0, 0, 4, a, b, c, d]);
}

/// Eight bytes after their length, in one piece.
#[inline]
fn eight(bytes: [u8; 8], out: &mut BytesMut) {
    let [a, b, c, d, e, f, g, h] = bytes;
    out.put_slice(&[0, 0, 0, 8, a, b, c, d, e, f, g, h]);
}

#[inline]
fn sized(bytes: &[u8], out: &mut BytesMut) {
    // A value beyond 1 GB is refused by the reader long before.
    out.put_i32(bytes.len() as i32);
    out.put_slice(bytes);
}

fn integer(value: i64, to: &PgType, out: &mut BytesMut) -> Result<(), Refusal> {
    match to {
        PgType::Int2 => {
            out.put_i32(2);
            out.put_i16(value.try_into().map_err(|_| OUT_OF_RANGE)?);
        }
        PgType::Int4 => {
            let value = i32::try_from(value).map_err(|_| OUT_OF_RANGE)?;
            four(value.to_be_bytes(), out);
        }
        _ => eight(value.to_be_bytes(), out),
    }
    Ok(())
}

fn decimal(
    value: &connector_core::Decimal<'_>,
    size: Option<DecimalSize>,
    out: &mut BytesMut,
) -> Result<(), Refusal> {
    if let Some(size) = size
        && !value.fits(size.precision, size.scale)
        && !value.is_nan()
    {
        return refuse("out_of_range", "the number has more digits than its column holds");
    }
    numeric::encode(value, out);
    Ok(())
}

#[inline]
fn text(value: &str, max_chars: Option<u32>, known: Text, out: &mut BytesMut) -> Result<(), Refusal> {
    if known == Text::Unchecked && value.as_bytes().contains(&0) {
        return refuse(
            "nul_character",
            "the text holds a NUL character, which PostgreSQL cannot store",
        );
    }
    // Characters are counted only where bytes alone do not settle it.
    if let Some(max) = max_chars
        && value.len() > max as usize
        && value.chars().count() > max as usize
    {
        return refuse("too_long", "the text is longer than its column");
    }
    sized(value.as_bytes(), out);
    Ok(())
}

fn json(value: &str, to: &PgType, out: &mut BytesMut) -> Result<(), Refusal> {
    check_escapes(value)?;
    if matches!(to, PgType::Jsonb) {
        out.put_i32(value.len() as i32 + 1);
        out.put_u8(1);
        out.put_slice(value.as_bytes());
    } else {
        sized(value.as_bytes(), out);
    }
    Ok(())
}

/// jsonb refuses two escapes that JSON allows: that of NUL, and one half of a surrogate pair.
pub(crate) fn check_escapes(json: &str) -> Result<(), Refusal> {
    let bytes = json.as_bytes();
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| matches!(byte, b'\\' | 0)) {
        at += found;
        match unit(at) {
            None if bytes[at] == b'\\' => at = bytes.len().min(at + 2),
            None | Some(0) => {
                return refuse(
                    "nul_character",
                    "the JSON holds a NUL character, which PostgreSQL cannot store",
                );
            }
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                return refuse(
                    "lone_surrogate",
                    "the JSON holds half of a character, which PostgreSQL cannot store",
                );
            }
            Some(_) => at += 6,
        }
    }
    Ok(())
}

/// Days from PostgreSQL's epoch; the type's two ends are the infinities, here and there.
fn days(date: Date) -> Result<i32, Refusal> {
    if !date.is_finite() {
        return Ok(date.unix_days());
    }
    let days = i64::from(date.unix_days()) - i64::from(EPOCH_DAYS);
    if DATES.contains(&days) {
        Ok(days as i32)
    } else {
        Err(DATE_RANGE)
    }
}

/// PostgreSQL counts moments as the core does, and has the same infinities.
fn moment(micros: i64, out: &mut BytesMut) -> Result<(), Refusal> {
    if !TIMESTAMPS.contains(&micros) && !matches!(micros, i64::MIN | i64::MAX) {
        return Err(DATE_RANGE);
    }
    eight(micros.to_be_bytes(), out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_core::value::{ArrayBuf, Instant};

    fn encoded(value: Value<'_>, to: &PgType) -> Result<Vec<u8>, &'static str> {
        let mut out = BytesMut::new();
        encode_cell(&value, to, Text::Unchecked, &mut out)
            .map(|()| out.to_vec())
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn what_a_column_cannot_hold_is_refused() {
        let numeric = PgType::Numeric(Some(DecimalSize {
            precision: 5,
            scale: 2,
        }));
        assert_eq!(
            encoded(Value::Decimal(connector_core::Decimal::new(100_000, 2)), &numeric),
            Err("out_of_range")
        );
        assert_eq!(
            encoded(Value::Decimal(connector_core::Decimal::new(1_005, 3)), &numeric),
            Err("out_of_range")
        );
        assert_eq!(encoded(Value::Int(40_000), &PgType::Int2), Err("out_of_range"));
        assert_eq!(
            encoded(Value::Text("a\0b"), &PgType::Text { max_chars: None }),
            Err("nul_character")
        );
        assert_eq!(
            encoded(Value::Text("あいう"), &PgType::Text { max_chars: Some(2) }),
            Err("too_long")
        );
        assert!(encoded(Value::Text("あいう"), &PgType::Text { max_chars: Some(3) }).is_ok());
        assert_eq!(
            encoded(Value::Json(r#""\u0000""#), &PgType::Jsonb),
            Err("nul_character")
        );
        assert_eq!(
            encoded(Value::Date(Date::from_unix_days(i32::MIN + 1)), &PgType::Date),
            Err("out_of_range")
        );
        assert_eq!(
            encoded(
                Value::Instant(Instant::from_unix_micros(i64::MIN)),
                &PgType::Timestamptz
            ),
            Err("out_of_range")
        );
        assert_eq!(encoded(Value::Text("x"), &PgType::Int4), Err("wrong_type"));
    }

    #[test]
    fn arrays_have_a_header_or_become_json() {
        let mut array = ArrayBuf::new();
        let ints = PgType::for_core(connector_core::DataType::Array(
            connector_core::ElementType::Int16,
        ));
        assert_eq!(
            encoded(Value::Array(array.as_array()), &ints),
            Ok([12, 0, 0, 21].map(u32::to_be_bytes).concat())
        );
        array.push(&Value::Int(1));
        array.push(&Value::Null);
        let mut wanted = [30, 1, 1, 21, 2, 1, 2].map(u32::to_be_bytes).concat();
        wanted.extend([0, 1, 255, 255, 255, 255]);
        assert_eq!(encoded(Value::Array(array.as_array()), &ints), Ok(wanted));
        assert_eq!(
            encoded(Value::Array(array.as_array()), &PgType::Jsonb),
            Ok(b"\0\0\0\x09\x01[1,null]".to_vec())
        );
    }
}
