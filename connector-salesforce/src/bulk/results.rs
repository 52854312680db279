//! The three result sets of an ingest job.

use std::borrow::Cow;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use connector_http::{HeaderValue, Request, header};

use super::csv::{CsvDecoder, CsvRow};
use super::job::Kind;
use crate::org::Org;
use crate::writer::RowError;

/// A result set that breaks off is asked for again, so often at most.
const MAX_TRIES: u32 = 4;

/// One of the three sets; each record of a job is in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    Succeeded,
    Failed,
    /// Certainly not applied.
    Unprocessed,
}

impl Set {
    fn path(self) -> &'static str {
        match self {
            Self::Succeeded => "successfulResults",
            Self::Failed => "failedResults",
            Self::Unprocessed => "unprocessedrecords",
        }
    }
}

/// One record of a set, with the columns that it was sent with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResultRow<'a> {
    header: &'a Header,
    row: CsvRow<'a>,
}

impl<'a> ResultRow<'a> {
    /// The record's key as it was sent. Nothing else tells which record it is: their order is not that of the upload.
    pub(crate) fn key(&self) -> Result<&'a str> {
        self.header
            .key
            .and_then(|column| self.row.get(column))
            .ok_or_else(|| Error::new(ErrorKind::Data, "a result of the Bulk job lacks the record's key"))
    }

    /// Whether it is `name` that the record is known by.
    pub(crate) fn is_by(&self, name: &str) -> bool {
        let known = self.header.key.and_then(|column| self.header.names.get(column));
        known.is_some_and(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether nothing but its id was sent: it was to be deleted.
    pub(crate) fn is_delete(&self) -> bool {
        let sent = self.header.names.iter().filter(|name| !name.starts_with("sf__"));
        sent.count() == 1 && self.is_by("Id")
    }

    /// Whether the record is new.
    pub(crate) fn is_created(&self) -> bool {
        let created = self.header.created.and_then(|column| self.row.get(column));
        created.is_some_and(|created| created.eq_ignore_ascii_case("true"))
    }

    /// Why it was refused, without the values that were sent.
    pub(crate) fn error(&self) -> RowError {
        let text = self.header.error.and_then(|column| self.row.get(column));
        let text = text.filter(|text| !text.is_empty());
        let sent = |(_, name): &(usize, &String)| !name.starts_with("sf__");
        let values = self.header.names.iter().enumerate().filter(sent);
        let values = values
            .filter(|(column, _)| Some(*column) != self.header.key)
            .filter_map(|(column, _)| self.row.get(column))
            .map(Cow::Borrowed);
        RowError::from_bulk(
            text.unwrap_or("UNKNOWN_EXCEPTION:Salesforce gives no reason:--"),
            values,
        )
    }
}

/// What stands in which column.
#[derive(Debug)]
struct Header {
    names: Vec<String>,
    key: Option<usize>,
    created: Option<usize>,
    error: Option<usize>,
}

impl Header {
    /// The record is known by the first of `keys` that is there.
    fn new(row: &CsvRow<'_>, keys: &[&str]) -> Self {
        let names: Vec<String> = (0..row.len())
            .map(|column| row.get(column).unwrap_or_default().to_owned())
            .collect();
        let find = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        Self {
            key: keys.iter().find_map(|key| find(key)),
            created: find("sf__Created"),
            error: find("sf__Error"),
            names,
        }
    }
}

/// What `take` makes of each record of a set; they are known by the first of `keys` that is a column.
///
/// # Errors
/// Those of `take`, and [`ErrorKind::Unavailable`] where the set breaks off again and again.
pub(crate) async fn read<T>(
    org: &Org,
    job: &str,
    set: Set,
    keys: &[&str],
    take: impl Fn(ResultRow<'_>) -> Result<T> + Send,
) -> Result<Vec<T>>
where
    T: Send,
{
    let mut tries = 1;
    loop {
        match read_once(org, job, set, keys, &take).await {
            Err(error) if error.kind() == ErrorKind::Unavailable && tries < MAX_TRIES => {
                tracing::warn!(%error, job, ?set, "a result set broke off and is asked for again");
                org.clock().sleep(Duration::from_secs(1 << tries)).await;
                tries += 1;
            }
            other => {
                return other
                    .map_err(|error| error.with_context("job", job).with_context("results", set.path()));
            }
        }
    }
}

async fn read_once<T>(
    org: &Org,
    job: &str,
    set: Set,
    keys: &[&str],
    take: &(impl Fn(ResultRow<'_>) -> Result<T> + Send),
) -> Result<Vec<T>>
where
    T: Send,
{
    let url = org
        .url(&format!("{}/{job}/{}", Kind::Ingest.path(), set.path()))
        .await?;
    let request = Request::get(url).header(header::ACCEPT, HeaderValue::from_static("text/csv"));
    let mut body = org.stream(&request).await?;
    let mut decoder = CsvDecoder::new();
    let mut header: Option<Header> = None;
    let mut taken = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        let mut input: &[u8] = &chunk;
        while let Some(row) = decoder.next(&mut input)? {
            match &header {
                Some(header) => taken.push(take(ResultRow { header, row })?),
                None => header = Some(Header::new(&row, keys)),
            }
        }
    }
    decoder.finish()?;
    Ok(taken)
}
