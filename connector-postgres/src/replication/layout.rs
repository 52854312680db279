//! The table behind a log, as it is now.

use connector_core::{Error, ErrorKind, Result, Schema};
use tokio_postgres::Client;

use crate::catalog::{self, ColumnInfo};
use crate::error::failed;
use crate::ident::{Ident, Table};
use crate::reader::select;
use crate::types::PgType;

/// A table whose changes are read, and the columns that are read of them.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) table: Table,
    pub(super) oid: u32,
    /// In the order of the records' fields.
    pub(super) columns: Vec<LogColumn>,
    /// Where among them the primary key stands.
    pub(super) key: Vec<usize>,
    /// The number of the youngest column, whether it is read or not.
    pub(super) youngest: i16,
}

/// A column that is read.
#[derive(Clone, Debug)]
pub(super) struct LogColumn {
    pub(super) info: ColumnInfo,
    /// Its number in the table: it stays when the column gets another name, and no other column gets it.
    pub(super) number: i16,
    pub(super) type_oid: u32,
    /// Its type as a cast to it is written.
    pub(super) type_sql: String,
    /// Every row that it was added to has null in it.
    pub(super) began_as_null: bool,
    /// Its values are read as PostgreSQL's text for them.
    pub(super) comes_as_text: bool,
}

impl LogColumn {
    /// Whether a value's text is what is decoded.
    pub(super) fn is_read_as_text(&self) -> bool {
        self.comes_as_text || matches!(self.info.pg_type, PgType::Text { .. })
    }
}

impl Layout {
    /// Looks at `table`, of which the fields of `wide` are read.
    ///
    /// # Errors
    /// Its changes cannot be told apart by key.
    pub(super) async fn of(client: &Client, table: Table, wide: &Schema) -> Result<Self> {
        let oid = check_kind(client, &table).await?;
        check_identity(client, &table, oid).await?;
        let infos = catalog::columns(client, &table).await?.unwrap_or_default();
        let sql = "SELECT a.attname, a.attnum, a.atttypid, format_type(a.atttypid, -1),
                          NOT (a.attnotnull OR a.atthasdef OR a.atthasmissing OR a.attidentity <> '')
                   FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped";
        let rows = client
            .query(sql, &[&oid])
            .await
            .map_err(|error| failed("look at the table", error))?;
        let (mut columns, mut youngest) = (Vec::new(), 0);
        for row in &rows {
            let (name, number): (&str, i16) = (row.get(0), row.get(1));
            youngest = youngest.max(number);
            let info = infos.iter().find(|info| info.name == name);
            let field = |info: &ColumnInfo| wide.fields().iter().position(|field| field.name == info.field);
            if let (Some(info), Some(field)) = (info, info.and_then(field)) {
                let column = LogColumn {
                    info: info.clone(),
                    number,
                    type_oid: row.get(2),
                    type_sql: row.get(3),
                    began_as_null: row.get(4),
                    comes_as_text: select(info) != Ident(&info.name).to_string(),
                };
                columns.push((field, column));
            }
        }
        columns.sort_by_key(|(field, _)| *field);
        if columns.len() != wide.fields().len() {
            let message = format!("the table {table} was changed while it was looked at");
            return Err(Error::new(ErrorKind::Conflict, message).with_help("try again"));
        }
        Ok(Self {
            table,
            oid,
            columns: columns.into_iter().map(|(_, column)| column).collect(),
            key: wide.primary_key().to_vec(),
            youngest,
        })
    }
}

/// The number of a table that has a log.
pub(super) async fn check_kind(client: &Client, table: &Table) -> Result<u32> {
    let sql = "SELECT c.oid, c.relkind IN ('r', 'p'), c.relpersistence = 'p'
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
    let row = client
        .query_opt(sql, &[&table.schema, &table.name])
        .await
        .map_err(|error| failed("look at the table", error))?;
    let Some(row) = row else {
        return Err(
            Error::new(ErrorKind::NotFound, format!("there is no table {table}"))
                .with_help("check its name and schema"),
        );
    };
    if !row.get::<_, bool>(1) {
        let message = format!("{table} is no table, and only tables have a log of changes");
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_help("read the table behind it, or read it with sync = \"full\""));
    }
    if !row.get::<_, bool>(2) {
        let message = format!("the table {table} is not logged, so that there is no log of its changes");
        let help = format!("run ALTER TABLE {table} SET LOGGED, or read it with sync = \"full\"");
        return Err(Error::new(ErrorKind::Unsupported, message).with_help(help));
    }
    Ok(row.get(0))
}

/// Refuses a table whose log does not say which row is gone, or which has no key to say it by.
pub(super) async fn check_identity(client: &Client, table: &Table, oid: u32) -> Result<()> {
    // A partitioned table's changes are logged as its partitions say.
    let sql = "SELECT l.oid::regclass::text FROM pg_class l
               WHERE l.relkind = 'r' AND (l.oid = $1 OR l.oid IN (SELECT relid FROM pg_partition_tree($1)))
                 AND NOT CASE l.relreplident
                     WHEN 'f' THEN true
                     WHEN 'd' THEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = l.oid AND i.indisprimary)
                     WHEN 'i' THEN EXISTS (
                         SELECT FROM pg_index i JOIN pg_index p ON p.indrelid = i.indrelid AND p.indisprimary
                         WHERE i.indrelid = l.oid AND i.indisreplident
                           AND (p.indkey::int2[])[0:p.indnkeyatts - 1] <@ (i.indkey::int2[])[0:i.indnkeyatts - 1])
                     ELSE false END
               ORDER BY 1";
    let key = "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = $1 AND indisprimary)";
    let doing = |error| failed("look at the table's key", error);
    if !client
        .query_one(key, &[&oid])
        .await
        .map_err(doing)?
        .get::<_, bool>(0)
    {
        let message =
            format!("the table {table} has no primary key, by which its changes could be told apart");
        let help = format!(
            "run ALTER TABLE {table} ADD PRIMARY KEY (…); ALTER TABLE {table} REPLICA IDENTITY FULL alone would log \
             whole rows, and not say which row of the other side each of them is"
        );
        return Err(Error::new(ErrorKind::Schema, message).with_help(help));
    }
    match client.query(sql, &[&oid]).await.map_err(doing)?.first() {
        None => Ok(()),
        Some(row) => {
            let leaf: String = row.get(0);
            let message = format!("the log of {leaf} does not say which row was changed or deleted");
            let help = format!(
                "run ALTER TABLE {leaf} REPLICA IDENTITY DEFAULT, or ALTER TABLE {leaf} REPLICA IDENTITY FULL"
            );
            Err(Error::new(ErrorKind::Schema, message).with_help(help))
        }
    }
}
