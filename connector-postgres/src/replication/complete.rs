//! What the log leaves open, from the table as it is now; and values that only the server can put into words.

use std::error::Error as StdError;

use bytes::{BufMut, Bytes, BytesMut};
use connector_core::{Error, ErrorKind, Result};
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Row};

use super::changes::{Cell, Change};
use super::layout::{Layout, LogColumn};
use crate::copy::Raw;
use crate::error::failed;
use crate::ident::Ident;
use crate::reader::select;

/// Rows of one statement.
const ROWS: usize = 256;

/// Whether there is something to complete.
pub(super) fn is_open(layout: &Layout, changes: &[Change]) -> bool {
    changes.iter().any(|change| {
        let mut cells = change.cells.iter().zip(&layout.columns);
        change.is_incomplete()
            || cells.any(|(cell, column)| column.comes_as_text && matches!(cell, Cell::Raw(_)))
    })
}

/// Completes `changes`; those whose row is gone by now are left out, since the log says further on what became of it.
/// A call that is dropped can be made again.
pub(super) async fn complete(client: &Client, layout: &Layout, changes: &mut Vec<Change>) -> Result<()> {
    let open: Vec<usize> = positions(changes, Change::is_incomplete);
    for rows in open.chunks(ROWS) {
        fetch(client, layout, changes, rows).await?;
    }
    changes.retain(|change| !change.is_incomplete());
    for (position, column) in layout.columns.iter().enumerate() {
        if column.comes_as_text {
            let raw = positions(changes, |change| matches!(change.cells[position], Cell::Raw(_)));
            for rows in raw.chunks(ROWS) {
                put_into_words(client, column, position, changes, rows).await?;
            }
        }
    }
    Ok(())
}

fn positions(changes: &[Change], wanted: impl Fn(&Change) -> bool) -> Vec<usize> {
    let wanted = |(position, change): (usize, &Change)| wanted(change).then_some(position);
    changes.iter().enumerate().filter_map(wanted).collect()
}

/// Reads those rows by their keys.
async fn fetch(client: &Client, layout: &Layout, changes: &mut [Change], rows: &[usize]) -> Result<()> {
    let list: Vec<String> = layout.columns.iter().map(|column| select(&column.info)).collect();
    let key = || layout.key.iter().map(|&position| &layout.columns[position]);
    let matches: Vec<String> = key()
        .enumerate()
        .map(|(i, column)| format!("{} = k.key{i}", Ident(&column.info.name)))
        .collect();
    let names: Vec<String> = (0..layout.key.len()).map(|i| format!("key{i}")).collect();
    let sql = format!(
        "SELECT k.number, r.* FROM ({}) AS k(number, {}) CROSS JOIN LATERAL (SELECT {} FROM {} WHERE {}) AS r",
        values(rows.len(), &key().collect::<Vec<_>>()),
        names.join(", "),
        list.join(", "),
        layout.table,
        matches.join(" AND ")
    );
    let mut parameters = Vec::new();
    for &row in rows {
        for &position in &layout.key {
            parameters.push(Parameter::of(&changes[row].cells[position], layout)?);
        }
    }
    let doing = "read what the log leaves open";
    let found = query(client, &sql, &parameters, doing).await?;
    for row in &found {
        let number: i32 = row.get(0);
        let Some(change) = usize::try_from(number).ok().and_then(|number| rows.get(number)) else {
            continue;
        };
        for (position, column) in layout.columns.iter().enumerate() {
            let raw: Raw<'_> = row.try_get(1 + position).map_err(|error| failed(doing, error))?;
            let copied = raw.0.map(Bytes::copy_from_slice);
            changes[*change].cells[position] = match copied {
                None => Cell::Null,
                Some(text) if column.comes_as_text => Cell::Text(text),
                Some(value) => Cell::Raw(value),
            };
        }
    }
    Ok(())
}

/// Has the server write the values of a column as it does for a reader of the table.
async fn put_into_words(
    client: &Client,
    column: &LogColumn,
    position: usize,
    changes: &mut [Change],
    rows: &[usize],
) -> Result<()> {
    // Any name but the column's own.
    let number = match column.info.name.as_str() {
        "number" => "ordinal",
        _ => "number",
    };
    let sql = format!(
        "SELECT {} FROM ({}) AS v({number}, {}) ORDER BY {number}",
        select(&column.info),
        values(rows.len(), &[column]),
        Ident(&column.info.name)
    );
    let parameters: Vec<Parameter> = rows
        .iter()
        .filter_map(|&row| Parameter::raw(&changes[row].cells[position]))
        .collect();
    let doing = "put a value of the log into words";
    let words = query(client, &sql, &parameters, doing).await?;
    for (row, &change) in words.iter().zip(rows) {
        let raw: Raw<'_> = row.try_get(0).map_err(|error| failed(doing, error))?;
        let copied = raw.0.map(Bytes::copy_from_slice);
        changes[change].cells[position] = copied.map_or(Cell::Null, Cell::Text);
    }
    Ok(())
}

async fn query(client: &Client, sql: &str, parameters: &[Parameter], doing: &str) -> Result<Vec<Row>> {
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters
        .iter()
        .map(|parameter| parameter as &(dyn ToSql + Sync))
        .collect();
    client
        .query(sql, &parameters)
        .await
        .map_err(|error| failed(doing, error))
}

/// Numbered rows of parameters of the columns' types.
fn values(rows: usize, columns: &[&LogColumn]) -> String {
    let row = |row: usize| {
        let cell = |(i, column): (usize, &&LogColumn)| {
            format!("${}::{}", row * columns.len() + i + 1, column.type_sql)
        };
        let cells: Vec<String> = columns.iter().enumerate().map(cell).collect();
        format!("({row}, {})", cells.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("VALUES {}", rows.join(", "))
}

/// A value as it came, handed back to the server.
#[derive(Debug)]
struct Parameter {
    bytes: Bytes,
    is_text: bool,
}

impl Parameter {
    fn raw(cell: &Cell) -> Option<Self> {
        let (bytes, is_text) = match cell {
            Cell::Raw(bytes) => (bytes.clone(), false),
            Cell::Text(bytes) => (bytes.clone(), true),
            Cell::NotSaid | Cell::Null => return None,
        };
        Some(Self { bytes, is_text })
    }

    /// The same of a key, which always has a value.
    fn of(cell: &Cell, layout: &Layout) -> Result<Self> {
        Self::raw(cell).ok_or_else(|| {
            let message = format!("the log of {} leaves the key of a row open", layout.table);
            Error::new(ErrorKind::State, message).with_help(super::READ_ANEW)
        })
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.put_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        if self.is_text {
            Format::Text
        } else {
            Format::Binary
        }
    }

    to_sql_checked!();
}
