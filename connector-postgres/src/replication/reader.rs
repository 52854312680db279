//! The table at first, then its log.

use std::collections::VecDeque;

use async_trait::async_trait;
use bytes::Bytes;
use connector_core::{Event, ReadRequest, Reader, Result, Source, State, SyncMode};
use tokio_postgres::error::SqlState;

use super::changes::Change;
use super::complete::{complete, is_open};
use super::decode::Decoder;
use super::lsn::Lsn;
use super::open::Log;
use super::peek::{FIRST_WINDOW, Peek};
use super::transactions::{Step, Transactions};
use super::written::written;
use crate::connector::Postgres;
use crate::copy::Raw;
use crate::error::failed;

/// Small records wait for no more than so many others.
const MOST_RECORDS: usize = 10_000;

/// Reads a table's changes in the order in which they were committed, up to where the server was when it began.
///
/// Records wait in `changes` until there is a batch of them or a reason to stop; then what they leave open is completed
/// and they are decoded. Whatever is awaited, nothing is taken out of its place before it has come.
pub(crate) struct LogReader {
    postgres: Postgres,
    log: Log,
    request: ReadRequest,
    /// The table itself, while it is read.
    table: Option<Box<dyn Reader>>,
    /// Where the log ends for this read.
    end: Option<Lsn>,
    peek: Option<Peek>,
    window: i32,
    transactions: Transactions,
    changes: Vec<Change>,
    /// What they take.
    bytes: usize,
    /// Why the changes so far are to be emitted now.
    due: Option<Due>,
    decoder: Option<Decoder>,
    next_sequence: u64,
    out: VecDeque<Event>,
    /// Everything that committed before here was emitted.
    read: Lsn,
    acknowledged: Lsn,
    ended: bool,
}

/// Why records are emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// There are enough of them.
    Batch,
    /// A transaction ended here, after enough of them.
    Transaction(Lsn),
    /// The read ends here.
    End(Lsn),
}

impl LogReader {
    pub(crate) async fn open(postgres: &Postgres, request: &ReadRequest) -> Result<Self> {
        let log = Log::open(postgres, request).await?;
        let table: Option<Box<dyn Reader>> = if log.is_first {
            // Opened after the slot was looked at: whatever committed before its start is seen.
            let whole = request.clone().with_sync(SyncMode::FullRefresh).with_state(None);
            Some(Source::reader(postgres, whole).await?)
        } else {
            None
        };
        Ok(Self {
            postgres: postgres.clone(),
            request: request.clone(),
            table,
            end: None,
            peek: None,
            window: FIRST_WINDOW,
            transactions: Transactions::after(log.position.lsn),
            changes: Vec::new(),
            bytes: 0,
            due: None,
            decoder: None,
            next_sequence: 0,
            out: VecDeque::new(),
            read: log.position.lsn,
            acknowledged: log.slot.confirmed,
            ended: false,
            log,
        })
    }

    /// The next event of the table itself; at its end, a checkpoint at the log's start.
    async fn read_table(&mut self) -> Result<()> {
        let Some(table) = &mut self.table else {
            return Ok(());
        };
        match table.next().await? {
            // A table that is cut short is read anew.
            Some(Event::Checkpoint { .. }) => {}
            Some(event) => {
                self.next_sequence = self.next_sequence.max(behind(&event));
                self.out.push_back(event);
            }
            None => {
                self.table = None;
                self.push_checkpoint(self.read)?;
            }
        }
        Ok(())
    }

    /// Takes messages until records are due.
    async fn collect(&mut self) -> Result<()> {
        let end = match self.end {
            Some(end) => end,
            None => {
                let session = self.postgres.session().await?;
                *self.end.insert(written(&session).await?.max(self.read))
            }
        };
        while self.due.is_none() {
            let Some(peek) = &mut self.peek else {
                self.transactions = Transactions::after(self.read);
                let slot = &self.log.slot.name;
                self.peek = Some(Peek::begin(&self.postgres, slot, end, self.window).await?);
                continue;
            };
            match peek.next().await? {
                Some(row) => {
                    let data: Raw<'_> = row.try_get(0).map_err(|error| failed("read the log", error))?;
                    let message = Bytes::copy_from_slice(data.0.unwrap_or_default());
                    self.take(&message)?;
                }
                None => {
                    if self.peek.take().is_some_and(Peek::end) {
                        self.widen();
                    } else {
                        self.due = Some(Due::End(end));
                    }
                }
            }
        }
        Ok(())
    }

    /// A look begins where the slot was acknowledged: if that lags behind what was read, the next one must reach further.
    fn widen(&mut self) {
        self.window = if self.acknowledged >= self.read {
            FIRST_WINDOW
        } else {
            self.window.saturating_mul(2)
        };
    }

    fn take(&mut self, message: &Bytes) -> Result<()> {
        let before = self.changes.len();
        let step = self
            .transactions
            .take(message, &self.log.layout, &mut self.changes)?;
        self.bytes += self.changes[before..].iter().map(Change::byte_len).sum::<usize>();
        match step {
            Step::Within => {
                if self.is_full() {
                    self.due = Some(Due::Batch);
                }
            }
            Step::Ended(lsn) => {
                self.read = lsn;
                if self.is_full() || self.transactions.is_owed() {
                    self.due = Some(Due::Transaction(lsn));
                }
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        let most = self.request.batch_records.min(MOST_RECORDS);
        !self.changes.is_empty() && (self.changes.len() >= most || self.bytes >= self.request.batch_bytes)
    }

    /// Emits the changes so far, and the checkpoint that is due with them.
    async fn emit(&mut self, due: Due) -> Result<()> {
        if is_open(&self.log.layout, &self.changes) {
            let session = self.postgres.session().await?;
            complete(&session, &self.log.layout, &mut self.changes).await?;
        }
        let (log, request) = (&self.log, &self.request);
        let decoder = self
            .decoder
            .get_or_insert_with(|| Decoder::new(log, request, self.next_sequence));
        decoder.decode(log, &mut self.changes, &mut self.out)?;
        self.bytes = 0;
        match due {
            Due::Batch => self.transactions.owe(),
            Due::Transaction(lsn) => {
                self.transactions.settle();
                self.push_checkpoint(lsn)?;
            }
            Due::End(lsn) => {
                self.ended = true;
                self.push_checkpoint(lsn)?;
            }
        }
        self.due = None;
        Ok(())
    }

    fn push_checkpoint(&mut self, lsn: Lsn) -> Result<()> {
        self.read = self.read.max(lsn);
        self.log.position.lsn = self.read;
        let state = self.log.state(&self.log.position)?;
        self.out.push_back(Event::Checkpoint { state, urgent: false });
        Ok(())
    }
}

#[async_trait]
impl Reader for LogReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.out.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.due {
                _ if self.table.is_some() => self.read_table().await?,
                Some(due) => self.emit(due).await?,
                None => self.collect().await?,
            }
        }
    }

    async fn acknowledge(&mut self, state: &State) -> Result<()> {
        let lsn = self.log.position_in(state)?.lsn;
        if lsn <= self.acknowledged {
            return Ok(());
        }
        let session = self.postgres.session().await?;
        let sql = "SELECT pg_replication_slot_advance(slot_name, $2::text::pg_lsn) FROM pg_replication_slots
                   WHERE slot_name = $1 AND confirmed_flush_lsn < $2::text::pg_lsn";
        match session
            .execute(sql, &[&self.log.slot.name, &lsn.to_string()])
            .await
        {
            Ok(_) => self.acknowledged = lsn,
            // A look that was cut short is still at it. The server keeps the log a little longer, and the next
            // acknowledgement stands for this one.
            Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {
                tracing::debug!(slot = self.log.slot.name, "the slot is in use and was not moved");
            }
            Err(error) => return Err(failed("let go of the log that was read", error)),
        }
        Ok(())
    }
}

/// The first number behind those of an event.
fn behind(event: &Event) -> u64 {
    let last = match event {
        Event::Records(batch) => batch.records().map(|record| record.sequence()).max(),
        Event::Rejected(rejected) => rejected.iter().map(|rejection| rejection.sequence).max(),
        Event::Unchanged(_) | Event::Checkpoint { .. } => None,
    };
    last.map_or(0, |last| last + 1)
}
