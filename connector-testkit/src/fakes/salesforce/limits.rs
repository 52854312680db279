//! `/limits` and `/limits/recordCount`.

use serde_json::{Value, json};

use super::org::Org;

/// The answer of `/limits`.
pub(super) fn all(org: &Org) -> Value {
    let limit = org.config.daily_limit;
    let left = limit.saturating_sub(org.stats.calls());
    let queries = org.query_jobs().len() as u64;
    json!({
        "DailyApiRequests": { "Max": limit, "Remaining": left },
        "DailyBulkApiBatches": { "Max": 15_000, "Remaining": 15_000 },
        "DailyBulkV2QueryJobs": { "Max": 10_000, "Remaining": 10_000_u64.saturating_sub(queries) },
        "DailyBulkV2QueryFileStorageMB": { "Max": 976_562, "Remaining": 976_562 },
        "DataStorageMB": { "Max": 1_024, "Remaining": 1_000 },
        "ConcurrentAsyncGetReportInstances": { "Max": 200, "Remaining": 200 },
    })
}

/// The answer of `/limits/recordCount`; unknown names are left out silently, as the org does.
pub(super) fn record_counts(org: &Org, names: Option<&str>) -> Value {
    let view = org.view();
    let wanted: Option<Vec<&str>> = names.map(|names| names.split(',').map(str::trim).collect());
    let counts: Vec<Value> = org
        .schema()
        .objects()
        .iter()
        .filter(|object| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|name| name.eq_ignore_ascii_case(&object.name)))
        })
        .map(|object| json!({ "count": view.alive(object), "name": object.name }))
        .collect();
    json!({ "sObjects": counts })
}
