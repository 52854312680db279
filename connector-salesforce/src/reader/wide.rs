//! Reading an object whose fields make a query longer than an address may be: group by group, joined by id.
//!
//! The groups of a record are read one after the other, and somebody may change it between two of them. Each group brings
//! the record's time of change along; a record whose groups disagree is read again.

use std::collections::HashMap;

use connector_core::{Error, ErrorKind, Result};
use connector_http::{Request, Response};

use super::Task;
use super::rest::broken;
use super::sink::Sink;
use crate::rest::query::{self, JsonRow};
use crate::soql::Query;

/// Records that are read at once: their ids have to stand in an address, beside a group of fields.
pub(super) const CHUNK: usize = 200;

/// How often a record that keeps changing is read again.
const MAX_ROUNDS: u32 = 5;

/// Bytes of an address that ids take, each with its quotes and comma encoded.
const ID_BYTES: usize = 27;

/// Where the reading stands.
#[derive(Debug)]
pub(super) struct Wide {
    groups: Groups,
    /// The records that are being read, in order.
    chunk: Chunk,
    /// The last id whose record has been read, and the last that is being read.
    last: Option<String>,
    ahead: Option<String>,
}

/// Records to read, some of which may have to be read again.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    ids: Vec<String>,
    rounds: u32,
}

impl Chunk {
    /// The records of `ids`, at most [`CHUNK`] of them.
    pub(super) fn new(ids: Vec<String>) -> Self {
        Self { ids, rounds: 0 }
    }

    /// Whether all have been read.
    pub(super) fn is_done(&self) -> bool {
        self.ids.is_empty()
    }
}

impl Wide {
    /// A reading that begins behind `last`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]: the conditions alone are too long.
    pub(super) fn after(task: &Task, last: Option<String>) -> Result<Self> {
        Ok(Self {
            groups: Groups::new(task)?,
            chunk: Chunk::default(),
            ahead: last.clone(),
            last,
        })
    }

    /// The last id read.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Reads some records into `sink`; true after the last ones.
    pub(super) async fn read(&mut self, task: &Task, sink: &mut Sink) -> Result<bool> {
        if self.chunk.is_done() {
            let ids = self.next_ids(task).await?;
            let Some(last) = ids.last() else {
                return Ok(true);
            };
            self.ahead = Some(last.clone());
            self.chunk = Chunk::new(ids);
        }
        self.groups.read(task, &mut self.chunk, task.all(), sink).await?;
        if self.chunk.is_done() {
            self.last.clone_from(&self.ahead);
        }
        Ok(false)
    }

    async fn next_ids(&self, task: &Task) -> Result<Vec<String>> {
        let id = ["Id".to_owned()];
        let query = Query {
            columns: &id,
            ..task.query()
        };
        let soql = query.next_by_id(self.ahead.as_deref(), CHUNK);
        let answers = ask(task, &soql, task.all()).await?;
        let mut ids = Vec::new();
        for answer in &answers {
            let mut row = JsonRow::new(1);
            for record in query::page(answer)?.records {
                row.read(&id, record)?;
                ids.extend(text(&row, 0));
            }
        }
        Ok(ids)
    }
}

/// The columns of a read, in groups that fit an address each.
#[derive(Debug)]
pub(super) struct Groups {
    /// Every name that is read: the columns', then the time of change where it is none of them.
    names: Vec<String>,
    /// Where in `names` the time of change stands.
    stamp: Option<usize>,
    groups: Vec<Vec<String>>,
}

impl Groups {
    pub(super) fn new(task: &Task) -> Result<Self> {
        let mut names = task.columns.names.clone();
        let stamp = task.stamp.as_ref().map(|stamp| {
            names.iter().position(|name| name == stamp).unwrap_or_else(|| {
                names.push(stamp.clone());
                names.len() - 1
            })
        });
        let bare = Query {
            columns: &[],
            window: None,
            ..task.query()
        };
        let fixed = bare.by_ids::<&str>(&[]);
        let encoded: usize = fixed
            .bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 })
            .sum();
        // The path, and what every group brings along.
        let around = encoded + CHUNK * ID_BYTES + 200;
        let Some(room) = query::MAX_URI.checked_sub(around).filter(|room| *room > 1_000) else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the query's conditions are too long to be asked over REST",
            )
            .with_context("object", &task.object)
            .with_help("write a shorter condition"));
        };
        let always: Vec<String> = std::iter::once("Id".to_owned())
            .chain(stamp.map(|stamp| names[stamp].clone()))
            .collect();
        let mut groups = vec![always.clone()];
        let mut used = 0;
        for name in names.iter().filter(|name| !always.contains(name)) {
            if used + name.len() + 3 > room {
                groups.push(always.clone());
                used = 0;
            }
            used += name.len() + 3;
            groups
                .last_mut()
                .into_iter()
                .for_each(|group| group.push(name.clone()));
        }
        Ok(Self { names, stamp, groups })
    }

    /// Requests for `records` records, those for their ids left out.
    pub(super) fn requests(&self, records: u64) -> u64 {
        records.div_ceil(CHUNK as u64) * self.groups.len() as u64
    }

    /// Reads the records of `chunk` once, into `sink` in their order; those that changed meanwhile stay in it. One that is
    /// gone is left out.
    pub(super) async fn read(
        &self,
        task: &Task,
        chunk: &mut Chunk,
        all: bool,
        sink: &mut Sink,
    ) -> Result<()> {
        if chunk.rounds >= MAX_ROUNDS {
            return Err(broken("a record changes each time it is read", task));
        }
        let ids = &chunk.ids;
        let mut answers: Vec<Vec<Response>> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let query = Query {
                columns: group,
                window: None,
                ..task.query()
            };
            answers.push(ask(task, &query.by_ids(ids), all).await?);
        }
        let always = &self.groups[0][..1 + usize::from(self.stamp.is_some())];
        let mut records: HashMap<String, Vec<_>> = HashMap::with_capacity(ids.len());
        let mut head = JsonRow::new(always.len());
        for page in answers.iter().flatten().map(query::page) {
            for record in page?.records {
                head.read(always, record)?;
                let id = text(&head, 0).ok_or_else(|| broken("a record has no id", task))?;
                let stamp = if self.stamp.is_some() {
                    text(&head, 1)
                } else {
                    None
                };
                records.entry(id).or_default().push((stamp, record));
            }
        }
        let mut row = JsonRow::new(self.names.len());
        let mut moved = Vec::new();
        // From here on nothing waits: a call that is dropped has taken all of this round or nothing.
        for id in ids {
            let Some(parts) = records.get(id) else {
                continue;
            };
            let whole = parts.len() == self.groups.len();
            if !whole || parts.iter().any(|(stamp, _)| *stamp != parts[0].0) {
                moved.push(id.clone());
                continue;
            }
            row.clear();
            for (_, record) in parts {
                row.fill(&self.names, record)?;
            }
            row.complete(&self.names)?;
            sink.push(&task.columns, &row);
        }
        sink.flush();
        chunk.ids = moved;
        chunk.rounds += 1;
        Ok(())
    }
}

/// All pages of a query that has few records.
async fn ask(task: &Task, soql: &str, all: bool) -> Result<Vec<Response>> {
    let within = |error: Error| error.with_context("object", &task.object);
    let mut request = query::request(&task.org, soql, all).await?;
    let mut answers = Vec::new();
    let mut seen = 0;
    loop {
        let answer = task.org.send(&request).await.map_err(within)?;
        let page = query::page(&answer)?;
        seen += page.records.len() as u64;
        let next = match &page.next {
            _ if page.done && seen == page.total => None,
            Some(next) if !page.done && !page.records.is_empty() && seen < page.total => {
                Some(next.to_string())
            }
            _ => {
                return Err(broken(
                    "the pages hold another number of records than the query found",
                    task,
                ));
            }
        };
        answers.push(answer);
        match next {
            Some(next) => request = Request::get(task.org.follow(&next).await?),
            None => return Ok(answers),
        }
    }
}

fn text(row: &JsonRow<'_>, position: usize) -> Option<String> {
    use super::columns::Row;
    let mut scratch = String::new();
    row.cell(position, &mut scratch).ok().flatten().map(str::to_owned)
}
