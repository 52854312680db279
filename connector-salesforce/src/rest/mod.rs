//! The REST API: queries page by page, and up to 200 records in one write.

pub(crate) mod collections;
pub(crate) mod query;
