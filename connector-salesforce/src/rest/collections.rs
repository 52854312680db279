//! sObject Collections: up to 200 records in one call.

use std::borrow::Cow;

use connector_core::value::write_json;
use connector_core::{Error, ErrorKind, Result, Value};
use connector_http::{HeaderName, HeaderValue, Request};
use serde::Deserialize;

use crate::writer::{Operation, Row, RowError, Target, WriteColumn, clears};

/// Most records of a call.
pub(crate) const MAX_RECORDS: usize = 200;

/// From how many bytes on a call takes no further record.
const FULL: usize = 2 << 20;

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    id: Option<String>,
    /// Only an upsert says so.
    #[serde(default)]
    created: Option<bool>,
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

/// What a call did to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It is new, under this id.
    Created(Option<String>),
    Updated,
    Deleted,
    /// It was to be deleted, and was not there.
    Gone,
}

/// What became of one record.
pub(crate) type RowResult = std::result::Result<Done, RowError>;

/// One call, ready to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    operation: Operation,
    /// JSON; of a delete, the ids.
    body: String,
    /// How many of the rows it was made for it took.
    pub(crate) records: usize,
}

impl Call {
    /// A call for the first of `rows`, at most `most` of them; all do the same.
    pub(crate) fn new(target: &Target, operation: Operation, rows: &[Row], most: usize) -> Self {
        let deletes = operation == Operation::Delete;
        let mut body = String::from(if deletes {
            ""
        } else {
            r#"{"allOrNone":false,"records":["#
        });
        let mut records = 0;
        for row in rows.iter().take(most) {
            if records > 0 {
                body.push(',');
            }
            if deletes {
                body.push_str(row.id.as_ref().map_or("", |id| id.as_str()));
            } else {
                write_record(target, operation, row, &mut body);
            }
            records += 1;
            if body.len() >= FULL {
                break;
            }
        }
        if !deletes {
            body.push_str("]}");
        }
        Self {
            operation,
            body,
            records,
        }
    }

    /// Sends it; what became of each of its `rows`, in their order.
    ///
    /// # Errors
    /// Nothing was done, unless the error says that it may have been. Only an insert is not sent again after such an
    /// error.
    pub(crate) async fn send(self, target: &Target, rows: &[Row]) -> Result<Vec<RowResult>> {
        let operation = self.operation;
        let request = self.request(target).await?;
        let response = target
            .org
            .send(&request)
            .await
            .map_err(|error| error.with_context("object", &target.object))?;
        let doubtful = |error: Error| {
            if operation.is_repeatable() {
                error
            } else {
                error.with_may_have_applied()
            }
        };
        let answers: Vec<Answer> = response.json().map_err(doubtful)?;
        if answers.len() != rows.len() {
            let message = format!(
                "Salesforce answers for {} records, not for the {} sent",
                answers.len(),
                rows.len()
            );
            return Err(Error::new(ErrorKind::Unavailable, message).with_may_have_applied());
        }
        let results = answers.into_iter().zip(rows);
        Ok(results
            .map(|(answer, row)| result(target, operation, answer, row))
            .collect())
    }

    async fn request(self, target: &Target) -> Result<Request> {
        let Target { org, options, .. } = target;
        let root = "composite/sobjects";
        let request = match self.operation {
            Operation::Insert => Request::post(org.url(root).await?).not_idempotent(),
            // The same values twice are the same as once.
            Operation::Update => Request::patch(org.url(root).await?).idempotent(),
            Operation::Upsert => {
                let key = target
                    .columns
                    .key
                    .as_ref()
                    .map_or("Id", |key| key.field.name.as_str());
                let url = org.url(&format!("{root}/{}/{key}", target.object)).await?;
                Request::patch(url).idempotent()
            }
            Operation::Delete => Request::delete(org.url(root).await?)
                .query("ids", &self.body)
                .query("allOrNone", false)
                .idempotent(),
        };
        let mut request = if self.operation == Operation::Delete {
            request
        } else {
            request.body("application/json; charset=UTF-8", self.body)
        };
        if !options.auto_assign {
            request = request.header(
                HeaderName::from_static("sforce-auto-assign"),
                HeaderValue::from_static("FALSE"),
            );
        }
        if options.allow_duplicates {
            request = request.header(
                HeaderName::from_static("sforce-duplicate-rule-header"),
                HeaderValue::from_static("allowSave=true"),
            );
        }
        Ok(request)
    }
}

fn write_record(target: &Target, operation: Operation, row: &Row, out: &mut String) {
    out.push_str(r#"{"attributes":{"type":"#);
    write_json(&Value::Text(&target.object), out);
    out.push('}');
    match (operation, &row.id, &target.columns.key) {
        (Operation::Update, Some(id), _) => write_member("id", &Value::Text(id.as_str()), out),
        (Operation::Upsert, _, Some(key)) => write_member(&key.field.name, &row.key_value(key), out),
        _ => {}
    }
    for column in &target.columns.fields {
        let value = row.value(column);
        if !matches!(value, Value::Unset) {
            write_column(column, &value, out);
        }
    }
    out.push('}');
}

fn write_column(column: &WriteColumn, value: &Value<'_>, out: &mut String) {
    let Some(parent) = &column.parent else {
        return write_member(&column.field.name, value, out);
    };
    if clears(value) {
        // Without a parent there is nothing to name it by.
        return write_member(&parent.reference, &Value::Null, out);
    }
    out.push(',');
    write_json(&Value::Text(&parent.relationship), out);
    out.push_str(":{");
    if let Some(object) = &parent.object {
        out.push_str(r#""attributes":{"type":"#);
        write_json(&Value::Text(object), out);
        out.push('}');
        write_member(&column.field.name, value, out);
    } else {
        write_json(&Value::Text(&column.field.name), out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

/// A name and its value, after a comma.
fn write_member(name: &str, value: &Value<'_>, out: &mut String) {
    out.push(',');
    write_json(&Value::Text(name), out);
    out.push(':');
    write_value(value, out);
}

fn write_value(value: &Value<'_>, out: &mut String) {
    match value {
        _ if clears(value) => out.push_str("null"),
        Value::Time(time) => write_json(&Value::Text(&format!("{time}Z")), out),
        value => write_json(value, out),
    }
}

fn result(target: &Target, operation: Operation, answer: Answer, row: &Row) -> RowResult {
    // A record that was rolled back may carry its id all the same: `success` alone tells.
    if answer.success {
        return Ok(match operation {
            Operation::Insert => Done::Created(answer.id),
            Operation::Upsert if answer.created == Some(true) => Done::Created(answer.id),
            Operation::Update | Operation::Upsert => Done::Updated,
            Operation::Delete => Done::Deleted,
        });
    }
    let error = error(target, answer, row);
    if operation == Operation::Delete && error.is_gone() {
        return Ok(Done::Gone);
    }
    Err(error)
}

fn error(target: &Target, answer: Answer, row: &Row) -> RowError {
    let values = target.columns.fields.iter().filter_map(|column| {
        let value = row.value(column);
        value.is_present().then(|| Cow::Owned(value.to_string()))
    });
    match answer.errors.into_iter().next() {
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
    }
}
