//! The table that is written to: as it is, or as it will be made.

use connector_core::{ColumnPlan, DataType, Error, ErrorKind, Result, WriteMode, WritePlan, WriteRequest};
use tokio_postgres::Client;

use crate::catalog::{self, ColumnInfo};
use crate::connector::Postgres;
use crate::ident::{Ident, Table, check};
use crate::types::PgType;

/// The most columns a table can have.
const MAX_COLUMNS: usize = 1_600;

/// Where each field of a write goes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) table: Table,
    /// One per field of the request's schema, in its order.
    pub(crate) columns: Vec<TargetColumn>,
    /// Positions of the key's columns.
    pub(crate) key: Vec<usize>,
    /// Positions of the columns that existing rows keep.
    pub(crate) keep: Vec<usize>,
    pub(crate) exists: bool,
    /// Whether the table's schema is there.
    schema_exists: bool,
}

/// A column that is written.
#[derive(Clone, Debug)]
pub(crate) struct TargetColumn {
    pub(crate) name: String,
    pub(crate) pg_type: PgType,
    /// The table lacks it.
    pub(crate) added: bool,
    /// What comes.
    from: DataType,
    lossless: bool,
    /// Somebody may edit the field at its source.
    pub(crate) editable: bool,
    /// The column takes no null.
    pub(crate) not_null: bool,
}

impl Layout {
    /// Compares the request with what is there.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: types that do not fit, a key that is none, names PostgreSQL cannot hold.
    pub(crate) async fn plan(client: &Client, postgres: &Postgres, request: &WriteRequest) -> Result<Self> {
        let table = postgres.table(request.stream.as_str())?;
        let there = catalog::columns(client, &table).await?;
        let mut columns = Vec::new();
        for field in request.schema.fields() {
            check(&field.name)?;
            let existing = there.iter().flatten().find(|column| column.name == field.name);
            columns.push(TargetColumn::plan(field, existing, &table)?);
        }
        if columns.len() > MAX_COLUMNS {
            let message = format!(
                "{} columns are more than the {MAX_COLUMNS} a PostgreSQL table holds",
                columns.len()
            );
            return Err(
                Error::new(ErrorKind::Schema, message).with_help("leave some out with `columns` or `except`")
            );
        }
        let position = |name: &String| request.schema.index_of(name);
        let key = request
            .match_on
            .iter()
            .map(position)
            .collect::<Result<Vec<_>>>()?;
        let keep = request
            .keep
            .iter()
            .map(position)
            .collect::<Result<Vec<_>>>()
            .map_err(|error| error.with_context("key", "keep"))?;
        let schema_exists = there.is_some() || catalog::schema_exists(client, &table.schema).await?;
        let layout = Self {
            table,
            columns,
            key,
            keep,
            exists: there.is_some(),
            schema_exists,
        };
        if request.mode == WriteMode::Upsert {
            layout.check_key(there.as_deref())?;
        }
        Ok(layout)
    }

    /// An upsert needs a key, and an existing table must have it as its primary key.
    fn check_key(&self, there: Option<&[ColumnInfo]>) -> Result<()> {
        if self.key.is_empty() {
            return Err(Error::new(
                ErrorKind::Schema,
                format!("{} has no key to upsert by", self.table),
            )
            .with_help("name the columns of a key with `match_on`, or say write = \"insert\""));
        }
        let Some(there) = there else { return Ok(()) };
        let primary: Vec<&str> = there
            .iter()
            .filter(|column| column.key_position.is_some())
            .map(|column| column.name.as_str())
            .collect();
        let same = primary.len() == self.key.len() && self.key_names().all(|name| primary.contains(&name));
        if same {
            return Ok(());
        }
        let wanted: Vec<&str> = self.key_names().collect();
        let message = format!("the primary key of {} is not ({})", self.table, wanted.join(", "));
        let help = if primary.is_empty() {
            format!("add a primary key ({}) to the table", wanted.join(", "))
        } else {
            format!("say match_on = {primary:?}, or write into another table")
        };
        Err(Error::new(ErrorKind::Schema, message).with_help(help))
    }

    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|&i| self.columns[i].name.as_str())
    }

    /// The columns, quoted and parted by commas.
    pub(crate) fn column_list(&self) -> String {
        self.columns
            .iter()
            .map(|column| Ident(&column.name).to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The key's columns, quoted and parted by commas.
    pub(crate) fn key_list(&self) -> String {
        self.key_names()
            .map(|name| Ident(name).to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Makes the table, without its key: that is made after the rows are in.
    pub(crate) fn create_sql(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{} {}", Ident(&column.name), column.pg_type.sql()))
            .collect();
        let table = format!("CREATE TABLE {} ({})", self.table, columns.join(", "));
        // Even IF NOT EXISTS asks for the right to make schemas.
        if self.schema_exists {
            return table;
        }
        format!(
            "CREATE SCHEMA IF NOT EXISTS {}; {table}",
            Ident(&self.table.schema)
        )
    }

    /// Makes the key.
    pub(crate) fn add_key_sql(&self) -> String {
        format!("ALTER TABLE {} ADD PRIMARY KEY ({})", self.table, self.key_list())
    }

    /// Adds what the table lacks; `None` where it lacks nothing.
    pub(crate) fn add_columns_sql(&self) -> Option<String> {
        let added: Vec<String> = self
            .columns
            .iter()
            .filter(|column| column.added)
            .map(|column| format!("ADD COLUMN {} {}", Ident(&column.name), column.pg_type.sql()))
            .collect();
        (!added.is_empty()).then(|| format!("ALTER TABLE {} {}", self.table, added.join(", ")))
    }

    /// What a plan says of all this.
    pub(crate) fn write_plan(&self, mode: WriteMode) -> WritePlan {
        let key = self.key_names().collect::<Vec<_>>().join(", ");
        let first = if self.exists {
            let added = self.columns.iter().filter(|column| column.added).count();
            match added {
                0 => format!(
                    "{mode} into {} by ({key}); rows that are the same are not touched",
                    self.table
                ),
                added => format!(
                    "{mode} into {} by ({key}), after adding {added} columns",
                    self.table
                ),
            }
        } else if key.is_empty() {
            format!(
                "makes {} with {} columns and no key",
                self.table,
                self.columns.len()
            )
        } else {
            format!(
                "makes {} with {} columns and the primary key ({key})",
                self.table,
                self.columns.len()
            )
        };
        let columns = self.columns.iter().map(|column| ColumnPlan {
            name: column.name.clone(),
            from: column.from.to_string(),
            to: column.pg_type.sql(),
            lossless: column.lossless,
        });
        WritePlan::new(first).with_columns(columns.collect())
    }
}

impl TargetColumn {
    fn plan(field: &connector_core::Field, existing: Option<&ColumnInfo>, table: &Table) -> Result<Self> {
        let pg_type = existing.map_or_else(
            || PgType::for_core(field.data_type),
            |column| column.pg_type.clone(),
        );
        let refused = |message: String, help: &'static str| {
            Err(Error::new(ErrorKind::Schema, message)
                .with_context("table", table.to_string())
                .with_help(help))
        };
        if existing.is_some_and(|column| !column.writable) {
            return refused(
                format!("`{}` is a generated column", field.name),
                "leave it out with `except`",
            );
        }
        let Some(lossless) = pg_type.takes(field.data_type) else {
            let message = format!(
                "`{}` is {} in the table and cannot hold {}",
                field.name,
                pg_type.sql(),
                field.data_type
            );
            return refused(
                message,
                "change the column's type, or map the field to another column with `fields`",
            );
        };
        Ok(Self {
            name: field.name.clone(),
            pg_type,
            added: existing.is_none(),
            from: field.data_type,
            lossless,
            editable: field.access.updatable,
            not_null: existing.is_some_and(|column| !column.nullable),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let column = |name: &str, data_type: DataType, editable: bool| TargetColumn {
            name: name.to_owned(),
            pg_type: PgType::for_core(data_type),
            added: false,
            from: data_type,
            lossless: true,
            editable,
            not_null: false,
        };
        Layout {
            table: Table::parse("lead_reverse", "public").unwrap(),
            columns: vec![
                column("Id", DataType::TEXT, false),
                column("LeadScore__c", DataType::decimal(5, 2), true),
                column("SystemModstamp", DataType::Instant, false),
            ],
            key: vec![0],
            keep: vec![1],
            exists: false,
            schema_exists: false,
        }
    }

    #[test]
    fn ddl_is_quoted_and_qualified() {
        assert_eq!(
            layout().create_sql(),
            r#"CREATE SCHEMA IF NOT EXISTS "public"; CREATE TABLE "public"."lead_reverse" ("Id" text, "LeadScore__c" numeric(5,2), "SystemModstamp" timestamptz)"#
        );
        assert_eq!(
            layout().add_key_sql(),
            r#"ALTER TABLE "public"."lead_reverse" ADD PRIMARY KEY ("Id")"#
        );
        let mut wider = layout();
        wider.columns[1].added = true;
        assert_eq!(
            wider.add_columns_sql().as_deref(),
            Some(r#"ALTER TABLE "public"."lead_reverse" ADD COLUMN "LeadScore__c" numeric(5,2)"#)
        );
    }
}
