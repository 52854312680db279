//! One page of a Bulk result, from the request for it to its last row.

use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use connector_core::value::ParseError;
use connector_core::{Error, ErrorKind, Result, Retry};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::bulk::miscounted;
use super::columns::{Columns, Row};
use super::sink::Sink;
use crate::bulk::csv::{CsvDecoder, CsvRow};
use crate::bulk::query::{self, ResultPage};
use crate::org::Org;

/// One page.
pub(super) struct Lane {
    locator: Option<String>,
    step: Step,
    /// The page behind it; `None` until its head was seen.
    next: Option<Option<String>>,
    /// Rows that are already in the sink.
    taken: u64,
    /// How often it broke off.
    pub(super) breaks: u32,
}

enum Step {
    Idle,
    Asked(BoxFuture<'static, Result<ResultPage>>),
    Open(Box<OpenPage>),
    /// Read to its end: this many rows.
    Ended(u64),
}

struct OpenPage {
    page: ResultPage,
    decoder: CsvDecoder,
    /// Where each column stands; known after the header.
    places: Option<Vec<usize>>,
    /// Rows seen, those that were already taken included.
    seen: u64,
}

/// What arrived of a page.
pub(super) enum Arrived {
    Head(Box<ResultPage>),
    Chunk(Bytes),
    End,
}

impl Lane {
    /// The page at `locator`; `None`: the first.
    pub(super) fn new(locator: Option<String>) -> Self {
        Self {
            locator,
            step: Step::Idle,
            next: None,
            taken: 0,
            breaks: 0,
        }
    }

    /// The page behind it, where its head has named one.
    pub(super) fn next(&self) -> Option<&str> {
        self.next.as_ref()?.as_deref()
    }

    /// Its rows, once it is read to its end.
    pub(super) fn rows(&self) -> Option<u64> {
        match self.step {
            Step::Ended(rows) => Some(rows),
            _ => None,
        }
    }

    /// Asks for the page, unless it was asked for.
    pub(super) fn ask(&mut self, org: &Org, job: &str) {
        if matches!(self.step, Step::Idle) {
            let (org, job, locator) = (org.clone(), job.to_owned(), self.locator.clone());
            let asked = async move { query::page(&org, &job, locator.as_deref()).await };
            self.step = Step::Asked(asked.boxed());
        }
    }

    /// What arrives next. A call that is not ready loses nothing.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arrived>> {
        match &mut self.step {
            Step::Asked(asked) => asked.poll_unpin(cx).map_ok(|page| Arrived::Head(Box::new(page))),
            Step::Open(open) => pin!(open.page.body.chunk())
                .poll(cx)
                .map_ok(|chunk| chunk.map_or(Arrived::End, Arrived::Chunk)),
            Step::Idle | Step::Ended(_) => Poll::Pending,
        }
    }

    /// Begins to read; true where it is the first time.
    ///
    /// # Errors
    /// The page was asked for again, and is now another one.
    pub(super) fn open(&mut self, page: ResultPage) -> Result<bool> {
        let is_first = match &self.next {
            None => {
                self.next = Some(page.next.clone());
                true
            }
            Some(next) if *next == page.next => false,
            Some(_) => {
                let message =
                    "a page of the Bulk job's result names another next one when it is asked for again";
                return Err(Error::new(ErrorKind::Unavailable, message).with_retry(Retry::Never));
            }
        };
        self.step = Step::Open(Box::new(OpenPage {
            page,
            decoder: CsvDecoder::new(),
            places: None,
            seen: 0,
        }));
        Ok(is_first)
    }

    /// Decodes a chunk, leaving out the rows that are in the sink.
    pub(super) fn take(&mut self, chunk: &Bytes, columns: &Columns, sink: &mut Sink) -> Result<()> {
        match &mut self.step {
            Step::Open(open) => open.take(chunk, columns, sink, &mut self.taken),
            _ => Ok(()),
        }
    }

    /// Closes the page: its rows must be as many as the server counted.
    pub(super) fn end(&mut self) -> Result<()> {
        if let Step::Open(open) = &self.step {
            open.decoder.finish()?;
            let seen = open.seen;
            if let Some(rows) = open.page.rows
                && rows != seen
            {
                return Err(miscounted("a page", rows, seen));
            }
            if seen < self.taken {
                return Err(miscounted("a page", self.taken, seen));
            }
            self.step = Step::Ended(seen);
        }
        Ok(())
    }

    /// Lets go of a page that broke off, so that it is asked for again.
    pub(super) fn reopen(&mut self) {
        self.step = Step::Idle;
        self.breaks += 1;
    }
}

impl OpenPage {
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
    #[inline]
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
