//! Reads a stream, page after page.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{BatchBuilder, Error, ErrorKind, Event, ReadRequest, Reader, Rejection, Result};
use connector_http::Response;

use crate::connector::BigCommerce;
use crate::progress::Window;
use crate::source::Reading;
use crate::streams::Paging;
use crate::wire::{Decoder, Fate, Page};

/// Reads one stream: a window, list by list, page by page. Nothing changes while an answer is awaited.
#[derive(Debug)]
pub(crate) struct StreamReader {
    store: BigCommerce,
    reading: Reading,
    decoder: Decoder,
    builder: BatchBuilder,
    batch_bytes: usize,
    ready: VecDeque<Event>,
    stage: Stage,
    /// The window was begun by an earlier run: another one follows, up to the present.
    resumed: bool,
    /// First and last key of the page before.
    last_page: Option<(i64, i64)>,
    /// Records outside the window that was asked for.
    astray: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// The window is to be found out.
    Opening,
    /// The window is being read.
    Paging,
    Ended,
}

/// What a page showed, record by record.
#[derive(Debug, Default)]
struct Sight {
    first: Option<i64>,
    last: Option<i64>,
    disordered: bool,
    rejected: Vec<Rejection>,
}

impl StreamReader {
    pub(crate) fn new(store: BigCommerce, reading: Reading, decoder: Decoder, request: &ReadRequest) -> Self {
        let builder =
            BatchBuilder::new(Arc::clone(&reading.schema), 0).with_max_records(request.batch_records);
        let resumed = !reading.full && reading.progress.window.is_some();
        let (ready, stage, last_page) = (VecDeque::new(), Stage::Opening, None);
        Self {
            store,
            reading,
            decoder,
            builder,
            batch_bytes: request.batch_bytes,
            ready,
            stage,
            resumed,
            last_page,
            astray: 0,
        }
    }

    /// Takes a page in: its records, its rejections, and the checkpoint behind them.
    fn take(&mut self, window: Window, response: &Response) -> Result<()> {
        let page = Page::parse(self.reading.stream.version, response)?;
        let sight = self.decode(&window, &page);
        if !page.rows.is_empty() {
            self.guard(&sight)?;
            self.last_page = sight.first.zip(sight.last);
        }
        let place = self.place_after(&page, &sight, &window)?;
        if !self.builder.is_empty() {
            let batch = self.builder.finish();
            self.ready.push_back(Event::Records(batch));
        }
        if !sight.rejected.is_empty() {
            self.ready.push_back(Event::Rejected(sight.rejected));
        }
        self.advance(window, place)
    }

    fn decode(&mut self, window: &Window, page: &Page<'_>) -> Sight {
        let mut sight = Sight::default();
        let Some(pass) = self.reading.stream.passes.get(window.pass) else {
            return sight;
        };
        let (ready, batch_bytes, astray) = (&mut self.ready, self.batch_bytes, &mut self.astray);
        self.decoder
            .decode(&page.rows, pass, &mut self.builder, |builder, row| {
                if let Some(id) = row.id {
                    sight.disordered |= sight.last.is_some_and(|last| id <= last);
                    sight.first = sight.first.or(Some(id));
                    sight.last = Some(id);
                }
                *astray += u64::from(row.changed.is_some_and(|at| !window.holds(at)));
                match row.fate {
                    Fate::Rejected(rejection) => sight.rejected.push(rejection),
                    Fate::Pushed if builder.is_full(batch_bytes) => {
                        ready.push_back(Event::Records(builder.finish()));
                    }
                    Fate::Pushed | Fate::Elsewhere => {}
                }
            });
        sight
    }

    /// Refuses a list that goes in circles: it would be read for ever.
    fn guard(&self, sight: &Sight) -> Result<()> {
        let repeated = self.last_page.is_some() && self.last_page == sight.first.zip(sight.last);
        let keyset = matches!(self.reading.stream.paging, Paging::Keyset { .. });
        let back = self
            .last_page
            .zip(sight.first)
            .is_some_and(|((_, last), first)| first <= last);
        if repeated {
            return Err(self.broken("BigCommerce sent the same page twice"));
        }
        if keyset && (sight.disordered || back) {
            return Err(self.broken("BigCommerce sent records out of order"));
        }
        Ok(())
    }

    /// Where the next page begins; `None` at the end of the list.
    ///
    /// A list ends with an empty page, not with a short one: a server may send fewer records than it was asked for.
    fn place_after(&self, page: &Page<'_>, sight: &Sight, window: &Window) -> Result<Option<String>> {
        if page.rows.is_empty() {
            return Ok(None);
        }
        let place = match self.reading.stream.paging {
            Paging::Cursor => page.cursor.clone(),
            Paging::Keyset { .. } => sight.last.map(|last| last.to_string()),
        };
        let place =
            place.ok_or_else(|| self.broken("BigCommerce sent a page that does not say where to go on"))?;
        if window.after.as_ref() == Some(&place) {
            return Err(self.broken("BigCommerce sent a page that leads to itself"));
        }
        Ok(Some(place))
    }

    /// Moves on by a page, a list or a window, and says so in a checkpoint.
    fn advance(&mut self, mut window: Window, place: Option<String>) -> Result<()> {
        let progress = &mut self.reading.progress;
        if place.is_some() {
            window.after = place;
            progress.window = Some(window);
        } else if window.pass + 1 < self.reading.stream.passes.len() {
            self.last_page = None;
            (window.pass, window.after) = (window.pass + 1, None);
            progress.window = Some(window);
        } else {
            self.last_page = None;
            (progress.since, progress.window) = (Some(window.hi), None);
            self.stage = if self.resumed {
                Stage::Opening
            } else {
                Stage::Ended
            };
            self.resumed = false;
            if self.astray > 0 {
                let stream = self.reading.stream.name;
                tracing::warn!(
                    stream,
                    records = self.astray,
                    "records came from outside the window that was asked for"
                );
            }
        }
        let state = self
            .reading
            .progress
            .to_state(&self.store.identity, self.reading.stream.name)?;
        self.ready.push_back(Event::Checkpoint { state, urgent: false });
        Ok(())
    }

    fn broken(&self, message: &'static str) -> Error {
        Error::new(ErrorKind::Data, message)
            .with_context("stream", self.reading.stream.name)
            .with_help("run it again; if it stays so, ask BigCommerce about this list")
    }
}

#[async_trait]
impl Reader for StreamReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.stage == Stage::Ended {
                return Ok(None);
            }
            if self.stage == Stage::Opening {
                let window = self.reading.window(&self.store).await?;
                self.reading.progress.window = Some(window);
                self.stage = Stage::Paging;
            }
            let Some(window) = self.reading.progress.window.clone() else {
                return Ok(None);
            };
            let request = self.store.requests.page(self.reading.stream, &window)?;
            let response = self.store.rest.send(&request).await;
            let response =
                response.map_err(|error| error.with_context("stream", self.reading.stream.name))?;
            self.take(window, &response)?;
        }
    }
}
