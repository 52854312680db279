//! What became of every record.

use crate::key::Key;

/// One record refused, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// The record's number within its run.
    pub sequence: u64,
    /// The record's key, where it has one.
    pub key: Option<Key>,
    /// A short word that groups reasons: an error code of the other side, or one of ours.
    pub code: String,
    /// The reason for people. Holds no value of the record.
    pub message: String,
    /// The fields it is about.
    pub fields: Vec<String>,
}

impl Rejection {
    /// A refusal of the record numbered `sequence`. A reader that could not make a row of a record takes the number from
    /// [`BatchBuilder::cancel_record`](crate::BatchBuilder::cancel_record), so that it stays that record's alone.
    pub fn new(sequence: u64, key: Option<Key>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            sequence,
            key,
            code: code.into(),
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// The same about one field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.fields.push(field.into());
        self
    }
}

/// What became of one record that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The record's key in this write: its `match_on` value, or the source's key for an insert.
    pub key: Key,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is there now, under this id.
    Created {
        /// The other side's id.
        id: Option<String>,
    },
    /// It holds the values sent.
    Updated,
    /// It is gone.
    Deleted,
    /// The other side refused it.
    Rejected {
        /// The other side's error code.
        code: String,
        /// Its words.
        message: String,
        /// The fields it names.
        fields: Vec<String>,
    },
    /// Sent, and no answer says whether it was applied.
    Ambiguous,
    /// Not sent, or certainly not applied: still to be done.
    Released,
}

/// Numbers of records by fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Newly there.
    pub created: u64,
    /// Changed.
    pub updated: u64,
    /// There already with the same values.
    pub unchanged: u64,
    /// Gone.
    pub deleted: u64,
    /// Read and left out: they do not pass the task's filter.
    pub filtered: u64,
    /// Our own write-back that came back: stored, and not counted as a change.
    pub echo: u64,
    /// Refused.
    pub rejected: u64,
    /// Sent without an answer.
    pub ambiguous: u64,
    /// Settled now on behalf of an earlier run that was cut short; not among those read in this run.
    pub recovered: u64,
    /// Found to differ from the value that was written back: the other side was edited.
    pub drifted: u64,
    /// Deleted at the end of a prune, for no record had named it; not among those read.
    pub pruned: u64,
}

impl Counts {
    /// Records found as they should be.
    pub fn of_unchanged(records: u64) -> Self {
        Self {
            unchanged: records,
            ..Self::default()
        }
    }

    /// Records that do not pass a filter.
    pub fn of_filtered(records: u64) -> Self {
        Self {
            filtered: records,
            ..Self::default()
        }
    }

    /// Records that the destination stored, or removed.
    pub fn written(&self) -> u64 {
        self.created + self.updated + self.deleted + self.echo
    }

    /// Records of this run whose fate is known: what must equal the number read.
    pub fn accounted(&self) -> u64 {
        self.written() + self.unchanged + self.filtered + self.rejected + self.ambiguous
    }

    /// Adds `other`.
    pub fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.filtered += other.filtered;
        self.echo += other.echo;
        self.rejected += other.rejected;
        self.ambiguous += other.ambiguous;
        self.recovered += other.recovered;
        self.drifted += other.drifted;
        self.pruned += other.pruned;
    }
}

/// The fate of every record since the last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitReport {
    /// How many met which fate.
    pub counts: Counts,
    /// Some of those refused: at most [`SAMPLE`](Self::SAMPLE).
    pub rejected: Vec<Rejection>,
}

impl CommitReport {
    /// The most rejections a report carries; all of them are where the destination keeps them.
    pub const SAMPLE: usize = 20;

    /// A report of `counts`.
    pub fn new(counts: Counts) -> Self {
        Self {
            counts,
            rejected: Vec::new(),
        }
    }

    /// Adds a rejection to the count, and to the sample while there is room.
    pub fn reject(&mut self, rejection: Rejection) {
        self.counts.rejected += 1;
        if self.rejected.len() < Self::SAMPLE {
            self.rejected.push(rejection);
        }
    }

    /// Adds `other`.
    pub fn add(&mut self, other: Self) {
        self.counts.add(&other.counts);
        self.rejected.extend(other.rejected);
        self.rejected.truncate(Self::SAMPLE);
    }
}
