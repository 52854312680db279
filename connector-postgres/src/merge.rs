//! From the staging table into the table: SQL as text, and nothing else.

use crate::column::TargetColumn;
use crate::shape::Shape;
use crate::stage::{DELETED, NUMBER, STAGE, carried, equal, is_missing, is_unset};
use crate::table::Layout;

/// The COPY straight into the table; `freeze` where the same transaction made it.
pub(crate) fn copy_table(layout: &Layout, shape: &Shape, freeze: bool) -> String {
    let freeze = if freeze { ", FREEZE" } else { "" };
    format!(
        "COPY {} ({}) FROM STDIN (FORMAT binary{freeze})",
        layout.table,
        shape.column_list(layout)
    )
}

/// Leaves the last row of each key in a table that was loaded before it had its key.
pub(crate) fn deduplicate_table(layout: &Layout) -> String {
    let key = layout.key_list();
    format!(
        "DELETE FROM {table} t USING (SELECT {key}, max(ctid) AS last FROM {table} GROUP BY {key} HAVING count(*) > 1) d \
         WHERE {} AND t.ctid <> d.last",
        equal(layout, &layout.key, "t", "d"),
        table = layout.table
    )
}

/// A statement that moves staged rows; each says how many it created, updated and deleted, and how many it has to
/// look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Deletes what the staging table says is gone.
    Delete,
    /// Inserts all of them.
    Insert,
    /// Inserts what is new and updates what differs. Rows that are the same are not touched.
    Upsert,
    /// The same for records that leave something unset.
    PartialUpsert,
    /// Updates what differs.
    Update,
}

impl Merge {
    /// The statement, for all rows or those with the numbers of `part`.
    pub(crate) fn sql(self, layout: &Layout, shape: &Shape, part: Option<(i64, i64)>) -> String {
        let rows = rows(self == Self::Delete, part);
        match self {
            Self::Delete => format!(
                "WITH gone AS (DELETE FROM {} t USING {STAGE} s WHERE {rows} AND {} RETURNING 1) \
                 SELECT 0::bigint, 0::bigint, count(*), 0::bigint FROM gone",
                layout.table,
                equal(layout, &layout.key, "t", "s")
            ),
            Self::Insert => format!(
                "WITH inserted AS (INSERT INTO {} ({}) SELECT {} FROM {STAGE} s WHERE {rows} RETURNING 1) \
                 SELECT count(*), 0::bigint, 0::bigint, 0::bigint FROM inserted",
                layout.table,
                shape.column_list(layout),
                new_values(layout, shape)
            ),
            Self::Upsert => upsert(layout, shape, &rows),
            Self::PartialUpsert => format!(
                "WITH updated AS ({}), \
                 missing AS (SELECT s.* FROM {STAGE} s WHERE {rows} AND {}), \
                 inserted AS (INSERT INTO {} ({}) SELECT {} FROM missing s ON CONFLICT ({}) DO NOTHING RETURNING 1), \
                 counted AS (SELECT count(*) AS n FROM inserted) \
                 SELECT n, (SELECT count(*) FROM updated), 0::bigint, (SELECT count(*) FROM missing) - n FROM counted",
                update(layout, shape, &rows),
                is_missing(layout, "s"),
                layout.table,
                shape.column_list(layout),
                new_values(layout, shape),
                layout.key_list()
            ),
            Self::Update => format!(
                "WITH updated AS ({}) SELECT 0::bigint, count(*), 0::bigint, 0::bigint FROM updated",
                update(layout, shape, &rows)
            ),
        }
    }
}

fn rows(deleted: bool, part: Option<(i64, i64)>) -> String {
    let not = if deleted { "" } else { "NOT " };
    match part {
        None => format!("{not}s.{DELETED}"),
        Some((first, last)) => format!("{not}s.{DELETED} AND s.{NUMBER} BETWEEN {first} AND {last}"),
    }
}

fn upsert(layout: &Layout, shape: &Shape, rows: &str) -> String {
    let list = shape.column_list(layout);
    let changing: Vec<String> = changing(layout, shape)
        .map(|(_, column)| column.ident().to_string())
        .collect();
    let mut conflict = String::from("NOTHING");
    if !changing.is_empty() {
        let set: Vec<String> = changing
            .iter()
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let side = |alias: &str| -> Vec<String> {
            changing
                .iter()
                .map(|column| format!("{alias}.{column}"))
                .collect()
        };
        conflict = format!(
            "UPDATE SET {} WHERE {}",
            set.join(", "),
            differ(&side("t"), &side("excluded"))
        );
    }
    format!(
        "WITH merged AS (INSERT INTO {} AS t ({list}) SELECT {} FROM {STAGE} s WHERE {rows} \
         ON CONFLICT ({}) DO {conflict} RETURNING xmax = 0 AS created) \
         SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created), 0::bigint, 0::bigint FROM merged",
        layout.table,
        new_values(layout, shape),
        layout.key_list()
    )
}

fn update(layout: &Layout, shape: &Shape, rows: &str) -> String {
    let (mut set, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for (position, column) in changing(layout, shape) {
        let name = column.ident();
        let mut value = column.staged_value("s");
        if shape.masked {
            value = format!(
                "CASE WHEN {} THEN t.{name} ELSE {value} END",
                is_unset("s", position)
            );
        }
        set.push(format!("{name} = {value}"));
        old.push(format!("t.{name}"));
        new.push(value);
    }
    if set.is_empty() {
        return "SELECT WHERE false".to_owned();
    }
    format!(
        "UPDATE {} t SET {} FROM {STAGE} s WHERE {rows} AND {} AND {} RETURNING 1",
        layout.table,
        set.join(", "),
        equal(layout, &layout.key, "t", "s"),
        differ(&old, &new)
    )
}

/// The columns that an existing row may get another value in.
pub(crate) fn changing<'a>(
    layout: &'a Layout,
    shape: &'a Shape,
) -> impl Iterator<Item = (usize, &'a TargetColumn)> {
    carried(layout, shape).filter(|(i, _)| !layout.key.contains(i) && !layout.keep.contains(i))
}

/// What a new row gets: where nothing is said, the column's default.
fn new_values(layout: &Layout, shape: &Shape) -> String {
    let values: Vec<String> = carried(layout, shape)
        .map(|(position, column)| match &column.default {
            Some(default) if shape.masked => format!(
                "CASE WHEN {} THEN {default} ELSE {} END",
                is_unset("s", position),
                column.staged_value("s")
            ),
            _ => column.staged_value("s"),
        })
        .collect();
    values.join(", ")
}

/// The condition that two rows of values differ.
pub(crate) fn differ(a: &[String], b: &[String]) -> String {
    if a.is_empty() {
        return "false".to_owned();
    }
    // As they are stored, not as `=` sees them: a month is not 30 days, and `json` has no `=` at all.
    // Without the casts, PostgreSQL would compare column by column.
    format!(
        "(ROW({})::record *<> ROW({})::record)",
        a.join(", "),
        b.join(", ")
    )
}
