//! PostgreSQL's binary formats, both ways.

mod array;
mod decode;
mod encode;
mod numeric;

pub(crate) use decode::{Raw, Scratch, decode, unreadable};
pub(crate) use encode::{HEADER, Refusal, TRAILER, Text, check_escapes, encode_cell};

/// Days from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
