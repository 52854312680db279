//! From the staging table into the table: SQL as text, and nothing else.

use crate::column::TargetColumn;
use crate::differ::{Compared, differ};
use crate::history;
use crate::ident::Ident;
use crate::own::mark_column;
use crate::shape::Shape;
use crate::stage::{DELETED, NUMBER, STAGE, carried, equal, is_missing, is_unset};
use crate::table::Layout;
use crate::types::PgType;

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
    /// Inserts what is new and updates what differs. Rows that are the same are not changed.
    Upsert,
    /// The same, and quicker where most rows are the same: only those that differ are taken up at all. Of a key that
    /// comes twice it must find one record only.
    UpsertFew,
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
            Self::Upsert | Self::UpsertFew => format!(
                "WITH merged AS ({} RETURNING xmax = 0 AS created) SELECT count(*) FILTER (WHERE created), \
                 count(*) FILTER (WHERE NOT created), 0::bigint, 0::bigint FROM merged",
                self.upsert(layout, shape, &rows)
            ),
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

    /// The statement for all rows without a word of what it did, which costs less; `None` where there is none.
    pub(crate) fn silent_sql(self, layout: &Layout, shape: &Shape) -> Option<String> {
        matches!(self, Self::Upsert | Self::UpsertFew)
            .then(|| self.upsert(layout, shape, &rows(layout, false, None)))
    }

    fn upsert(self, layout: &Layout, shape: &Shape, rows: &str) -> String {
        match self {
            Self::UpsertFew => upsert(layout, shape, &few(layout, shape, rows)),
            _ => upsert(layout, shape, &format!("WHERE {rows}")),
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

fn upsert(layout: &Layout, shape: &Shape, from: &str) -> String {
    let list = shape.column_list(layout);
    let mut set = Vec::new();
    let compared = changing(layout, shape).map(|(position, column)| {
        let name = column.ident();
        let value = match layout.overflow_at(position) {
            Some(overflow) => overflow.changed_value("t", "excluded", false),
            None => format!("excluded.{name}"),
        };
        set.push(format!("{name} = {value}"));
        (&column.pg_type, format!("t.{name}"), value)
    });
    let mut compared: Vec<_> = compared.collect();
    clear_mark(layout, "t", &mut set, &mut compared);
    let conflict = if set.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!("UPDATE SET {} WHERE {}", set.join(", "), differ(compared))
    };
    format!(
        "INSERT INTO {} AS t ({list}) SELECT {} FROM {STAGE} s {from} ON CONFLICT {} DO {conflict}",
        layout.table,
        new_values(layout, shape),
        layout.conflict_target()
    )
}

/// Where a row lies, by a name that no column has.
const PLACE: &str = "\"connector place\"";

/// Leaves the rows that are new or differ, the others neither locked nor written to the log.
///
/// Keys are joined first, and each row is then fetched from where it lies: a join of whole rows would not take place in
/// memory.
fn few(layout: &Layout, shape: &Shape, rows: &str) -> String {
    format!(
        "LEFT JOIN (SELECT {}, ctid AS {PLACE} FROM ONLY {table}) k ON {} \
         LEFT JOIN LATERAL (SELECT * FROM ONLY {table} r WHERE r.ctid = k.{PLACE} OFFSET 0) o ON true \
         WHERE {rows} AND ({})",
        layout.key_list(),
        equal(layout, &layout.key, "k", "s"),
        news(layout, shape),
        table = layout.table,
    )
}

/// The condition that the staged row `s` is new, or says something else than the row `o` of its key.
fn news(layout: &Layout, shape: &Shape) -> String {
    let key = layout.key_names().next().unwrap_or_default();
    let mut compared: Vec<_> = changing(layout, shape)
        .map(|(position, column)| {
            (
                &column.pg_type,
                format!("o.{}", column.ident()),
                changed_value(layout, position, "o", false),
            )
        })
        .collect();
    clear_mark(layout, "o", &mut Vec::new(), &mut compared);
    format!("o.{} IS NULL OR {}", Ident(key), differ(compared))
}

/// Looks at some `sample` of the staged `rows`: how many there are in it, and how many of them are news.
pub(crate) fn sample_news(layout: &Layout, shape: &Shape, sample: u64, rows: u64) -> String {
    // Apart, so that what is counted is one value of each row and not the columns of both: those may be too many.
    format!(
        "SELECT count(*), count(*) FILTER (WHERE is_news) FROM (SELECT {} AS is_news \
         FROM (SELECT * FROM {STAGE} TABLESAMPLE SYSTEM ({})) s LEFT JOIN {} o ON {} OFFSET 0) n",
        news(layout, shape),
        (sample as f64 * 100.0 / rows.max(1) as f64).min(100.0),
        layout.table,
        equal(layout, &layout.key, "o", "s"),
    )
}

/// A row that is put is there again.
fn clear_mark(layout: &Layout, row: &str, set: &mut Vec<String>, compared: &mut Vec<Compared<'_>>) {
    if layout.own.is_mark() {
        let mark = mark_column();
        set.push(format!("{mark} = NULL"));
        compared.push((
            &PgType::Timestamptz,
            format!("{row}.{mark}"),
            "NULL::timestamptz".to_owned(),
        ));
    }
}

fn update(layout: &Layout, shape: &Shape, rows: &str) -> String {
    let (mut set, mut compared) = (Vec::new(), Vec::new());
    for (position, column) in changing(layout, shape) {
        let name = column.ident();
        let mut value = changed_value(layout, position, "t", shape.masked);
        if shape.masked {
            value = format!(
                "CASE WHEN {} THEN t.{name} ELSE {value} END",
                is_unset("s", position)
            );
        }
        set.push(format!("{name} = {value}"));
        compared.push((&column.pg_type, format!("t.{name}"), value));
    }
    clear_mark(layout, "t", &mut set, &mut compared);
    if set.is_empty() {
        return "SELECT WHERE false".to_owned();
    }
    format!(
        "UPDATE {} t SET {} FROM {STAGE} s WHERE {rows} AND {} AND {} RETURNING 1",
        layout.table,
        set.join(", "),
        equal(layout, &layout.key, "t", "s"),
        differ(compared)
    )
}

/// What the row `old` gets of the staged row `s`.
pub(crate) fn changed_value(layout: &Layout, position: usize, old: &str, masked: bool) -> String {
    match layout.overflow_at(position) {
        Some(overflow) => overflow.changed_value(old, "s", masked),
        None => layout.columns[position].staged_value("s"),
    }
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
        .map(
            |(position, column)| match (&column.default, layout.overflow_at(position)) {
                (_, Some(overflow)) => overflow.new_value("s", shape.masked),
                (Some(default), _) if shape.masked => format!(
                    "CASE WHEN {} THEN {default} ELSE {} END",
                    is_unset("s", position),
                    column.staged_value("s")
                ),
                _ => column.staged_value("s"),
            },
        )
        .collect();
    values.join(", ")
}
