//! Leads, and a look at what became of them.

use std::sync::Arc;

use futures::FutureExt;

use super::Memory;
use crate::batch::{Batch, BatchBuilder, Op};
use crate::catalog::{Selection, StreamName};
use crate::destination::{Destination, WriteMode, WriteRequest, Writer};
use crate::error::Result;
use crate::schema::{DataType, Field, Schema};
use crate::source::{Event, ReadRequest, Reader, Source, SyncMode};
use crate::state::{Claim, Holder, State, StateStore, TaskId};
use crate::value::Value;

/// Nothing in memory waits.
pub(super) fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().unwrap()
}

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::new("id", DataType::Int64).not_null(),
        Field::new("name", DataType::Text { max_chars: Some(20) }),
    ];
    Schema::new(fields, ["id"]).unwrap()
}

pub(super) fn batch<'a>(schema: Schema, records: impl IntoIterator<Item = (Op, Vec<Value<'a>>)>) -> Batch {
    let mut builder = BatchBuilder::new(Arc::new(schema), 0);
    for (op, values) in records {
        values.into_iter().for_each(|value| builder.push(value));
        builder.end_record(op);
    }
    builder.finish()
}

pub(super) fn leads(leads: &[(i64, &str)]) -> Batch {
    let record = |&(id, name)| (Op::Put, vec![Value::Int(id), Value::Text(name)]);
    batch(schema(), leads.iter().map(record))
}

pub(super) fn deletes(ids: &[i64]) -> Batch {
    batch(schema(), ids.iter().map(|&id| (Op::Delete, vec![Value::Int(id)])))
}

/// Records as text, a deleted one with a minus in front.
pub(super) fn texts(batch: &Batch) -> Vec<String> {
    let text = |value: Value<'_>| {
        if value == Value::Unset {
            "-".to_owned()
        } else {
            value.to_string()
        }
    };
    let line = |record: crate::batch::Record<'_>| {
        let values: Vec<String> = record.values().map(text).collect();
        let sign = if record.op() == Op::Delete { "-" } else { "" };
        format!("{sign}{}", values.join(" "))
    };
    batch.records().map(line).collect()
}

pub(super) fn rows(memory: &Memory, table: &str) -> Vec<String> {
    memory.rows(table).map(|batch| texts(&batch)).unwrap_or_default()
}

pub(super) fn task() -> TaskId {
    TaskId::new("job", "lead")
}

pub(super) fn claim(memory: &Memory) -> Claim {
    now(memory.claim(&task(), &Holder::new("test"))).unwrap()
}

pub(super) fn write(mode: WriteMode, match_on: &[&str]) -> WriteRequest {
    WriteRequest::new(StreamName::new("lead"), Arc::new(schema()), mode, task())
        .with_match_on(match_on.iter().map(|&name| name.to_owned()).collect())
}

pub(super) fn writer(memory: &Memory, request: WriteRequest) -> Box<dyn Writer> {
    now(memory.writer(request)).unwrap()
}

pub(super) fn read(sync: SyncMode) -> ReadRequest {
    ReadRequest::new(Selection::stream("lead"), task()).with_sync(sync)
}

/// Everything a read emits: records as text, checkpoints apart.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) records: Vec<String>,
    pub(super) states: Vec<State>,
    pub(super) unchanged: u64,
}

pub(super) fn read_all(memory: &Memory, request: ReadRequest) -> Result<Told> {
    let mut reader = now(memory.reader(request))?;
    let mut told = Told::default();
    while let Some(event) = next(&mut *reader) {
        match event {
            Event::Records(batch) => told.records.extend(texts(&batch)),
            Event::Checkpoint { state, .. } => told.states.push(state),
            Event::Unchanged(records) => told.unchanged += records,
            Event::Rejected(_) => unreachable!("a row is a row"),
        }
    }
    Ok(told)
}

pub(super) fn next(reader: &mut dyn Reader) -> Option<Event> {
    now(reader.next()).unwrap()
}
