//! What a run did.

use std::time::Duration;

use connector_core::{Counts, Error, ErrorKind, Rejection, TaskId, Usage};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Every record is written or unchanged.
    Succeeded,
    /// Some records were refused or are ambiguous, or a task failed beside one that did not.
    Partial,
    /// It stopped with an error; what was committed stays, and the next run goes on from there.
    Failed,
    /// Something it comes after did not succeed.
    Skipped,
}

/// One task's account.
#[derive(Debug)]
#[non_exhaustive]
pub struct TaskReport {
    /// The task.
    pub task: TaskId,
    /// How it ended.
    pub status: Status,
    /// Records read, as far as their fate is durable.
    pub read: u64,
    /// Their fates.
    pub counts: Counts,
    /// Commits.
    pub commits: u64,
    /// Some of the records refused.
    pub rejected: Vec<Rejection>,
    /// What stopped it.
    pub error: Option<Error>,
}

impl TaskReport {
    pub(crate) fn new(task: TaskId) -> Self {
        Self {
            task,
            status: Status::Failed,
            read: 0,
            counts: Counts::default(),
            commits: 0,
            rejected: Vec::new(),
            error: None,
        }
    }

    /// Decides the status: an error, records that are not accounted for, or records that were refused.
    pub(crate) fn conclude(mut self, error: Option<Error>) -> Self {
        self.error = error.or_else(|| {
            let (read, accounted) = (self.read, self.counts.accounted());
            (read != accounted).then(|| {
                Error::new(
                    ErrorKind::Bug,
                    format!("{read} records were read and {accounted} are accounted for"),
                )
                .with_help("run the task again in full; if it stays so, report it")
            })
        });
        self.status = match (&self.error, self.counts.rejected + self.counts.ambiguous) {
            (Some(_), _) => Status::Failed,
            (None, 0) => Status::Succeeded,
            (None, _) => Status::Partial,
        };
        self
    }
}

/// One job's account.
#[derive(Debug)]
#[non_exhaustive]
pub struct JobReport {
    /// The job's name.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// Its tasks; of a script, none.
    pub tasks: Vec<TaskReport>,
    /// Rows a script touched.
    pub rows: Option<u64>,
    /// How long it took.
    pub elapsed: Duration,
    /// What it used of what its connections meter, by the connector's name.
    pub usage: Vec<(&'static str, Usage)>,
    /// What stopped it, beside its tasks' own errors.
    pub error: Option<Error>,
    /// Why it was skipped.
    pub reason: Option<String>,
}

impl JobReport {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: Status::Succeeded,
            tasks: Vec::new(),
            rows: None,
            elapsed: Duration::ZERO,
            usage: Vec::new(),
            error: None,
            reason: None,
        }
    }

    pub(crate) fn skipped(name: &str, reason: impl Into<String>) -> Self {
        Self {
            status: Status::Skipped,
            reason: Some(reason.into()),
            ..Self::new(name)
        }
    }

    pub(crate) fn failed(name: &str, error: Error) -> Self {
        Self {
            status: Status::Failed,
            error: Some(error),
            ..Self::new(name)
        }
    }

    /// Sums of all tasks.
    pub fn counts(&self) -> Counts {
        self.tasks.iter().fold(Counts::default(), |mut sum, task| {
            sum.add(&task.counts);
            sum
        })
    }

    /// Records read by all tasks.
    pub fn read(&self) -> u64 {
        self.tasks.iter().map(|task| task.read).sum()
    }

    /// Every error: the job's own, then its tasks'.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.error
            .iter()
            .chain(self.tasks.iter().filter_map(|task| task.error.as_ref()))
    }

    pub(crate) fn conclude(mut self) -> Self {
        let failed = self
            .tasks
            .iter()
            .filter(|task| task.status == Status::Failed)
            .count();
        self.status = if self.error.is_some() || (failed > 0 && failed == self.tasks.len()) {
            Status::Failed
        } else if failed > 0 || self.tasks.iter().any(|task| task.status == Status::Partial) {
            Status::Partial
        } else {
            Status::Succeeded
        };
        self
    }
}

/// A run's account.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RunReport {
    /// The jobs, in the order they were run.
    pub jobs: Vec<JobReport>,
}

impl RunReport {
    /// How it ended: the worst of its jobs, where skipped counts as failed.
    pub fn status(&self) -> Status {
        let any = |wanted: Status| self.jobs.iter().any(|job| job.status == wanted);
        if any(Status::Failed) || any(Status::Skipped) {
            Status::Failed
        } else if any(Status::Partial) {
            Status::Partial
        } else {
            Status::Succeeded
        }
    }

    /// The exit code for a program: 0 succeeded, 3 partial, 1 failed.
    pub fn exit_code(&self) -> u8 {
        match self.status() {
            Status::Succeeded => 0,
            Status::Partial => 3,
            Status::Failed | Status::Skipped => 1,
        }
    }
}
