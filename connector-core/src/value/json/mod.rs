//! Values and records as JSON text, both ways, without a loss.

mod read;
mod record;
mod write;

pub use write::write_json;
pub(crate) use write::write_json_text;
