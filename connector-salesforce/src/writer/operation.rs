//! What is done to records.

use std::fmt;

use connector_core::WriteMode;

/// What one record does at the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    /// It is created; twice if it is sent twice.
    Insert,
    /// The record with its id is changed.
    Update,
    /// The record with its key is changed, or created.
    Upsert,
    /// The record with its id goes to the recycle bin.
    Delete,
}

impl Operation {
    /// What the records of a write in `mode` do; `None`: Salesforce cannot be written so.
    pub(crate) fn of(mode: WriteMode) -> Option<Self> {
        match mode {
            WriteMode::Insert => Some(Self::Insert),
            WriteMode::Update => Some(Self::Update),
            WriteMode::Upsert => Some(Self::Upsert),
            WriteMode::Delete => Some(Self::Delete),
            _ => None,
        }
    }

    /// Whether sending a record twice does what sending it once does.
    pub(crate) fn is_repeatable(self) -> bool {
        self != Self::Insert
    }

    /// Whether records are addressed by their id, whatever they are matched on.
    pub(crate) fn is_by_id(self) -> bool {
        matches!(self, Self::Update | Self::Delete)
    }
}

/// The word for it in Bulk jobs, and in messages.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        })
    }
}
