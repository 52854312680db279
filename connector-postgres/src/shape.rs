//! What a row of a COPY holds, given what the records say.

use connector_core::{Batch, Fold, Op, Value};

use crate::table::Layout;

/// What the records of a batch leave unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unset {
    /// By position: some record leaves it unset.
    any: Vec<bool>,
    /// All records leave the same unset.
    uniform: bool,
    /// Some record leaves unset some of the fields that are folded.
    patched: bool,
}

impl Unset {
    /// Looks through the records; deletes say nothing beyond their key, and mean nothing by it. The field at `rest` may
    /// hold patches.
    pub(crate) fn of(batch: &Batch, rest: Option<usize>) -> Self {
        // Nearly always nothing is.
        if rest.is_none() && !batch.has_unset() {
            return Self {
                uniform: true,
                ..Self::default()
            };
        }
        let mut any: Vec<bool> = Vec::new();
        let (mut uniform, mut first) = (true, true);
        for record in batch.records().filter(|record| record.op() == Op::Put) {
            let is_unset = |value: Value<'_>| matches!(value, Value::Unset);
            if any.is_empty() && !record.values().any(is_unset) {
                first = false;
                continue;
            }
            let unset: Vec<bool> = record.values().map(is_unset).collect();
            if any != unset {
                uniform &= first;
                any.resize(unset.len(), false);
                any.iter_mut().zip(unset).for_each(|(any, unset)| *any |= unset);
            }
            first = false;
        }
        let is_patch = |value: Value<'_>| matches!(value, Value::Json(json) if Fold::is_patch(json));
        let patched = rest.is_some_and(|rest| batch.records().any(|record| is_patch(record.value(rest))));
        Self {
            any,
            uniform: uniform && !patched,
            patched,
        }
    }

    /// Whether any field of any record is unset.
    pub(crate) fn is_any(&self) -> bool {
        self.patched || !self.any.is_empty()
    }

    /// Whether some record's folded fields are a patch, which only makes sense of a row that is there.
    pub(crate) fn is_patched(&self) -> bool {
        self.patched
    }

    /// The positions that some record leaves unset.
    pub(crate) fn positions(&self) -> impl Iterator<Item = usize> {
        self.any
            .iter()
            .enumerate()
            .filter(|(_, any)| **any)
            .map(|(i, _)| i)
    }
}

/// What a row of a COPY holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Beyond the columns, the record's sequence number and whether it is deleted: a row of the staging table.
    pub(crate) staged: bool,
    /// Beyond that, which fields the record leaves unset, a bit each.
    pub(crate) masked: bool,
    /// By position: the column is not in it, for no record says anything about it. Empty: all are in it.
    pub(crate) left_out: Vec<bool>,
}

impl Shape {
    /// A row of the table itself.
    pub(crate) fn direct() -> Self {
        Self::default()
    }

    /// A row of the staging table for records that leave this unset.
    pub(crate) fn staged_for(unset: &Unset) -> Self {
        Self {
            staged: true,
            masked: !unset.uniform,
            left_out: if unset.uniform {
                unset.any.clone()
            } else {
                Vec::new()
            },
        }
    }

    /// A row of nothing but the key, of the staging table or not.
    pub(crate) fn naming(layout: &Layout, staged: bool) -> Self {
        Self {
            staged,
            masked: false,
            left_out: (0..layout.columns.len())
                .map(|position| !layout.key.contains(&position))
                .collect(),
        }
    }

    /// Whether records that leave this unset can be rows of this shape without loss.
    pub(crate) fn takes(&self, unset: &Unset) -> bool {
        self.masked || (unset.uniform && self.left_out == unset.any)
    }

    /// Whether the column at `position` is in it.
    pub(crate) fn has(&self, position: usize) -> bool {
        !self.left_out.get(position).copied().unwrap_or(false)
    }

    /// Whether rows may leave something unset.
    pub(crate) fn is_partial(&self) -> bool {
        self.masked || !self.left_out.is_empty()
    }

    /// Number of cells in a row.
    pub(crate) fn width(&self, layout: &Layout) -> usize {
        let columns = layout.columns.len() - self.left_out.iter().filter(|left_out| **left_out).count();
        columns + if self.staged { 2 } else { 0 } + usize::from(self.masked)
    }

    /// The columns in it, quoted and parted by commas.
    pub(crate) fn column_list(&self, layout: &Layout) -> String {
        let columns = layout.columns.iter().enumerate().filter(|&(i, _)| self.has(i));
        let names: Vec<String> = columns.map(|(_, column)| column.ident().to_string()).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_core::{BatchBuilder, DataType, Field, Schema};
    use std::sync::Arc;

    fn unset(rows: &[(Op, [Value<'_>; 3])]) -> Unset {
        let fields = ["a", "b", "c"].map(|name| Field::new(name, DataType::Int64));
        let schema = Arc::new(Schema::new(fields.to_vec(), ["a"]).unwrap());
        let mut builder = BatchBuilder::new(schema, 0);
        for (op, row) in rows {
            row.iter().for_each(|value| builder.push(*value));
            builder.end_record(*op);
        }
        Unset::of(&builder.finish(), None)
    }

    #[test]
    fn what_is_unset_in_every_record_is_told_from_what_is_not() {
        let (one, none) = (Value::Int(1), Value::Unset);
        let full = (Op::Put, [one, one, Value::Null]);
        let partial = (Op::Put, [one, none, one]);
        let other = (Op::Put, [one, one, none]);
        let gone = (Op::Delete, [one, none, none]);
        let shape = |rows: &[_]| {
            let unset = unset(rows);
            let shape = Shape::staged_for(&unset);
            (
                unset.positions().collect::<Vec<_>>(),
                shape.masked,
                shape.left_out,
            )
        };
        assert_eq!(shape(&[]), (vec![], false, vec![]));
        assert_eq!(shape(&[full, full, gone]), (vec![], false, vec![]));
        assert_eq!(
            shape(&[gone, partial, partial]),
            (vec![1], false, vec![false, true, false])
        );
        assert_eq!(shape(&[full, partial]), (vec![1], true, vec![]));
        assert_eq!(shape(&[partial, full]), (vec![1], true, vec![]));
        assert_eq!(shape(&[partial, other]), (vec![1, 2], true, vec![]));
        assert!(!Shape::staged_for(&unset(&[full])).takes(&unset(&[partial])));
        assert!(!Shape::staged_for(&unset(&[partial])).takes(&unset(&[full])));
        assert!(Shape::staged_for(&unset(&[full, partial])).takes(&unset(&[other])));
        assert!(Shape::staged_for(&unset(&[full])).takes(&unset(&[gone])));
    }
}
