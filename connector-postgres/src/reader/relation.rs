//! What is read: a table, a view, or a query.

use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result, Schema, Selection, StreamSpec};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::query;
use crate::catalog::{self, ColumnInfo};
use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::{Ident, digest};
use crate::types::PgType;

/// What a row is called in statements.
pub(crate) const ROW: &str = "\"row\"";

/// What is read, as a statement names it.
pub(crate) struct Relation {
    /// As it stands behind `FROM`.
    pub(crate) from: String,
    /// What a state of it is called.
    pub(crate) name: String,
    pub(crate) columns: Vec<ColumnInfo>,
    pub(crate) schema: Arc<Schema>,
    /// Positions of the primary key's columns, in its order.
    pub(crate) key: Vec<usize>,
    /// Every row has the number of the transaction that wrote it: it is a table, and all its parts are.
    pub(crate) stamped: bool,
    /// Rows that follow each other by the key lie far apart: read by it, each costs a page of its own.
    pub(crate) scattered: bool,
    /// About how many rows there are, as the server knows.
    pub(crate) rows: Option<u64>,
    is_query: bool,
}

impl Relation {
    /// Describes what `selection` names.
    pub(crate) async fn of(client: &Client, postgres: &Postgres, selection: &Selection) -> Result<Self> {
        match selection {
            Selection::Stream(name) => {
                let table = postgres.table(name.as_str())?;
                let columns = catalog::columns_of(client, &table).await?;
                let facts = catalog::parts(client, &table).await?;
                Ok(Self {
                    from: format!("{table} AS {ROW}"),
                    name: name.to_string(),
                    schema: Arc::new(catalog::schema(&columns)?),
                    key: catalog::key_positions(&columns),
                    columns,
                    stamped: facts.stamped,
                    scattered: facts.scattered,
                    rows: facts.rows,
                    is_query: false,
                })
            }
            Selection::Query(text) => {
                let text = query::checked(text)?;
                let columns = query::columns(client, text).await?;
                Ok(Self {
                    from: query::as_table(text),
                    name: format!("query {:016x}", digest(text)),
                    schema: Arc::new(catalog::schema(&columns)?),
                    key: Vec::new(),
                    columns,
                    stamped: false,
                    scattered: false,
                    rows: None,
                    is_query: true,
                })
            }
            other => Err(Error::new(
                ErrorKind::Unsupported,
                format!("PostgreSQL does not know how to read {other}"),
            )),
        }
    }

    /// What it is, as a description.
    pub(crate) fn spec(&self, selection: &Selection) -> StreamSpec {
        StreamSpec::new(selection.clone(), Arc::clone(&self.schema))
    }

    /// The column that holds the field called `name`.
    pub(crate) fn column(&self, name: &str) -> Result<&ColumnInfo> {
        self.schema.index_of(name).map(|position| &self.columns[position])
    }

    /// The columns of the key, in its order.
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &ColumnInfo> {
        self.key.iter().map(|&position| &self.columns[position])
    }

    /// Why rows have no key.
    pub(crate) fn why_no_key(&self) -> &'static str {
        if self.is_query {
            "a query has no primary key"
        } else {
            "it has no primary key"
        }
    }

    /// What went wrong while it was read.
    pub(crate) fn failed(&self, error: tokio_postgres::Error) -> Error {
        if self.is_query && error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
            return Error::new(
                ErrorKind::Forbidden,
                "the query writes, and is read in a transaction that cannot",
            )
            .with_help("write in a job of its own with `sql`, and read what it wrote");
        }
        failed(
            if self.is_query {
                "read the query"
            } else {
                "read the table"
            },
            error,
        )
    }
}

/// A column as it is selected: a type that has no core counterpart comes as its text.
pub(crate) fn select(column: &ColumnInfo) -> String {
    column.pg_type.selected(&Ident(&column.name).to_string())
}

/// `value` of a column as a fingerprint holds it: a number of JSON has no minus zero, so floats go as text; and so do
/// arrays, which hold them too, and whatever else is read as text.
pub(crate) fn fingerprinted(value: &str, pg_type: &PgType) -> String {
    match pg_type {
        PgType::Float4 | PgType::Float8 | PgType::Array { .. } | PgType::Other(_) => {
            format!("{value}::text")
        }
        _ => value.to_owned(),
    }
}
