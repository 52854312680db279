//! PostgreSQL's arrays: a header, one dimension, then each element with its length.

use bytes::{Buf, BufMut, BytesMut};
use connector_core::Value;
use connector_core::value::Array;

use super::encode::{Refusal, Text, encode_cell};
use super::{Scratch, decode};
use crate::types::PgType;

/// Appends the length and bytes of `array`, whose elements are of the type `element` with the number `oid`.
pub(super) fn encode(
    array: &Array<'_>,
    element: &PgType,
    oid: u32,
    out: &mut BytesMut,
) -> Result<(), Refusal> {
    let start = out.len();
    out.put_i32(0);
    // Dimensions, whether there are nulls, the element's type; then how many, and from which number on.
    out.put_i32(1);
    out.put_i32(0);
    out.put_u32(oid);
    out.put_i32(0);
    out.put_i32(1);
    let (mut count, mut nulls) = (0_i32, false);
    for value in array.iter() {
        nulls |= !value.is_present();
        encode_cell(&value, element, Text::Unchecked, out)?;
        count += 1;
    }
    if count == 0 {
        // An empty array has no dimension.
        out.truncate(start + 16);
        out[start + 4..start + 8].copy_from_slice(&0_i32.to_be_bytes());
    } else {
        out[start + 8..start + 12].copy_from_slice(&i32::from(nulls).to_be_bytes());
        out[start + 16..start + 20].copy_from_slice(&count.to_be_bytes());
    }
    // A value beyond 1 GB is refused with its row.
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Reads an array; `None` for one of several dimensions, or that does not begin at 1: the core has no such arrays.
pub(super) fn decode_array<'a>(
    mut bytes: &[u8],
    element: &PgType,
    scratch: &'a mut Scratch,
) -> Option<Value<'a>> {
    if bytes.len() < 12 {
        return None;
    }
    let dimensions = bytes.get_i32();
    bytes.advance(8);
    let mut elements = std::mem::take(&mut scratch.elements);
    elements.clear();
    if dimensions != 0 {
        if dimensions != 1 || bytes.len() < 8 {
            return None;
        }
        let count = bytes.get_i32();
        if bytes.get_i32() != 1 {
            return None;
        }
        for _ in 0..count {
            elements.push(&decode(take(&mut bytes)?, element, scratch)?);
        }
    }
    scratch.elements = elements;
    bytes
        .is_empty()
        .then(|| Value::Array(scratch.elements.as_array()))
}

/// Takes a length and so many bytes; a negative length is a null.
fn take<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    if bytes.len() < 4 {
        return None;
    }
    let Ok(length) = usize::try_from(bytes.get_i32()) else {
        return Some(None);
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(Some(value))
}
