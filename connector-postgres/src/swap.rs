//! What an overwrite has built, put in the table's place: SQL as text, and what must be known for it.

use connector_core::Result;
use tokio_postgres::Client;

use crate::differ::differ;
use crate::error::failed;
use crate::ident::{Ident, Literal, Table};
use crate::merge::changing;
use crate::shape::Shape;
use crate::stage::equal;
use crate::table::Layout;

/// Why a table of the same name would not be the same table: an empty list where nothing would be lost.
pub(crate) async fn obstacles(client: &Client, layout: &Layout) -> Result<Vec<String>> {
    let sql = "SELECT array_remove(ARRAY[
            CASE WHEN c.relkind <> 'r' OR c.relpersistence <> 'p' THEN 'it is no ordinary table' END,
            CASE WHEN pg_get_userbyid(c.relowner) <> current_user THEN 'another role owns it' END,
            CASE WHEN c.relispartition OR EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))
                THEN 'other tables inherit with it' END,
            CASE WHEN EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                              WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid) THEN 'views or rules depend on it' END,
            CASE WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND c.oid IN (k.conrelid, k.confrelid))
                THEN 'foreign keys hold it' END,
            CASE WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) THEN 'it has triggers' END,
            CASE WHEN c.relrowsecurity OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) THEN 'it has policies' END,
            CASE WHEN EXISTS (SELECT FROM pg_publication_rel p WHERE p.prrelid = c.oid) OR c.relreplident <> 'd'
                THEN 'it is replicated' END,
            CASE WHEN EXISTS (SELECT FROM pg_depend d JOIN pg_class s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid AND s.relkind = 'S'
                              WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid) THEN 'a sequence belongs to it' END,
            CASE WHEN c.reloptions IS NOT NULL OR c.reltablespace <> 0 OR EXISTS (SELECT FROM pg_statistic_ext s WHERE s.stxrelid = c.oid)
                    OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                               AND (coalesce(a.attstattarget, -1) <> -1 OR a.attoptions IS NOT NULL OR a.attacl IS NOT NULL))
                    OR EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid
                               AND (NOT i.indisvalid OR i.indisclustered OR x.reloptions IS NOT NULL OR x.reltablespace <> 0))
                    OR EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantor <> c.relowner)
                THEN 'it has settings of its own' END,
            CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                              AND NOT a.attname = ANY ($3)) THEN 'it has further columns' END,
            CASE WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND pg_get_constraintdef(k.oid) <> $4)
                THEN 'its primary key has options' END
            ], NULL)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
    let columns: Vec<&str> = layout.columns.iter().map(|column| column.name.as_str()).collect();
    let Table { schema, name } = &layout.table;
    let key = key_definition(client, layout).await?;
    let row = client
        .query_opt(sql, &[schema, name, &columns, &key])
        .await
        .map_err(|error| failed("look at what depends on the table", error))?;
    let mut found: Vec<String> = row.map(|row| row.get(0)).unwrap_or_default();
    if !layout.keep.is_empty() {
        found.push("fields are to be kept".to_owned());
    }
    Ok(found)
}

/// The key as the server writes it, which quotes names only where it must.
async fn key_definition(client: &Client, layout: &Layout) -> Result<String> {
    let names: Vec<&str> = layout.key_names().collect();
    let sql = "SELECT 'PRIMARY KEY (' || string_agg(quote_ident(name), ', ' ORDER BY place) || ')'
               FROM unnest($1::text[]) WITH ORDINALITY AS k (name, place)";
    let row = client
        .query_one(sql, &[&names])
        .await
        .map_err(|error| failed("look at the key", error))?;
    Ok(row.get::<_, Option<String>>(0).unwrap_or_default())
}

/// An index of the table to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// What follows the table's name in the statement that makes it, or the constraint it is the index of.
    definition: String,
    unique: bool,
    constraint: bool,
    pub(crate) primary: bool,
    comment: Option<String>,
}

/// The indexes of a table.
pub(crate) async fn indexes(client: &Client, table: &Table) -> Result<Vec<Index>> {
    let sql = "SELECT x.relname, k.oid IS NOT NULL, i.indisprimary, i.indisunique, obj_description(x.oid, 'pg_class'),
                      coalesce(pg_get_constraintdef(k.oid),
                               substr(pg_get_indexdef(x.oid),
                                      length(format('CREATE %sINDEX %I ON %I.%I ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END,
                                                    x.relname, n.nspname, c.relname)) + 1))
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
               LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')
               WHERE n.nspname = $1 AND c.relname = $2 ORDER BY x.oid";
    let rows = client
        .query(sql, &[&table.schema, &table.name])
        .await
        .map_err(|error| failed("look at the table's indexes", error))?;
    let index = |row: &tokio_postgres::Row| Index {
        name: row.get(0),
        constraint: row.get(1),
        primary: row.get(2),
        unique: row.get(3),
        comment: row.get(4),
        definition: row.get(5),
    };
    Ok(rows.iter().map(index).collect())
}

impl Index {
    /// Makes an index like it on the shadow, under a name that is free.
    pub(crate) fn make_sql(&self, shadow: &Table, number: usize) -> String {
        let name = provisional(shadow, number);
        if self.constraint {
            format!(
                "ALTER TABLE {shadow} ADD CONSTRAINT {} {}",
                Ident(&name),
                self.definition
            )
        } else {
            let unique = if self.unique { "UNIQUE " } else { "" };
            format!(
                "CREATE {unique}INDEX {} ON {shadow} {}",
                Ident(&name),
                self.definition
            )
        }
    }

    /// Gives the shadow's index the name of this one.
    pub(crate) fn rename_sql(&self, shadow: &Table, from: &str) -> String {
        let schema = Ident(&shadow.schema);
        let mut sql = format!(
            "ALTER INDEX {schema}.{} RENAME TO {}",
            Ident(from),
            Ident(&self.name)
        );
        if let Some(comment) = &self.comment {
            sql.push_str(&format!(
                "; COMMENT ON INDEX {schema}.{} IS {}",
                Ident(&self.name),
                Literal(comment)
            ));
        }
        sql
    }
}

/// The name that the shadow's index has until the swap.
pub(crate) fn provisional(shadow: &Table, number: usize) -> String {
    format!("{} {number}", shadow.name)
}

/// Statements that give the shadow the table's rights and comment.
pub(crate) async fn likeness(client: &Client, table: &Table, shadow: &Table) -> Result<Vec<String>> {
    let sql = "WITH t AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2),
                    s AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $3),
                    role AS (SELECT 0::oid AS oid, 'PUBLIC' AS name UNION ALL SELECT oid, quote_ident(rolname) FROM pg_roles)
               SELECT format('REVOKE ALL ON TABLE %I.%I FROM %s', $1::text, $3::text, role.name)
                 FROM s, LATERAL (SELECT DISTINCT grantee FROM aclexplode(s.relacl)) a JOIN role ON role.oid = a.grantee
               UNION ALL
               SELECT format('GRANT %s ON TABLE %I.%I TO %s%s', a.privilege_type, $1::text, $3::text, role.name,
                             CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                 FROM t JOIN s ON t.relacl IS NOT NULL OR s.relacl IS NOT NULL,
                      LATERAL aclexplode(coalesce(t.relacl, acldefault('r', t.relowner))) a JOIN role ON role.oid = a.grantee
               UNION ALL
               SELECT format('COMMENT ON TABLE %I.%I IS %L', $1::text, $3::text, obj_description(t.oid, 'pg_class')) FROM t";
    let rows = client
        .query(sql, &[&table.schema, &table.name, &shadow.name])
        .await
        .map_err(|error| failed("look at the table's rights", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Makes the table's rows those of the shadow, in place: three statements.
pub(crate) fn in_place(target: &Layout, shadow: &Table) -> Vec<String> {
    let table = &target.table;
    let list = Shape::direct().column_list(target);
    if target.key.is_empty() {
        return vec![
            format!("DELETE FROM {table}"),
            format!("INSERT INTO {table} ({list}) SELECT {list} FROM {shadow}"),
        ];
    }
    let shape = Shape::direct();
    let mut set = Vec::new();
    let compared = changing(target, &shape).map(|(_, column)| {
        let name = column.ident();
        set.push(format!("{name} = s.{name}"));
        (&column.pg_type, format!("t.{name}"), format!("s.{name}"))
    });
    let differ = differ(compared);
    let same_key = equal(target, &target.key, "t", "s");
    let mut statements = vec![format!(
        "DELETE FROM {table} t WHERE NOT EXISTS (SELECT FROM {shadow} s WHERE {same_key})"
    )];
    if !set.is_empty() {
        statements.push(format!(
            "UPDATE {table} t SET {} FROM {shadow} s WHERE {same_key} AND {differ}",
            set.join(", ")
        ));
    }
    statements.push(format!(
        "INSERT INTO {table} ({list}) SELECT {list} FROM {shadow} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same_key})"
    ));
    statements
}
