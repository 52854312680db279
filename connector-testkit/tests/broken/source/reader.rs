//! A reader that hands everything on, but for its defect.

use std::collections::VecDeque;

use async_trait::async_trait;
use connector_core::{
    Batch, BatchBuilder, Error, ErrorKind, Event, Key, Op, ReadRequest, Reader, Result, State, SyncMode,
    Value,
};
use serde_json::json;
use tokio::task::yield_now;

use super::connection::{Connection, declared, redeclares};
use super::defect::Defect;
use crate::rebuild::{floats, joined, kept, numbered, puts, rekeyed, texts, under};
use crate::stored::{is_an_end, part, with};

pub(super) struct UnreliableReader {
    connection: Connection,
    inner: Box<dyn Reader>,
    request: ReadRequest,
    /// The keys of a read by keys.
    keys: Vec<Key>,
    out: VecDeque<Event>,
    /// What comes with, or after, the event that is still to come.
    held: Vec<Event>,
    emitted: usize,
    checkpoints: usize,
    /// Where a log ends as it is opened.
    end: Option<State>,
    /// The batch emitted last, and every one of them.
    last: Option<Batch>,
    all: Vec<Batch>,
    waiting: bool,
    ended: bool,
}

impl UnreliableReader {
    pub(super) async fn open(
        connection: Connection,
        inner: Box<dyn Reader>,
        request: ReadRequest,
        keys: Vec<Key>,
    ) -> Result<Self> {
        if connection.has(Defect::CursorsLeak) {
            let mut server = connection.server.lock();
            if server.open_cursors == 20 {
                return Err(Error::new(ErrorKind::Unavailable, "too many cursors are open"));
            }
            server.open_cursors += 1;
        }
        let mut reader = Self {
            connection,
            inner,
            request,
            keys,
            out: VecDeque::new(),
            held: Vec::new(),
            emitted: 0,
            checkpoints: 0,
            end: None,
            last: None,
            all: Vec::new(),
            waiting: false,
            ended: false,
        };
        reader.begin().await?;
        Ok(reader)
    }

    fn has(&self, defect: Defect) -> bool {
        self.connection.has(defect)
    }

    fn is_full(&self) -> bool {
        self.request.sync == SyncMode::FullRefresh
    }

    fn is_incremental(&self) -> bool {
        self.request.sync == SyncMode::Incremental
    }

    fn is_log(&self) -> bool {
        self.request.sync == SyncMode::Changed
    }

    /// Whether it goes on where an incremental read has come to its end.
    fn goes_on_from_an_end(&self) -> bool {
        self.is_incremental() && self.request.state.as_ref().is_some_and(is_an_end)
    }

    async fn begin(&mut self) -> Result<()> {
        if self.has(Defect::OldDeletesAgain) && self.goes_on_from_an_end() {
            let schema = self.connection.describe_things().await?;
            let mut builder = BatchBuilder::new(schema, 1 << 40);
            builder.push(Value::Text("k-of-old"));
            builder.end_record(Op::Delete);
            self.out.push_back(Event::Records(builder.finish()));
        }
        if self.has(Defect::LogStateOfTheEnd) && self.is_log() {
            self.end = Some(self.connection.state_of_now().await?);
        }
        if self.has(Defect::ReadsAllFirst) {
            while let Some(event) = self.inner.next().await? {
                self.out.push_back(event);
            }
        }
        Ok(())
    }

    /// What was held comes after all.
    fn flush(&mut self) {
        self.out.extend(std::mem::take(&mut self.held));
    }

    /// What becomes of one event.
    async fn turn(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Records(batch) => self.turn_records(batch).await,
            Event::Checkpoint { state, urgent } => {
                self.turn_checkpoint(state, urgent);
                Ok(())
            }
            Event::Unchanged(_) if self.has(Defect::UnchangedNotCounted) => Ok(()),
            other => {
                self.out.push_back(other);
                Ok(())
            }
        }
    }

    async fn turn_records(&mut self, batch: Batch) -> Result<()> {
        let defect = self.connection.defect;
        if self.has(Defect::LastCheckpointMissing) {
            self.flush();
        }
        let batch = self.values(batch);
        let batch = self.chosen(batch).await?;
        let mut batch = if redeclares(defect) {
            under(batch, |field| declared(defect, field))
        } else {
            batch
        };
        if self.has(Defect::BatchOfWiderType) {
            batch = under(batch, |field| {
                let mut field = field.clone();
                if field.data_type == connector_core::DataType::Int16 {
                    field.data_type = connector_core::DataType::Int64;
                }
                field
            });
        }
        let before = match defect {
            Some(Defect::BorderTwice | Defect::IncrementalBorderTwice | Defect::DroppedNextRepeats) => {
                self.last.replace(batch.clone())
            }
            _ => None,
        };
        if self.has(Defect::DifferingCountedAsUnchanged) {
            self.out.push_back(Event::Unchanged(batch.len() as u64));
        }
        let repeats = match self.connection.defect {
            Some(Defect::BorderTwice) => self.is_full(),
            Some(Defect::IncrementalBorderTwice) => self.is_incremental(),
            _ => false,
        };
        if let Some(before) = before.filter(|_| repeats) {
            let border = kept(&before, |index, _| index + 1 == before.len());
            batch = joined([&border, &batch]).unwrap();
        }
        if self.has(Defect::KeepsWhatItEmits) {
            self.all.push(batch.clone());
        }
        let stale = (self.has(Defect::LogOutOfOrder) && self.is_log()).then(|| self.stale(&batch));
        if let Some(stale) = stale.flatten() {
            self.out.push_back(Event::Records(batch));
            batch = stale;
        }
        match self.connection.defect {
            Some(Defect::LastPageLost) => {
                self.flush();
                self.held.push(Event::Records(batch));
            }
            Some(Defect::CheckpointBeforeRecords) => self.held.push(Event::Records(batch)),
            _ if batch.is_empty() => {}
            _ => self.out.push_back(Event::Records(batch)),
        }
        Ok(())
    }

    /// Remembers what the batch puts; what it deletes, as it was put last.
    fn stale(&self, batch: &Batch) -> Option<Batch> {
        let mut server = self.connection.server.lock();
        let mut stale = Vec::new();
        for record in batch.records() {
            let key = record.source_key().unwrap();
            if record.op() == Op::Put {
                let alone = kept(batch, |_, other| other.sequence() == record.sequence());
                server.put.insert(key, alone);
            } else {
                stale.extend(server.put.get(&key).cloned());
            }
        }
        joined(&stale)
    }

    /// The batch with its values, keys and numbers as the defect has them.
    fn values(&self, batch: Batch) -> Batch {
        let is_whole = self.request.fields.is_empty();
        let is_difference = matches!(self.request.sync, SyncMode::Difference(_));
        if !is_whole {
            // A batch made again has no key but what its fields show.
            let is_lost = self.has(Defect::KeyOnlyIfChosen);
            return if is_lost { kept(&batch, |_, _| true) } else { batch };
        }
        match self.connection.defect {
            Some(Defect::DecimalsThroughFloats) => floats(&batch),
            Some(Defect::EmptyTextIsNull) => {
                texts(&batch, |text| (!text.is_empty()).then(|| text.to_owned()))
            }
            Some(Defect::TextTrimmed) => texts(&batch, |text| Some(text.trim().to_owned())),
            Some(Defect::TextNormalised) => texts(&batch, |text| Some(text.replace("e\u{301}", "\u{e9}"))),
            Some(Defect::TextDecodedAsLatin1) => {
                texts(&batch, |text| Some(text.bytes().map(char::from).collect()))
            }
            Some(Defect::NullByItsWord) => texts(&batch, |text| (text != "NULL").then(|| text.to_owned())),
            Some(Defect::NumbersPerBatch) => numbered(&batch, 0),
            // Only the first fifty have keys of their own.
            Some(Defect::KeysCollide) if !is_difference => rekeyed(&batch, |key| {
                let number = key.as_str().trim_start_matches("k-").parse::<usize>();
                number.map_or_else(|_| key.to_string(), |number| format!("k-{:06}", number % 50))
            }),
            Some(Defect::SourceKeyRespelt) if !is_difference => {
                rekeyed(&batch, |key| key.as_str().to_uppercase())
            }
            Some(Defect::DeletesArePuts) => puts(&batch),
            _ => batch,
        }
    }

    /// The records that the defect lets through.
    async fn chosen(&mut self, batch: Batch) -> Result<Batch> {
        let is_first = self.emitted == 0;
        let edited = match self.connection.defect {
            Some(Defect::EditedLeftOut) if self.is_full() => self.connection.edited().await?,
            _ => Vec::new(),
        };
        let goes_on = self.goes_on_from_an_end();
        let (is_full, is_incremental, is_log) = (self.is_full(), self.is_incremental(), self.is_log());
        let is_anew = self.request.state.is_none();
        let full = match &self.request.sync {
            SyncMode::Difference(difference) => difference.full,
            _ => true,
        };
        let connection = self.connection.clone();
        let mut server = connection.server.lock();
        let batch = match connection.defect {
            Some(Defect::EditedLeftOut) if !edited.is_empty() => kept(&batch, |_, record| {
                !record.source_key().is_some_and(|key| edited.contains(&key))
            }),
            Some(Defect::SecondFullReadGoesOn) if is_full && server.full_reads > 1 && is_first => {
                kept(&batch, |index, _| index > 0)
            }
            Some(Defect::BoundedStart) if is_incremental && is_anew && is_first => {
                kept(&batch, |index, _| index > 0)
            }
            Some(Defect::OnlyEditsSeen) if goes_on => kept(&batch, |_, record| {
                record.op() == Op::Delete || server.seen.contains(&record.source_key().unwrap())
            }),
            Some(Defect::OnlyNewSeen) if goes_on => kept(&batch, |_, record| {
                record.op() == Op::Delete || !server.seen.contains(&record.source_key().unwrap())
            }),
            Some(Defect::OldKeyStays) if is_log => kept(&batch, |_, record| {
                record.op() == Op::Put || !server.rekeyed.contains(&record.source_key().unwrap())
            }),
            Some(Defect::DeletesDropped) if is_incremental => {
                kept(&batch, |_, record| record.op() == Op::Put)
            }
            Some(Defect::NullsNeverDiffer) if matches!(self.request.sync, SyncMode::Difference(_)) => {
                kept(&batch, |_, record| {
                    !record.values().any(|value| value == Value::Null)
                })
            }
            Some(Defect::ConfirmedForEver) if !full => kept(&batch, |_, record| {
                !server.confirmed.contains(&record.source_key().unwrap())
            }),
            _ => batch,
        };
        self.emitted += batch.len();
        if let Some(Defect::OnlyEditsSeen | Defect::OnlyNewSeen) = connection.defect {
            let keys = batch.records().filter_map(|record| record.source_key());
            server.seen.extend(keys);
        }
        Ok(batch)
    }

    fn turn_checkpoint(&mut self, mut state: State, urgent: bool) {
        if self.has(Defect::EmptyCheckpointAhead)
            && self.is_incremental()
            && self.emitted == 0
            && self.request.state.is_none()
        {
            let mut data = part(&state, "data");
            data["changes"]["change"] = json!(data["changes"]["change"].as_u64().unwrap() + 1);
            state = with(&state, "data", data);
        }
        if let Some(end) = &self.end {
            state = end.clone();
        }
        self.connection.server.lock().newest = Some(state.clone());
        if self.is_log() {
            self.connection.server.lock().log_end = Some(state.clone());
        }
        let event = Event::Checkpoint { state, urgent };
        self.checkpoints += 1;
        match self.connection.defect {
            Some(Defect::NoCheckpointWithoutRecords) if self.emitted == 0 => {}
            Some(Defect::LastPageLost) => self.held.push(event),
            Some(Defect::LastCheckpointMissing | Defect::CheckpointOfTheEnd) if self.is_incremental() => {
                self.flush();
                self.held.push(event);
            }
            Some(Defect::LogEndsWhenReadingDoes) if self.is_log() => {
                self.flush();
                self.held.push(event);
            }
            Some(Defect::CheckpointBeforeRecords) => {
                self.out.push_back(event);
                self.flush();
            }
            _ => self.out.push_back(event),
        }
    }

    /// What comes when nothing more comes.
    async fn end(&mut self) -> Result<()> {
        let is_empty = self.emitted == 0;
        match self.connection.defect {
            Some(Defect::LastPageLost) => self
                .held
                .retain(|event| matches!(event, Event::Checkpoint { .. })),
            Some(Defect::LastCheckpointMissing) if self.checkpoints > 1 => self.held.clear(),
            Some(Defect::CheckpointOfTheEnd) if self.is_incremental() => {
                let state = self.connection.state_of_now().await?;
                self.held = vec![Event::Checkpoint { state, urgent: false }];
            }
            Some(Defect::LogEndsWhenReadingDoes) if self.is_log() => {
                let state = self.connection.state_of_now().await?;
                self.held = vec![Event::Checkpoint { state, urgent: false }];
            }
            Some(Defect::EmptyReadsAsARecord) if is_empty && self.is_full() => {
                self.push_empty_record().await?;
            }
            Some(Defect::NothingReadsAsARecord) if is_empty && self.goes_on_from_an_end() => {
                self.push_empty_record().await?;
            }
            Some(Defect::HangsWithoutRecords) if is_empty && self.is_full() => std::future::pending().await,
            Some(Defect::PanicsWithoutRecords) if is_empty && self.is_full() => {
                panic!("there is a first record")
            }
            Some(Defect::MissingKeyFails) if self.emitted < self.keys.len() => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    "there is no record with this key",
                ));
            }
            Some(Defect::MissingKeyIsARecord) if self.emitted < self.keys.len() => {
                self.push_empty_record().await?;
            }
            Some(Defect::KeysMakeCheckpoint) if matches!(self.request.sync, SyncMode::Keys(_)) => {
                let state = self.connection.state_of_now().await?;
                self.held.push(Event::Checkpoint { state, urgent: false });
            }
            _ => {}
        }
        self.flush();
        let mut server = self.connection.server.lock();
        server.open_cursors = server.open_cursors.saturating_sub(1);
        Ok(())
    }

    async fn push_empty_record(&mut self) -> Result<()> {
        let mut builder = BatchBuilder::new(self.connection.describe_things().await?, 1 << 40);
        for _ in 0..builder.schema().fields().len() {
            builder.push(Value::Null);
        }
        builder.end_record(Op::Put);
        self.out.push_back(Event::Records(builder.finish()));
        Ok(())
    }
}

#[async_trait]
impl Reader for UnreliableReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        if self.has(Defect::DroppedNextRepeats)
            && std::mem::replace(&mut self.waiting, true)
            && let Some(batch) = self.last.clone()
        {
            self.out.push_front(Event::Records(batch));
        }
        if self.has(Defect::DroppedNextLoses) {
            let event = self.inner.next().await?;
            yield_now().await;
            return Ok(event);
        }
        // As if there were something to wait for.
        yield_now().await;
        self.waiting = false;
        loop {
            if let Some(event) = self.out.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.inner.next().await? {
                Some(event) => self.turn(event).await?,
                None => {
                    self.ended = true;
                    self.end().await?;
                }
            }
        }
    }

    async fn acknowledge(&mut self, state: &State) -> Result<()> {
        self.connection.server.lock().acknowledged = Some(state.clone());
        let log_start = match self.connection.defect {
            Some(Defect::AcknowledgedToTheEnd) if self.is_log() => {
                Some(self.connection.state_of_now().await?)
            }
            Some(Defect::ForgottenIsSkipped) if self.is_log() => Some(state.clone()),
            _ => None,
        };
        if log_start.is_some() {
            self.connection.server.lock().log_start = log_start;
        }
        if self.has(Defect::AcknowledgingSkips) {
            drop(self.inner.next().await?);
        }
        self.inner.acknowledge(state).await
    }
}
