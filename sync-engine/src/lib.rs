//! Composes a source and a destination into jobs that run, resume, and account for every record.
//!
//! A [`Job`] is one source, one destination and tasks, or a script between two such jobs; [`run`] runs jobs in the
//! order of what they come after. The engine holds connectors as `Arc<dyn Connector>` and never names one. Order is
//! always *commit, then state, then acknowledge*, and a task succeeds only if every record read is accounted for.
//!
//! States are kept by one side of a job, in the transaction of the rows where that side can; a [`FileStore`] keeps them
//! where no side does.

mod file_store;
mod filter;
mod job;
mod mapping;
mod observe;
mod options;
mod plan;
mod report;
mod run;
mod task_run;

#[cfg(feature = "config")]
mod config;

#[cfg(feature = "config")]
pub use config::{JobFile, Properties, Registry};
pub use file_store::FileStore;
pub use job::{CommitEvery, FieldMapping, Job, JobBuilder, Sync, Task, Work};
pub use observe::{NoObserver, Observer, Progress};
pub use options::RunOptions;
pub use plan::{JobPlan, TaskPlan};
pub use report::{JobReport, RunReport, Status, TaskReport};
pub use run::run;
