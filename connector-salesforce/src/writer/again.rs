//! Trying records again that somebody else stood in the way of.

use std::time::Duration;

use super::columns::WriteColumns;
use super::row::Row;
use super::row_error::RowError;

/// Records of a call by attempt: fewer each time, so that one lock holds up fewer others.
const MOST: [usize; 3] = [50, 10, 1];

/// A record that may pass a little later.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) row: Row,
    pub(super) error: RowError,
}

impl Passing {
    pub(super) fn new(row: Row, error: RowError) -> Self {
        Self { row, error }
    }

    /// Whether it may be tried for the `attempt`-th time again.
    pub(super) fn may_try(&self, attempt: u32) -> bool {
        attempt <= self.error.tries()
    }
}

/// The most records of a call in this attempt.
pub(super) fn most(attempt: u32) -> usize {
    let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
    MOST.get(place).copied().unwrap_or(1)
}

/// How long to wait before it.
pub(super) fn pause(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.min(6))
}

/// The records in the order of their parents: a call locks a parent once, and no two calls want the same ones.
pub(super) fn sorted(passing: Vec<Passing>, columns: &WriteColumns) -> Vec<Row> {
    let parents: Vec<_> = columns
        .fields
        .iter()
        .filter(|column| column.parent.is_some() || column.field.kind == "reference")
        .collect();
    let mut rows: Vec<(Vec<String>, Row)> = passing
        .into_iter()
        .map(|passing| {
            let row = passing.row;
            let mut order: Vec<String> = parents
                .iter()
                .map(|column| row.value(column).to_string())
                .collect();
            order.push(row.key.as_str().to_owned());
            (order, row)
        })
        .collect();
    rows.sort_by(|(left, _), (right, _)| left.cmp(right));
    rows.into_iter().map(|(_, row)| row).collect()
}
