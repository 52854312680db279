//! Whether a table fits a write, before anything is written.

use std::collections::HashSet;

use connector_core::{Error, ErrorKind, Result, WriteMode};
use tokio_postgres::Client;

use crate::catalog::{self, ColumnInfo};
use crate::column::TargetColumn;
use crate::ident::Ident;
use crate::limits::{MAX_COLUMNS, PASSING};
use crate::table::Layout;

impl Layout {
    /// A key where the mode needs one, and a table where it makes none.
    pub(crate) fn check_mode(&self, mode: WriteMode, there: Option<&[ColumnInfo]>) -> Result<()> {
        match mode {
            WriteMode::Update if !self.exists => Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no table {} whose rows could be updated", self.table),
            )
            .with_help("check its name and schema, or say write = \"upsert\", which makes it")),
            WriteMode::Delete | WriteMode::Prune if !self.exists => Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no table {} whose rows could be deleted", self.table),
            )
            .with_help("check its name and schema; the job that fills it may not have run yet")),
            WriteMode::Update
            | WriteMode::Upsert
            | WriteMode::History
            | WriteMode::Delete
            | WriteMode::Prune => self.check_key(mode, there),
            WriteMode::Overwrite if !self.key.is_empty() => self.check_key(mode, there),
            WriteMode::Overwrite => check_comparable(there.unwrap_or_default()),
            _ => Ok(()),
        }
    }

    /// What finds rows by a key needs one, and an existing table must have it as its primary key.
    fn check_key(&self, mode: WriteMode, there: Option<&[ColumnInfo]>) -> Result<()> {
        if self.key.is_empty() {
            return Err(Error::new(
                ErrorKind::Schema,
                format!("{} has no key to {mode} by", self.table),
            )
            .with_help("name the columns of a key with `match_on`, or say write = \"insert\""));
        }
        let Some(there) = there else { return Ok(()) };
        check_comparable(there)?;
        let primary: Vec<&str> = there
            .iter()
            .filter(|column| column.key_position.is_some())
            .map(|column| column.name.as_str())
            .collect();
        let wanted: Vec<&str> = self.primary_names().collect();
        let same = primary.len() == wanted.len() && wanted.iter().all(|name| primary.contains(name));
        if same {
            return Ok(());
        }
        let message = format!("the primary key of {} is not ({})", self.table, wanted.join(", "));
        let help = if primary.is_empty() {
            format!("add a primary key ({}) to the table", wanted.join(", "))
        } else {
            format!("say match_on = {primary:?}, or write into another table")
        };
        Err(Error::new(ErrorKind::Schema, message).with_help(help))
    }

    /// A column that needs a value gets one with each new row.
    pub(crate) fn check_filled(&self, mode: WriteMode, there: &[ColumnInfo]) -> Result<()> {
        if mode == WriteMode::Update || self.names_only || self.facts.fills {
            return Ok(());
        }
        let is_written = |name: &str| {
            self.columns.iter().any(|column| column.name == name) || self.own.names().contains(&name)
        };
        let empty: Vec<&str> = there
            .iter()
            .filter(|column| !column.nullable && column.default.is_none() && column.writable)
            .map(|column| column.name.as_str())
            .filter(|name| !is_written(name))
            .collect();
        let Some(first) = empty.first() else {
            return Ok(());
        };
        let message = format!(
            "{} takes no row without a value for `{}`, and nothing writes one: no field is mapped to it, and it has no default",
            self.table,
            empty.join("`, `")
        );
        Err(Error::new(ErrorKind::Schema, message).with_help(format!(
            "map a field to it with `fields`, or run ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL, or SET DEFAULT a value",
            self.table,
            Ident(first)
        )))
    }

    /// A column that a view shows cannot be widened.
    pub(crate) async fn check_views(&self, client: &Client) -> Result<()> {
        let widened: Vec<&TargetColumn> = self
            .columns
            .iter()
            .filter(|column| column.widened.is_some())
            .collect();
        if widened.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = widened.iter().map(|column| column.name.as_str()).collect();
        let views = catalog::views_of(client, &self.table, &names).await?;
        if views.is_empty() {
            return Ok(());
        }
        let wider: Vec<String> = widened.iter().map(|column| column.definition()).collect();
        let message = format!(
            "{} needs wider columns ({}), which PostgreSQL does not allow while the view {} shows them",
            self.table,
            wider.join(", "),
            views.join(", ")
        );
        Err(Error::new(ErrorKind::Schema, message)
            .with_help("drop the view, widen the columns with ALTER TABLE, and make the view again"))
    }
}

/// Records are found by their key before the server has read what comes as text.
fn check_comparable(there: &[ColumnInfo]) -> Result<()> {
    let text = |column: &&ColumnInfo| column.key_position.is_some() && column.pg_type.is_sent_as_text();
    match there.iter().find(text) {
        None => Ok(()),
        Some(column) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "records cannot be told apart by `{}` of type {}",
                column.name, column.declared
            ),
        )
        .with_help("make the primary key of a text, number or uuid column, or say write = \"insert\"")),
    }
}

/// Columns of which each has a name of its own, and as many as the table takes through which their rows pass.
pub(crate) fn check_columns<'a>(
    columns: impl Iterator<Item = &'a TargetColumn>,
    are_staged: bool,
) -> Result<()> {
    let most = MAX_COLUMNS - if are_staged { PASSING } else { 0 };
    let (mut names, mut number) = (HashSet::new(), 0);
    for column in columns {
        number += 1;
        if !names.insert(column.name.as_str()) {
            let message = format!("two fields would share the column `{}`", column.name);
            return Err(Error::new(ErrorKind::Schema, message)
                .with_help("give one of them another name with `fields`"));
        }
    }
    if number <= most {
        return Ok(());
    }
    let message = format!("{number} columns are to be written, and PostgreSQL takes {most} at once");
    Err(Error::new(ErrorKind::Schema, message).with_help("leave some out with `columns` or `except`"))
}
