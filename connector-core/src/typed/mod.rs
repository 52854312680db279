//! Records as a program's own types: a bridge to serde, and readers and writers of such types.

mod fault;
mod patch;
mod read;
mod scalars;
mod stream;
mod write;
mod writer;

pub use patch::Patch;
pub use stream::{ReaderExt, Typed};
pub use writer::{TypedWriter, WriterExt};
