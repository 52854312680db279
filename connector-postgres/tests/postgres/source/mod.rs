//! Reading a real PostgreSQL.

mod chunks;
mod incremental;
mod keys;
mod names;
mod queries;
mod windows;

use connector_core::{Batch, Event, ReadRequest, Reader, Selection, Source, State, SyncMode, TaskId, Value};
use connector_postgres::Postgres;

use crate::support::Database;

/// A connector that reads so many rows in a statement, by so many sessions.
pub(super) fn chunked(database: &Database, rows: usize, sessions: usize) -> Postgres {
    let mut config = database.config.clone();
    config.read_chunk = rows;
    config.read_sessions = sessions;
    Postgres::new(config).unwrap()
}

pub(super) fn full(table: &str) -> ReadRequest {
    ReadRequest::new(Selection::stream(table), TaskId::new("read", table))
}

pub(super) fn query(text: &str) -> ReadRequest {
    ReadRequest::new(Selection::Query(text.to_owned()), TaskId::new("read", "query"))
}

/// An incremental read by `cursor`, going on from `state`.
pub(super) fn since(table: &str, cursor: &str, state: Option<State>) -> ReadRequest {
    full(table)
        .with_sync(SyncMode::Incremental)
        .with_cursor(Some(cursor.to_owned()))
        .with_state(state)
}

/// What a reader emitted: the first field of each record, and each checkpoint with the number of records before it.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) rows: Vec<String>,
    pub(super) states: Vec<(usize, State)>,
}

impl Taken {
    pub(super) fn state(&self) -> Option<State> {
        self.states.last().map(|(_, state)| state.clone())
    }

    /// The rows in order, each once.
    pub(super) fn distinct(&self) -> Vec<String> {
        let mut rows = self.rows.clone();
        rows.sort();
        rows.dedup();
        rows
    }

    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Records(batch) => self.rows.extend(firsts(&batch)),
            Event::Checkpoint { state, .. } => self.states.push((self.rows.len(), state)),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn rest(mut self, mut reader: Box<dyn Reader>) -> Self {
        while let Some(event) = reader.next().await.unwrap() {
            self.take(event);
        }
        self
    }
}

fn firsts(batch: &Batch) -> Vec<String> {
    batch
        .records()
        .map(|record| {
            let cells: Vec<String> = record
                .values()
                .map(|value| match value {
                    Value::Null => "∅".to_owned(),
                    value => value.to_string(),
                })
                .collect();
            cells.join("|")
        })
        .collect()
}

/// Reads to the end.
pub(super) async fn take(postgres: &Postgres, request: ReadRequest) -> Taken {
    Taken::default()
        .rest(postgres.reader(request).await.unwrap())
        .await
}
