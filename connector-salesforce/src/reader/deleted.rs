//! Deletions that no query shows: records that were purged, or whose object has no recycle bin.

use std::time::Duration;

use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Result};
use connector_http::Request;
use serde::Deserialize;

use super::Task;
use super::sink::Sink;
use super::wide::CHUNK;
use crate::error::code;
use crate::rest::query::{self, JsonRow};
use crate::soql::{Query, instant};

/// How far back the org lists what was deleted.
pub(crate) const KEPT: Duration = Duration::from_secs(15 * 86_400);

/// The shortest span that the org lists: its seconds are ignored.
const SHORTEST: Duration = Duration::from_secs(120);

/// The answer to `/deleted`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    deleted_records: Vec<DeletedRecord>,
    /// What was deleted later may be missing yet.
    #[serde(default)]
    latest_date_covered: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DeletedRecord {
    id: String,
}

/// Reads what was deleted from `from` to `until` into `sink`; up to when that is complete, `None` where nothing can be
/// said.
pub(super) async fn read(
    task: &Task,
    from: Instant,
    until: Instant,
    sink: &mut Sink,
) -> Result<Option<Instant>> {
    if from.plus(SHORTEST) > until {
        return Ok(None);
    }
    let Some(deleted) = list(task, from, until).await? else {
        return Ok(None);
    };
    let covered = deleted.latest_date_covered.as_deref().map(Instant::parse_iso);
    let covered = covered
        .and_then(std::result::Result::ok)
        .unwrap_or(until)
        .min(until);
    let ids: Vec<String> = deleted
        .deleted_records
        .into_iter()
        .map(|record| record.id)
        .collect();
    let mut purged = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        purged.extend(gone(task, chunk).await?);
    }
    // Only now: a call that was dropped while it waited asks for all of them again.
    purged.iter().for_each(|id| sink.delete(id));
    sink.flush();
    Ok(Some(covered))
}

/// The list of a span; what lies too far back is said and left.
async fn list(task: &Task, from: Instant, until: Instant) -> Result<Option<Deleted>> {
    let mut start = from;
    for last_try in [false, true] {
        let url = task
            .org
            .url(&format!("sobjects/{}/deleted/", task.object))
            .await?;
        let request = Request::get(url)
            .query("start", instant(start))
            .query("end", instant(until));
        let error = match task.org.send(&request).await {
            Ok(response) => return response.json().map(Some),
            Err(error) => error,
        };
        let within_reach = until.minus(KEPT - Duration::from_secs(86_400));
        match code(&error) {
            Some("INVALID_REPLICATION_DATE") if !last_try && start < within_reach => {
                tracing::warn!(
                    object = task.object,
                    since = %from,
                    "deletions may have been missed: the org lists those of 15 days; remove what is gone by a full read \
                     and a prune"
                );
                start = within_reach;
            }
            Some("EXCEEDED_ID_LIMIT") => {
                return Err(error.with_context("object", &task.object).with_help(
                    "too many records were deleted to be listed: read the object anew with sync = \"full\"",
                ));
            }
            Some("INVALID_REPLICATION_DATE") => break,
            // The object says that it is listed, and is not.
            _ if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => break,
            _ => return Err(error.with_context("object", &task.object)),
        }
    }
    tracing::warn!(object = task.object, "the org does not list what was deleted");
    Ok(None)
}

/// Those of `ids` that are there no more: one may have been restored, and one in the recycle bin was read from there.
async fn gone(task: &Task, ids: &[String]) -> Result<Vec<String>> {
    let id = ["Id".to_owned()];
    let query = Query {
        object: &task.object,
        columns: &id,
        window: None,
        conditions: &[],
    };
    let bin = task.all()
        && task
            .window
            .as_ref()
            .is_some_and(|window| window.cursor == "SystemModstamp");
    let request = query::request(&task.org, &query.by_ids(ids), bin).await?;
    let within = |error: Error| error.with_context("object", &task.object);
    let response = task.org.send(&request).await.map_err(within)?;
    let page = query::page(&response)?;
    if !page.done {
        return Err(super::rest::broken("an answer that fits a page is cut", task));
    }
    let mut row = JsonRow::new(1);
    let mut there = std::collections::HashSet::new();
    for record in &page.records {
        use super::columns::Row;
        row.read(&id, record)?;
        let mut scratch = String::new();
        there.extend(row.cell(0, &mut scratch).ok().flatten().map(str::to_owned));
    }
    Ok(ids.iter().filter(|id| !there.contains(*id)).cloned().collect())
}
