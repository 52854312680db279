//! Reads one object: over REST or by a Bulk job, from one checkpoint to the next.

mod bulk;
mod columns;
mod deleted;
mod keys;
mod lane;
mod rest;
mod sink;
mod wide;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Event, Identity, Reader, Result, State};

use crate::bulk::job::{self, Kind};
use crate::describe::DescribeCache;
use crate::error::code;
use crate::org::Org;
use crate::progress::{Place, Progress, Running, Stamp};
use crate::rest::query;
use crate::soql::{Query, Window};

pub(crate) use columns::{Columns, ColumnsRequest, Row};
pub(crate) use deleted::KEPT as DELETIONS_KEPT;
pub(crate) use keys::KeysReader;
use sink::Sink;

/// From how many records on a Bulk job is worth its waiting.
pub(crate) const BULK_FROM: u64 = 2_000;

/// Up to how many records of an object with too many fields for one query are read over REST.
pub(crate) const WIDE_UNTIL: u64 = 200;

/// How often a read begins its window anew because the server lost what it held ready.
const MAX_RESTARTS: u32 = 3;

/// The shortest window that is cut in two when the org needs too long for it.
const SHORTEST_WINDOW: Duration = Duration::from_secs(120);

/// What is read, apart from how far.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) org: Org,
    pub(crate) describes: Arc<DescribeCache>,
    pub(crate) identity: Identity,
    /// What states call the stream.
    pub(crate) stream: String,
    pub(crate) object: String,
    /// What stands after `FROM`: the object, perhaps with an alias.
    pub(crate) from: String,
    pub(crate) columns: Arc<Columns>,
    pub(crate) window: Option<Window>,
    pub(crate) conditions: Vec<String>,
    /// A query that is asked as it stands, in no order of ours.
    pub(crate) whole: Option<String>,
    /// Bulk does not read it.
    pub(crate) rest_only: bool,
    /// The field that tells whether a record was changed meanwhile.
    pub(crate) stamp: Option<String>,
    /// The org lists what is deleted, from here on.
    pub(crate) deletions: Option<Stamp>,
}

impl Task {
    /// The query.
    pub(crate) fn query(&self) -> Query<'_> {
        Query {
            object: &self.from,
            columns: &self.columns.names,
            window: self.window.as_ref(),
            conditions: &self.conditions,
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

    /// The step that reads over REST behind `last`.
    async fn over_rest(&self, last: Option<String>) -> Result<Step> {
        if self.whole.is_none() && self.is_too_long().await? {
            return Ok(Step::Wide(Box::new(wide::Wide::after(self, last)?)));
        }
        Ok(Step::Rest(rest::Pages::after(last)))
    }

    /// Whether the query is too long for an address.
    async fn is_too_long(&self) -> Result<bool> {
        let probe = self.query().by_id(Some("000000000000000AAA"));
        let request = query::request(&self.org, &probe, self.all()).await?;
        Ok(query::uri_len(&request) > query::MAX_URI)
    }

    /// `error`, and what it means where it says that a field is not there, which was when the read began.
    pub(crate) async fn explain(&self, error: Error) -> Error {
        if code(&error) != Some("INVALID_FIELD") {
            return error;
        }
        let Ok(described) = self.describes.anew(&self.org, &self.object).await else {
            return error;
        };
        let is_gone = |name: &&String| !name.contains('.') && described.object.field(name).is_none();
        let gone: Vec<&str> = self
            .columns
            .names
            .iter()
            .filter(is_gone)
            .map(String::as_str)
            .collect();
        if gone.is_empty() {
            return error;
        }
        let message = format!(
            "`{}` of `{}` was removed or hidden from this user while it was read",
            gone.join("`, `"),
            self.object
        );
        Error::new(ErrorKind::Schema, message)
            .with_source(error)
            .with_help("run again: what is not there any more is left out, unless the task names it")
    }
}

/// A read in progress.
pub(crate) struct SalesforceReader {
    task: Task,
    /// What was read by earlier reads.
    progress: Progress,
    running: Running,
    sink: Sink,
    step: Step,
    /// Bulk has said that it does not read this.
    refused: bool,
    /// The last state and the job behind it, which is of no more use once the state is durable.
    finished: Option<(State, Option<String>)>,
}

/// What comes next.
enum Step {
    /// Decide between REST and Bulk.
    Choose,
    /// Go on over REST behind this id.
    Resume(String),
    Rest(rest::Pages),
    Wide(Box<wide::Wide>),
    /// Start a job.
    Start,
    Bulk(Box<bulk::Job>),
    /// See what was deleted, then remember that all is read; the job that was read, if it was one.
    Close(Option<String>),
    Done,
}

impl SalesforceReader {
    /// A read that goes on from `running`; `progress` is what earlier reads have read.
    pub(crate) fn new(
        task: Task,
        progress: Progress,
        running: Running,
        request: &connector_core::ReadRequest,
    ) -> Self {
        let step = match &running.place {
            _ if task.is_void() => Step::Close(None),
            None => Step::Choose,
            Some(Place::Rest { last }) => Step::Resume(last.clone()),
            Some(Place::Bulk { job, locator, rows }) => Step::Bulk(Box::new(bulk::Job::inherited(
                job.clone(),
                locator.clone(),
                *rows,
            ))),
        };
        let sink = Sink::new(Arc::clone(&task.columns), request);
        Self {
            task,
            progress,
            running,
            sink,
            step,
            refused: false,
            finished: None,
        }
    }

    async fn advance(&mut self) -> Result<()> {
        match &mut self.step {
            Step::Choose => self.step = choose(&self.task).await?,
            Step::Resume(last) => self.step = self.task.over_rest(Some(last.clone())).await?,
            Step::Rest(pages) => match pages.read(&self.task, &mut self.sink).await {
                Err(error) => {
                    let is_fresh = pages.last().is_none();
                    self.retry_smaller(error, is_fresh)?;
                }
                Ok(true) => self.step = Step::Close(None),
                Ok(false) => {
                    if let Some(last) = pages.last().map(str::to_owned) {
                        self.checkpoint_rest(last)?;
                    }
                }
            },
            Step::Wide(wide) => match wide.read(&self.task, &mut self.sink).await {
                Err(error) => {
                    let is_fresh = wide.last().is_none();
                    self.retry_smaller(error, is_fresh)?;
                }
                Ok(true) => self.step = Step::Close(None),
                Ok(false) => {
                    if let Some(last) = wide.last().map(str::to_owned) {
                        self.checkpoint_rest(last)?;
                    }
                }
            },
            Step::Start => match bulk::Job::create(&self.task).await? {
                Some(job) => {
                    let place = job.place();
                    self.step = Step::Bulk(Box::new(job));
                    // The server is at work: a restart had better find this job than ask for another.
                    self.checkpoint(place, true)?;
                }
                None => {
                    self.refused = true;
                    self.step = self.task.over_rest(None).await?;
                }
            },
            Step::Bulk(job) => match job.read(&self.task, &mut self.sink).await {
                // It fails before there is a first row.
                Err(error) => self.retry_smaller(error, false)?,
                Ok(bulk::Progress::Piece) => {}
                Ok(bulk::Progress::Page) => {
                    let place = job.place();
                    self.checkpoint(place, false)?;
                }
                Ok(bulk::Progress::End) => self.step = Step::Close(Some(job.id().to_owned())),
                Ok(bulk::Progress::Gone) => {
                    self.running.place = None;
                    self.step = Step::Start;
                }
                Ok(bulk::Progress::Refused) => {
                    self.running.place = None;
                    self.refused = true;
                    self.step = self.task.over_rest(None).await?;
                }
            },
            Step::Close(job) => {
                let job = job.clone();
                self.close(job).await?;
            }
            Step::Done => {}
        }
        Ok(())
    }

    /// All of the window is read: looks for what was deleted in it, and remembers.
    async fn close(&mut self, job: Option<String>) -> Result<()> {
        let until = self.running.until;
        let mut deletions = self.progress.deletions;
        if let (Some(from), None) = (self.task.deletions, self.running.goal) {
            let covered = deleted::read(&self.task, from.0, until.0, &mut self.sink).await?;
            deletions = Some(Stamp(covered.unwrap_or(from.0)));
        }
        self.progress.since = self.progress.since.max(Some(until));
        self.progress.deletions = deletions;
        // A window that was cut is followed by the rest of it.
        let rest = self.running.goal.take().filter(|goal| *goal > until);
        self.progress.running = rest.map(|goal| Running {
            from: Some(until),
            until: goal,
            goal: None,
            place: None,
            ..self.running.clone()
        });
        let state = self.progress.to_state(&self.task.identity, &self.task.stream)?;
        self.sink.checkpoint(state.clone(), false);
        self.finished = Some((state, job));
        self.step = match &self.progress.running {
            Some(running) => {
                self.running = running.clone();
                self.set_window();
                Step::Choose
            }
            None => Step::Done,
        };
        Ok(())
    }

    /// What is done about an error of a query: one that took the org too long is asked for less, or, where nothing has
    /// been read yet, by a job.
    fn retry_smaller(&mut self, error: Error, is_fresh: bool) -> Result<()> {
        if code(&error) != Some("QUERY_TIMEOUT") || self.task.whole.is_some() {
            return Err(error);
        }
        if let Some(middle) = self.task.window.as_ref().and_then(middle) {
            self.running.goal.get_or_insert(self.running.until);
            self.running.until = Stamp(middle);
            self.running.place = None;
            tracing::info!(object = self.task.object, until = %middle, "the org needs too long: the window is cut in two");
            self.set_window();
            self.step = Step::Choose;
            return Ok(());
        }
        if self.task.rest_only || self.refused || !is_fresh {
            return Err(error);
        }
        self.running.place = None;
        self.step = Step::Start;
        Ok(())
    }

    fn set_window(&mut self) {
        if let Some(window) = &mut self.task.window {
            window.from = self.running.from.map(|from| from.0);
            window.until = self.running.until.0;
        }
    }

    fn checkpoint_rest(&mut self, last: String) -> Result<()> {
        // A query that is asked as it stands cannot be gone on with from its middle.
        if self.task.whole.is_some() || self.running.place == Some(Place::Rest { last: last.clone() }) {
            return Ok(());
        }
        self.checkpoint(Place::Rest { last }, false)
    }

    fn checkpoint(&mut self, place: Place, urgent: bool) -> Result<()> {
        self.running.place = Some(place);
        self.progress.running = Some(self.running.clone());
        let state = self.progress.to_state(&self.task.identity, &self.task.stream)?;
        self.sink.checkpoint(state, urgent);
        Ok(())
    }
}

/// The middle of a window that is worth cutting.
fn middle(window: &Window) -> Option<Instant> {
    // Before it, there was no record to be stamped.
    let beginning = Instant::from_unix_micros(915_148_800_000_000);
    let from = window.from.unwrap_or(beginning);
    let span = window.until.unix_micros().checked_sub(from.unix_micros())?;
    let worth = Instant::from_unix_micros(0).plus(SHORTEST_WINDOW).unix_micros();
    (span > worth).then(|| Instant::from_unix_micros(from.unix_micros() + span / 2).floor_to_second())
}

/// Few records come faster over REST; many, or a query too long for an address, by a job.
async fn choose(task: &Task) -> Result<Step> {
    if task.rest_only || task.whole.is_some() {
        return task.over_rest(None).await;
    }
    let count = task.query().count();
    let request = query::request(&task.org, &count, task.all()).await?;
    if query::uri_len(&request) > query::MAX_URI {
        return Ok(Step::Start);
    }
    let few = if task.is_too_long().await? {
        WIDE_UNTIL
    } else {
        BULK_FROM
    };
    match query::count(&task.org, &count, task.all()).await {
        Ok(records) if records < few => task.over_rest(None).await,
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
            if let Err(error) = self.advance().await {
                return Err(self.task.explain(error).await);
            }
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

/// Requests for `records` records that are named by their ids.
pub(crate) fn wide_requests(task: &Task, records: u64) -> Result<u64> {
    Ok(wide::Groups::new(task)?.requests(records))
}

/// When `now` has settled: rows that carry an earlier stamp are visible by then.
pub(crate) fn settled(now: Instant, settle: Duration) -> Instant {
    now.minus(settle).floor_to_second()
}
