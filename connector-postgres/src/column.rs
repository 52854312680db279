//! A column that is written: as it is, or as it will be made.

use connector_core::{DataType, Error, ErrorKind, Field, Result};

use crate::catalog::{ColumnInfo, Facts};
use crate::ident::{Ident, Literal, Table, column_name};
use crate::types::PgType;

/// A column that is written.
#[derive(Clone, Debug)]
pub(crate) struct TargetColumn {
    /// The field it holds.
    pub(crate) field: String,
    /// Its own name: the field's, or a shorter one.
    pub(crate) name: String,
    pub(crate) pg_type: PgType,
    /// The table lacks it.
    pub(crate) added: bool,
    /// The table has it with a narrower type, which is named here.
    pub(crate) widened: Option<String>,
    /// Its type as the table declares it.
    declared: String,
    /// That is a domain.
    pub(crate) domain: bool,
    /// What a new row gets that says nothing about it, as SQL.
    pub(crate) default: Option<String>,
    /// What comes.
    pub(crate) from: DataType,
    pub(crate) lossless: bool,
    /// Somebody may edit the field at its source.
    pub(crate) editable: bool,
    /// The column takes no null.
    pub(crate) not_null: bool,
}

impl TargetColumn {
    /// The column for `field`: the one of `there` that has its name, or a new one.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: it cannot hold the field at all, or the server fills it.
    pub(crate) fn plan(field: &Field, there: &[ColumnInfo], facts: Facts, table: &Table) -> Result<Self> {
        let name = column_name(&field.name)?.into_owned();
        let existing = there.iter().find(|column| column.name == name);
        let Some(existing) = existing else {
            return Ok(Self::new(field, name));
        };
        let refused = |message: String, help: &'static str| {
            Err(Error::new(ErrorKind::Schema, message)
                .with_context("table", table.to_string())
                .with_help(help))
        };
        if !existing.writable {
            return refused(
                format!("`{}` is a generated column", field.name),
                "leave it out with `except`",
            );
        }
        let wider = if facts.owned && !existing.domain {
            existing.pg_type.widened_for(field.data_type)
        } else {
            None
        };
        let pg_type = wider.clone().unwrap_or_else(|| existing.pg_type.clone());
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
            declared: wider.map_or_else(|| existing.declared.clone(), |wider| wider.sql()),
            widened: (pg_type != existing.pg_type).then(|| existing.declared.clone()),
            domain: existing.domain,
            default: existing.default.clone(),
            added: false,
            lossless,
            not_null: !existing.nullable,
            pg_type,
            ..Self::new(field, name)
        })
    }

    /// A column made for `field`.
    pub(crate) fn new(field: &Field, name: String) -> Self {
        let pg_type = PgType::for_core(field.data_type);
        Self {
            field: field.name.clone(),
            name,
            declared: pg_type.sql(),
            pg_type,
            added: true,
            widened: None,
            domain: false,
            default: None,
            from: field.data_type,
            lossless: true,
            editable: field.access.updatable,
            not_null: false,
        }
    }

    /// The column of a field that nothing is done with.
    pub(crate) fn unused(field: &Field) -> Self {
        Self {
            added: false,
            ..Self::new(field, field.name.clone())
        }
    }

    /// Its name, quoted.
    pub(crate) fn ident(&self) -> Ident<'_> {
        Ident(&self.name)
    }

    /// The same and its type: what makes it.
    pub(crate) fn definition(&self) -> String {
        format!("{} {}", self.ident(), self.declared)
    }

    /// Whether only the server tells if it takes a value of its type.
    pub(crate) fn is_checked_by_server(&self) -> bool {
        self.domain || self.pg_type.is_sent_as_text()
    }

    /// The same for a table that its values only pass through: without the rules that a domain has, and as text
    /// where the server has to read it.
    pub(crate) fn staged_definition(&self) -> String {
        if self.is_checked_by_server() {
            format!("{} {}", self.ident(), self.pg_type.staged_sql())
        } else {
            self.definition()
        }
    }

    /// A value of the staging table's column, of the type that the table's has.
    pub(crate) fn staged_value(&self, alias: &str) -> String {
        let value = self.pg_type.read_by_server(&format!("{alias}.{}", self.ident()));
        if self.domain {
            format!("{value}::{}", self.declared)
        } else {
            value
        }
    }

    /// What changes it in a table that is there; `None` where it is as it should be.
    pub(crate) fn change(&self) -> Option<String> {
        if self.added {
            Some(format!("ADD COLUMN {}", self.definition()))
        } else if self.widened.is_some() {
            Some(format!("ALTER COLUMN {} TYPE {}", self.ident(), self.declared))
        } else {
            None
        }
    }

    /// Keeps the field's name with a column that has another one.
    pub(crate) fn comment(&self, table: &Table) -> Option<String> {
        (self.name != self.field).then(|| {
            format!(
                "; COMMENT ON COLUMN {table}.{} IS {}",
                self.ident(),
                Literal(&self.field)
            )
        })
    }
}
