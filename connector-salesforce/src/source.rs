//! Salesforce as a source.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{
    Connector, ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Selection, Source, SyncMode,
};
use connector_http::Request;
use serde::Deserialize;

use crate::connector::Salesforce;
use crate::error::code;
use crate::progress::{Progress, Running, Stamp};
use crate::reader::{
    BULK_FROM, DELETIONS_KEPT, KeysReader, SalesforceReader, Task, WIDE_UNTIL, settled, wide_requests,
};
use crate::rest::query;
use crate::scope::Scope;
use crate::soql::Window;

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
        ReadCapabilities::new()
            .with_keys()
            .with_deletes()
            .with_queries()
            .with_filters()
            .with_cursors()
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        let mut scope = self.scope(request).await?;
        let notes = std::mem::take(&mut scope.notes);
        if let SyncMode::Keys(keys) = &request.sync {
            let task = self.task(scope, None, None).await?;
            let records = keys.len() as u64;
            let mut plan = ReadPlan::new("the records are read by their ids over REST, 200 at once")
                .with_records(Some(records))
                .with_requests(Some(wide_requests(&task, records)?));
            plan.notes.extend(notes);
            return Ok(plan);
        }
        let progress = Progress::open(request.state.as_ref(), &self.identity().await?, &scope.stream)?;
        let since = progress.since.filter(|_| scope.cursor.is_some());
        let window = match (&scope.cursor, since) {
            (Some(cursor), Some(since)) => Some(Window {
                cursor: cursor.clone(),
                from: Some(since.0),
                until: settled(self.org().now().await?, request.settle.unwrap_or(SETTLE)),
            }),
            _ => None,
        };
        let cursor = scope.cursor.clone();
        let whole = scope.whole.clone();
        let is_query = matches!(request.selection, Selection::Query(_));
        let is_plain = scope.conditions.is_empty() && window.is_none() && !is_query;
        let rest_only = scope.rest_only;
        let replicated = scope.described.object.replicateable;
        let task = self.task(scope, window, None).await?;
        let records = if whole.is_some() {
            None
        } else if is_plain {
            self.record_count(&task.object).await?
        } else {
            match query::count(&task.org, &task.query().count(), task.all()).await {
                Ok(records) => Some(records),
                Err(error) if code(&error) == Some("QUERY_TIMEOUT") => None,
                Err(error) => return Err(error.with_context("object", &task.object)),
            }
        };
        let (api, requests) = match (whole, rest_only) {
            (Some((_, reason)), _) => (
                format!("over REST, as it stands, for it has {reason}: a run that breaks off begins it anew"),
                None,
            ),
            (None, Some(why)) => (
                format!("over REST, in the order of ids: {why}"),
                records.map(|records| 1 + records.div_ceil(REST_PAGE).max(1)),
            ),
            (None, None) => way(&task, records).await?,
        };
        let what = if is_query {
            "the query".to_owned()
        } else {
            format!("`{}`", task.object)
        };
        let mut plan = ReadPlan::new(format!("{what} is read {api}"))
            .with_records(records)
            .with_requests(requests);
        if let Some(cursor) = cursor {
            let from = since.map_or_else(
                || "everything".to_owned(),
                |since| format!("changes since {since}"),
            );
            let settle = request.settle.unwrap_or(SETTLE).as_secs();
            plan.notes.push(format!(
                "{from} by `{cursor}`, up to {settle} s before the org's clock"
            ));
            plan.notes.push(deletions(&task, replicated).to_owned());
            let deletions = progress.deletions.or(since);
            if let (Some(from), Some(window)) = (deletions, &task.window)
                && from.0.plus(DELETIONS_KEPT) < window.until
            {
                plan.notes.push(format!(
                    "deletions may have been missed: the last read was at {from}, and the org shows those of about 15 days; \
                     remove what is gone by a full read and a prune"
                ));
            }
        }
        plan.notes.extend(notes);
        Ok(plan)
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let scope = self.scope(&request).await?;
        if let SyncMode::Keys(keys) = &request.sync {
            let task = self.task(scope, None, None).await?;
            return Ok(Box::new(KeysReader::new(task, keys, &request)?));
        }
        let progress = Progress::open(request.state.as_ref(), &self.identity().await?, &scope.stream)?;
        let hash = scope.fingerprint();
        let incremental = scope.cursor.is_some();
        let going_on = progress
            .running
            .clone()
            .filter(|running| running.incremental == incremental);
        let running = match going_on {
            Some(running) if running.columns == hash => running,
            // The window stays; what the server holds ready has other columns.
            Some(running) => Running {
                columns: hash,
                place: None,
                ..running
            },
            None => Running {
                incremental,
                from: progress.since.filter(|_| incremental),
                until: Stamp(settled(self.org().now().await?, request.settle.unwrap_or(SETTLE))),
                goal: None,
                columns: hash,
                place: None,
            },
        };
        let window = scope.cursor.clone().map(|cursor| Window {
            cursor,
            from: running.from.map(|from| from.0),
            until: running.until.0,
        });
        let deletions = progress
            .deletions
            .or(running.from)
            .filter(|_| incremental && scope.described.object.replicateable);
        let task = self.task(scope, window, deletions).await?;
        Ok(Box::new(SalesforceReader::new(task, progress, running, &request)))
    }
}

/// Which API reads `records` records, and in about how many requests.
async fn way(task: &Task, records: Option<u64>) -> Result<(String, Option<u64>)> {
    let probe = query::request(&task.org, &task.query().by_id(None), task.all()).await?;
    let too_long = query::uri_len(&probe) > query::MAX_URI;
    Ok(match records {
        Some(records) if too_long && records < WIDE_UNTIL => (
            "over REST, its fields in groups: they are too many for one address".to_owned(),
            Some(2 + wide_requests(task, records)?),
        ),
        Some(records) if !too_long && records < BULK_FROM => (
            format!("over REST, in the order of ids: fewer than {BULK_FROM} records"),
            Some(1 + records.div_ceil(REST_PAGE).max(1)),
        ),
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
    })
}

/// How deletions arrive.
fn deletions(task: &Task, replicated: bool) -> &'static str {
    match (task.all(), replicated) {
        (true, true) => {
            "deleted records arrive from the recycle bin, and those that were purged from the org's list of 15 days"
        }
        (true, false) => "deleted records arrive while they are in the recycle bin, about 15 days",
        (false, true) => "deleted records arrive from the org's list of 15 days",
        (false, false) => {
            "deletions do not arrive: the object does not show them; a full read and a prune remove what is gone"
        }
    }
}

impl Salesforce {
    /// The task of reading `scope`.
    async fn task(&self, scope: Scope, window: Option<Window>, deletions: Option<Stamp>) -> Result<Task> {
        let object = &scope.described.object;
        let stamp = ["SystemModstamp", "LastModifiedDate"]
            .into_iter()
            .find(|name| object.field(name).is_some());
        Ok(Task {
            org: self.org().clone(),
            describes: Arc::clone(self.describes()),
            identity: self.identity().await?,
            stream: scope.stream,
            object: object.name.clone(),
            from: scope.from,
            columns: scope.columns,
            window,
            conditions: scope.conditions,
            whole: scope.whole.map(|(text, _)| text),
            rest_only: scope.rest_only.is_some(),
            stamp: stamp.map(str::to_owned),
            deletions,
        })
    }

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
