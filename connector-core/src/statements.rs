//! Statements run where the data lives.

use async_trait::async_trait;

use crate::error::Result;

/// A connection that runs scripts in its own language: the SQL between two jobs.
#[async_trait]
pub trait Statements: Send + Sync {
    /// Runs every statement of `script` in one transaction.
    ///
    /// # Errors
    /// Whatever the system says, with the line of the script it is about; nothing was changed.
    async fn execute(&self, script: &str) -> Result<StepReport>;
}

/// What a script did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepReport {
    /// Rows that its statements inserted, updated or deleted.
    pub rows: u64,
}

impl StepReport {
    /// A report of `rows` touched.
    pub fn new(rows: u64) -> Self {
        Self { rows }
    }
}
