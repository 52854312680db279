//! Reads the records of given ids, as they are now.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Event, Key, ReadRequest, Reader, Result};

use super::Task;
use super::sink::Sink;
use super::wide::{CHUNK, Chunk, Groups};
use crate::id::Id;

/// Asks for the ids in chunks, over REST.
pub(crate) struct KeysReader {
    task: Task,
    groups: Groups,
    sink: Sink,
    /// Those still to be read, last first.
    chunks: Vec<Chunk>,
}

impl KeysReader {
    /// Reads `keys`: ids of 15 or 18 characters, each once however often it is named.
    ///
    /// # Errors
    /// [`ErrorKind::Data`]: one of them is no id.
    pub(crate) fn new(task: Task, keys: &[Key], request: &ReadRequest) -> Result<Self> {
        let mut named = HashSet::with_capacity(keys.len());
        let mut ids = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(id) = Id::parse(key.as_str()) else {
                return Err(Error::new(
                    ErrorKind::Data,
                    format!("`{key}` is not the id of a Salesforce record"),
                )
                .with_help("records are read by ids of 15 or 18 letters and digits"));
            };
            if named.insert(id) {
                ids.push(id.as_str().to_owned());
            }
        }
        let chunks = ids
            .chunks(CHUNK)
            .rev()
            .map(|ids| Chunk::new(ids.to_vec()))
            .collect();
        let sink = Sink::new(Arc::clone(&task.columns), request);
        Ok(Self {
            groups: Groups::new(&task)?,
            task,
            sink,
            chunks,
        })
    }
}

#[async_trait]
impl Reader for KeysReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.sink.pop() {
                return Ok(Some(event));
            }
            let Some(chunk) = self.chunks.last_mut() else {
                return Ok(None);
            };
            if let Err(error) = self.groups.read(&self.task, chunk, false, &mut self.sink).await {
                return Err(self.task.explain(error).await);
            }
            if chunk.is_done() {
                self.chunks.pop();
            }
        }
    }
}
