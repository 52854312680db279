//! Jobs in the order of what they come after.

use std::sync::Arc;

use connector_core::{Connector, Error, ErrorKind, Result, Usage, nearest};
use tracing::Instrument;

use crate::job::{Job, Task, Work};
use crate::observe::{Observer, Progress};
use crate::options::RunOptions;
use crate::plan::{check_fields, no_role, plan_job};
use crate::report::{JobReport, RunReport, Status};
use crate::task_run::run_task;

/// Runs `jobs`, each after those it comes after. A job whose predecessor did not succeed is skipped and says so;
/// a partial one counts as not succeeded only if it failed.
///
/// What can be known to be wrong of any job is found before the first one moves data; then nothing is run.
pub async fn run(jobs: &[Job], options: &RunOptions, observer: &dyn Observer) -> RunReport {
    let mut report = RunReport::default();
    let order = match order(jobs) {
        Ok(order) => order,
        Err(error) => {
            let name = jobs.first().map_or("", |job| &job.name);
            report.jobs.push(JobReport::failed(name, error));
            return report;
        }
    };
    report.jobs = check(&order, options).await;
    if !report.jobs.is_empty() {
        return report;
    }
    for job in order {
        let ended = match predecessor(job, &report) {
            Some(reason) => JobReport::skipped(&job.name, reason),
            None => {
                observer.observe(&Progress::JobStarted { job: &job.name });
                let span = tracing::info_span!("job", name = %job.name);
                run_job(job, options, observer).instrument(span).await
            }
        };
        observer.observe(&Progress::JobEnded { report: &ended });
        report.jobs.push(ended);
    }
    report
}

/// Tests every connection once, then plans what can be planned: a job that comes after others reads what they have yet
/// to write, so that only its destination's fields are looked at.
async fn check(jobs: &[&Job], options: &RunOptions) -> Vec<JobReport> {
    let mut tested: Vec<&Arc<dyn Connector>> = Vec::new();
    let mut broken: Vec<&Arc<dyn Connector>> = Vec::new();
    let has = |list: &[&Arc<dyn Connector>], wanted| list.iter().any(|one| Arc::ptr_eq(one, wanted));
    let mut reports = Vec::new();
    for job in jobs {
        let connections = job.connections();
        // A failure is said once, with the first job that needs the connection.
        if let Some(bad) = connections.iter().find(|connection| has(&broken, connection)) {
            let reason = format!("its connection to {} does not work", bad.name());
            reports.push(JobReport::skipped(&job.name, reason));
            continue;
        }
        let checked = async {
            for connection in connections {
                if !has(&tested, connection) {
                    tested.push(connection);
                    if let Err(error) = connection.check().await {
                        broken.push(connection);
                        return Err(error.with_context("connector", connection.name()));
                    }
                }
            }
            match &job.work {
                Work::Sync {
                    destination, tasks, ..
                } if !job.after.is_empty() => check_destination(job, destination.as_ref(), tasks).await,
                _ => plan_job(job, options).await.map(drop),
            }
        };
        if let Err(error) = checked.await {
            reports.push(JobReport::failed(
                &job.name,
                error.with_context("job", job.name.as_str()),
            ));
        }
    }
    reports
}

async fn check_destination(job: &Job, destination: &dyn Connector, tasks: &[Task]) -> Result<()> {
    let to = destination
        .as_destination()
        .ok_or_else(|| no_role(destination, "be written to"))?;
    for task in tasks.iter().filter(|_| !to.capabilities().creates) {
        check_fields(to, task)
            .await
            .map_err(|error| error.with_context("task", task.id(&job.name).as_str()))?;
    }
    Ok(())
}

async fn run_job(job: &Job, options: &RunOptions, observer: &dyn Observer) -> JobReport {
    let started = options.clock.now();
    let mut report = JobReport::new(&job.name);
    let before = used(job);
    match &job.work {
        Work::Script { connection, script } => {
            let result = match connection.statements() {
                Some(statements) => statements.execute(script).await,
                None => Err(no_role(connection.as_ref(), "run statements")),
            };
            match result {
                Ok(step) => report.rows = Some(step.rows),
                Err(error) => report.error = Some(error.with_context("job", &*job.name)),
            }
        }
        Work::Sync {
            source,
            destination,
            tasks,
        } => {
            for task in tasks {
                let span = tracing::info_span!("task", stream = %task.selection);
                let ended = run_task(job, task, source, destination, options, observer)
                    .instrument(span)
                    .await;
                report.tasks.push(ended);
            }
        }
    }
    let micros = options.clock.now().unix_micros() - started.unix_micros();
    report.elapsed = std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    for ((name, usage), (_, before)) in used(job).into_iter().zip(before) {
        let since = usage.into_iter().map(|usage| usage.since(&before));
        report.usage.extend(since.map(|usage| (name, usage)));
    }
    report.conclude()
}

/// What a job's connections have used so far, each once.
fn used(job: &Job) -> Vec<(&'static str, Vec<Usage>)> {
    let mut connections = job.connections();
    connections.dedup_by(|one, other| Arc::ptr_eq(one, other));
    let all = connections.into_iter();
    all.map(|connection| (connection.name(), connection.usage()))
        .collect()
}

/// Why a job cannot be run, if something it comes after has failed or was skipped.
fn predecessor(job: &Job, report: &RunReport) -> Option<String> {
    let ended = |name: &String| report.jobs.iter().find(|job| job.name == *name);
    let bad = job
        .after
        .iter()
        .filter_map(ended)
        .find(|job| matches!(job.status, Status::Failed | Status::Skipped))?;
    let how = if bad.status == Status::Failed {
        "failed"
    } else {
        "was skipped"
    };
    Some(format!("`{}`, which it comes after, {how}", bad.name))
}

/// The jobs such that each stands behind those it comes after; otherwise as given.
fn order(jobs: &[Job]) -> Result<Vec<&Job>> {
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    let mut ordered: Vec<&Job> = Vec::new();
    if let Some(twice) = names
        .iter()
        .enumerate()
        .find(|(i, name)| names[..*i].contains(*name))
    {
        return Err(Error::new(
            ErrorKind::Config,
            format!("two jobs are called `{}`", twice.1),
        ));
    }
    // A job run by itself does not wait for jobs that are not among those to run.
    for name in jobs.iter().flat_map(|job| &job.after) {
        if jobs.len() > 1 && !names.contains(&name.as_str()) {
            let error = Error::new(
                ErrorKind::Config,
                format!("there is no job `{name}` to come after"),
            );
            return Err(match nearest(name, names.iter().copied()).as_slice() {
                [] => error,
                near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
            });
        }
    }
    while ordered.len() < jobs.len() {
        let done =
            |name: &String| ordered.iter().any(|job| job.name == *name) || !names.contains(&name.as_str());
        let next = jobs
            .iter()
            .find(|job| !ordered.iter().any(|other| other.name == job.name) && job.after.iter().all(done));
        match next {
            Some(job) => ordered.push(job),
            None => {
                let stuck: Vec<&str> = names
                    .iter()
                    .copied()
                    .filter(|name| !ordered.iter().any(|job| job.name == *name))
                    .collect();
                let message = format!("the jobs `{}` come after each other", stuck.join("`, `"));
                return Err(
                    Error::new(ErrorKind::Config, message).with_help("take one of them out of `after`")
                );
            }
        }
    }
    Ok(ordered)
}
