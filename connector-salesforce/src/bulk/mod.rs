//! Bulk API 2.0: jobs that read, and jobs that write.

pub(crate) mod csv;
pub(crate) mod ingest;
pub(crate) mod job;
pub(crate) mod query;
pub(crate) mod results;
pub(crate) mod upload;
