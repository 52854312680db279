//! What PostgreSQL's pages hold at most, found before a row is sent.

use bytes::Buf;

use crate::copy::Refusal;
use crate::own::Own;
use crate::shape::Shape;
use crate::table::Layout;
use crate::types::PgType;

/// The most bytes that the cells of a key have, each with a length of four: an index holds 2,704, its own eight
/// included. Some longer ones would fit once they are compressed; which ones, nobody can tell beforehand.
const MAX_KEY: usize = 2_704 - 8;
/// The most bytes of a row in a page, its header included.
const MAX_TUPLE: usize = 8_160;
/// The most bytes that a value of any length takes in a page that is full: a long one is moved out and leaves 18 bytes, one
/// of up to 23 stays, with its length.
const MAX_VARYING: usize = 24;
/// Fewer columns than this fit a page whatever they hold.
const WIDE: usize = (MAX_TUPLE - 1_024) / MAX_VARYING;
/// Left for columns that a write adds later: a mark, or what tells versions apart.
const SPARE: usize = 32;
/// The most columns a table can have, dropped ones included.
pub(crate) const MAX_COLUMNS: usize = 1_600;
/// Columns that a table has beyond another's whose rows pass through it.
pub(crate) const PASSING: usize = 4;
/// The most bytes of a row that are sent as one.
const MAX_ROW: usize = (1 << 30) - (1 << 20);

pub(crate) const KEY_TOO_LONG: Refusal = Refusal {
    code: "key_too_long",
    message: "the key is longer than the 2,692 bytes that an index of PostgreSQL holds",
};
const ROW_TOO_LARGE: Refusal = Refusal {
    code: "row_too_large",
    message: "the row has more bytes than a page of PostgreSQL holds",
};

/// Whether cells of a key that take so many bytes are too long for an index, and so would stand in no table.
pub(crate) fn is_long_key(bytes: usize, layout: &Layout) -> bool {
    bytes > MAX_KEY - layout.own.bytes().1
}

/// Looks at an encoded row as a whole.
pub(crate) fn check_row(row: &[u8], layout: &Layout, shape: &Shape) -> Result<(), Refusal> {
    let wide = layout.columns.len() > WIDE && tuple_size(row, layout, shape) > MAX_TUPLE;
    if wide || row.len() > MAX_ROW {
        return Err(ROW_TOO_LARGE);
    }
    Ok(())
}

/// Bytes that a row takes in a page at least: what can be is stored elsewhere.
fn tuple_size(mut row: &[u8], layout: &Layout, shape: &Shape) -> usize {
    let cells = usize::from(row.get_u16());
    let (mut size, mut nulls) = (0_usize, false);
    let columns = layout.columns.iter().enumerate().filter(|&(i, _)| shape.has(i));
    for (_, column) in columns {
        let Ok(length) = usize::try_from(row.get_i32()) else {
            nulls = true;
            continue;
        };
        row.advance(length);
        if let Some((align, _)) = fixed(&column.pg_type) {
            size = size.next_multiple_of(align) + length;
        } else {
            // A number is shorter on disk than on the wire: two bytes of header instead of eight.
            let pg_type = match &column.pg_type {
                PgType::Narrow { of, .. } => of,
                pg_type => pg_type,
            };
            let length = match pg_type {
                PgType::Numeric(_) => length - 6,
                PgType::Jsonb => length - 1,
                // A number of four bytes stands for the label.
                PgType::Enum { .. } => 3,
                _ => length,
            };
            size += if length < 24 { length + 1 } else { 18 };
        }
    }
    if shape.staged {
        // The sequence number, whether it is deleted, what is unset.
        size = size.next_multiple_of(8) + 8 + 1;
    }
    if shape.masked {
        size = size.next_multiple_of(4) + 8 + cells.div_ceil(8);
    }
    if let (own @ 1.., _) = layout.own.bytes() {
        size = size.next_multiple_of(8) + own;
    }
    let header = 23 + if nulls { cells.div_ceil(8) } else { 0 };
    header.next_multiple_of(8) + size
}

/// Whether a row with a value in each of these columns fits a page whatever the values are, in a table that has had so
/// many `attributes` and on the way there.
pub(crate) fn fits_page<'a>(types: impl Iterator<Item = &'a PgType>, attributes: usize, own: &Own) -> bool {
    let (mut columns, mut size) = (0, 0_usize);
    for pg_type in types {
        columns += 1;
        size = match fixed(pg_type) {
            Some((align, length)) => size.next_multiple_of(align) + length,
            None => size + MAX_VARYING,
        };
    }
    let attributes = columns.max(attributes) + PASSING;
    // On the way there: the sequence number, whether it is deleted, what is unset.
    let passing = 8 + 1 + 12 + attributes.div_ceil(8);
    let beyond = passing.max(own.bytes().0 + SPARE) + 8;
    (23 + attributes.div_ceil(8)).next_multiple_of(8) + size + beyond <= MAX_TUPLE
}

/// The alignment and the length of a type of one size.
fn fixed(pg_type: &PgType) -> Option<(usize, usize)> {
    match pg_type {
        PgType::Bool => Some((1, 1)),
        PgType::Uuid => Some((1, 16)),
        PgType::Int2 => Some((2, 2)),
        PgType::Int4 | PgType::Float4 | PgType::Date => Some((4, 4)),
        PgType::Int8 | PgType::Float8 | PgType::Time | PgType::Timestamp | PgType::Timestamptz => {
            Some((8, 8))
        }
        PgType::Interval => Some((8, 16)),
        PgType::Numeric(_)
        | PgType::Text { .. }
        | PgType::Bytea
        | PgType::Json
        | PgType::Jsonb
        | PgType::Char { .. }
        | PgType::Citext(_)
        | PgType::Enum { .. }
        | PgType::Array { .. }
        | PgType::Other(_) => None,
        PgType::Narrow { of, .. } => fixed(of),
    }
}
