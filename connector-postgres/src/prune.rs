//! A sweep of what still exists, kept beside the table that is pruned by it: SQL as text, and nothing else.

use crate::ident::{Literal, Table};
use crate::own::mark_column;
use crate::stage::equal;
use crate::table::Layout;

/// The number that a sweep begins at: every transaction before it is over, so that all it did is there to be named.
pub(crate) const BEGIN: &str = "SELECT txid_snapshot_xmin(txid_current_snapshot())";

/// Makes the table of names, which has nothing but the key's columns; a server that crashes must not empty it.
pub(crate) fn create(layout: &Layout, names: &Table, remark: &str) -> String {
    let key: Vec<String> = layout
        .key
        .iter()
        .map(|&position| layout.columns[position].staged_definition())
        .collect();
    format!(
        "CREATE TABLE {names} ({}); {}",
        key.join(", "),
        remember(names, remark)
    )
}

/// What is to be remembered of the sweep beyond its names.
pub(crate) fn remember(names: &Table, remark: &str) -> String {
    format!("COMMENT ON TABLE {names} IS {}", Literal(remark))
}

/// The rows that are there, with a WHERE in front if not all of them are.
fn there(layout: &Layout) -> String {
    if layout.own.is_mark() {
        format!("t.{} IS NULL", mark_column())
    } else {
        "true".to_owned()
    }
}

/// The condition that a row was not named, and is older than the sweep. Rows made or changed since are left alone:
/// the sweep may have passed their place before.
fn is_doomed(layout: &Layout, names: &Table, since: i64) -> String {
    format!(
        "{} AND greatest(txid_current() - age(t.xmin), 3) < {since} AND NOT EXISTS (SELECT FROM {names} s WHERE {})",
        there(layout),
        equal(layout, &layout.key, "t", "s")
    )
}

/// Counts names, rows that are there, and those of them that would go.
pub(crate) fn count(layout: &Layout, names: &Table, since: i64) -> String {
    let table = &layout.table;
    format!(
        "SELECT (SELECT count(*) FROM {names}), (SELECT count(*) FROM {table} t WHERE {}), \
         (SELECT count(*) FROM {table} t WHERE {})",
        there(layout),
        is_doomed(layout, names, since)
    )
}

/// Deletes them, or marks them as deleted.
pub(crate) fn prune(layout: &Layout, names: &Table, since: i64) -> String {
    let doomed = is_doomed(layout, names, since);
    if layout.own.is_mark() {
        format!(
            "UPDATE {} t SET {} = now() WHERE {doomed}",
            layout.table,
            mark_column()
        )
    } else {
        format!("DELETE FROM {} t WHERE {doomed}", layout.table)
    }
}
