//! Reading the result of a Bulk job, page by page.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result, Retry};

use super::Task;
use super::lane::{Arrived, Lane};
use super::sink::Sink;
use crate::bulk::job::{self, JobState, Kind};
use crate::bulk::query;
use crate::error::code;
use crate::progress::Place;

/// A page that breaks off is asked for again, so often at most.
const MAX_BREAKS: u32 = 5;

/// Pages that are on their way at once. A page's head names the next one, which so can be asked for while the first is read;
/// what waits of it is held back by the connection, not in memory.
const LANES: usize = 3;

/// A job whose result is being read.
///
/// Rows are taken from the first page as long as it has some ready, else from those behind it. A checkpoint names the
/// first page that is not read to its end: the rows taken from later ones come again after a restart.
pub(super) struct Job {
    id: String,
    /// Whether an earlier process started it: it may be gone by now.
    inherited: bool,
    /// Rows of the whole result; known once the job is complete.
    total: Option<u64>,
    complete: bool,
    /// The first page that is not read to its end, and rows before it.
    locator: Option<String>,
    rows: u64,
    /// That page and those behind it.
    lanes: VecDeque<Lane>,
    /// Every page that was named.
    named: HashSet<String>,
}

/// What a step came to.
pub(super) enum Progress {
    /// Some rows, or none yet.
    Piece,
    /// The rest of a page; there are more.
    Page,
    /// The rest of the last page.
    End,
    /// The server has lost the job: the window must be asked for anew.
    Gone,
    /// The job failed for a reason that REST does not know.
    Refused,
}

impl Job {
    /// Starts a job; `None` where Bulk leaves the query to REST.
    pub(super) async fn create(task: &Task) -> Result<Option<Self>> {
        match query::create(&task.org, &task.query().unordered(), task.all()).await {
            Ok(created) => Ok(Some(Self {
                inherited: false,
                ..Self::inherited(created.id, None, 0)
            })),
            Err(error) if query::leaves_it_to_rest(&error) => {
                tracing::info!(%error, object = task.object, "read over REST instead of Bulk");
                Ok(None)
            }
            Err(error) => Err(error.with_context("object", &task.object)),
        }
    }

    /// A job that an earlier process started.
    pub(super) fn inherited(id: String, locator: Option<String>, rows: u64) -> Self {
        Self {
            id,
            inherited: true,
            total: None,
            complete: false,
            named: locator.iter().cloned().collect(),
            locator,
            rows,
            lanes: VecDeque::new(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Where to go on from after a restart.
    pub(super) fn place(&self) -> Place {
        Place::Bulk {
            job: self.id.clone(),
            locator: self.locator.clone(),
            rows: self.rows,
        }
    }

    /// Takes the next step.
    pub(super) async fn read(&mut self, task: &Task, sink: &mut Sink) -> Result<Progress> {
        if !self.complete {
            return self.wait(task).await;
        }
        match self.piece(task, sink).await {
            Ok(progress) => Ok(progress),
            Err(error) if self.is_gone(&error) => {
                tracing::warn!(%error, job = self.id, "the job's result is gone: it is asked for anew");
                Ok(Progress::Gone)
            }
            Err(error) => Err(error
                .spent()
                .with_context("job", &self.id)
                .with_context("object", &task.object)),
        }
    }

    async fn wait(&mut self, task: &Task) -> Result<Progress> {
        let ended = match job::wait(&task.org, Kind::Query, &self.id).await {
            Ok(ended) => ended,
            Err(error) if self.is_gone(&error) => return Ok(Progress::Gone),
            Err(error) => return Err(error.with_context("object", &task.object)),
        };
        if ended.state != JobState::JobComplete {
            // Somebody stopped what an earlier process had started: the records are still wanted.
            if self.inherited {
                return Ok(Progress::Gone);
            }
            let error = ended.failure().with_context("object", &task.object);
            if query::leaves_it_to_rest(&error) {
                tracing::info!(%error, "read over REST instead of Bulk");
                return Ok(Progress::Refused);
            }
            return Err(error);
        }
        self.complete = true;
        self.total = ended.number_records_processed;
        Ok(if self.total == Some(0) {
            Progress::End
        } else {
            Progress::Piece
        })
    }

    /// Whether the server no longer has the job, or not for this version of the API. One of our own is
    /// only given up when it was inherited: a job that vanishes at once would vanish again.
    fn is_gone(&self, error: &Error) -> bool {
        self.inherited
            && (matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict)
                || code(error) == Some("INVALID_QUERY_LOCATOR"))
    }

    /// Takes what arrives next.
    async fn piece(&mut self, task: &Task, sink: &mut Sink) -> Result<Progress> {
        self.fill(task);
        let lanes = &mut self.lanes;
        let (at, arrived) = poll_fn(|cx| {
            for (at, lane) in lanes.iter_mut().enumerate() {
                if let Poll::Ready(arrived) = lane.poll(cx) {
                    return Poll::Ready((at, arrived));
                }
            }
            Poll::Pending
        })
        .await;
        let taken = match arrived {
            Ok(Arrived::Head(page)) => self.open(at, *page),
            Ok(Arrived::Chunk(chunk)) => self.lanes[at].take(&chunk, &task.columns, sink),
            Ok(Arrived::End) => self.lanes[at].end(),
            Err(error) => Err(error),
        };
        match taken {
            Ok(()) => {}
            Err(error)
                if error.kind() == ErrorKind::Unavailable
                    && error.retry() != Retry::Never
                    && self.lanes[at].breaks < MAX_BREAKS =>
            {
                let lane = &mut self.lanes[at];
                lane.reopen();
                tracing::warn!(%error, job = self.id, page = at, "a page broke off and is asked for again");
                let pause = Duration::from_secs(1 << lane.breaks);
                task.org.clock().sleep(pause).await;
            }
            Err(error) => return Err(error),
        }
        self.end_pages(sink)
    }

    /// Asks for as many pages as may be on their way.
    fn fill(&mut self, task: &Task) {
        if self.lanes.is_empty() {
            self.lanes.push_back(Lane::new(self.locator.clone()));
        }
        while self.lanes.len() < LANES
            && let Some(next) = self.lanes.back().and_then(Lane::next)
        {
            let lane = Lane::new(Some(next.to_owned()));
            self.lanes.push_back(lane);
        }
        for lane in &mut self.lanes {
            lane.ask(&task.org, &self.id);
        }
    }

    /// Takes the head of a page, which names the next one.
    fn open(&mut self, at: usize, page: query::ResultPage) -> Result<()> {
        let lane = &mut self.lanes[at];
        let is_first = lane.open(page)?;
        if let Some(next) = lane.next()
            && is_first
            && !self.named.insert(next.to_owned())
        {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "the pages of the Bulk job's result lead back to one that was there before",
            )
            .with_retry(Retry::Never));
        }
        Ok(())
    }

    /// Leaves the pages at the front that are read to their ends.
    fn end_pages(&mut self, sink: &mut Sink) -> Result<Progress> {
        let mut left = false;
        while let Some(rows) = self.lanes.front().and_then(Lane::rows) {
            left = true;
            self.rows += rows;
            let page = self.lanes.pop_front();
            self.locator = page.and_then(|page| page.next().map(str::to_owned));
            let beyond = self.total.filter(|total| self.rows > *total);
            if let Some(total) = beyond.or(self.total.filter(|_| self.locator.is_none()))
                && total != self.rows
            {
                if self.inherited {
                    // The job would stay as it is, run after run.
                    return Ok(Progress::Gone);
                }
                return Err(miscounted("the result", total, self.rows).with_retry(Retry::Never));
            }
            if self.locator.is_none() {
                sink.flush();
                return Ok(Progress::End);
            }
        }
        if !left {
            return Ok(Progress::Piece);
        }
        sink.flush();
        Ok(Progress::Page)
    }
}

/// A page or a result that is cut short, or longer than it should be, must not be taken for the whole.
pub(super) fn miscounted(what: &str, wanted: u64, found: u64) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("{what} of the Bulk job holds {found} records, not {wanted}"),
    )
    .with_help("run again: where a result stays short, another job is started")
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("rows", &self.rows)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}
