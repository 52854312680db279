//! What is to happen beside a write.

use super::Config;

/// What the org is told with every write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WriteOptions {
    /// The active assignment rule may give new and changed records another owner.
    pub(crate) auto_assign: bool,
    /// A record that a duplicate rule only warns of is saved.
    pub(crate) allow_duplicates: bool,
}

impl Config {
    /// The same, with assignment rules run for leads and cases that are written, or not, as it is unless told: a
    /// write must not change whom a record belongs to.
    #[must_use]
    pub fn with_auto_assign(mut self, auto_assign: bool) -> Self {
        self.write.auto_assign = auto_assign;
        self
    }

    /// The same, with records saved that a duplicate rule only warns of, or not, as it is unless told: they are
    /// rejected then. What a rule blocks is rejected in either case.
    #[must_use]
    pub fn with_allow_duplicates(mut self, allow_duplicates: bool) -> Self {
        self.write.allow_duplicates = allow_duplicates;
        self
    }
}
