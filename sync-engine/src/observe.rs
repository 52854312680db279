//! Watching a run.

use connector_core::{Counts, Error, TaskId};

use crate::report::JobReport;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A job begins.
    JobStarted {
        /// Its name.
        job: &'a str,
    },
    /// A task begins to move records.
    TaskStarted {
        /// The task.
        task: &'a TaskId,
        /// About how many records it will read, where that is known.
        records: Option<u64>,
    },
    /// Records were read.
    Read {
        /// The task.
        task: &'a TaskId,
        /// How many, since the last time.
        records: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// A commit is durable.
    Committed {
        /// The task.
        task: &'a TaskId,
        /// The fates of its records.
        counts: &'a Counts,
    },
    /// A task goes on from its last checkpoint after a failure.
    Retrying {
        /// The task.
        task: &'a TaskId,
        /// What failed.
        error: &'a Error,
    },
    /// A job has ended.
    JobEnded {
        /// How.
        report: &'a JobReport,
    },
}

/// Whoever wants to know. Called in order, from the run itself: be quick.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, progress: &Progress<'_>);
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _: &Progress<'_>) {}
}
