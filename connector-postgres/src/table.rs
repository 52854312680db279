//! The table that is written to: as it is, or as it will be made.

use connector_core::{Field, Result, WriteMode, WriteRequest};
use tokio_postgres::Client;

use crate::catalog::{self, ColumnInfo, Facts};
use crate::column::TargetColumn;
use crate::connector::Postgres;
use crate::differ::is_exact;
use crate::fit::check_columns;
use crate::ident::{Ident, Literal, Table};
use crate::overflow::{self, Overflow};
use crate::own::Own;
use crate::rights::stages;
use crate::shadow::Shadow;

/// Where each field of a write goes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) table: Table,
    /// One per field of the request's schema, in its order; what is folded has the last one.
    pub(crate) columns: Vec<TargetColumn>,
    /// Positions of the key's columns.
    pub(crate) key: Vec<usize>,
    /// Positions of the columns that existing rows keep.
    pub(crate) keep: Vec<usize>,
    /// Positions of the columns of the table's primary key, if all of them are written.
    pub(crate) primary: Vec<usize>,
    pub(crate) exists: bool,
    pub(crate) facts: Facts,
    /// What the table has beyond the fields.
    pub(crate) own: Own,
    /// Records only name rows: nothing but the key's columns is looked at.
    pub(crate) names_only: bool,
    /// Fields that have no column of their own.
    pub(crate) overflow: Option<Overflow>,
    /// Whether the table's schema is there.
    schema_exists: bool,
    /// It is made beside this one, which it is to be like, if that is there; and what its comment says.
    beside: Option<(Option<Table>, String)>,
}

impl Layout {
    /// Compares the request with what is there.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: types that do not fit, a key that is none, names PostgreSQL cannot hold.
    pub(crate) async fn plan(client: &Client, postgres: &Postgres, request: &WriteRequest) -> Result<Self> {
        Self::of(
            client,
            postgres,
            postgres.table(request.stream.as_str())?,
            request,
        )
        .await
    }

    /// The same with another table.
    pub(crate) async fn of(
        client: &Client,
        postgres: &Postgres,
        table: Table,
        request: &WriteRequest,
    ) -> Result<Self> {
        let there = catalog::columns(client, &table).await?;
        let mut facts = match &there {
            Some(_) => catalog::facts(client, &table).await?,
            None => Facts::default(),
        };
        let own = Own::of(request, &table)?;
        let names_only = request.mode.is_naming();
        // No column is changed only to be compared with.
        let changeable = Facts {
            owned: facts.owned && !names_only,
            ..facts
        };
        let overflow =
            overflow::choose(client, postgres, request, &table, &own, there.as_deref(), facts).await?;
        let schema = overflow
            .as_ref()
            .map_or(&request.schema, |overflow| overflow.fold.schema());
        let is_looked_at = |field: &Field| !names_only || request.match_on.contains(&field.name);
        let mut columns = Vec::new();
        for field in schema.fields() {
            if !is_looked_at(field) {
                columns.push(TargetColumn::unused(field));
                continue;
            }
            columns.push(TargetColumn::plan(
                field,
                there.as_deref().unwrap_or_default(),
                changeable,
                &table,
            )?);
        }
        let checked = columns.iter().any(TargetColumn::is_checked_by_server);
        facts.guarded |= checked;
        facts.checked |= checked;
        let position = |name: &String| {
            // Where there is no such field, the nearest one may be a folded one.
            request.schema.index_of(name).and_then(|_| schema.index_of(name))
        };
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
        let own = own
            .among(client, request, &table, &columns, there.as_deref())
            .await?;
        let schema_exists = there.is_some() || catalog::schema_exists(client, &table.schema).await?;
        let mut layout = Self {
            primary: primary(&columns, there.as_deref().unwrap_or_default()),
            table,
            columns,
            key,
            keep,
            exists: there.is_some(),
            facts,
            own,
            names_only,
            overflow,
            schema_exists,
            beside: None,
        };
        check_columns(layout.looked_at(), stages(request.mode, &layout))?;
        if request.mode == WriteMode::Overwrite && layout.key.is_empty() {
            layout.key.clone_from(&layout.primary);
        }
        layout.check_mode(request.mode, there.as_deref())?;
        layout.check_filled(request.mode, there.as_deref().unwrap_or_default())?;
        layout.check_views(client).await?;
        Ok(layout)
    }

    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|&i| self.columns[i].name.as_str())
    }

    /// The key's columns, quoted and parted by commas.
    pub(crate) fn key_list(&self) -> String {
        self.key_names()
            .map(|name| Ident(name).to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Whether keys of different bytes are different keys.
    pub(crate) fn keys_tell(&self) -> bool {
        !self.facts.loose_key && self.key.iter().all(|&i| is_exact(&self.columns[i].pg_type))
    }

    /// What two rows that count cannot both have, as a conflict names it.
    pub(crate) fn conflict_target(&self) -> String {
        let key = self.key_list();
        if self.own.is_versions() {
            format!("({key}) WHERE {}", Ident(WriteMode::CURRENT))
        } else {
            format!("({key})")
        }
    }

    /// The names of the primary key's columns.
    pub(crate) fn primary_names(&self) -> impl Iterator<Item = &str> {
        let from = self.own.is_versions().then_some(WriteMode::VALID_FROM);
        self.key_names().chain(from)
    }

    /// The layout of the names that a sweep collects beside this table.
    pub(crate) fn named_in(&self, table: Table, exists: bool) -> Self {
        Self {
            table,
            exists,
            ..self.clone()
        }
    }

    /// The layout of the shadow that takes this table's place.
    pub(crate) fn shadowed(&self, shadow: &Shadow) -> Self {
        Self {
            beside: Some((self.exists.then(|| self.table.clone()), shadow.remark.clone())),
            table: shadow.table.clone(),
            keep: Vec::new(),
            exists: false,
            ..self.clone()
        }
    }

    /// The columns that anything is done with.
    pub(crate) fn looked_at(&self) -> impl Iterator<Item = &TargetColumn> {
        let used = |position| !self.names_only || self.key.contains(&position);
        let columns = self.columns.iter().enumerate();
        columns.filter_map(move |(position, column)| used(position).then_some(column))
    }

    /// The position of the column that holds what is folded.
    pub(crate) fn rest(&self) -> Option<usize> {
        self.overflow.as_ref().map(|_| self.columns.len() - 1)
    }

    /// What folds the records' fields, if the column at `position` is the one that holds them.
    pub(crate) fn overflow_at(&self, position: usize) -> Option<&Overflow> {
        self.overflow
            .as_ref()
            .filter(|_| position + 1 == self.columns.len())
    }

    /// Makes the table, without its key: that is made after the rows are in.
    pub(crate) fn create_sql(&self) -> String {
        let Some((like, remark)) = &self.beside else {
            return self.create_plainly();
        };
        let create = match like {
            None => self.create_plainly(),
            Some(like) => {
                let evolve = self
                    .evolve_sql()
                    .map(|sql| format!("; {sql}"))
                    .unwrap_or_default();
                format!(
                    "CREATE TABLE {} (LIKE {like} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS){evolve}",
                    self.table
                )
            }
        };
        format!("{create}; COMMENT ON TABLE {} IS {}", self.table, Literal(remark))
    }

    fn create_plainly(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(TargetColumn::definition).collect();
        let table = format!(
            "CREATE TABLE {} ({}{}){}",
            self.table,
            columns.join(", "),
            self.own.definitions(),
            self.comments(false)
        );
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
        let table = &self.table;
        let names: Vec<String> = self.primary_names().map(|name| Ident(name).to_string()).collect();
        let key = format!("ALTER TABLE {table} ADD PRIMARY KEY ({})", names.join(", "));
        if self.own.is_versions() {
            // Of each key, one version is current at most.
            return format!("{key}; CREATE UNIQUE INDEX ON {table} {}", self.conflict_target());
        }
        key
    }

    /// Adds and widens columns; `None` where the table is as it should be.
    pub(crate) fn evolve_sql(&self) -> Option<String> {
        let columns = self.columns.iter().filter_map(TargetColumn::change);
        let changes: Vec<String> = columns.chain(self.own.change()).collect();
        (!changes.is_empty()).then(|| {
            format!(
                "ALTER TABLE {} {}{}",
                self.table,
                changes.join(", "),
                self.comments(true)
            )
        })
    }

    fn comments(&self, added: bool) -> String {
        let columns = self.columns.iter().filter(|column| column.added || !added);
        let rest = self.columns.last().filter(|rest| rest.added || !added);
        let rest = rest.filter(|_| self.overflow.is_some()).map(|rest| {
            format!(
                "; COMMENT ON COLUMN {}.{} IS {}",
                self.table,
                rest.ident(),
                Literal(Overflow::remark())
            )
        });
        columns
            .filter_map(|column| column.comment(&self.table))
            .chain(rest)
            .collect()
    }

    /// The table is as [`create_sql`](Self::create_sql) or [`evolve_sql`](Self::evolve_sql) make it.
    pub(crate) fn settled(&mut self) {
        // What we have made has nothing beside what we gave it.
        self.facts.plain |= !self.exists;
        self.exists = true;
        self.schema_exists = true;
        for column in &mut self.columns {
            column.added = false;
            column.widened = None;
        }
        self.own.settled();
    }
}

/// The table's primary key among the columns that are written; empty where it is not there as a whole, or staged
/// values cannot be compared with it.
fn primary(columns: &[TargetColumn], there: &[ColumnInfo]) -> Vec<usize> {
    let key = there.iter().filter(|column| column.key_position.is_some());
    let position = |name: &str| columns.iter().position(|column| column.name == name);
    key.map(|key| position(&key.name).filter(|&i| !columns[i].pg_type.is_sent_as_text()))
        .collect::<Option<_>>()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_core::{Access, DataType, Field};

    fn layout() -> Layout {
        let column = |name: &str, data_type: DataType, editable: bool| {
            let field = Field::new(name, data_type).with_access(Access::ALL.with_updatable(editable));
            let mut column = TargetColumn::new(&field, name.to_owned());
            column.added = false;
            column
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
            primary: vec![0],
            exists: false,
            facts: Facts::default(),
            own: Own::Nothing,
            names_only: false,
            overflow: None,
            schema_exists: false,
            beside: None,
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
        assert_eq!(wider.evolve_sql(), None);
        wider.columns[0].widened = Some("character varying(18)".to_owned());
        wider.columns[1].added = true;
        assert_eq!(
            wider.evolve_sql().as_deref(),
            Some(
                r#"ALTER TABLE "public"."lead_reverse" ALTER COLUMN "Id" TYPE text, ADD COLUMN "LeadScore__c" numeric(5,2)"#
            )
        );
    }
}
