//! Columns that a write adds of its own: since when a row is deleted, and when a version of it was valid.

use connector_core::{Deletes, Error, ErrorKind, Result, WriteMode, WriteRequest};
use tokio_postgres::Client;

use crate::catalog::{self, ColumnInfo};
use crate::column::TargetColumn;
use crate::ident::{Ident, Table};
use crate::types::PgType;

/// What a table has beyond the fields of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// Nothing.
    Nothing,
    /// A column that says since when a row is deleted.
    Mark {
        /// The table lacks it.
        added: bool,
    },
    /// Columns that say when a version was valid.
    Versions {
        /// The columns that are written by others: a new version has them as the one before it.
        others: Vec<String>,
    },
}

impl Own {
    /// What the request asks for.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: a field has such a name.
    pub(crate) fn of(request: &WriteRequest, table: &Table) -> Result<Self> {
        let own = match (request.mode, request.deletes) {
            (WriteMode::History, _) => Self::Versions { others: Vec::new() },
            (WriteMode::Insert, _) => Self::Nothing,
            (_, Deletes::Soft) => Self::Mark { added: false },
            _ => Self::Nothing,
        };
        match own
            .names()
            .iter()
            .find(|name| request.schema.field(name).is_some())
        {
            None => Ok(own),
            Some(taken) => Err(refused(
                table,
                format!("the field `{taken}` would share its column with one that the write adds of its own"),
                "give the field another name with `fields`",
            )),
        }
    }

    /// The same of a table that is written in `columns`, and has the columns `there` if it is there.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: a column of such a name is of another kind.
    pub(crate) async fn among(
        self,
        client: &Client,
        request: &WriteRequest,
        table: &Table,
        columns: &[TargetColumn],
        there: Option<&[ColumnInfo]>,
    ) -> Result<Self> {
        match (self, there) {
            (Self::Mark { .. }, Some(there)) => mark(table, there),
            (Self::Versions { .. }, Some(there)) => versions(client, request, table, columns, there).await,
            (own, _) => Ok(own),
        }
    }

    /// Their names.
    pub(crate) fn names(&self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Mark { .. } => &[Deletes::DELETED_AT],
            Self::Versions { .. } => &[WriteMode::VALID_FROM, WriteMode::VALID_TO, WriteMode::CURRENT],
        }
    }

    /// What makes the columns with their table, each with a comma before it. A version that is just there is the
    /// current one, from the beginning of its transaction on.
    pub(crate) fn definitions(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Mark { .. } => format!(", {} timestamptz", mark_column()),
            Self::Versions { .. } => format!(
                ", {} timestamptz NOT NULL DEFAULT now(), {} timestamptz, {} boolean NOT NULL DEFAULT true",
                Ident(WriteMode::VALID_FROM),
                Ident(WriteMode::VALID_TO),
                Ident(WriteMode::CURRENT)
            ),
        }
    }

    /// What adds them to a table that is there.
    pub(crate) fn change(&self) -> Option<String> {
        let is_added = *self == Self::Mark { added: true };
        is_added.then(|| format!("ADD COLUMN {} timestamptz", mark_column()))
    }

    /// The columns are there now.
    pub(crate) fn settled(&mut self) {
        if let Self::Mark { added } = self {
            *added = false;
        }
    }

    pub(crate) fn is_mark(&self) -> bool {
        matches!(self, Self::Mark { .. })
    }

    pub(crate) fn is_versions(&self) -> bool {
        matches!(self, Self::Versions { .. })
    }

    /// The condition that a row is the one that counts of its key, with an AND before it.
    pub(crate) fn and_current(&self, alias: &str) -> String {
        if self.is_versions() {
            format!(" AND {alias}.{}", Ident(WriteMode::CURRENT))
        } else {
            String::new()
        }
    }

    /// Bytes that its values add to a row, and to the index of its key, at most.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        match self {
            Self::Nothing => (0, 0),
            Self::Mark { .. } => (16, 0),
            Self::Versions { .. } => (32, 16),
        }
    }

    /// What a plan says of it.
    pub(crate) fn note(&self, table_exists: bool) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Mark { added } => {
                let added = if *added || !table_exists {
                    ", which is added,"
                } else {
                    ""
                };
                Some(format!(
                    "a deleted row stays: `{}`{added} says since when it is gone, until its record comes back",
                    Deletes::DELETED_AT
                ))
            }
            Self::Versions { .. } => Some(format!(
                "each version is a row: valid from `{}` until before `{}`, and `{}` is true in the last; a delete ends \
                 it; of several versions in one commit the last is kept",
                WriteMode::VALID_FROM,
                WriteMode::VALID_TO,
                WriteMode::CURRENT
            )),
        }
    }
}

/// The column that marks a row as deleted, quoted.
pub(crate) fn mark_column() -> Ident<'static> {
    Ident(Deletes::DELETED_AT)
}

fn refused(table: &Table, message: String, help: impl Into<String>) -> Error {
    Error::new(ErrorKind::Schema, message)
        .with_context("table", table.to_string())
        .with_help(help.into())
}

/// Whether a column has just this type, and takes values.
fn is_plain(column: &ColumnInfo, pg_type: &PgType) -> bool {
    column.pg_type == *pg_type && !column.domain && column.writable
}

fn mark(table: &Table, there: &[ColumnInfo]) -> Result<Own> {
    let Some(column) = there.iter().find(|column| column.name == Deletes::DELETED_AT) else {
        return Ok(Own::Mark { added: true });
    };
    if is_plain(column, &PgType::Timestamptz) && column.nullable && column.default.is_none() {
        return Ok(Own::Mark { added: false });
    }
    Err(refused(
        table,
        format!(
            "`{}` is there and cannot say since when a row is deleted: it is no timestamptz that takes nulls and has no default",
            column.name
        ),
        "rename that column, or say deletes = \"hard\"",
    ))
}

/// A history that is there has been made by us, or is just like it.
async fn versions(
    client: &Client,
    request: &WriteRequest,
    table: &Table,
    columns: &[TargetColumn],
    there: &[ColumnInfo],
) -> Result<Own> {
    let has = |name: &str, data_type: &PgType, nullable: bool| {
        let found = there.iter().find(|column| column.name == name);
        found.is_some_and(|column| is_plain(column, data_type) && (column.nullable || !nullable))
    };
    let has_all = has(WriteMode::VALID_FROM, &PgType::Timestamptz, false)
        && has(WriteMode::VALID_TO, &PgType::Timestamptz, true)
        && has(WriteMode::CURRENT, &PgType::Bool, false);
    if !has_all {
        let message = format!(
            "{table} is no history: it lacks `{}`, `{}` and `{}` of the types timestamptz, timestamptz and boolean",
            WriteMode::VALID_FROM,
            WriteMode::VALID_TO,
            WriteMode::CURRENT
        );
        return Err(refused(
            table,
            message,
            "write the history into a table of its own with `into`: it is made",
        ));
    }
    let key: Vec<&str> = columns
        .iter()
        .filter(|column| request.match_on.contains(&column.field))
        .map(|column| column.name.as_str())
        .collect();
    if !catalog::has_unique_current(client, table, &key, WriteMode::CURRENT).await? {
        let list: Vec<String> = key.iter().map(|name| Ident(name).to_string()).collect();
        let list = list.join(", ");
        let message = format!("no index keeps {table} from having two current versions of one ({list})");
        let current = Ident(WriteMode::CURRENT);
        return Err(refused(
            table,
            message,
            format!("run CREATE UNIQUE INDEX ON {table} ({list}) WHERE {current}"),
        ));
    }
    let ours = |name: &str| {
        columns.iter().any(|column| column.name == name)
            || [WriteMode::VALID_FROM, WriteMode::VALID_TO, WriteMode::CURRENT].contains(&name)
    };
    let numbered = |column: &ColumnInfo| {
        column
            .default
            .as_ref()
            .is_some_and(|default| default.starts_with("nextval("))
    };
    let others = there
        .iter()
        .filter(|column| column.writable && !ours(&column.name) && !numbered(column));
    Ok(Own::Versions {
        others: others.map(|column| column.name.clone()).collect(),
    })
}
