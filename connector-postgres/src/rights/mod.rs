//! Rights that a write needs: all that are missing are found before it begins, and said at once.

mod needs;

use connector_core::{Error, ErrorKind, Result, WriteMode, WriteRequest};
use tokio_postgres::Client;

pub(crate) use self::needs::stages;
use self::needs::{On, makes_tables, needs};
use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::{Ident, Table};
use crate::table::Layout;

const DOING: &str = "look at the rights there are";

/// What is done to the tables of states.
const STATES: [(&str, &[&str]); 6] = [
    ("meta", &["SELECT"]),
    ("task", &["SELECT", "INSERT", "UPDATE"]),
    ("target", &["SELECT", "INSERT", "UPDATE"]),
    ("intent", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    ("ticket", &["SELECT", "INSERT", "DELETE"]),
    // What is deleted there is locked first, which takes the right to update.
    ("rejection", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
];

/// Refuses a write whose user lacks a right for it; `obstacles` keep an overwrite from taking the table's place.
///
/// # Errors
/// [`ErrorKind::Forbidden`]: rights are missing; the help has the statement that grants each of them.
pub(crate) async fn check(
    client: &Client,
    postgres: &Postgres,
    request: &WriteRequest,
    layout: &Layout,
    obstacles: &[String],
) -> Result<()> {
    let sql = "SELECT current_user::text, current_database()::text,
                      has_database_privilege(current_database(), 'CREATE'),
                      has_database_privilege(current_database(), 'TEMPORARY')";
    let row = client
        .query_one(sql, &[])
        .await
        .map_err(|error| failed(DOING, error))?;
    let mut rights = Rights {
        client,
        user: row.get(0),
        database: row.get(1),
        may_make_schemas: row.get(2),
        missing: Vec::new(),
    };
    rights
        .schema(&layout.table.schema, makes_tables(request.mode, layout))
        .await?;
    if layout.exists {
        rights.table(request, layout, obstacles).await?;
    }
    if stages(request.mode, layout) && !row.get::<_, bool>(3) {
        rights.lacks_of_database("TEMPORARY");
    }
    if request.fence.is_some() {
        rights.states(postgres.state_schema()).await?;
    }
    rights.conclude(&layout.table)
}

struct Rights<'a> {
    client: &'a Client,
    user: String,
    database: String,
    may_make_schemas: bool,
    /// Each right, and the statement that grants it.
    missing: Vec<(String, String)>,
}

impl Rights<'_> {
    fn lacks(&mut self, rights: &str, on: &str, of: &str) {
        let missing = (
            format!("{rights} on {of}"),
            format!("GRANT {rights} ON {on} TO {};", Ident(&self.user)),
        );
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    fn lacks_of_database(&mut self, right: &str) {
        let name = Ident(&self.database).to_string();
        self.lacks(
            right,
            &format!("DATABASE {name}"),
            &format!("the database {name}"),
        );
    }

    /// To use what is in a schema; to make tables in it, or the schema itself.
    async fn schema(&mut self, name: &str, makes_tables: bool) -> Result<()> {
        let sql = "SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE')
                   FROM pg_namespace WHERE nspname = $1";
        let row = self
            .client
            .query_opt(sql, &[&name])
            .await
            .map_err(|error| failed(DOING, error))?;
        let Some(row) = row else {
            if !self.may_make_schemas {
                self.lacks_of_database("CREATE");
            }
            return Ok(());
        };
        let (uses, makes): (bool, bool) = (row.get(0), row.get(1));
        let missing: Vec<&str> = [(uses, "USAGE"), (makes || !makes_tables, "CREATE")]
            .into_iter()
            .filter_map(|(has, right)| (!has).then_some(right))
            .collect();
        if !missing.is_empty() {
            let name = Ident(name).to_string();
            let missing = missing.join(", ");
            self.lacks(&missing, &format!("SCHEMA {name}"), &format!("the schema {name}"));
        }
        Ok(())
    }

    /// To change the rows of a table that is there, and its columns where that is planned.
    async fn table(&mut self, request: &WriteRequest, layout: &Layout, obstacles: &[String]) -> Result<()> {
        let table = &layout.table;
        let mut missing = Vec::new();
        for (right, on) in needs(request, layout, obstacles) {
            if !self.has(table, right, &on).await? {
                missing.push(right);
            }
        }
        if !missing.is_empty() {
            self.lacks(&missing.join(", "), &format!("TABLE {table}"), &table.to_string());
        }
        let alters = layout.evolve_sql().is_some();
        let replaces = request.mode == WriteMode::Overwrite && obstacles.is_empty();
        if alters && !replaces && !layout.facts.owned {
            self.lacks_owner(table).await?;
        }
        if request.mode != WriteMode::Update {
            self.sequences(layout).await?;
        }
        Ok(())
    }

    async fn has(&self, table: &Table, right: &str, on: &On<'_>) -> Result<bool> {
        let columns = match on {
            On::Columns(columns) => Some(columns),
            On::Table => None,
        };
        let sql = "SELECT has_table_privilege(c.oid, $3) OR $4::text[] IS NOT NULL AND NOT EXISTS (
                       SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = ANY ($4)
                       AND NOT has_column_privilege(c.oid, a.attnum, $3))
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
        let row = self
            .client
            .query_opt(sql, &[&table.schema, &table.name, &right, &columns])
            .await
            .map_err(|error| failed(DOING, error))?;
        // A table that somebody has dropped meanwhile is none to have rights on.
        Ok(row.is_none_or(|row| row.get(0)))
    }

    async fn lacks_owner(&mut self, table: &Table) -> Result<()> {
        let sql = "SELECT pg_get_userbyid(c.relowner)::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = $1 AND c.relname = $2";
        let row = self
            .client
            .query_opt(sql, &[&table.schema, &table.name])
            .await
            .map_err(|error| failed(DOING, error))?;
        if let Some(row) = row {
            self.missing.push((
                format!("the ownership of {table}, whose columns change"),
                format!("GRANT {} TO {};", Ident(row.get(0)), Ident(&self.user)),
            ));
        }
        Ok(())
    }

    /// To number the rows of a table by a sequence, in a column that is not written.
    async fn sequences(&mut self, layout: &Layout) -> Result<()> {
        let Table { schema, name } = &layout.table;
        let written: Vec<&str> = layout.columns.iter().map(|column| column.name.as_str()).collect();
        let sql = "SELECT DISTINCT sn.nspname::text, s.relname::text
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   JOIN pg_attrdef f ON f.adrelid = c.oid
                   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum
                   JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
                   JOIN pg_class s ON s.oid = d.refobjid
                   JOIN pg_namespace sn ON sn.oid = s.relnamespace
                   WHERE n.nspname = $1 AND c.relname = $2 AND a.attname <> ALL ($3)
                     AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') ELSE false END
                   ORDER BY 1, 2";
        let rows = self
            .client
            .query(sql, &[schema, name, &written])
            .await
            .map_err(|error| failed(DOING, error))?;
        for row in rows {
            let sequence = Table {
                schema: row.get(0),
                name: row.get(1),
            };
            self.lacks(
                "USAGE",
                &format!("SEQUENCE {sequence}"),
                &format!("the sequence {sequence}"),
            );
        }
        Ok(())
    }

    /// To keep states: in tables that are there, or are to be made.
    async fn states(&mut self, schema: &str) -> Result<()> {
        let sql = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'meta')";
        let row = self
            .client
            .query_one(sql, &[&schema])
            .await
            .map_err(|error| failed(DOING, error))?;
        let are_there: bool = row.get(0);
        self.schema(schema, !are_there).await?;
        if !are_there {
            return Ok(());
        }
        for (name, rights) in STATES {
            let table = Table {
                schema: schema.to_owned(),
                name: name.to_owned(),
            };
            let mut missing = Vec::new();
            for right in rights {
                if !self.has(&table, right, &On::Table).await? {
                    missing.push(*right);
                }
            }
            if !missing.is_empty() {
                self.lacks(&missing.join(", "), &format!("TABLE {table}"), &table.to_string());
            }
        }
        Ok(())
    }

    fn conclude(self, table: &Table) -> Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let (rights, grants): (Vec<_>, Vec<_>) = self.missing.into_iter().unzip();
        let message = format!(
            "the user {} may not write {table}; missing: {}",
            Ident(&self.user),
            rights.join("; ")
        );
        Err(Error::new(ErrorKind::Forbidden, message)
            .with_help(format!("let whoever may grant it run\n{}", grants.join("\n"))))
    }
}
