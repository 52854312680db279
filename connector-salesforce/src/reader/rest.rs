//! Reading page by page, in the order of ids.

use connector_core::{Error, ErrorKind, Result, Retry};
use connector_http::Request;

use super::sink::Sink;
use super::{MAX_RESTARTS, Task};
use crate::error::code;
use crate::rest::query::{self, JsonRow};

/// Where the reading of pages stands.
///
/// Pages come in the order of ids, so the last id alone says where to go on when the server has forgotten its
/// cursor, or in another process.
#[derive(Debug)]
pub(super) struct Pages {
    /// The last id read.
    last: Option<String>,
    /// The next page by the server's own cursor.
    next: Option<String>,
    /// Rows of the query at hand, and how many it said there would be.
    seen: u64,
    total: Option<u64>,
    restarts: u32,
}

impl Pages {
    /// A reading that begins behind `last`.
    pub(super) fn after(last: Option<String>) -> Self {
        Self {
            last,
            next: None,
            seen: 0,
            total: None,
            restarts: 0,
        }
    }

    /// The last id read.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Reads a page into `sink`; true after the last one.
    pub(super) async fn read(&mut self, task: &Task, sink: &mut Sink) -> Result<bool> {
        let request = match &self.next {
            Some(next) => Request::get(task.org.follow(next).await?),
            None => self.first(task).await?,
        };
        let response = match task.org.send(&request).await {
            Ok(response) => response,
            Err(error) if self.forgotten(&error, task) => return Ok(false),
            Err(error) => return Err(error.with_context("object", &task.object)),
        };
        let page = query::page(&response)?;
        let mut row = JsonRow::new(task.columns.names.len());
        let mut last = None;
        for record in &page.records {
            row.read(&task.columns.names, record)?;
            sink.push(&task.columns, &row);
            last = Some(task.columns.id_of(&row));
        }
        sink.flush();
        self.seen += page.records.len() as u64;
        let total = *self.total.get_or_insert(page.total);
        match last {
            Some(Some(last)) => self.last = Some(last),
            Some(None) if task.whole.is_none() => return Err(broken("a record has no id", task)),
            _ => {}
        }
        let next = page.next.map(std::borrow::Cow::into_owned);
        match next {
            _ if page.done && self.seen == total => Ok(true),
            _ if page.done => Err(broken(
                "the pages hold another number of records than the query found",
                task,
            )),
            None => Err(broken("a page is not the last one and names no next one", task)),
            next if next == self.next => Err(broken("a page leads back to itself", task)),
            _ if page.records.is_empty() => Err(broken("a page in the middle is empty", task)),
            // Pages that lead in a circle would never come to an end.
            _ if self.seen > total => Err(broken("the pages hold more records than the query found", task)),
            next => {
                self.next = next;
                Ok(false)
            }
        }
    }

    /// The request for what comes behind the last id.
    async fn first(&self, task: &Task) -> Result<Request> {
        let soql = match &task.whole {
            Some(whole) => whole.clone(),
            None => task.query().by_id(self.last()),
        };
        let request = query::request(&task.org, &soql, task.all()).await?;
        if query::uri_len(&request) <= query::MAX_URI {
            return Ok(request);
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            "the query is too long to be asked over REST",
        )
        .with_context("object", &task.object)
        .with_help("write a shorter query, or choose fewer fields"))
    }

    /// Whether `error` means that the server's cursor is gone; the reading then goes on behind the last id.
    fn forgotten(&mut self, error: &Error, task: &Task) -> bool {
        let gone = self.next.is_some()
            && task.whole.is_none()
            && code(error) == Some("INVALID_QUERY_LOCATOR")
            && self.restarts < MAX_RESTARTS;
        if gone {
            *self = Self {
                restarts: self.restarts + 1,
                ..Self::after(self.last.take())
            };
        }
        gone
    }
}

/// An answer that cannot be relied on. Reading on from the last checkpoint asks anew.
pub(super) fn broken(how: &'static str, task: &Task) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("Salesforce's answer is broken: {how}"),
    )
    .with_context("object", &task.object)
    .with_retry(Retry::Backoff)
}
