//! PostgreSQL's `numeric`: digits in base 10,000.

use bytes::{Buf, BufMut, BytesMut};
use connector_core::{Decimal, Value};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Appends the length and bytes of `value`.
pub(super) fn encode(value: &Decimal<'_>, out: &mut BytesMut) {
    match value.as_small() {
        Some((coefficient, scale)) if scale <= 18 => encode_small(coefficient, scale, out),
        _ => encode_text(&value.to_string(), out),
    }
}

fn put(out: &mut BytesMut, weight: i16, sign: u16, scale: u16, digits: &[u16]) {
    out.put_i32(8 + 2 * digits.len() as i32);
    out.put_u16(digits.len() as u16);
    out.put_i16(weight);
    out.put_u16(sign);
    out.put_u16(scale);
    for &digit in digits {
        out.put_u16(digit);
    }
}

/// At most 18 digits: no allocation.
fn encode_small(coefficient: i64, scale: u16, out: &mut BytesMut) {
    // Move the point to a boundary of four digits: at most 18 + 3 digits, well within 128 bits.
    let padding = (4 - scale % 4) % 4;
    let mut rest = u128::from(coefficient.unsigned_abs()) * 10_u128.pow(padding.into());
    let groups_behind = (scale + padding) / 4;
    let mut digits = [0_u16; 12];
    let mut start = digits.len();
    while rest > 0 {
        start -= 1;
        digits[start] = (rest % 10_000) as u16;
        rest /= 10_000;
    }
    let count = digits.len() - start;
    let weight = count as i16 - groups_behind as i16 - 1;
    let mut end = digits.len();
    while end > start && digits[end - 1] == 0 {
        end -= 1;
    }
    let (weight, sign) = if count == 0 {
        (0, 0)
    } else {
        (weight, if coefficient < 0 { NEGATIVE } else { 0 })
    };
    put(out, weight, sign, scale, &digits[start..end]);
}

/// Any length, and the three that are no numbers.
fn encode_text(text: &str, out: &mut BytesMut) {
    match text {
        "NaN" => return put(out, 0, NAN, 0, &[]),
        "Infinity" => return put(out, 0, INFINITY, 0, &[]),
        "-Infinity" => return put(out, 0, NEGATIVE_INFINITY, 0, &[]),
        _ => {}
    }
    let (sign, plain) = text.strip_prefix('-').map_or((0, text), |rest| (NEGATIVE, rest));
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let group = |chunk: &[u8], width: usize| {
        let number = chunk
            .iter()
            .fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
        number * 10_u16.pow((width - chunk.len()) as u32)
    };
    let (head, groups) = whole.as_bytes().split_at(whole.len() % 4);
    let mut digits: Vec<u16> = Vec::with_capacity(text.len() / 4 + 2);
    if !head.is_empty() {
        digits.push(group(head, head.len()));
    }
    digits.extend(groups.chunks(4).map(|chunk| group(chunk, 4)));
    // PostgreSQL's longest number has 32,768 groups before the point: one more than an i16 counts.
    let mut weight = digits.len() as i32 - 1;
    digits.extend(fraction.as_bytes().chunks(4).map(|chunk| group(chunk, 4)));
    let leading = digits.iter().take_while(|&&digit| digit == 0).count();
    digits.drain(..leading);
    weight -= leading as i32;
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        return put(out, 0, 0, fraction.len() as u16, &[]);
    }
    put(out, weight as i16, sign, fraction.len() as u16, &digits);
}

/// Reads a numeric; `scratch` holds the text of one too long to stand in place.
pub(super) fn decode<'a>(mut bytes: &[u8], scratch: &'a mut String) -> Option<Value<'a>> {
    if bytes.len() < 8 {
        return None;
    }
    let count = bytes.get_u16();
    let weight = bytes.get_i16();
    let sign = bytes.get_u16();
    let scale = usize::from(bytes.get_u16());
    if usize::from(count) * 2 != bytes.len() {
        return None;
    }
    if let Some(small) = decode_small(bytes, weight, sign, scale) {
        return Some(Value::Decimal(small));
    }
    let mut text = String::with_capacity(bytes.len() * 2 + scale + 2);
    match sign {
        NAN => text.push_str("NaN"),
        INFINITY => text.push_str("Infinity"),
        NEGATIVE_INFINITY => text.push_str("-Infinity"),
        _ => {
            let digit = |position: i32| -> u16 {
                let index = i32::from(weight) - position;
                if index < 0 || index >= i32::from(count) {
                    return 0;
                }
                let at = index as usize * 2;
                u16::from_be_bytes([bytes[at], bytes[at + 1]])
            };
            if sign == NEGATIVE {
                text.push('-');
            }
            let mut whole = String::new();
            for position in (0..=i32::from(weight)).rev() {
                whole.push_str(&format!("{:04}", digit(position)));
            }
            let whole = whole.trim_start_matches('0');
            text.push_str(if whole.is_empty() { "0" } else { whole });
            if scale > 0 {
                let mut fraction = String::with_capacity(scale + 4);
                let mut position = -1;
                while fraction.len() < scale {
                    fraction.push_str(&format!("{:04}", digit(position)));
                    position -= 1;
                }
                text.push('.');
                text.push_str(&fraction[..scale]);
            }
        }
    }
    Decimal::parse(&text, scratch).ok().map(Value::Decimal)
}

/// At most 18 digits: no allocation.
fn decode_small(bytes: &[u8], weight: i16, sign: u16, scale: usize) -> Option<Decimal<'static>> {
    /// The most groups that are looked at: 28 digits are well within 128 bits.
    const GROUPS: i32 = 7;
    const LIMIT: u128 = 10_u128.pow(18);
    if !matches!(sign, 0 | NEGATIVE) || scale > 18 {
        return None;
    }
    let groups_behind = scale.div_ceil(4) as i32;
    let groups = i32::from(weight) + 1 + groups_behind;
    let (digits, _) = bytes.as_chunks::<2>();
    if groups > GROUPS || digits.len() as i32 > groups {
        return None;
    }
    // Groups of zeros at the end are left out.
    let mut coefficient = 0_u128;
    for position in 0..groups.max(0) as usize {
        let digit = digits.get(position).map_or(0, |digit| u16::from_be_bytes(*digit));
        coefficient = coefficient * 10_000 + u128::from(digit);
    }
    coefficient /= 10_u128.pow((groups_behind * 4) as u32 - scale as u32);
    if coefficient >= LIMIT {
        return None;
    }
    let coefficient = coefficient as i64;
    Some(Decimal::new(
        if sign == NEGATIVE {
            -coefficient
        } else {
            coefficient
        },
        scale as u16,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) {
        let (mut first, mut second) = (String::new(), String::new());
        let decimal = Decimal::parse(text, &mut first).unwrap();
        let mut out = BytesMut::new();
        encode(&decimal, &mut out);
        // Both encoders must agree.
        let mut general = BytesMut::new();
        encode_text(&decimal.to_string(), &mut general);
        assert_eq!(out, general, "{text}");
        let read = decode(&out[4..], &mut second);
        assert_eq!(
            read.map(|value| value.to_string()).as_deref(),
            Some(decimal.to_string().as_str()),
            "{text}"
        );
    }

    #[test]
    fn numbers_of_every_length_round_trip() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "9999",
            "10001",
            "0.0001",
            "0.00010",
            "-0.01",
            "1234567890123456.78",
            "336.3200",
            "999999999999999999",
            "0.000000000000000001",
            "100000000",
            "12345678901234567890123456789.0123456789",
            "-100000000000000000000000000000",
            "0.00000000000000000000000000001",
            "NaN",
            "Infinity",
            "-Infinity",
            "5000.5000",
        ] {
            round_trip(text);
        }
    }
}
