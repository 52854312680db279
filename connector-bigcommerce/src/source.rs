//! The store as a source: plans and readers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{
    Error, ErrorKind, ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Schema, Source, SyncMode,
};

use crate::connector::BigCommerce;
use crate::progress::{Progress, Window};
use crate::reader::StreamReader;
use crate::streams::{Paging, StreamDef, find};
use crate::wire::{Decoder, total};

/// How far an incremental read stays behind the store's clock unless told: records become visible late.
const SETTLE: Duration = Duration::from_secs(120);

/// A read, checked and ready to begin.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) stream: &'static StreamDef,
    pub(crate) schema: Arc<Schema>,
    pub(crate) full: bool,
    pub(crate) settle: Duration,
    pub(crate) progress: Progress,
}

impl Reading {
    fn new(store: &BigCommerce, request: &ReadRequest) -> Result<Self> {
        let stream = find(&request.selection)?;
        let full = match request.sync {
            SyncMode::FullRefresh => true,
            SyncMode::Incremental => false,
            ref other => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("BigCommerce cannot be read by {other}"),
                )
                .with_help("use `full_refresh` or `incremental`"));
            }
        };
        let schema = stream.schema()?;
        let schema = if request.fields.is_empty() {
            schema
        } else {
            schema.select(&request.fields)?
        };
        let state = request
            .state
            .as_ref()
            .map(|state| Progress::open(state, &store.identity, stream.name));
        let mut progress = state.transpose()?.unwrap_or_default();
        // A full read goes on with its own kind only; an incremental one finishes whatever was begun.
        progress.window = progress.window.filter(|window| window.full || !full);
        let settle = request.settle.unwrap_or(SETTLE);
        Ok(Self {
            stream,
            schema: Arc::new(schema),
            full,
            settle,
            progress,
        })
    }

    /// The window to read: the one that was begun, or the next.
    pub(crate) async fn window(&self, store: &BigCommerce) -> Result<Window> {
        match &self.progress.window {
            Some(window) => Ok(window.clone()),
            None => Ok(self
                .progress
                .next_window(self.full, store.server_time().await?, self.settle)),
        }
    }
}

#[async_trait]
impl Source for BigCommerce {
    fn read_capabilities(&self) -> ReadCapabilities {
        ReadCapabilities::new()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        let reading = Reading::new(self, request)?;
        let window = reading.window(self).await?;
        let records = count(self, reading.stream, &window).await?;
        let mut plan = ReadPlan::new(paging_note(reading.stream)).with_records(records);
        plan.notes.push(window_note(reading.stream, &window));
        if reading.stream.passes.len() > 1 {
            plan.notes
                .push("archived records are read in a second pass, for the list leaves them out".to_owned());
        }
        plan.notes
            .push("deleted records are not seen: BigCommerce has no feed of them".to_owned());
        // Each pass ends with a page that is empty.
        let passes = (reading.stream.passes.len() - window.pass.min(reading.stream.passes.len())) as u64;
        Ok(plan.with_requests(records.map(|records| records.div_ceil(250) + passes)))
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let reading = Reading::new(self, &request)?;
        let decoder = Decoder::new(reading.stream, &reading.schema)?;
        Ok(Box::new(StreamReader::new(
            self.clone(),
            reading,
            decoder,
            &request,
        )))
    }
}

async fn count(store: &BigCommerce, stream: &'static StreamDef, window: &Window) -> Result<Option<u64>> {
    let mut sum = 0;
    for pass in window.pass..stream.passes.len() {
        let window = Window {
            pass,
            after: None,
            ..window.clone()
        };
        let response = store.rest.send(&store.requests.count(stream, &window)?).await?;
        match total(stream.version, &response)? {
            Some(records) => sum += records,
            None => return Ok(None),
        }
    }
    Ok(Some(sum))
}

fn paging_note(stream: &StreamDef) -> String {
    let way = match stream.paging {
        Paging::Cursor => "by cursor".to_owned(),
        Paging::Keyset { min, .. } => format!("by `{min}`"),
    };
    format!(
        "GET {}, 250 records a page, {way}: records that change meanwhile move no others",
        stream.path
    )
}

fn window_note(stream: &StreamDef, window: &Window) -> String {
    match (window.full, window.lo) {
        (true, _) => format!(
            "every record; a later incremental read goes on from {}",
            window.hi
        ),
        (false, None) => format!("`{}` up to {} by the store's clock", stream.cursor, window.hi),
        (false, Some(lo)) => format!(
            "`{}` from {lo} to {} by the store's clock, both inclusive",
            stream.cursor, window.hi
        ),
    }
}
