//! What tables there are, and what their columns are.

use connector_core::{Error, ErrorKind, Field, Result, Schema, Selection, StreamSpec, nearest};
use tokio_postgres::Client;

use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::{Literal, Table, column_name};
use crate::reader::Relation;
use crate::shadow::is_no_shadow;
use crate::types::PgType;

/// One column of a table.
#[derive(Clone, Debug)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    /// The field it holds: of the same name, or of the longer one that its comment remembers.
    pub(crate) field: String,
    pub(crate) pg_type: PgType,
    pub(crate) nullable: bool,
    /// Position within the primary key, from 1.
    pub(crate) key_position: Option<i16>,
    /// Whether a value can be written into it: not generated.
    pub(crate) writable: bool,
    /// Its type as the table declares it.
    pub(crate) declared: String,
    /// Whether that is a domain, which may have rules of its own.
    pub(crate) domain: bool,
    /// What a new row gets that says nothing about it, as SQL.
    pub(crate) default: Option<String>,
}

impl ColumnInfo {
    /// A column of a query's result, of which nothing but the name is known.
    pub(crate) fn of_query(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            field: name.to_owned(),
            pg_type: PgType::Text { max_chars: None },
            nullable: true,
            key_position: None,
            writable: false,
            declared: "text".to_owned(),
            domain: false,
            default: None,
        }
    }

    /// Whether it is `text`, `varchar` or `name`.
    pub(crate) fn is_plain_text(&self) -> bool {
        matches!(self.pg_type, PgType::Text { .. })
    }
}

/// What a table consists of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    /// Every row carries the number of the transaction that wrote it: no part is a view or kept elsewhere.
    pub(crate) stamped: bool,
    /// About how many rows there are, if they were counted once.
    pub(crate) rows: Option<u64>,
    /// Rows that follow each other by the primary key are known to lie far apart.
    pub(crate) scattered: bool,
}

/// The parts of a table: itself, or its partitions and what inherits from it. A query over `part`.
pub(crate) fn parts_of(table: &Table) -> String {
    format!(
        "WITH RECURSIVE part AS (
             SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = {} AND c.relname = {}
             UNION SELECT i.inhrelid FROM pg_inherits i JOIN part ON i.inhparent = part.oid)",
        Literal(&table.schema),
        Literal(&table.name)
    )
}

/// Looks at the parts of a table that is there.
pub(crate) async fn parts(client: &Client, table: &Table) -> Result<Parts> {
    let sql = format!(
        "{} SELECT coalesce(bool_and(c.relkind = 'p' OR c.relkind IN ('r', 'm') AND m.amname = 'heap'), false),
                   CASE WHEN bool_and(c.reltuples >= 0) FILTER (WHERE c.relkind <> 'p')
                   THEN sum(c.reltuples) FILTER (WHERE c.relkind <> 'p')::bigint END,
                   EXISTS (SELECT FROM part JOIN pg_class t ON t.oid = part.oid JOIN pg_namespace n ON n.oid = t.relnamespace
                           JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
                           JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
                           JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname
                           WHERE abs(s.correlation) < 0.5)
         FROM part JOIN pg_class c ON c.oid = part.oid LEFT JOIN pg_am m ON m.oid = c.relam",
        parts_of(table)
    );
    let row = client
        .query_one(&sql, &[])
        .await
        .map_err(|error| failed("look at the table", error))?;
    let rows: Option<i64> = row.get(1);
    Ok(Parts {
        stamped: row.get(0),
        rows: rows.and_then(|rows| rows.try_into().ok()),
        scattered: row.get(2),
    })
}

/// What a table is, beyond its columns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// We may change it.
    pub(crate) owned: bool,
    /// The server may refuse a row whose values fit: there are constraints, unique indexes, triggers or policies.
    pub(crate) guarded: bool,
    /// Among them such that a table like it has too: check constraints, domains.
    pub(crate) checked: bool,
    /// Keys of different bytes may be equal: a collation says so.
    pub(crate) loose_key: bool,
    /// The number of columns it has had: of those that were dropped, the server keeps the numbers.
    pub(crate) attributes: usize,
    /// A trigger may fill columns of new rows.
    pub(crate) fills: bool,
    /// Nothing but what is written changes its rows: there are no triggers, rules, partitions.
    pub(crate) plain: bool,
}

/// Looks at a table that is there.
pub(crate) async fn facts(client: &Client, table: &Table) -> Result<Facts> {
    let sql = "SELECT c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE'),
                      c.relkind <> 'r' OR c.relrowsecurity
                      OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'x'))
                      OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique)
                      OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal),
                      EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'),
                      EXISTS (SELECT FROM pg_index i JOIN pg_collation k ON k.oid = ANY (i.indcollation)
                              WHERE i.indrelid = c.oid AND i.indisprimary AND NOT k.collisdeterministic),
                      c.relnatts,
                      EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 7 = 7),
                      c.relkind = 'r' AND NOT c.relhastriggers AND NOT c.relhasrules
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = $2";
    let row = client
        .query_opt(sql, &[&table.schema, &table.name])
        .await
        .map_err(|error| failed("look at the table", error))?;
    Ok(row.map_or(Facts::default(), |row| Facts {
        owned: row.get(0),
        guarded: row.get(1),
        checked: row.get(2),
        loose_key: row.get(3),
        attributes: usize::try_from(row.get::<_, i16>(4)).unwrap_or(0),
        fills: row.get(5),
        plain: row.get(6),
    }))
}

/// The views that show one of these columns of a table: while they are there, its type cannot be changed.
pub(crate) async fn views_of(client: &Client, table: &Table, columns: &[&str]) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT v.oid::regclass::text
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_attribute a ON a.attrelid = c.oid
               JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
               JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
               JOIN pg_class v ON v.oid = r.ev_class AND v.oid <> c.oid
               WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = ANY ($3) ORDER BY 1";
    let rows = client
        .query(sql, &[&table.schema, &table.name, &columns])
        .await
        .map_err(|error| failed("look for views", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether a unique index covers exactly the columns `key` in the rows in which the column `current` is true.
pub(crate) async fn has_unique_current(
    client: &Client,
    table: &Table,
    key: &[&str],
    current: &str,
) -> Result<bool> {
    let sql = "SELECT EXISTS (
                   SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = $1 AND c.relname = $2 AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL
                     AND pg_get_expr(i.indpred, i.indrelid) = quote_ident($4)
                     AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text) FROM pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
                         = (SELECT array_agg(k ORDER BY k) FROM unnest($3::text[]) k))";
    let row = client
        .query_one(sql, &[&table.schema, &table.name, &key, &current])
        .await
        .map_err(|error| failed("look at the table's indexes", error))?;
    Ok(row.get(0))
}

/// The tables and views of a schema, by name.
pub(crate) async fn tables(client: &Client, schema: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {} ORDER BY 1",
        is_no_shadow("c.relname")
    );
    let rows = client
        .query(&sql, &[&schema])
        .await
        .map_err(|error| failed("list the tables", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether there is a schema of that name.
pub(crate) async fn schema_exists(client: &Client, schema: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    let row = client
        .query_one(sql, &[&schema])
        .await
        .map_err(|error| failed("look for the schema", error))?;
    Ok(row.get(0))
}

/// The columns of a table in order; `None` where there is no such table.
pub(crate) async fn columns(client: &Client, table: &Table) -> Result<Option<Vec<ColumnInfo>>> {
    let sql = format!(
        "SELECT b.oid, b.typmod, b.printed, b.name, b.is_citext, b.labels,
                      a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
                      array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum)::int2,
                      a.attgenerated = '' AND a.attidentity <> 'a', t.typtype = 'd',
                      CASE WHEN a.attidentity <> '' THEN 'nextval(' || quote_literal(pg_get_serial_sequence(c.oid::regclass::text, a.attname)) || ')'
                           WHEN a.attgenerated <> '' THEN NULL
                           ELSE coalesce(pg_get_expr(f.adbin, f.adrelid), pg_get_expr(t.typdefaultbin, 0)) END,
                      col_description(c.oid, a.attnum)
               FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               JOIN pg_type t ON t.oid = a.atttypid
               JOIN LATERAL {} b ON true
               LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
               LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
               WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY a.attnum",
        base_types("t.oid", "a.atttypmod")
    );
    let rows = client
        .query(&sql, &[&table.schema, &table.name])
        .await
        .map_err(|error| failed("look at the table", error))?;
    if rows.is_empty() {
        return Ok(None);
    }
    let column = |row: &tokio_postgres::Row| ColumnInfo {
        name: row.get(6),
        field: field_of(row.get(6), row.get(13)),
        pg_type: base_type(row),
        nullable: row.get(8),
        key_position: row.get(9),
        writable: row.get(10),
        declared: row.get(7),
        domain: row.get(11),
        default: row.get(12),
    };
    Ok(Some(rows.iter().map(column).collect()))
}

/// Types by their numbers and modifiers, each with what SQL calls it.
pub(crate) async fn types(client: &Client, oids: &[u32], modifiers: &[i32]) -> Result<Vec<(PgType, String)>> {
    let sql = format!(
        "SELECT b.oid, b.typmod, b.printed, b.name, b.is_citext, b.labels, format_type(c.t, c.m)
         FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS c(t, m, n) JOIN LATERAL {} b ON true ORDER BY c.n",
        base_types("c.t", "c.m")
    );
    let rows = client
        .query(&sql, &[&oids, &modifiers])
        .await
        .map_err(|error| failed("look at the types", error))?;
    Ok(rows.iter().map(|row| (base_type(row), row.get(6))).collect())
}

/// A table of what is to be known of the type with this number and modifier: of a domain, of the one that it is made
/// from.
fn base_types(oid: &str, modifier: &str) -> String {
    format!(
        "(WITH RECURSIVE base (oid, typmod, step) AS (
              SELECT {oid}, {modifier}, 0
              UNION ALL
              SELECT d.typbasetype, d.typtypmod, step + 1 FROM base JOIN pg_type d ON d.oid = base.oid AND d.typtype = 'd')
          SELECT base.oid, base.typmod, format_type(base.oid, base.typmod) AS printed, format_type(base.oid, -1) AS name,
                 p.typname = 'citext' AS is_citext,
                 (SELECT array_agg(e.enumlabel::text ORDER BY e.enumlabel::text COLLATE \"C\") FROM pg_enum e
                  WHERE e.enumtypid = base.oid) AS labels
          FROM base JOIN pg_type p ON p.oid = base.oid ORDER BY step DESC LIMIT 1)"
    )
}

/// The type in a row that begins with what [`base_types`] tells.
fn base_type(row: &tokio_postgres::Row) -> PgType {
    let (declared, name): (String, String) = (row.get(2), row.get(3));
    if let Some(labels) = row.get::<_, Option<Vec<String>>>(5) {
        return PgType::Enum {
            name,
            labels: labels.into(),
        };
    }
    match PgType::from_catalog(row.get(0), row.get(1), &declared) {
        PgType::Other(_) if row.get(4) => PgType::Citext(name),
        // Without its modifier: a cast to `bit(3)` would cut in silence what a column of that type refuses.
        PgType::Other(_) => PgType::Other(name),
        known => known,
    }
}

/// The schema of columns, under the core's types.
pub(crate) fn schema(columns: &[ColumnInfo]) -> Result<Schema> {
    let field = |column: &ColumnInfo| {
        let field = Field::new(&column.field, column.pg_type.to_core());
        if column.nullable { field } else { field.not_null() }
    };
    let key = key_positions(columns);
    Schema::new(
        columns.iter().map(field).collect(),
        key.iter().map(|&position| columns[position].field.as_str()),
    )
}

/// Where the columns of the primary key stand, in its order.
pub(crate) fn key_positions(columns: &[ColumnInfo]) -> Vec<usize> {
    let mut key: Vec<usize> = (0..columns.len())
        .filter(|&position| columns[position].key_position.is_some())
        .collect();
    key.sort_by_key(|&position| columns[position].key_position);
    key
}

/// The field that a column holds: the one whose name was too long for it stands in its comment.
fn field_of(column: &str, comment: Option<&str>) -> String {
    let remembered = comment.filter(|comment| {
        *comment != column && column_name(comment).is_ok_and(|made_of_it| made_of_it == column)
    });
    remembered.unwrap_or(column).to_owned()
}

/// A table or a query in full.
pub(crate) async fn describe(client: &Client, postgres: &Postgres, what: &Selection) -> Result<StreamSpec> {
    Ok(Relation::of(client, postgres, what).await?.spec(what))
}

/// The columns of a table in order, which must be there.
pub(crate) async fn columns_of(client: &Client, table: &Table) -> Result<Vec<ColumnInfo>> {
    match columns(client, table).await? {
        Some(columns) => Ok(columns),
        None => Err(no_table(table, &tables(client, &table.schema).await?)),
    }
}

fn no_table(table: &Table, there: &[String]) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("there is no table {table}"));
    match nearest(&table.name, there.iter().map(String::as_str)).as_slice() {
        [] => error.with_help("check its name and schema; the job that makes it may not have run yet"),
        near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
    }
}
