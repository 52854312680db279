//! What a reader emitted, kept for looking at.

use std::collections::BTreeMap;

use connector_core::{Event, Key, Op, Reader, Rejection, State};

use super::rows::line;
use super::verdict::Failure;

/// One record as it came.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) op: Op,
    pub(crate) sequence: u64,
    pub(crate) key: Option<Key>,
    pub(crate) line: String,
}

/// Everything a reader emitted.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) records: Vec<Taken>,
    pub(crate) rejected: Vec<Rejection>,
    pub(crate) unchanged: u64,
    /// Each checkpoint, and how many records came before it.
    pub(crate) checkpoints: Vec<(usize, State)>,
    /// Bytes and records of each batch.
    pub(crate) batches: Vec<(usize, usize)>,
}

impl Reading {
    /// Reads to the end.
    pub(crate) async fn of(mut reader: Box<dyn Reader>) -> connector_core::Result<Self> {
        let mut reading = Self::default();
        while let Some(event) = reader.next().await? {
            reading.take(event);
        }
        Ok(reading)
    }

    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Records(batch) => {
                self.batches.push((batch.byte_len(), batch.len()));
                self.records.extend(batch.records().map(|record| Taken {
                    op: record.op(),
                    sequence: record.sequence(),
                    key: record.source_key(),
                    line: line(&record),
                }));
            }
            Event::Rejected(rejected) => self.rejected.extend(rejected),
            Event::Unchanged(records) => self.unchanged += records,
            Event::Checkpoint { state, .. } => self.checkpoints.push((self.records.len(), state)),
        }
    }

    /// The lines of all records, deletes left out.
    pub(crate) fn lines(&self) -> Vec<String> {
        let put = self.records.iter().filter(|record| record.op == Op::Put);
        put.map(|record| record.line.clone()).collect()
    }

    /// The last checkpoint's state.
    pub(crate) fn state(&self) -> Result<State, Failure> {
        self.checkpoints
            .last()
            .map(|(_, state)| state.clone())
            .ok_or_else(|| Failure::new("the read emitted no checkpoint"))
    }
}

/// What a destination that merges by key would hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replica(BTreeMap<Key, String>);

impl Replica {
    /// Applies records in order.
    pub(crate) fn apply(&mut self, records: &[Taken]) -> Result<(), Failure> {
        for record in records {
            let key = record
                .key
                .clone()
                .ok_or_else(|| Failure::new("a record of a stream with a primary key has no source key"))?;
            match record.op {
                Op::Put => self.0.insert(key, record.line.clone()),
                Op::Delete => self.0.remove(&key),
            };
        }
        Ok(())
    }

    /// Its lines.
    pub(crate) fn lines(self) -> Vec<String> {
        self.0.into_values().collect()
    }
}
