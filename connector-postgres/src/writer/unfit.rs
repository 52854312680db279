//! Staged rows that the mode does not let into the table.

use super::rejections::Reason;
use crate::merge::Merge;
use crate::shape::Shape;
use crate::stage::{self, DELETED, STAGE};
use crate::table::Layout;

/// Rows to take out of the staging table, and why.
pub(super) type Unfit = (String, Reason<'static>);

fn fields(layout: &Layout, positions: &[usize]) -> Vec<String> {
    let names = positions
        .iter()
        .map(|&position| layout.columns[position].field.clone());
    names.collect()
}

/// An insert changes nothing that is there: of a key that is taken, or comes twice, the first stays.
pub(super) fn known(layout: &Layout) -> Vec<Unfit> {
    let primary = &layout.primary;
    if primary.is_empty() {
        return Vec::new();
    }
    let key: Vec<String> = primary
        .iter()
        .map(|&position| layout.columns[position].ident().to_string())
        .collect();
    let key = key.join(", ");
    let twice =
        format!("USING (SELECT {key}, min(ctid) AS first FROM {STAGE} GROUP BY {key} HAVING count(*) > 1) d");
    let is_twice = format!(
        "{} AND s.ctid <> d.first",
        stage::equal(layout, primary, "s", "d")
    );
    let there = format!(
        "EXISTS (SELECT FROM {} t WHERE {})",
        layout.table,
        stage::equal(layout, primary, "t", "s")
    );
    let unfit = |using: &str, condition: &str| {
        let reason = Reason {
            code: "duplicate_key",
            message: "there is a record with this key already, and an insert changes none",
            fields: fields(layout, primary),
        };
        (stage::take_out(layout, primary, using, condition), reason)
    };
    vec![unfit(&twice, &is_twice), unfit("", &there)]
}

/// An update makes no record: one whose key is not there is rejected.
pub(super) fn unknown(layout: &Layout) -> Unfit {
    let condition = format!("NOT s.{DELETED} AND {}", stage::is_missing(layout, "s"));
    let reason = Reason {
        code: "not_found",
        message: "there is no record with this key, and an update makes none",
        fields: fields(layout, &layout.key),
    };
    (stage::take_out(layout, &layout.key, "", &condition), reason)
}

/// A staged row that would become a new one in which a column lacks the value it needs.
pub(super) fn lacking(layout: &Layout, shape: &Shape, kind: Merge) -> Option<Unfit> {
    if !shape.is_partial() || kind == Merge::Update {
        return None;
    }
    let (mut conditions, mut fields) = (Vec::new(), Vec::new());
    for (position, column) in layout.columns.iter().enumerate() {
        if !column.not_null || column.default.is_some() || layout.key.contains(&position) {
            continue;
        }
        if !shape.has(position) {
            conditions.push("true".to_owned());
        } else if shape.masked {
            conditions.push(stage::is_unset("s", position));
        } else {
            continue;
        }
        fields.push(column.field.clone());
    }
    if conditions.is_empty() {
        return None;
    }
    let mut condition = format!("NOT s.{DELETED} AND ({})", conditions.join(" OR "));
    if kind != Merge::Insert {
        condition = format!("{condition} AND {}", stage::is_missing(layout, "s"));
    }
    let reason = Reason {
        code: "null_value",
        message: "a new record says nothing about a column that needs a value",
        fields,
    };
    Some((stage::take_out(layout, &layout.key, "", &condition), reason))
}
