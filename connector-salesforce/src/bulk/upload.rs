//! The CSV of an ingest job.

use std::fmt::Write;

use connector_core::Value;

use crate::writer::{Row, Target, clears};

/// The CSV of `rows`, with the columns that `mask` has; every row must say something about each of them.
pub(crate) fn csv(target: &Target, mask: &[bool], rows: &[Row]) -> String {
    let columns: Vec<_> = target
        .columns
        .fields
        .iter()
        .zip(mask)
        .filter(|(_, set)| **set)
        .map(|(column, _)| column)
        .collect();
    let mut out = String::from("Id");
    for column in &columns {
        out.push(',');
        out.push_str(&column.name());
    }
    out.push('\n');
    for row in rows {
        out.push_str(row.key.as_str());
        for column in &columns {
            out.push(',');
            write_cell(&row.value(column), &mut out);
        }
        out.push('\n');
    }
    out
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
