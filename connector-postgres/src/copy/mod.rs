//! PostgreSQL's binary formats, both ways.

mod decode;
mod encode;
mod numeric;

pub(crate) use decode::{Raw, decode};
pub(crate) use encode::{HEADER, Refusal, TRAILER, check_escapes, encode_cell};

/// Days from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;
