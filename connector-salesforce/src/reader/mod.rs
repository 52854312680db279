//! Reads one object: over REST or by a Bulk job, from one checkpoint to the next.

mod bulk;
mod columns;
mod keys;
mod lane;
mod rest;
mod sink;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Event, Identity, Reader, Result, State};

use crate::bulk::job::{self, Kind};
use crate::error::code;
use crate::org::Org;
use crate::progress::{Place, Progress, Running};
use crate::rest::query;
use crate::soql::{Query, Window};

pub(crate) use columns::{Columns, Row};
pub(crate) use keys::KeysReader;
use sink::Sink;

/// From how many records on a Bulk job is worth its waiting.
pub(crate) const BULK_FROM: u64 = 2_000;

/// How often a read begins its window anew because the server lost what it held ready.
const MAX_RESTARTS: u32 = 3;

/// What is read, apart from how far.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) org: Org,
    pub(crate) identity: Identity,
    pub(crate) object: String,
    pub(crate) columns: Columns,
    pub(crate) window: Option<Window>,
}

impl Task {
    /// The query.
    pub(crate) fn query(&self) -> Query<'_> {
        Query {
            object: &self.object,
            columns: &self.columns.names,
            window: self.window.as_ref(),
        }
    }

    /// Whether deleted records are read as well.
    pub(crate) fn all(&self) -> bool {
        self.columns.wants_deletions()
    }

    /// Whether the window is empty: no time has passed since the last one.
    fn is_void(&self) -> bool {
        self.window
            .as_ref()
            .is_some_and(|window| window.from.is_some_and(|from| from >= window.until))
    }
}

/// A read in progress.
pub(crate) struct SalesforceReader {
    task: Task,
    /// What was read by earlier reads.
    since: Option<crate::progress::Stamp>,
    running: Running,
    sink: Sink,
    step: Step,
    /// The last state and the job behind it, which is of no more use once the state is durable.
    finished: Option<(State, Option<String>)>,
}

/// What comes next.
enum Step {
    /// Decide between REST and Bulk.
    Choose,
    Rest(rest::Pages),
    /// Start a job.
    Start,
    Bulk(Box<bulk::Job>),
    /// Remember that all is read; the job that was read, if it was one.
    Close(Option<String>),
    Done,
}

impl SalesforceReader {
    /// A read that goes on from `running`.
    pub(crate) fn new(
        task: Task,
        since: Option<crate::progress::Stamp>,
        running: Running,
        request: &connector_core::ReadRequest,
    ) -> Self {
        let step = match &running.place {
            _ if task.is_void() => Step::Close(None),
            None => Step::Choose,
            Some(Place::Rest { last }) => Step::Rest(rest::Pages::after(Some(last.clone()))),
            Some(Place::Bulk { job, locator, rows }) => Step::Bulk(Box::new(bulk::Job::inherited(
                job.clone(),
                locator.clone(),
                *rows,
            ))),
        };
        let sink = Sink::new(std::sync::Arc::clone(&task.columns.schema), request);
        Self {
            task,
            since,
            running,
            sink,
            step,
            finished: None,
        }
    }

    async fn advance(&mut self) -> Result<()> {
        match &mut self.step {
            Step::Choose => self.step = choose(&self.task).await?,
            Step::Rest(pages) => {
                if pages.read(&self.task, &mut self.sink).await? {
                    self.step = Step::Close(None);
                } else if let Some(last) = pages.last() {
                    let place = Place::Rest {
                        last: last.to_owned(),
                    };
                    self.checkpoint(place, false)?;
                }
            }
            Step::Start => match bulk::Job::create(&self.task).await? {
                Some(job) => {
                    let place = job.place();
                    self.step = Step::Bulk(Box::new(job));
                    // The server is at work: a restart had better find this job than ask for another.
                    self.checkpoint(place, true)?;
                }
                None => self.step = Step::Rest(rest::Pages::after(None)),
            },
            Step::Bulk(job) => match job.read(&self.task, &mut self.sink).await? {
                bulk::Progress::Piece => {}
                bulk::Progress::Page => {
                    let place = job.place();
                    self.checkpoint(place, false)?;
                }
                bulk::Progress::End => self.step = Step::Close(Some(job.id().to_owned())),
                bulk::Progress::Gone => {
                    self.running.place = None;
                    self.step = Step::Start;
                }
                bulk::Progress::Refused => {
                    self.running.place = None;
                    self.step = Step::Rest(rest::Pages::after(None));
                }
            },
            Step::Close(job) => {
                let job = job.take();
                let since = self.since.max(Some(self.running.until));
                let state =
                    Progress { since, running: None }.to_state(&self.task.identity, &self.task.object)?;
                self.sink.checkpoint(state.clone(), false);
                self.finished = Some((state, job));
                self.step = Step::Done;
            }
            Step::Done => {}
        }
        Ok(())
    }

    fn checkpoint(&mut self, place: Place, urgent: bool) -> Result<()> {
        self.running.place = Some(place);
        let progress = Progress {
            since: self.since,
            running: Some(self.running.clone()),
        };
        self.sink
            .checkpoint(progress.to_state(&self.task.identity, &self.task.object)?, urgent);
        Ok(())
    }
}

/// Few records come faster over REST; many, or a query too long for an address, by a job.
async fn choose(task: &Task) -> Result<Step> {
    let query = task.query();
    let request = query::request(&task.org, &query.by_id(Some("000000000000000AAA")), task.all()).await?;
    if query::uri_len(&request) > query::MAX_URI {
        return Ok(Step::Start);
    }
    match query::count(&task.org, &query.count(), task.all()).await {
        Ok(records) if records < BULK_FROM => Ok(Step::Rest(rest::Pages::after(None))),
        Ok(_) => Ok(Step::Start),
        // Too many to count in time.
        Err(error) if code(&error) == Some("QUERY_TIMEOUT") => Ok(Step::Start),
        Err(error) => Err(error.with_context("object", &task.object)),
    }
}

#[async_trait]
impl Reader for SalesforceReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.sink.pop() {
                return Ok(Some(event));
            }
            if matches!(self.step, Step::Done) {
                return Ok(None);
            }
            self.advance().await?;
        }
    }

    async fn acknowledge(&mut self, state: &State) -> Result<()> {
        let Some((_, job)) = self.finished.take_if(|(last, _)| last == state) else {
            return Ok(());
        };
        if let Some(job) = job
            && let Err(error) = job::delete(&self.task.org, Kind::Query, &job).await
        {
            // It goes by itself after seven days.
            tracing::warn!(%error, job, "a Bulk job that was read cannot be deleted");
        }
        Ok(())
    }
}

/// When `now` has settled: rows that carry an earlier stamp are visible by then.
pub(crate) fn settled(now: Instant, settle: std::time::Duration) -> Instant {
    now.minus(settle).floor_to_second()
}
