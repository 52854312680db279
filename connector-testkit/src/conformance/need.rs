//! What a check can only be run with.

use std::fmt;

/// Something a check needs that not every connector, or not every test system, has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Need {
    /// The stream has a primary key.
    PrimaryKey,
    /// The stream can be read incrementally.
    Incremental,
    /// The test can have the stream hold texts of its choice.
    Texts,
    /// The source reads records by their keys.
    Keys,
    /// The test knows a key that no record has.
    MissingKey,
    /// The source reads incrementally by a field of choice.
    Cursors,
    /// The source reads what passes a filter.
    Filters,
    /// The source computes the difference of a write-back.
    Difference,
    /// The source says which records are gone.
    Deletes,
    /// The source keeps a log of changes.
    Changes,
    /// The test can change the keys of records.
    Rekeys,
    /// The test has a second stream.
    AnotherStream,
    /// The test has a second system of the same kind.
    AnotherSystem,
    /// The test knows which secrets the connection was given.
    Secrets,
    /// The destination inserts.
    Insert,
    /// The destination updates.
    Update,
    /// The destination upserts.
    Upsert,
    /// The destination overwrites.
    Overwrite,
    /// The destination keeps histories.
    History,
    /// The destination deletes records that are named.
    Delete,
    /// The destination prunes by a sweep.
    Prune,
    /// The destination finds records by a key: it updates or upserts.
    Keyed,
    /// There is a write mode that the destination does not have.
    MissingMode,
    /// The destination stores checkpoints with its rows.
    Transactions,
    /// The destination makes its tables.
    Creates,
    /// The destination writes only to what is there.
    FixedTables,
    /// The destination journals what it sends.
    Journal,
    /// Records may leave fields unset.
    Partial,
    /// The destination deletes records.
    Deleting,
    /// The destination can leave alone what is said to be gone.
    IgnoredDeletes,
    /// The destination can mark records as deleted.
    SoftDeletes,
    /// There is an answer to deletes that the destination does not have.
    MissingDeletes,
    /// The destination keeps fields of existing records.
    Keeps,
    /// The test can make a record that the system refuses.
    Flawed,
    /// The test can make the system apply a write and lose its answer.
    LostAnswers,
    /// Memory in use can be read on this machine.
    MemoryFigures,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrimaryKey => "a primary key",
            Self::Incremental => "incremental reads",
            Self::Texts => "texts of the test's choice",
            Self::Keys => "reads by key",
            Self::MissingKey => "a key that is missing",
            Self::Cursors => "cursors of choice",
            Self::Filters => "filters",
            Self::Difference => "differences",
            Self::Deletes => "deletes that are seen",
            Self::Changes => "a log of changes",
            Self::Rekeys => "keys that change",
            Self::AnotherStream => "a second stream",
            Self::AnotherSystem => "a second system",
            Self::Secrets => "secrets",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Overwrite => "overwrite",
            Self::History => "history",
            Self::Delete => "delete",
            Self::Prune => "prune",
            Self::Keyed => "writes by key",
            Self::MissingMode => "a mode that is missing",
            Self::Transactions => "transactions",
            Self::Creates => "making tables",
            Self::FixedTables => "tables it cannot make",
            Self::Journal => "a journal",
            Self::Partial => "unset fields",
            Self::Deleting => "deletes",
            Self::IgnoredDeletes => "deletes that are ignored",
            Self::SoftDeletes => "soft deletes",
            Self::MissingDeletes => "an answer to deletes that is missing",
            Self::Keeps => "fields to keep",
            Self::Flawed => "a record that is refused",
            Self::LostAnswers => "answers that get lost",
            Self::MemoryFigures => "figures of memory in use",
        })
    }
}
