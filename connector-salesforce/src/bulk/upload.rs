//! The CSV of an ingest job.

use std::fmt::Write;

use connector_core::Value;

use crate::writer::{KeyColumn, Operation, Row, Target, WriteColumn, clears};

/// From how many bytes on an upload takes no further record. Salesforce takes 100 MB; this is what bounds our memory.
const FULL: usize = 16 << 20;

/// The CSV for one job.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) csv: String,
    /// How many of the rows it was made for it took.
    pub(crate) records: usize,
}

/// The column that a job's records are known by again in its results.
pub(crate) fn key_name(target: &Target, operation: Operation) -> &str {
    match &target.columns.key {
        Some(key) if !operation.is_by_id() => &key.field.name,
        _ => "Id",
    }
}

/// The CSV for the first of `rows`, with the columns that `mask` has; every row must say something about each of them.
pub(crate) fn csv(target: &Target, operation: Operation, mask: &[bool], rows: &[Row]) -> Upload {
    let columns: Vec<&WriteColumn> = target
        .columns
        .fields
        .iter()
        .zip(mask)
        .filter(|(_, set)| **set)
        .map(|(column, _)| column)
        .collect();
    let key = target.columns.key.as_ref();
    // The key of a new record is one of its fields.
    let lead = (operation != Operation::Insert).then(|| key_name(target, operation));
    let mut csv = String::new();
    let names = columns.iter().map(|column| column.name());
    for name in lead.map(str::to_owned).into_iter().chain(names) {
        separate(&mut csv);
        csv.push_str(&name);
    }
    csv.push('\n');
    let mut records = 0;
    for row in rows {
        let start = csv.len();
        if lead.is_some() {
            write_key(operation, key, row, &mut csv);
        }
        for (i, column) in columns.iter().enumerate() {
            if i > 0 || lead.is_some() {
                csv.push(',');
            }
            write_cell(&row.value(column), &mut csv);
        }
        csv.push('\n');
        records += 1;
        // One more like this one would not fit.
        if csv.len() + (csv.len() - start) > FULL {
            break;
        }
    }
    Upload { csv, records }
}

fn separate(line: &mut String) {
    if !line.is_empty() {
        line.push(',');
    }
}

fn write_key(operation: Operation, key: Option<&KeyColumn>, row: &Row, out: &mut String) {
    match key {
        Some(key) if !operation.is_by_id() && !key.is_id() => write_cell(&row.key_value(key), out),
        // As the record spells it: the results are to name it so.
        Some(key) if key.is_id() => out.push_str(row.key.as_str()),
        _ => out.push_str(row.id.as_ref().map_or("", |id| id.as_str())),
    }
}

fn write_cell(value: &Value<'_>, out: &mut String) {
    match value {
        // An empty cell would leave the field alone.
        _ if clears(value) => out.push_str("#N/A"),
        Value::Text(text) | Value::Json(text) => {
            out.push('"');
            for (i, part) in text.split('"').enumerate() {
                if i > 0 {
                    out.push_str("\"\"");
                }
                out.push_str(part);
            }
            out.push('"');
        }
        // Writing to a String cannot fail. The others hold no comma, quote or line break.
        Value::Time(time) => drop(write!(out, "{time}Z")),
        value => drop(write!(out, "{value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_nulls_have_their_word() {
        let cell = |value: Value<'_>| {
            let mut out = String::new();
            write_cell(&value, &mut out);
            out
        };
        assert_eq!(cell(Value::Text("a \"b\",\r\nc ")), "\"a \"\"b\"\",\r\nc \"");
        assert_eq!(cell(Value::Null), "#N/A");
        assert_eq!(cell(Value::Text("")), "#N/A");
        assert_eq!(cell(Value::Int(-7)), "-7");
        assert_eq!(cell(Value::Bool(true)), "true");
    }
}
