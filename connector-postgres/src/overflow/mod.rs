//! Fields beyond what a table holds: which they are, and the one column that holds them.

mod choose;
mod record;
mod sql;
mod words;

use connector_core::{DataType, Fold};

pub(crate) use self::choose::choose;

/// The column that holds what has no column of its own: a `jsonb` object of values by the names of their fields. A field
/// that is not in it is null.
pub(crate) const REST: &str = "_rest";

/// Fields of a write that have no column of their own.
#[derive(Clone, Debug)]
pub(crate) struct Overflow {
    /// Makes their one field of them: the last.
    pub(crate) fold: Fold,
    /// All fields of a record: what it says of them holds, whatever stood there.
    names: Vec<String>,
    folded: Vec<(String, DataType)>,
    why: Why,
}

/// Why fields are folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The table has the column for them, and none of their own.
    Before,
    /// There would be more columns than a table can have.
    Columns,
    /// A row might not fit a page.
    Page,
}

impl Overflow {
    /// Whether the other one folds the same fields.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}
