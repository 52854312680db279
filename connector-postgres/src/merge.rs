//! From the staging table into the table: SQL as text, and nothing else.

use crate::column::TargetColumn;
use crate::history;
use crate::own::mark_column;
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
    /// Marks it as deleted.
    Mark,
    /// Ends its version in a history.
    Close,
    /// Inserts all of them.
    Insert,
    /// Inserts what is new and updates what differs. Rows that are the same are not touched.
    Upsert,
    /// The same for records that leave something unset.
    PartialUpsert,
    /// Updates what differs.
    Update,
    /// Ends versions that differ and begins others.
    History,
}

impl Merge {
    fn deletes(self) -> bool {
        matches!(self, Self::Delete | Self::Mark | Self::Close)
    }

    /// The statement, for all rows or those with the numbers of `part`.
    pub(crate) fn sql(self, layout: &Layout, shape: &Shape, part: Option<(i64, i64)>) -> String {
        let rows = rows(layout, self.deletes(), part);
        match self {
            Self::Delete => format!(
                "WITH gone AS (DELETE FROM {} t USING {STAGE} s WHERE {rows} AND {} RETURNING 1) \
                 SELECT 0::bigint, 0::bigint, count(*), 0::bigint FROM gone",
                layout.table,
                equal(layout, &layout.key, "t", "s")
            ),
            Self::Mark => format!(
                "WITH gone AS (UPDATE {} t SET {mark} = now() FROM {STAGE} s WHERE {rows} AND {} AND t.{mark} IS NULL RETURNING 1) \
                 SELECT 0::bigint, 0::bigint, count(*), 0::bigint FROM gone",
                layout.table,
                equal(layout, &layout.key, "t", "s"),
                mark = mark_column(),
            ),
            Self::Close => history::close(layout, &rows),
            Self::History => history::merge(layout, shape, &rows),
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
                 inserted AS (INSERT INTO {} ({}) SELECT {} FROM missing s ON CONFLICT {} DO NOTHING RETURNING 1), \
                 counted AS (SELECT count(*) AS n FROM inserted) \
                 SELECT n, (SELECT count(*) FROM updated), 0::bigint, (SELECT count(*) FROM missing) - n FROM counted",
                update(layout, shape, &rows),
                is_missing(layout, "s"),
                layout.table,
                shape.column_list(layout),
                new_values(layout, shape),
                layout.conflict_target()
            ),
            Self::Update => format!(
                "WITH updated AS ({}) SELECT 0::bigint, count(*), 0::bigint, 0::bigint FROM updated",
                update(layout, shape, &rows)
            ),
        }
    }
}

fn rows(layout: &Layout, deleted: bool, part: Option<(i64, i64)>) -> String {
    let rows = match deleted {
        // Whatever else a record says, it names a row.
        _ if layout.names_only => "true".to_owned(),
        true => format!("s.{DELETED}"),
        false => format!("NOT s.{DELETED}"),
    };
    match part {
        None => rows,
        Some((first, last)) => format!("{rows} AND s.{NUMBER} BETWEEN {first} AND {last}"),
    }
}

fn upsert(layout: &Layout, shape: &Shape, rows: &str) -> String {
    let list = shape.column_list(layout);
    let changing: Vec<String> = changing(layout, shape)
        .map(|(_, column)| column.ident().to_string())
        .collect();
    let side = |alias: &str| -> Vec<String> {
        changing
            .iter()
            .map(|column| format!("{alias}.{column}"))
            .collect()
    };
    let mut set: Vec<String> = changing
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let (mut old, mut new) = (side("t"), side("excluded"));
    clear_mark(layout, &mut set, &mut old, &mut new);
    let mut conflict = String::from("NOTHING");
    if !set.is_empty() {
        conflict = format!("UPDATE SET {} WHERE {}", set.join(", "), differ(&old, &new));
    }
    format!(
        "WITH merged AS (INSERT INTO {} AS t ({list}) SELECT {list} FROM {STAGE} s WHERE {rows} \
         ON CONFLICT {} DO {conflict} RETURNING xmax = 0 AS created) \
         SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created), 0::bigint, 0::bigint FROM merged",
        layout.table,
        layout.conflict_target()
    )
}

/// A row that is put is there again.
fn clear_mark(layout: &Layout, set: &mut Vec<String>, old: &mut Vec<String>, new: &mut Vec<String>) {
    if layout.own.is_mark() {
        let mark = mark_column();
        set.push(format!("{mark} = NULL"));
        old.push(format!("t.{mark}"));
        new.push("NULL::timestamptz".to_owned());
    }
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
    clear_mark(layout, &mut set, &mut old, &mut new);
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
pub(crate) fn new_values(layout: &Layout, shape: &Shape) -> String {
    let values: Vec<String> = carried(layout, shape)
        .map(|(position, column)| match &column.default {
            Some(default) if shape.masked => format!(
                "CASE WHEN {} THEN {default} ELSE s.{} END",
                is_unset("s", position),
                column.ident()
            ),
            _ => format!("s.{}", column.ident()),
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
