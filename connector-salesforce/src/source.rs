//! Salesforce as a source.

use std::time::Duration;

use async_trait::async_trait;
use connector_core::{
    Connector, Error, ErrorKind, ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Source, SyncMode,
};
use connector_http::Request;
use serde::Deserialize;

use crate::connector::Salesforce;
use crate::describe::Described;
use crate::error::code;
use crate::progress::{Progress, Running, Stamp, fingerprint};
use crate::reader::{BULK_FROM, Columns, KeysReader, SalesforceReader, Task, settled};
use crate::rest::query;
use crate::soql::{Query, Window};

/// How far an incremental read stays behind the org's clock unless told: a row carries the time of its statement
/// and is visible only when its transaction ends.
const SETTLE: Duration = Duration::from_secs(300);

/// Rows of a REST page, for an estimate of requests.
const REST_PAGE: u64 = 2_000;

/// Rows of a Bulk page, for the same.
const BULK_PAGE: u64 = 50_000;

#[async_trait]
impl Source for Salesforce {
    fn read_capabilities(&self) -> ReadCapabilities {
        ReadCapabilities::new().with_keys()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        let described = self.described(&request.selection).await?;
        let incremental = check(&described, &request.sync)?;
        let columns = Columns::new(&described, &request.fields, incremental.is_some())?;
        if let SyncMode::Keys(keys) = &request.sync {
            let (records, requests) = (keys.len() as u64, keys.len().div_ceil(200) as u64);
            let plan = ReadPlan::new("the records are read by their ids over REST, 200 at once");
            return Ok(plan.with_records(Some(records)).with_requests(Some(requests)));
        }
        let progress = Progress::open(
            request.state.as_ref(),
            &self.identity().await?,
            &described.object.name,
        )?;
        let object = &described.object.name;
        let since = progress.since.filter(|_| incremental.is_some());
        let records = match (since, incremental) {
            (Some(since), Some(cursor)) => {
                let until = settled(self.org().now().await?, request.settle.unwrap_or(SETTLE));
                let window = Window {
                    cursor: cursor.to_owned(),
                    from: Some(since.0),
                    until,
                };
                let query = Query {
                    object,
                    columns: &columns.names,
                    window: Some(&window),
                };
                match query::count(self.org(), &query.count(), columns.wants_deletions()).await {
                    Ok(records) => Some(records),
                    Err(error) if code(&error) == Some("QUERY_TIMEOUT") => None,
                    Err(error) => return Err(error.with_context("object", object)),
                }
            }
            _ => self.record_count(object).await?,
        };
        let whole = Query {
            object,
            columns: &columns.names,
            window: None,
        };
        let probe = query::request(self.org(), &whole.by_id(None), columns.wants_deletions()).await?;
        let too_long = query::uri_len(&probe) > query::MAX_URI;
        let (api, requests) = match records {
            Some(records) if records < BULK_FROM && !too_long => {
                let note = format!("over REST, in the order of ids: fewer than {BULK_FROM} records");
                (note, Some(1 + records.div_ceil(REST_PAGE).max(1)))
            }
            // The job, a few polls, and its pages.
            Some(records) => {
                let why = if too_long {
                    "the query is too long for an address"
                } else {
                    "many records"
                };
                (
                    format!("by a Bulk API 2.0 job: {why}"),
                    Some(5 + records.div_ceil(BULK_PAGE)),
                )
            }
            None => (
                "by a Bulk API 2.0 job: the records are too many to count".to_owned(),
                None,
            ),
        };
        let mut plan = ReadPlan::new(format!("`{object}` is read {api}"))
            .with_records(records)
            .with_requests(requests);
        if let Some(cursor) = incremental {
            let from = since.map_or_else(
                || "everything".to_owned(),
                |since| format!("changes since {since}"),
            );
            let settle = request.settle.unwrap_or(SETTLE).as_secs();
            plan.notes.push(format!(
                "{from} by `{cursor}`, up to {settle} s before the org's clock"
            ));
            plan.notes.push(if columns.wants_deletions() {
                "deleted records arrive while they are in the recycle bin, about 15 days".to_owned()
            } else {
                "deletions do not arrive: the object does not show them".to_owned()
            });
        }
        Ok(plan)
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let described = self.described(&request.selection).await?;
        let incremental = check(&described, &request.sync)?;
        let columns = Columns::new(&described, &request.fields, incremental.is_some())?;
        let identity = self.identity().await?;
        let object = described.object.name.clone();
        if let SyncMode::Keys(keys) = &request.sync {
            let task = Task {
                org: self.org().clone(),
                identity,
                object,
                columns,
                window: None,
            };
            return Ok(Box::new(KeysReader::new(task, keys, &request)?));
        }
        let progress = Progress::open(request.state.as_ref(), &identity, &object)?;
        let hash = fingerprint(&columns.names);
        let going_on = progress
            .running
            .filter(|running| running.incremental == incremental.is_some());
        let running = match going_on {
            Some(running) if running.columns == hash => running,
            // The window stays; what the server holds ready has other columns.
            Some(running) => Running {
                columns: hash,
                place: None,
                ..running
            },
            None => Running {
                incremental: incremental.is_some(),
                from: progress.since.filter(|_| incremental.is_some()),
                until: Stamp(settled(self.org().now().await?, request.settle.unwrap_or(SETTLE))),
                columns: hash,
                place: None,
            },
        };
        let window = incremental.map(|cursor| Window {
            cursor: cursor.to_owned(),
            from: running.from.map(|from| from.0),
            until: running.until.0,
        });
        let task = Task {
            org: self.org().clone(),
            identity,
            object,
            columns,
            window,
        };
        Ok(Box::new(SalesforceReader::new(
            task,
            progress.since,
            running,
            &request,
        )))
    }
}

/// Whether the object can be read so; the cursor, for a read of changes.
fn check<'a>(described: &'a Described, sync: &SyncMode) -> Result<Option<&'a str>> {
    let object = &described.object.name;
    if !described.object.queryable {
        return Err(
            Error::new(ErrorKind::Unsupported, format!("`{object}` cannot be queried"))
                .with_help("list the streams: they are what can be read"),
        );
    }
    match (sync, described.spec.cursor.as_deref()) {
        (SyncMode::FullRefresh | SyncMode::Keys(_), _) => Ok(None),
        (SyncMode::Incremental, Some(cursor)) => Ok(Some(cursor)),
        (SyncMode::Incremental, None) => Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{object}` has no field that tells what changed"),
        )
        .with_help("read it with sync = \"full\"")),
        (other, _) => Err(Error::new(
            ErrorKind::Unsupported,
            format!("Salesforce cannot be read by {other}"),
        )
        .with_help("read it with sync = \"incremental\" or \"full\"")),
    }
}

impl Salesforce {
    /// About how many records there are, by the org's own cached count; `None` where it does not count the object.
    async fn record_count(&self, object: &str) -> Result<Option<u64>> {
        #[derive(Deserialize)]
        struct Counts {
            #[serde(rename = "sObjects")]
            objects: Vec<Count>,
        }
        #[derive(Deserialize)]
        struct Count {
            count: u64,
        }
        let url = self.org().url("limits/recordCount").await?;
        let counts: Counts = self
            .org()
            .send(&Request::get(url).query("sObjects", object))
            .await?
            .json()?;
        Ok(counts.objects.first().map(|entry| entry.count))
    }
}
