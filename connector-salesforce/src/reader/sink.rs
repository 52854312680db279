//! Where decoded rows go: into batches, and those into a queue of events.

use std::collections::VecDeque;
use std::sync::Arc;

use connector_core::{BatchBuilder, Event, ReadRequest, Rejection, State};

use super::columns::{Columns, Row};

/// Collects rows into events.
pub(crate) struct Sink {
    columns: Arc<Columns>,
    builder: BatchBuilder,
    rejected: Vec<Rejection>,
    events: VecDeque<Event>,
    batch_bytes: usize,
    scratch: String,
}

impl Sink {
    pub(super) fn new(columns: Arc<Columns>, request: &ReadRequest) -> Self {
        let builder =
            BatchBuilder::new(Arc::clone(&columns.schema), 0).with_max_records(request.batch_records);
        Self {
            columns,
            builder,
            rejected: Vec::new(),
            events: VecDeque::new(),
            batch_bytes: request.batch_bytes,
            scratch: String::new(),
        }
    }

    /// The next event that is ready.
    pub(super) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes a row.
    pub(super) fn push(&mut self, columns: &Columns, row: &impl Row) {
        if let Err(rejection) = columns.push(row, &mut self.builder, &mut self.scratch) {
            self.rejected.push(rejection);
        }
        self.cut();
    }

    /// Takes the deletion of a record.
    pub(super) fn delete(&mut self, id: &str) {
        self.columns.push_deletion(id, &mut self.builder);
        self.cut();
    }

    /// Makes everything taken so far ready.
    pub(super) fn flush(&mut self) {
        self.finish();
        if !self.rejected.is_empty() {
            self.events
                .push_back(Event::Rejected(std::mem::take(&mut self.rejected)));
        }
    }

    /// Adds a checkpoint behind everything taken so far.
    pub(super) fn checkpoint(&mut self, state: State, urgent: bool) {
        self.flush();
        self.events.push_back(Event::Checkpoint { state, urgent });
    }

    fn cut(&mut self) {
        if self.builder.is_full(self.batch_bytes) {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if self.builder.is_empty() {
            return;
        }
        let batch = self.columns.emit(self.builder.finish());
        if !batch.is_empty() {
            self.events.push_back(Event::Records(batch));
        }
    }
}
