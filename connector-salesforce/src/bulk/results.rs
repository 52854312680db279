//! The three result sets of an ingest job.

use std::borrow::Cow;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Key, Result};
use connector_http::{HeaderValue, Request, header};

use super::csv::{CsvDecoder, CsvRow};
use super::job::Kind;
use crate::org::Org;
use crate::writer::RowError;

/// A result set that breaks off is asked for again, so often at most.
const MAX_TRIES: u32 = 4;

/// What became of a job's records, by the id each was sent with. Their order is not that of the upload.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) succeeded: Vec<Key>,
    pub(crate) failed: Vec<(Key, RowError)>,
    /// Certainly not applied.
    pub(crate) unprocessed: Vec<Key>,
}

impl Results {
    /// Records in all three.
    pub(crate) fn len(&self) -> usize {
        self.succeeded.len() + self.failed.len() + self.unprocessed.len()
    }
}

/// Reads all three result sets of a job that has ended.
pub(crate) async fn read(org: &Org, job: &str) -> Result<Results> {
    let keys = |rows: Vec<(Key, Option<RowError>)>| rows.into_iter().map(|(key, _)| key).collect();
    let failed = read_set(org, job, "failedResults").await?;
    let unknown = || {
        RowError::from_bulk(
            "UNKNOWN_EXCEPTION:Salesforce gives no reason:--",
            std::iter::empty(),
        )
    };
    Ok(Results {
        failed: failed
            .into_iter()
            .map(|(key, error)| (key, error.unwrap_or_else(unknown)))
            .collect(),
        unprocessed: keys(read_set(org, job, "unprocessedrecords").await?),
        succeeded: keys(read_set(org, job, "successfulResults").await?),
    })
}

/// A row seen through its header.
struct Header<'a> {
    names: &'a [String],
    row: CsvRow<'a>,
}

impl Header<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let column = self
            .names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))?;
        self.row.get(column)
    }

    /// The id as it was sent.
    fn key(&self) -> Option<Key> {
        self.get("Id").map(Key::new)
    }

    fn error(&self) -> Option<RowError> {
        let sent = |name: &String| !name.starts_with("sf__") && !name.eq_ignore_ascii_case("Id");
        let values = self.names.iter().enumerate().filter(|(_, name)| sent(name));
        let values = values
            .filter_map(|(column, _)| self.row.get(column))
            .map(Cow::Borrowed);
        Some(RowError::from_bulk(self.get("sf__Error")?, values))
    }
}

/// A set's records, and the error of each where the set has one.
async fn read_set(org: &Org, job: &str, set: &str) -> Result<Vec<(Key, Option<RowError>)>> {
    let mut tries = 1;
    loop {
        match read_once(org, job, set).await {
            Err(error) if error.kind() == ErrorKind::Unavailable && tries < MAX_TRIES => {
                tracing::warn!(%error, job, set, "a result set broke off and is asked for again");
                org.clock().sleep(Duration::from_secs(1 << tries)).await;
                tries += 1;
            }
            other => {
                return other.map_err(|error| error.with_context("job", job).with_context("results", set));
            }
        }
    }
}

async fn read_once(org: &Org, job: &str, set: &str) -> Result<Vec<(Key, Option<RowError>)>> {
    let url = org.url(&format!("{}/{job}/{set}", Kind::Ingest.path())).await?;
    let request = Request::get(url).header(header::ACCEPT, HeaderValue::from_static("text/csv"));
    let mut body = org.stream(&request).await?;
    let mut decoder = CsvDecoder::new();
    let mut names: Option<Vec<String>> = None;
    let mut taken = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        let mut input: &[u8] = &chunk;
        while let Some(row) = decoder.next(&mut input)? {
            let Some(names) = &names else {
                names = Some(
                    (0..row.len())
                        .map(|i| row.get(i).unwrap_or_default().to_owned())
                        .collect(),
                );
                continue;
            };
            let row = Header { names, row };
            let key = row.key().ok_or_else(|| {
                Error::new(ErrorKind::Data, "a result of the Bulk job lacks its column `Id`")
            })?;
            taken.push((key, row.error()));
        }
    }
    decoder.finish()?;
    Ok(taken)
}
