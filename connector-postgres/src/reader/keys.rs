//! Rows by their keys.

use std::collections::HashSet;

use connector_core::value::{Date, Instant, Time, Timestamp, parse_uuid};
use connector_core::{DataType, Decimal, Error, ErrorKind, Key, Result};

use super::relation::Relation;
use crate::catalog::ColumnInfo;
use crate::ident::{Ident, Literal};

/// Keys of one statement.
const CHUNK: usize = 2_000;

/// Keys still to be looked up, each once.
pub(crate) struct Keys {
    parts: std::vec::IntoIter<Vec<String>>,
}

impl Keys {
    /// The keys that a row of `relation` can have.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]: it has no primary key, or one that no text stands for.
    pub(crate) fn new(keys: &[Key], relation: &Relation) -> Result<Self> {
        if relation.key.is_empty() {
            return Err(unsupported(format!(
                "{} has no primary key to find rows by",
                relation.name
            )));
        }
        let nameless = relation.key_columns().find(|column| {
            matches!(
                column.pg_type.to_core(),
                DataType::Bytes | DataType::Interval | DataType::Json | DataType::Array(_)
            )
        });
        if let Some(column) = nameless {
            return Err(unsupported(format!(
                "the primary key of {} is of type {}, and rows cannot be found by it",
                relation.name, column.declared
            )));
        }
        let mut seen = HashSet::new();
        let parts = keys
            .iter()
            .filter(|key| seen.insert(*key))
            .filter_map(|key| parts(key, relation));
        Ok(Self {
            parts: parts.collect::<Vec<_>>().into_iter(),
        })
    }

    /// How many are still to be looked up.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The condition that finds the next of them; `None` at the end.
    pub(crate) fn next(&mut self, relation: &Relation) -> Option<String> {
        let chunk: Vec<Vec<String>> = self.parts.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return None;
        }
        let names: Vec<String> = relation.key_columns().map(compared).collect();
        let arrays: Vec<String> = relation
            .key_columns()
            .enumerate()
            .map(|(i, column)| {
                let values: Vec<String> = chunk.iter().map(|parts| Literal(&parts[i]).to_string()).collect();
                format!("ARRAY[{}]::text[]::{}[]", values.join(", "), cast(column))
            })
            .collect();
        Some(match (names.as_slice(), arrays.as_slice()) {
            ([name], [array]) => format!("{name} = ANY ({array})"),
            _ => format!(
                "({}) IN (SELECT * FROM unnest({}))",
                names.join(", "),
                arrays.join(", ")
            ),
        })
    }
}

fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Unsupported, message)
        .with_help("read it in full, with a filter where few rows are wanted")
}

/// A column of the key as it is compared: by its own type where that is known, by its text elsewhere.
fn compared(column: &ColumnInfo) -> String {
    if column.is_plain_text() || known(column) {
        Ident(&column.name).to_string()
    } else {
        format!("{}::text", Ident(&column.name))
    }
}

fn cast(column: &ColumnInfo) -> String {
    if known(column) {
        column.pg_type.sql()
    } else {
        "text".to_owned()
    }
}

/// Whether a key's text is read here as the server reads it.
fn known(column: &ColumnInfo) -> bool {
    matches!(
        column.pg_type.to_core(),
        DataType::Bool
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Decimal(_)
            | DataType::Float32
            | DataType::Float64
            | DataType::Date
            | DataType::Time
            | DataType::Timestamp
            | DataType::Instant
            | DataType::Uuid
    )
}

/// The parts of a key; `None` where no row can have it.
fn parts(key: &Key, relation: &Relation) -> Option<Vec<String>> {
    let parts = if relation.key.len() == 1 {
        vec![key.as_str().to_owned()]
    } else {
        serde_json::from_str::<Vec<String>>(key.as_str()).ok()?
    };
    let fits = parts.len() == relation.key.len()
        && parts
            .iter()
            .zip(relation.key_columns())
            .all(|(part, column)| fits(part, column.pg_type.to_core()));
    fits.then_some(parts)
}

/// Whether a column of that type can hold what the text says.
fn fits(text: &str, data_type: DataType) -> bool {
    match data_type {
        DataType::Bool => matches!(text, "true" | "false"),
        DataType::Int16 => text.parse::<i16>().is_ok(),
        DataType::Int32 => text.parse::<i32>().is_ok(),
        DataType::Int64 => text.parse::<i64>().is_ok(),
        DataType::Decimal(size) => Decimal::parse(text, &mut String::new())
            .is_ok_and(|number| size.is_none_or(|size| number.fits(size.precision, size.scale))),
        DataType::Float32 | DataType::Float64 => text.parse::<f64>().is_ok(),
        DataType::Date => Date::parse(text).is_ok(),
        DataType::Time => Time::parse(text).is_ok(),
        DataType::Timestamp => Timestamp::parse(text).is_ok(),
        DataType::Instant => Instant::parse_iso(text).is_ok(),
        DataType::Uuid => parse_uuid(text).is_ok(),
        _ => !text.contains('\0'),
    }
}
