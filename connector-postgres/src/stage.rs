//! The staging table: SQL as text, and nothing else.

use std::fmt::Write;

use crate::difference::key_text;
use crate::ident::Ident;
use crate::shape::Shape;
use crate::table::Layout;
use crate::types::PgType;

/// The staging table; it ends with the transaction.
pub(crate) const STAGE: &str = "pg_temp.\"connector stage\"";
/// Its columns beyond the table's.
pub(crate) const SEQUENCE: &str = "\"connector sequence\"";
pub(crate) const DELETED: &str = "\"connector deleted\"";
/// Which fields a record leaves unset, a bit each.
pub(crate) const UNSET: &str = "\"connector unset\"";
/// The number of a row, once the server has refused one.
pub(crate) const NUMBER: &str = "\"connector number\"";

/// Makes the staging table.
pub(crate) fn create(layout: &Layout, shape: &Shape) -> String {
    let mut columns: Vec<String> = carried(layout, shape)
        .map(|(_, column)| column.staged_definition())
        .collect();
    columns.push(format!("{SEQUENCE} bigint, {DELETED} boolean"));
    if shape.masked {
        columns.push(format!("{UNSET} bit({})", layout.columns.len()));
    }
    format!(
        "CREATE TEMP TABLE \"connector stage\" ({}) ON COMMIT DROP",
        columns.join(", ")
    )
}

/// Lets it take rows of any kind: what was left out joins, and the rows there are know that they left it unset.
pub(crate) fn widen(layout: &Layout, shape: &Shape) -> String {
    let mut sql = format!("ALTER TABLE {STAGE} ");
    let mut mask = String::new();
    for (position, column) in layout.columns.iter().enumerate() {
        if shape.has(position) {
            mask.push('0');
        } else {
            mask.push('1');
            let _ = write!(sql, "ADD COLUMN {}, ", column.staged_definition());
        }
    }
    let _ = write!(sql, "ADD COLUMN {UNSET} bit({}) DEFAULT B'{mask}'", mask.len());
    sql
}

/// The COPY into it.
pub(crate) fn copy(layout: &Layout, shape: &Shape) -> String {
    let mask = if shape.masked {
        format!(", {UNSET}")
    } else {
        String::new()
    };
    format!(
        "COPY {STAGE} ({}, {SEQUENCE}, {DELETED}{mask}) FROM STDIN (FORMAT binary)",
        shape.column_list(layout)
    )
}

/// The columns that a shape has.
pub(crate) fn carried<'a>(
    layout: &'a Layout,
    shape: &'a Shape,
) -> impl Iterator<Item = (usize, &'a crate::column::TargetColumn)> {
    layout.columns.iter().enumerate().filter(|&(i, _)| shape.has(i))
}

/// Whether the record leaves the field at `position` unset.
pub(crate) fn is_unset(alias: &str, position: usize) -> String {
    format!("get_bit({alias}.{UNSET}, {position}) = 1")
}

/// Leaves the last record of each key; records stand in the order in which they came.
pub(crate) fn deduplicate(layout: &Layout) -> String {
    let key = layout.key_list();
    format!(
        "DELETE FROM {STAGE} s USING (SELECT {key}, max(ctid) AS last FROM {STAGE} GROUP BY {key} HAVING count(*) > 1) d \
         WHERE {} AND s.ctid <> d.last",
        equal(layout, &layout.key, "s", "d")
    )
}

/// Makes one record of all of a key, each field as the last of them has it that says something about it. What came
/// before a delete counts no more. Returns by how many records there are fewer.
pub(crate) fn fold(layout: &Layout) -> String {
    let key = layout.key_list();
    let names: Vec<String> = layout
        .columns
        .iter()
        .map(|column| column.ident().to_string())
        .collect();
    let folded: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(position, name)| {
            if layout.key.contains(&position) {
                return format!("g.{name}");
            }
            let said = format!("get_bit(g.{UNSET}, {position}) = 0");
            if let Some(overflow) = layout.overflow_at(position) {
                let is_new = match layout.own.is_mark() {
                    true => "false",
                    false => "bool_or(g.last_delete IS NOT NULL)",
                };
                return overflow.last_words(&said, is_new);
            }
            let last =
                |value: &str| format!("(array_agg({value} ORDER BY g.place DESC) FILTER (WHERE {said}))[1]");
            match &layout.columns[position].pg_type {
                // An array of arrays has one dimension more, and all of them must be of one length.
                PgType::Array { .. } => {
                    let sql = layout.columns[position].pg_type.sql();
                    format!("{}::{sql}", last(&format!("g.{name}::text")))
                }
                _ => last(&format!("g.{name}")),
            }
        })
        .collect();
    let group: Vec<String> = layout
        .key_names()
        .map(|name| format!("g.{}", Ident(name)))
        .collect();
    let partition: Vec<String> = layout
        .key_names()
        .map(|name| format!("s.{}", Ident(name)))
        .collect();
    // A delete's own row stays as it is if it is the last word; after it, a record starts from nothing.
    format!(
        "WITH twice AS (SELECT {key} FROM {STAGE} GROUP BY {key} HAVING count(*) > 1), \
         gone AS (DELETE FROM {STAGE} s USING twice d WHERE {} RETURNING s.ctid AS place, s.*), \
         ranked AS (SELECT s.*, max(s.place) FILTER (WHERE s.{DELETED}) OVER (PARTITION BY {partition}) AS last_delete, \
            max(s.place) OVER (PARTITION BY {partition}) AS last FROM gone s), \
         folded AS (INSERT INTO {STAGE} ({names}, {SEQUENCE}, {DELETED}, {UNSET}) \
            SELECT {folded}, max(g.{SEQUENCE}), bool_or(g.{DELETED}), \
                {unset} \
            FROM ranked g WHERE g.last_delete IS NULL OR g.place > g.last_delete OR (g.place = g.last AND g.{DELETED}) \
            GROUP BY {group} RETURNING 1) \
         SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM folded)",
        equal(layout, &layout.key, "s", "d"),
        partition = partition.join(", "),
        names = names.join(", "),
        folded = folded.join(", "),
        group = group.join(", "),
        unset = if layout.own.is_mark() {
            // The row is still there: what is unset is as it was.
            format!("bit_and(g.{UNSET})")
        } else {
            let zeros = "0".repeat(layout.columns.len());
            format!(
                "CASE WHEN bool_or(g.last_delete IS NOT NULL) THEN B'{zeros}' ELSE bit_and(g.{UNSET}) END"
            )
        },
    )
}

/// Whether the rows have numbers.
pub(crate) fn is_numbered() -> String {
    format!(
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '{STAGE}'::regclass AND attname = '{}')",
        NUMBER.trim_matches('"')
    )
}

/// Numbers the rows, so that parts of them can be tried.
pub(crate) fn number() -> String {
    format!(
        "ALTER TABLE {STAGE} ADD COLUMN {NUMBER} bigint GENERATED ALWAYS AS IDENTITY; \
         CREATE INDEX ON {STAGE} ({NUMBER}); ANALYZE {STAGE}"
    )
}

/// Takes rows out; the condition is on `s`. Returns each row's sequence number and key, and ends with the list of what
/// it returns.
pub(crate) fn take_out(layout: &Layout, key: &[usize], using: &str, condition: &str) -> String {
    let columns: Vec<String> = key
        .iter()
        .map(|&position| format!("s.{}", layout.columns[position].ident()))
        .collect();
    let key = if columns.is_empty() {
        "NULL::text".to_owned()
    } else {
        key_text(columns.iter().map(String::as_str))
    };
    format!(
        "DELETE FROM {STAGE} s {using} WHERE {condition} RETURNING s.{SEQUENCE} AS sequence, {key} AS key"
    )
}

/// The condition that there is no such row in the table, or none that counts.
pub(crate) fn is_missing(layout: &Layout, alias: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM {} t WHERE {}{})",
        layout.table,
        equal(layout, &layout.key, "t", alias),
        layout.own.and_current("t")
    )
}

/// The condition that two rows have the same values in the columns at `positions`.
pub(crate) fn equal(layout: &Layout, positions: &[usize], a: &str, b: &str) -> String {
    let pairs: Vec<String> = positions
        .iter()
        .map(|&position| format!("{a}.{0} = {b}.{0}", layout.columns[position].ident()))
        .collect();
    pairs.join(" AND ")
}
