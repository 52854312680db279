//! From the staging table into a history: SQL as text, and nothing else.

use connector_core::WriteMode;

use crate::differ::differ;
use crate::ident::Ident;
use crate::merge::{changed_value, new_values};
use crate::own::Own;
use crate::shape::Shape;
use crate::stage::{STAGE, equal, is_missing, is_unset};
use crate::table::Layout;

const FROM: Ident<'_> = Ident(WriteMode::VALID_FROM);
const TO: Ident<'_> = Ident(WriteMode::VALID_TO);
const CURRENT: Ident<'_> = Ident(WriteMode::CURRENT);
/// When a version that took another's place began.
const AT: &str = "\"connector at\"";

/// Keeps other writers of the history out until the transaction ends: who waited for them would not see what they
/// made.
pub(crate) fn lock(layout: &Layout) -> String {
    format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", layout.table)
}

/// The end of a version: the transaction's time, or just after its beginning if the clock says that this is yet to
/// come.
fn end() -> String {
    format!("{TO} = greatest(now(), t.{FROM} + interval '1 microsecond'), {CURRENT} = false")
}

/// Ends the versions of what is gone.
pub(crate) fn close(layout: &Layout, rows: &str) -> String {
    format!(
        "WITH gone AS (UPDATE {} t SET {} FROM {STAGE} s WHERE {rows} AND {} AND t.{CURRENT} RETURNING 1) \
         SELECT 0::bigint, 0::bigint, count(*), 0::bigint FROM gone",
        layout.table,
        end(),
        equal(layout, &layout.key, "t", "s")
    )
}

/// Ends the versions that differ and begins the next ones at the same time; begins those of what is new.
pub(crate) fn merge(layout: &Layout, shape: &Shape, rows: &str) -> String {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    let mut compared = Vec::new();
    for (position, column) in layout.columns.iter().enumerate() {
        let name = column.ident();
        let mut value = format!("t.{name}");
        let stays = layout.key.contains(&position) || layout.keep.contains(&position);
        if shape.has(position) && !stays {
            let said = changed_value(layout, position, "t", shape.masked);
            value = if shape.masked {
                format!(
                    "CASE WHEN {} THEN t.{name} ELSE {said} END",
                    is_unset("s", position)
                )
            } else {
                said
            };
            compared.push((&column.pg_type, format!("t.{name}"), value.clone()));
        }
        values.push(format!("{value} AS {name}"));
        names.push(name.to_string());
    }
    if let Own::Versions { others } = &layout.own {
        for name in others.iter().map(|name| Ident(name)) {
            values.push(format!("t.{name} AS {name}"));
            names.push(name.to_string());
        }
    }
    let (names, table) = (names.join(", "), &layout.table);
    let same_key = equal(layout, &layout.key, "t", "s");
    // One that had ended begins no earlier than it ended, whatever the clock says.
    format!(
        "WITH ended AS (UPDATE {table} t SET {end} FROM {STAGE} s WHERE {rows} AND {same_key} AND t.{CURRENT} AND {differ} \
            RETURNING {values}, t.{TO} AS {AT}), \
         followed AS (INSERT INTO {table} ({names}, {FROM}) SELECT {names}, {AT} FROM ended RETURNING 1), \
         begun AS (INSERT INTO {table} ({list}, {FROM}) SELECT {new_values}, \
            greatest(now(), (SELECT max(t.{TO}) FROM {table} t WHERE {same_key})) FROM {STAGE} s \
            WHERE {rows} AND {missing} RETURNING 1) \
         SELECT (SELECT count(*) FROM begun), (SELECT count(*) FROM followed), 0::bigint, 0::bigint",
        end = end(),
        differ = differ(compared),
        values = values.join(", "),
        list = shape.column_list(layout),
        new_values = new_values(layout, shape),
        missing = is_missing(layout, "s"),
    )
}
