//! Reading the result of a Bulk job, page by page.

use std::time::Duration;

use bytes::Bytes;
use connector_core::value::ParseError;
use connector_core::{Error, ErrorKind, Result};

use super::Task;
use super::columns::{Columns, Row};
use super::sink::Sink;
use crate::bulk::csv::{CsvDecoder, CsvRow};
use crate::bulk::job::{self, JobState, Kind};
use crate::bulk::query::{self, ResultPage};
use crate::error::code;
use crate::progress::Place;

/// A page that breaks off is asked for again, so often at most.
const MAX_BREAKS: u32 = 5;

/// A job whose result is being read.
#[derive(Debug)]
pub(super) struct Job {
    id: String,
    /// Whether an earlier process started it: it may be gone by now.
    inherited: bool,
    /// Rows of the whole result; known once the job is complete.
    total: Option<u64>,
    complete: bool,
    /// The page at hand, and rows before it.
    locator: Option<String>,
    rows: u64,
    /// Rows of the page at hand that are already in the sink.
    taken: u64,
    page: Option<OpenPage>,
    breaks: u32,
}

/// What a step came to.
pub(super) enum Progress {
    /// Some rows.
    Piece,
    /// The rest of a page; there are more.
    Page,
    /// The rest of the last page.
    End,
    /// The server has lost the job: the window must be asked for anew.
    Gone,
}

struct OpenPage {
    page: ResultPage,
    decoder: CsvDecoder,
    /// Where each column stands; known after the header.
    places: Option<Vec<usize>>,
    /// Rows seen, those that were already taken included.
    seen: u64,
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
            locator,
            rows,
            taken: 0,
            page: None,
            breaks: 0,
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
            Err(error) if self.is_gone(&error) => Ok(Progress::Gone),
            Err(error) if error.kind() == ErrorKind::Unavailable && self.breaks < MAX_BREAKS => {
                self.breaks += 1;
                self.page = None;
                tracing::warn!(%error, job = self.id, taken = self.taken, "a page broke off and is asked for again");
                task.org
                    .clock()
                    .sleep(Duration::from_secs(1 << self.breaks))
                    .await;
                Ok(Progress::Piece)
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
            return if self.inherited {
                Ok(Progress::Gone)
            } else {
                Err(ended.failure())
            };
        }
        self.complete = true;
        self.total = ended.number_records_processed;
        Ok(if self.total == Some(0) {
            Progress::End
        } else {
            Progress::Piece
        })
    }

    /// Whether the server no longer has the job. One of our own is only given up when it was inherited: a job that
    /// vanishes at once would vanish again.
    fn is_gone(&self, error: &Error) -> bool {
        self.inherited
            && (error.kind() == ErrorKind::NotFound || code(error) == Some("INVALID_QUERY_LOCATOR"))
    }

    /// Reads a piece of the page at hand.
    async fn piece(&mut self, task: &Task, sink: &mut Sink) -> Result<Progress> {
        let open = match &mut self.page {
            Some(open) => open,
            none => {
                let page = query::page(&task.org, &self.id, self.locator.as_deref()).await?;
                none.insert(OpenPage {
                    page,
                    decoder: CsvDecoder::new(),
                    places: None,
                    seen: 0,
                })
            }
        };
        match open.page.body.chunk().await? {
            Some(chunk) => {
                open.take(&chunk, &task.columns, sink, &mut self.taken)?;
                Ok(Progress::Piece)
            }
            None => {
                open.decoder.finish()?;
                self.end_page(sink)
            }
        }
    }

    /// Closes a page whose body has come to its end; its rows must be as many as the server counted.
    fn end_page(&mut self, sink: &mut Sink) -> Result<Progress> {
        let Some(open) = self.page.take() else {
            return Ok(Progress::Piece);
        };
        if let Some(rows) = open.page.rows
            && rows != open.seen
        {
            return Err(miscounted("a page", rows, open.seen));
        }
        sink.flush();
        self.rows += open.seen;
        self.taken = 0;
        self.breaks = 0;
        self.locator = open.page.next;
        if self.locator.is_some() {
            return Ok(Progress::Page);
        }
        match self.total {
            Some(total) if total != self.rows => {
                self.breaks = MAX_BREAKS;
                Err(miscounted("the result", total, self.rows))
            }
            _ => Ok(Progress::End),
        }
    }
}

impl OpenPage {
    /// Decodes `chunk`, leaving out the first `taken` rows of the page.
    fn take(&mut self, chunk: &Bytes, columns: &Columns, sink: &mut Sink, taken: &mut u64) -> Result<()> {
        let mut input: &[u8] = chunk;
        while let Some(row) = self.decoder.next(&mut input)? {
            let Some(places) = &self.places else {
                self.places = Some(columns.places(&(0..row.len()).map(|i| row.get(i).unwrap_or_default()))?);
                continue;
            };
            self.seen += 1;
            if self.seen > *taken {
                sink.push(columns, &Placed { row, places });
                *taken += 1;
            }
        }
        Ok(())
    }
}

/// A CSV row seen through the order of the columns.
struct Placed<'a> {
    row: CsvRow<'a>,
    places: &'a [usize],
}

impl Row for Placed<'_> {
    fn cell<'a>(
        &'a self,
        position: usize,
        _scratch: &'a mut String,
    ) -> std::result::Result<Option<&'a str>, ParseError> {
        match self.row.get(self.places[position]) {
            // Salesforce knows no empty text: an empty cell is null.
            Some("") => Ok(None),
            Some(text) => Ok(Some(text)),
            // Every record has a cell for each column of the header.
            None => Err(ParseError::new("text in UTF-8")),
        }
    }
}

fn miscounted(what: &str, wanted: u64, found: u64) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("{what} of the Bulk job holds {found} records, not {wanted}"),
    )
    .with_help("run again: the job reads on from its last checkpoint")
}

impl std::fmt::Debug for OpenPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenPage")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
