//! From the staging table into the table: SQL as text, and nothing else.

use std::fmt::Write;

use crate::difference::key_text;
use crate::ident::{Ident, Literal};
use crate::table::Layout;

/// The staging table; it ends with the transaction.
pub(crate) const STAGE: &str = "pg_temp.\"connector stage\"";
/// Its columns beyond the table's.
const SEQUENCE: &str = "\"connector sequence\"";
const DELETED: &str = "\"connector deleted\"";

/// Makes the staging table.
pub(crate) fn create_stage(layout: &Layout) -> String {
    format!(
        "CREATE TEMP TABLE \"connector stage\" ON COMMIT DROP AS \
         SELECT {}, NULL::bigint AS {SEQUENCE}, NULL::boolean AS {DELETED} FROM {} WITH NO DATA",
        layout.column_list(),
        layout.table
    )
}

/// The COPY into it.
pub(crate) fn copy_stage(layout: &Layout) -> String {
    format!(
        "COPY {STAGE} ({}, {SEQUENCE}, {DELETED}) FROM STDIN (FORMAT binary)",
        layout.column_list()
    )
}

/// The COPY straight into the table; `freeze` where the same transaction made it.
pub(crate) fn copy_table(layout: &Layout, freeze: bool) -> String {
    let freeze = if freeze { ", FREEZE" } else { "" };
    format!(
        "COPY {} ({}) FROM STDIN (FORMAT binary{freeze})",
        layout.table,
        layout.column_list()
    )
}

/// Leaves the last record of each key in the staging table.
pub(crate) fn deduplicate_stage(layout: &Layout) -> String {
    let key = layout.key_list();
    format!(
        "DELETE FROM {STAGE} s USING (SELECT {key}, max({SEQUENCE}) AS last FROM {STAGE} GROUP BY {key} HAVING count(*) > 1) d \
         WHERE {} AND s.{SEQUENCE} < d.last",
        equal_keys(layout, "s", "d")
    )
}

/// Leaves the last row of each key in a table that was loaded before it had its key.
pub(crate) fn deduplicate_table(layout: &Layout) -> String {
    let key = layout.key_list();
    format!(
        "DELETE FROM {table} t USING (SELECT {key}, max(ctid) AS last FROM {table} GROUP BY {key} HAVING count(*) > 1) d \
         WHERE {} AND t.ctid <> d.last",
        equal_keys(layout, "t", "d"),
        table = layout.table
    )
}

/// Deletes what the staging table says is gone.
pub(crate) fn delete(layout: &Layout) -> String {
    format!(
        "DELETE FROM {} t USING {STAGE} s WHERE s.{DELETED} AND {}",
        layout.table,
        equal_keys(layout, "t", "s")
    )
}

/// Inserts what is new and updates what differs; returns how many of each. Rows that are the same are not touched.
pub(crate) fn upsert(layout: &Layout) -> String {
    let list = layout.column_list();
    let changing: Vec<String> = layout
        .columns
        .iter()
        .enumerate()
        .filter(|(i, _)| !layout.key.contains(i) && !layout.keep.contains(i))
        .map(|(_, column)| Ident(&column.name).to_string())
        .collect();
    let mut conflict = String::from("NOTHING");
    if !changing.is_empty() {
        let set: Vec<String> = changing
            .iter()
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        conflict = format!("UPDATE SET {}", set.join(", "));
        let _ = write!(conflict, " WHERE {}", differs(&changing, "t", "excluded"));
    }
    format!(
        "WITH merged AS (INSERT INTO {} AS t ({list}) SELECT {list} FROM {STAGE} WHERE NOT {DELETED} \
         ON CONFLICT ({}) DO {conflict} RETURNING xmax = 0 AS created) \
         SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM merged",
        layout.table,
        layout.key_list()
    )
}

/// Which columns of the table hold the fingerprints of a write-back that went the other way.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprinted {
    /// The target's number.
    pub(crate) target: i32,
    /// Positions of the columns that make a fingerprint's key.
    pub(crate) key: Vec<usize>,
    /// Each field of a fingerprint, and its column's position.
    pub(crate) fields: Vec<(String, usize)>,
}

impl Fingerprinted {
    /// Joins the staging table's rows with what was confirmed of them.
    fn join(&self, layout: &Layout, sync: &str) -> String {
        let column = |position: usize| format!("s.{}", Ident(&layout.columns[position].name));
        let key: Vec<String> = self.key.iter().map(|&position| column(position)).collect();
        format!(
            "{STAGE} s JOIN {sync}.intent f ON f.target = {} AND f.key = {} AND f.confirmed IS NOT NULL AND NOT s.{DELETED}",
            self.target,
            key_text(key.iter().map(String::as_str))
        )
    }

    /// What came of the fingerprint's fields, in the fingerprint's own form: only those that a record of it holds.
    fn came(&self, layout: &Layout) -> String {
        let parts: Vec<String> = self
            .fields
            .iter()
            .map(|(name, position)| {
                format!("{}, s.{}", Literal(name), Ident(&layout.columns[*position].name))
            })
            .collect();
        format!("jsonb_build_object({})", parts.join(", "))
    }

    /// Counts the records that are our own write-back coming back: what was confirmed came, and nothing differs that
    /// anybody but the system can edit.
    pub(crate) fn count_echo(&self, layout: &Layout, sync: &str) -> String {
        let ours =
            |i: usize| layout.keep.contains(&i) || self.fields.iter().any(|(_, position)| *position == i);
        let columns = |editable: bool| -> Vec<String> {
            layout
                .columns
                .iter()
                .enumerate()
                .filter(|&(i, column)| column.editable == editable && !ours(i) && !layout.key.contains(&i))
                .map(|(_, column)| Ident(&column.name).to_string())
                .collect()
        };
        format!(
            "SELECT count(*) FROM {} JOIN {} t ON {} WHERE {} @> f.confirmed AND {} AND NOT {}",
            self.join(layout, sync),
            layout.table,
            equal_keys(layout, "t", "s"),
            self.came(layout),
            differs(&columns(false), "t", "s"),
            differs(&columns(true), "t", "s"),
        )
    }

    /// Counts the records that no longer hold what was confirmed of them.
    pub(crate) fn count_drift(&self, layout: &Layout, sync: &str) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE NOT {} @> f.confirmed",
            self.join(layout, sync),
            self.came(layout)
        )
    }

    /// Forgets what was confirmed of them.
    pub(crate) fn forget_drifted(&self, layout: &Layout, sync: &str) -> String {
        format!(
            "UPDATE {sync}.intent i SET confirmed = NULL, state = CASE i.state WHEN 'confirmed' THEN 'unconfirmed' ELSE i.state END \
             FROM {} WHERE i.target = f.target AND i.key = f.key AND NOT {} @> f.confirmed",
            self.join(layout, sync),
            self.came(layout)
        )
    }
}

fn equal_keys(layout: &Layout, a: &str, b: &str) -> String {
    let pairs: Vec<String> = layout
        .key_names()
        .map(|name| format!("{a}.{0} = {b}.{0}", Ident(name)))
        .collect();
    pairs.join(" AND ")
}

fn differs(columns: &[String], a: &str, b: &str) -> String {
    if columns.is_empty() {
        return "false".to_owned();
    }
    let side = |alias: &str| {
        columns
            .iter()
            .map(|column| format!("{alias}.{column}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    // As they are stored, not as `=` sees them: a month is not 30 days, and `json` has no `=` at all.
    // Without the casts, PostgreSQL would compare column by column.
    format!("(ROW({})::record *<> ROW({})::record)", side(a), side(b))
}
