//! Reading: from a place in the log to its end, the newest version of each record.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Batch, BatchBuilder, Column, Error, ErrorKind, Event, Field, Identity, Key, Op, ReadCapabilities,
    ReadPlan, ReadRequest, Reader, Rejection, Result, Schema, Source, State, StreamName, SyncMode, Value,
};

use crate::connector::{Ndjson, stream_of};
use crate::log::{Line, Log, Place};
use crate::rows::newest;

/// The format of the states. Whoever changes `Place` counts it up, so that older programs refuse newer states.
const VERSION: u32 = 1;
/// Most rejections of one event: however bad a file is, memory stays bounded.
const REJECTIONS: usize = 100;

#[async_trait]
impl Source for Ndjson {
    fn read_capabilities(&self) -> ReadCapabilities {
        // Only what is declared is asked for: reads by key are not, as a log has no index.
        ReadCapabilities::new().with_deletes()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        // Begun like the read itself, so that whatever is wrong is known before data moves.
        let from = LogReader::new(self, request)?.log.place().bytes;
        Ok(ReadPlan::new(format!("the log is read from byte {from} on")))
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let mut reader = LogReader::new(self, &request)?;
        // What comes to the log from here on is the next read's.
        reader.newest = newest(&mut reader.log)?;
        Ok(Box::new(reader))
    }
}

/// Emits a batch, what was rejected on the way, and a checkpoint for both; then the next.
struct LogReader {
    identity: Identity,
    stream: StreamName,
    log: Log,
    /// The last line of each record. Keys are all that a read keeps of its stream.
    newest: HashMap<Key, u64>,
    /// Nobody was told of any record before, so nobody need be told that one is gone.
    from_start: bool,
    builder: BatchBuilder,
    rejected: Vec<Rejection>,
    batch_bytes: usize,
    /// The fields that were asked for, and where they are in the log's records.
    chosen: (Arc<Schema>, Vec<Column>),
    /// Enough was read; a checkpoint follows before more is.
    read: bool,
    last_checkpoint: Option<Place>,
}

impl LogReader {
    fn new(folder: &Ndjson, request: &ReadRequest) -> Result<Self> {
        // In a log both modes are one: everything without a state, with one what came after it.
        if !matches!(request.sync, SyncMode::FullRefresh | SyncMode::Incremental) {
            let message = format!("a folder cannot be read in the mode {}", request.sync);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let (stream, identity) = (stream_of(&request.selection)?, folder.identity.clone());
        let schema = Arc::new(folder.schema(stream)?);
        let mut chosen = Arc::clone(&schema);
        if !request.fields.is_empty() {
            chosen = Arc::new(schema.select(&request.fields)?);
        }
        let column = |field: &Field| schema.index_of(&field.name).map(Column::Field);
        let columns = chosen.fields().iter().map(column).collect::<Result<_>>()?;
        let mut log = Log::open(&folder.file(stream, ".ndjson")?, &schema)?;
        if let Some(state) = &request.state {
            // A place in another folder's log, or another stream's, would mean nothing here: `open` refuses it.
            log.go_to(state.open(&identity, stream.as_str(), VERSION)?)?;
        }
        Ok(Self {
            identity,
            stream: stream.clone(),
            newest: HashMap::new(),
            from_start: log.place() == Place::START,
            log,
            builder: BatchBuilder::new(schema, 0).with_max_records(request.batch_records),
            rejected: Vec::new(),
            batch_bytes: request.batch_bytes,
            chosen: (chosen, columns),
            read: false,
            last_checkpoint: None,
        })
    }

    fn take(&mut self, line: Line) {
        // A bad line is one record that is rejected and counted, not a read that fails.
        let batch = line.record.map_err(|error| {
            let message = format!("line {}: {error}", line.number);
            let rejection = Rejection::new(self.builder.cancel_record(), None, "bad_line", message);
            self.rejected.push(rejection);
        });
        for record in batch.iter().flat_map(Batch::records) {
            // Without a key there are no versions: every line is a record.
            let newest = |key| self.newest.get(&key) == Some(&line.number);
            let put = record.op() == Op::Put;
            if !record.source_key().is_none_or(newest) || (!put && self.from_start) {
                continue;
            }
            for value in record.values() {
                // A line is the whole record. Unset would leave alone what the other side has.
                let missing = put && value == Value::Unset;
                self.builder.push(if missing { Value::Null } else { value });
            }
            self.builder.end_record(record.op());
        }
    }
}

#[async_trait]
impl Reader for LogReader {
    /// Nothing waits here, so no call can be dropped halfway. Where something does, `self` must be whole at each await.
    async fn next(&mut self) -> Result<Option<Event>> {
        while !self.read {
            match self.log.next_line()? {
                Some(line) => self.take(line),
                None => self.read = true,
            }
            self.read |= self.builder.is_full(self.batch_bytes) || self.rejected.len() >= REJECTIONS;
        }
        if !self.builder.is_empty() {
            // The source key stays with the records, whether or not its fields were asked for.
            let (schema, columns) = &self.chosen;
            let batch = self.builder.finish().remap(Arc::clone(schema), columns);
            return Ok(Some(Event::Records(batch)));
        }
        if !self.rejected.is_empty() {
            return Ok(Some(Event::Rejected(std::mem::take(&mut self.rejected))));
        }
        // Only now, for a checkpoint covers what was emitted before it; also if that was nothing.
        let place = self.log.place();
        if self.last_checkpoint.replace(place) == Some(place) {
            return Ok(None);
        }
        self.read = false;
        let state = State::new(self.identity.clone(), self.stream.as_str(), VERSION, &place)?;
        Ok(Some(Event::Checkpoint { state, urgent: false }))
    }
}
