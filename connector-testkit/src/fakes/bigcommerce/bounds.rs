//! A closed window of time.

use super::error::Refusal;
use super::query::Query;

/// Bounds of an instant, both inclusive, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    min: i64,
    max: i64,
}

impl Bounds {
    /// No bounds.
    pub(super) const OPEN: Self = Self {
        min: i64::MIN,
        max: i64::MAX,
    };

    /// Reads one parameter into a bound.
    pub(super) fn narrow(
        &mut self,
        query: &Query,
        name: &str,
        side: Side,
        parse: fn(&str) -> Option<i64>,
    ) -> Result<(), Refusal> {
        let Some(text) = query.get(name) else {
            return Ok(());
        };
        let at = parse(text).ok_or_else(|| Refusal::invalid(name, "Not a valid date."))?;
        match side {
            Side::Min => self.min = self.min.max(at),
            Side::Max => self.max = self.max.min(at),
            Side::Both => (self.min, self.max) = (at, at),
        }
        Ok(())
    }

    /// Whether an instant is within.
    pub(super) fn holds(self, at: i64) -> bool {
        self.min <= at && at <= self.max
    }

    /// Whether every instant is within.
    pub(super) fn is_open(self) -> bool {
        self.min == i64::MIN && self.max == i64::MAX
    }
}

/// The bound a parameter sets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// Both: equality.
    Both,
}
