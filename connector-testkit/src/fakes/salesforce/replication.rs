//! `updated` and `deleted`: which records changed, which are gone.

use axum::response::Response;
use serde_json::{Value, json};

use super::error::ApiError;
use super::object::ObjectType;
use super::org::Org;
use super::reply;
use super::timestamp::{self, DAY, SECOND};
use super::value::FieldValue;

/// Microseconds in a minute: seconds are ignored.
const MINUTE: i64 = 60 * SECOND;
/// Most ids in one answer.
const MAX_IDS: usize = 600_000;

/// `/sobjects/X/updated?start=&end=`
pub(super) fn updated(
    org: &Org,
    object: &ObjectType,
    start: Option<&str>,
    end: Option<&str>,
) -> Result<Response, ApiError> {
    let (from, to) = window(org, object, (start, end), 30)?;
    let view = org.view();
    let ids: Vec<String> = view
        .numbers(object)
        .filter_map(|n| view.row(object, n))
        .filter(|row| !row.is_deleted())
        .filter(
            |row| matches!(row.named("SystemModstamp"), FieldValue::DateTime(at) if at >= from && at < to),
        )
        .map(|row| row.id())
        .collect();
    within_limit(ids.len())?;
    Ok(reply::json(
        200,
        &json!({ "ids": ids, "latestDateCovered": timestamp::rest(to) }),
    ))
}

/// `/sobjects/X/deleted?start=&end=`
pub(super) fn deleted(
    org: &Org,
    object: &ObjectType,
    start: Option<&str>,
    end: Option<&str>,
) -> Result<Response, ApiError> {
    let (from, to) = window(org, object, (start, end), 15)?;
    let earliest = org.deletions_since(&object.name);
    if from < earliest.div_euclid(MINUTE) * MINUTE {
        return Err(replication_date(&format!(
            "startDate before org replication enabled date {}",
            timestamp::rest(earliest)
        )));
    }
    let gone: Vec<Value> = org
        .view()
        .deletions(object)
        .into_iter()
        .filter(|(_, at)| (from..to).contains(at))
        .map(|(id, at)| json!({ "id": id, "deletedDate": timestamp::rest(timestamp::whole_second(at)) }))
        .collect();
    within_limit(gone.len())?;
    Ok(reply::json(
        200,
        &json!({
            "deletedRecords": gone,
            "earliestDateAvailable": timestamp::rest(earliest),
            "latestDateCovered": timestamp::rest(to),
        }),
    ))
}

/// From when on the deletion log is whole: as long as it is kept, unless it was cut.
impl Org {
    fn deletions_since(&self, object: &str) -> i64 {
        let kept = self.now() - 15 * DAY * SECOND;
        self.deletion_log(object).map_or(kept, |cut| cut.max(kept))
    }
}

fn window(
    org: &Org,
    object: &ObjectType,
    (start, end): (Option<&str>, Option<&str>),
    days: i64,
) -> Result<(i64, i64), ApiError> {
    if !object.replicateable {
        let message = format!("object {} is not replicateable", object.name);
        return Err(ApiError::bad("INVALID_TYPE_FOR_OPERATION", message));
    }
    let read = |name: &str, text: Option<&str>| {
        // An unescaped plus arrives as a space.
        let text = text.unwrap_or_default().replace(' ', "+");
        timestamp::parse(&text)
            .map(|micros| micros.div_euclid(MINUTE) * MINUTE)
            .ok_or_else(|| ApiError::bad("INVALID_REPLICATION_DATE", format!("{name} is no date: {text}")))
    };
    let (from, to) = (read("start", start)?, read("end", end)?);
    if to <= from {
        return Err(replication_date(
            "endDate must be greater than startDate by at least one minute",
        ));
    }
    let now = org.now();
    if from < (now - days * DAY * SECOND).div_euclid(MINUTE) * MINUTE {
        return Err(replication_date(&format!(
            "startDate cannot be more than {days} days ago"
        )));
    }
    Ok((from, to.min(now.div_euclid(MINUTE) * MINUTE)))
}

fn replication_date(message: &str) -> ApiError {
    ApiError::bad("INVALID_REPLICATION_DATE", message)
}

fn within_limit(ids: usize) -> Result<(), ApiError> {
    if ids > MAX_IDS {
        return Err(ApiError::bad(
            "EXCEEDED_ID_LIMIT",
            "The number of ids exceeds the limit of 600000",
        ));
    }
    Ok(())
}
