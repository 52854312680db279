//! Reads the records of given ids, as they are now.

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Event, Key, ReadRequest, Reader, Result};

use super::Task;
use super::sink::Sink;
use crate::id::Id;
use crate::rest::query::{self, JsonRow};

/// Ids of one query: well within the length an address may have.
const CHUNK: usize = 200;

/// Asks for the ids in chunks, over REST.
pub(crate) struct KeysReader {
    task: Task,
    sink: Sink,
    /// Those still to be read, last first.
    chunks: Vec<Vec<String>>,
}

impl KeysReader {
    /// Reads `keys`.
    ///
    /// # Errors
    /// [`ErrorKind::Data`]: one of them is no id.
    pub(crate) fn new(task: Task, keys: &[Key], request: &ReadRequest) -> Result<Self> {
        let id = |key: &Key| match Id::parse(key.as_str()) {
            Some(_) => Ok(key.as_str().to_owned()),
            None => Err(Error::new(
                ErrorKind::Data,
                format!("`{key}` is not the id of a Salesforce record"),
            )),
        };
        let ids = keys.iter().map(id).collect::<Result<Vec<_>>>()?;
        let chunks = ids.chunks(CHUNK).rev().map(<[String]>::to_vec).collect();
        let sink = Sink::new(std::sync::Arc::clone(&task.columns.schema), request);
        Ok(Self { task, sink, chunks })
    }
}

#[async_trait]
impl Reader for KeysReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.sink.pop() {
                return Ok(Some(event));
            }
            let Some(ids) = self.chunks.last() else {
                return Ok(None);
            };
            let Task {
                org, columns, object, ..
            } = &self.task;
            let request = query::request(org, &self.task.query().by_ids(ids), false).await?;
            let response = org
                .send(&request)
                .await
                .map_err(|error| error.with_context("object", object))?;
            let page = query::page(&response)?;
            if !page.done {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "Salesforce cuts an answer that fits one page",
                ));
            }
            let mut row = JsonRow::new(columns.names.len());
            for record in &page.records {
                row.read(&columns.names, record)?;
                self.sink.push(columns, &row);
            }
            self.sink.flush();
            // Only now: a call that was dropped while it waited asks for the same chunk again.
            self.chunks.pop();
        }
    }
}
