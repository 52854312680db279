//! Working through an upload, and the three result sets.

use std::sync::Arc;

use super::bulk_csv::write_line;
use super::bulk_job::CsvFormat;
use super::change::{Column, Operation, RowChange};
use super::csv_rows::Rows;
use super::error::RowError;
use super::ingest::IngestJob;
use super::json_in::Input;
use super::object::ObjectType;
use super::org::Org;
use super::schema::Schema;
use crate::fakes::seed::mix;

/// Records per transaction.
const CHUNK: usize = 200;

/// Which of the result sets a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResultKind {
    Successful,
    Failed,
    Unprocessed,
}

/// The id as far as it was given, and the error.
type Refused = (Box<str>, Box<str>);

/// One row of the upload and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Where the row stands in the upload.
    start: usize,
    end: usize,
    /// The id, or why not; `None` if the job never came to the row.
    result: Option<Result<Box<str>, Refused>>,
}

impl Outcome {
    pub(super) fn kind(&self) -> ResultKind {
        match self.result {
            Some(Ok(_)) => ResultKind::Successful,
            Some(Err(_)) => ResultKind::Failed,
            None => ResultKind::Unprocessed,
        }
    }
}

/// A job that was worked through.
#[derive(Debug, Default)]
pub(super) struct Processed {
    pub(super) header: Vec<String>,
    pub(super) outcomes: Vec<Outcome>,
    /// Why the job as a whole failed.
    pub(super) error: Option<String>,
}

/// Applies the job's upload.
pub(super) fn process(org: &Org, job: &IngestJob) -> Processed {
    let request = org.next_request();
    let body = job.body.clone().unwrap_or_default();
    let mut rows = Rows::new(&body, job.head.format);
    let Some((_, _, header)) = rows.next() else {
        return Processed::default();
    };
    let header: Vec<String> = header
        .iter()
        .map(|cell| cell.trim_start_matches('\u{feff}').to_owned())
        .collect();
    let mut processed = Processed {
        header,
        ..Processed::default()
    };
    let Some(object) = org.object(&job.head.object) else {
        return processed;
    };
    let schema = org.schema();
    let columns = match columns(&schema, &object, &processed.header, job.head.format, &body) {
        Ok(columns) => columns,
        Err(error) => {
            processed.error = Some(error);
            Vec::new()
        }
    };
    let stop = org.faults.take_ingest_stop();
    let mut left = stop.unwrap_or(u64::MAX);
    let mut chunk: Vec<(Outcome, RowChange, Option<RowError>)> = Vec::with_capacity(CHUNK);
    for (start, end, cells) in rows {
        let outcome = Outcome {
            start,
            end,
            result: None,
        };
        if processed.error.is_some() || left == 0 {
            processed.outcomes.push(outcome);
            continue;
        }
        left -= 1;
        let broken = (cells.len() != columns.len()).then(|| {
            RowError::new(
                "INVALID_FIELD",
                "Number of columns in the row differs from the header",
                &[],
            )
        });
        chunk.push((outcome, row_update(&object, &columns, &cells), broken));
        if chunk.len() == CHUNK || left == 0 {
            flush(org, request, &mut chunk, &mut processed.outcomes);
        }
    }
    flush(org, request, &mut chunk, &mut processed.outcomes);
    if stop.is_some() && processed.error.is_none() {
        processed.error = Some("InternalServerError : the job was stopped before its end".to_owned());
    }
    processed
}

fn flush(
    org: &Org,
    request: u64,
    chunk: &mut Vec<(Outcome, RowChange, Option<RowError>)>,
    outcomes: &mut Vec<Outcome>,
) {
    let good: Vec<RowChange> = chunk
        .iter()
        .filter(|(_, _, broken)| broken.is_none())
        .map(|(_, update, _)| update.clone())
        .collect();
    let mut results = org.write(request, &good, false).into_iter();
    for (mut outcome, update, broken) in chunk.drain(..) {
        let result = match broken {
            Some(broken) => Some(Err(broken)),
            None => results.next(),
        };
        outcome.result = result.map(|result| {
            result
                .map(|done| done.id.into())
                .map_err(|error| (update.id.unwrap_or_default().into(), error.bulk_text().into()))
        });
        outcomes.push(outcome);
    }
}

/// The field of each column.
fn columns(
    schema: &Schema,
    object: &ObjectType,
    header: &[String],
    format: CsvFormat,
    body: &[u8],
) -> Result<Vec<Column>, String> {
    let line_end = body.iter().position(|&byte| byte == b'\n').unwrap_or(body.len());
    let has_cr = line_end > 0 && line_end < body.len() && body[line_end - 1] == b'\r';
    if line_end < body.len() && has_cr != format.crlf {
        let setting = if format.crlf { "CRLF" } else { "LF" };
        return Err(format!(
            "InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is {setting}"
        ));
    }
    let mut columns = Vec::with_capacity(header.len());
    for (place, name) in header.iter().enumerate() {
        if header[..place]
            .iter()
            .any(|before| before.eq_ignore_ascii_case(name))
        {
            return Err(format!("InvalidBatch : Duplicate column : {name}"));
        }
        let column = Column::parse(schema, object, name)
            .ok_or_else(|| format!("InvalidBatch : Field name not found : {name}"))?;
        columns.push(column);
    }
    Ok(columns)
}

fn row_update(object: &Arc<ObjectType>, columns: &[Column], cells: &[String]) -> RowChange {
    let mut update = RowChange::new(object, Operation::Update);
    for (column, cell) in columns.iter().zip(cells) {
        if matches!(column, Column::Id) || (!cell.is_empty() && cell != "#N/A") {
            column.assign(&mut update, Input::Text(cell.clone()));
        } else if cell == "#N/A" {
            column.assign(&mut update, Input::Null);
        }
    }
    update
}

/// One of the result sets as CSV.
pub(super) fn csv(job: &IngestJob, kind: ResultKind, shuffle: bool) -> Vec<u8> {
    let format = job.head.format;
    let body = job.body.clone().unwrap_or_default();
    let mut header: Vec<&[u8]> = match kind {
        ResultKind::Successful => vec![b"sf__Id", b"sf__Created"],
        ResultKind::Failed => vec![b"sf__Id", b"sf__Error"],
        ResultKind::Unprocessed => Vec::new(),
    };
    // A job that ended before it was worked through still owes its rows.
    let own = job.header.is_empty().then(|| unread(&body, format));
    let (names, outcomes) = match &own {
        Some((names, outcomes)) => (names, outcomes),
        None => (job.header.as_ref(), job.outcomes.as_ref()),
    };
    header.extend(names.iter().map(String::as_bytes));
    let mut out = Vec::new();
    write_line(&header, format, &mut out);
    let mut chosen: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.kind() == kind).collect();
    if shuffle {
        chosen.sort_by_key(|outcome| mix(outcome.start as u64, 7));
    }
    let mut rows = Rows::new(&body, format);
    for outcome in chosen {
        let Some(cells) = rows.at(outcome.start, outcome.end) else {
            continue;
        };
        let mut line: Vec<&[u8]> = match &outcome.result {
            Some(Ok(id)) => vec![id.as_bytes(), b"false"],
            Some(Err((id, error))) => vec![id.as_bytes(), error.as_bytes()],
            None => Vec::new(),
        };
        line.extend(cells.iter().map(String::as_bytes));
        write_line(&line, format, &mut out);
    }
    out
}

fn unread(body: &[u8], format: CsvFormat) -> (Vec<String>, Vec<Outcome>) {
    let mut rows = Rows::new(body, format);
    let header = rows.next().map(|(_, _, cells)| cells);
    let outcomes = rows
        .map(|(start, end, _)| Outcome {
            start,
            end,
            result: None,
        })
        .collect();
    (header.unwrap_or_default(), outcomes)
}
