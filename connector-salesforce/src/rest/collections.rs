//! sObject Collections: up to 200 records in one call.

use std::borrow::Cow;
use std::ops::Range;

use connector_core::value::write_json;
use connector_core::{Error, ErrorKind, Result, Value};
use connector_http::{HeaderName, HeaderValue, Request};
use serde::Deserialize;

use crate::writer::{Row, RowError, Target, clears};

/// Most records of a call.
pub(crate) const MAX_RECORDS: usize = 200;

/// From how many bytes on a call takes no further record.
const FULL: usize = 2 << 20;

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    errors: Vec<AnswerError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerError {
    status_code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    fields: Vec<String>,
}

/// What became of one record.
pub(crate) type RowResult = std::result::Result<(), RowError>;

/// The body for the first of `rows`, at most `most` of them, and which it took.
pub(crate) fn body(target: &Target, rows: &[Row], most: usize) -> (String, Range<usize>) {
    let mut out = String::from(r#"{"allOrNone":false,"records":["#);
    let mut taken = 0;
    for row in rows.iter().take(most) {
        if taken > 0 {
            out.push(',');
        }
        write_record(target, row, &mut out);
        taken += 1;
        if out.len() >= FULL {
            break;
        }
    }
    out.push_str("]}");
    (out, 0..taken)
}

fn write_record(target: &Target, row: &Row, out: &mut String) {
    out.push_str(r#"{"attributes":{"type":"#);
    write_json(&Value::Text(&target.object), out);
    out.push_str(r#"},"id":"#);
    write_json(&Value::Text(row.key.as_str()), out);
    for column in &target.columns.fields {
        let value = row.value(column.position);
        if matches!(value, Value::Unset) {
            continue;
        }
        out.push(',');
        write_json(&Value::Text(&column.field.name), out);
        out.push(':');
        match value {
            _ if clears(&value) => out.push_str("null"),
            Value::Time(time) => write_json(&Value::Text(&format!("{time}Z")), out),
            value => write_json(&value, out),
        }
    }
    out.push('}');
}

/// Updates `rows`, whose `body` it is; what became of each, in their order.
pub(crate) async fn update(target: &Target, body: String, rows: &[Row]) -> Result<Vec<RowResult>> {
    let url = target.org.url("composite/sobjects").await?;
    // The same values twice are the same as once.
    let request = Request::patch(url)
        .body("application/json; charset=UTF-8", body)
        .header(
            HeaderName::from_static("sforce-auto-assign"),
            HeaderValue::from_static("FALSE"),
        )
        .idempotent();
    let response = target
        .org
        .send(&request)
        .await
        .map_err(|error| error.with_context("object", &target.object))?;
    let answers: Vec<Answer> = response.json()?;
    if answers.len() != rows.len() {
        let message = format!(
            "Salesforce answers for {} records, not for the {} sent",
            answers.len(),
            rows.len()
        );
        return Err(Error::new(ErrorKind::Unavailable, message).with_may_have_applied());
    }
    Ok(answers
        .into_iter()
        .zip(rows)
        .map(|(answer, row)| result(target, answer, row))
        .collect())
}

fn result(target: &Target, answer: Answer, row: &Row) -> RowResult {
    // A record that was rolled back may carry its id all the same: `success` alone tells.
    if answer.success {
        return Ok(());
    }
    let values = target.columns.fields.iter().filter_map(|column| {
        let value = row.value(column.position);
        value.is_present().then(|| Cow::Owned(value.to_string()))
    });
    Err(match answer.errors.into_iter().next() {
        Some(AnswerError {
            status_code,
            message,
            fields,
        }) => RowError::new(&status_code, &message, fields, values),
        None => RowError::new(
            "UNKNOWN_EXCEPTION",
            "Salesforce gives no reason",
            Vec::new(),
            values,
        ),
    })
}
