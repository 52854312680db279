//! A query of the user's own, read as if it were a table.

use std::collections::HashSet;

use connector_core::{Error, ErrorKind, Result};
use tokio_postgres::Client;

use super::relation::ROW;
use crate::catalog::{self, ColumnInfo};
use crate::error::failed;

/// How a query that can be read begins.
const BEGINNINGS: [&str; 4] = ["select", "values", "with", "table"];

/// The query without the semicolon behind it.
///
/// # Errors
/// [`ErrorKind::Config`]: it is another statement.
pub(crate) fn checked(text: &str) -> Result<&str> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let start = without_comments(text).trim_start_matches('(');
    let word: String = start.chars().take_while(char::is_ascii_alphabetic).collect();
    if BEGINNINGS.iter().any(|known| known.eq_ignore_ascii_case(&word)) {
        return Ok(text);
    }
    let message = if text.is_empty() {
        "the query is empty".to_owned()
    } else {
        "the query is no SELECT, VALUES, TABLE or WITH".to_owned()
    };
    Err(Error::new(ErrorKind::Config, message)
        .with_help("give one statement that reads; what writes is a job of its own, with `sql`"))
}

/// What stands behind the comments and white space at the start.
fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '(');
    loop {
        let behind = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, behind)| behind)
        } else {
            return rest;
        };
        rest = behind.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '(');
    }
}

/// The query as it stands behind `FROM`. There it can only be one query, and no part of it can write rows.
pub(crate) fn as_table(text: &str) -> String {
    // A comment at its end must not swallow the parenthesis.
    format!("(\n{text}\n) AS {ROW}")
}

/// The columns of the query's result.
///
/// # Errors
/// [`ErrorKind::Schema`]: the server does not take it, or its columns have no names of their own.
pub(crate) async fn columns(client: &Client, text: &str) -> Result<Vec<ColumnInfo>> {
    let sql = format!("SELECT * FROM {}", as_table(text));
    let statement = client.prepare(&sql).await.map_err(|error| {
        let error = failed("prepare the query", error);
        if error.help().is_some() {
            return error;
        }
        error.with_help("give one SELECT, VALUES or WITH that reads, and no parameters")
    })?;
    if !statement.params().is_empty() {
        return Err(Error::new(
            ErrorKind::Config,
            "the query has parameters, and nothing gives them values",
        )
        .with_help("write the values into the query"));
    }
    let oids: Vec<u32> = statement
        .columns()
        .iter()
        .map(|column| column.type_().oid())
        .collect();
    let modifiers: Vec<i32> = statement
        .columns()
        .iter()
        .map(tokio_postgres::Column::type_modifier)
        .collect();
    let types = catalog::types(client, &oids, &modifiers).await?;
    let mut names = HashSet::new();
    let mut columns = Vec::with_capacity(oids.len());
    for (i, (column, (pg_type, declared))) in statement.columns().iter().zip(types).enumerate() {
        check_name(column.name(), i + 1, &mut names)?;
        columns.push(ColumnInfo {
            pg_type,
            declared,
            ..ColumnInfo::of_query(column.name())
        });
    }
    Ok(columns)
}

fn check_name<'a>(name: &'a str, number: usize, names: &mut HashSet<&'a str>) -> Result<()> {
    let message = if name == "?column?" {
        format!("column {number} of the query has no name")
    } else if names.insert(name) {
        return Ok(());
    } else {
        format!("two columns of the query are called `{name}`")
    };
    Err(Error::new(ErrorKind::Schema, message)
        .with_help("give each column of the query a name of its own with AS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_is_told_from_what_does_not() {
        for text in [
            "select 1",
            "  SELECT 1 ; ",
            "-- a note\n/* and\nanother */ (WITH a AS (SELECT 1) SELECT * FROM a)",
            "values (1)",
            "TABLE thing",
        ] {
            assert!(checked(text).is_ok(), "{text}");
        }
        for text in [
            "",
            ";",
            "-- only a note",
            "DELETE FROM thing",
            "selection",
            "EXPLAIN SELECT 1",
            "COPY a TO STDOUT",
        ] {
            assert!(checked(text).is_err(), "{text}");
        }
    }
}
