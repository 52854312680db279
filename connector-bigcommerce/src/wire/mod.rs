//! From bytes to records.

mod cell;
mod decode;
mod page;
mod record;

pub(crate) use decode::{Decoder, Fate};
pub(crate) use page::{Page, total};
