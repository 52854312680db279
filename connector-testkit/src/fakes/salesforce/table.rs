//! What was written to one object.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::timestamp::{DAY, SECOND};
use super::value::FieldValue;

/// Microseconds a deleted record stays in the recycle bin.
pub(super) const BIN_LIFE: i64 = 15 * DAY * SECOND;

/// The fields of one record that differ from its seed, by field index.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Vec<(u16, FieldValue)>);

impl Changes {
    pub(super) fn set(&mut self, field: usize, value: FieldValue) {
        let field = u16::try_from(field).unwrap_or(u16::MAX);
        match self.0.binary_search_by_key(&field, |(known, _)| *known) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (field, value)),
        }
    }

    pub(super) fn get(&self, field: usize) -> Option<&FieldValue> {
        let field = u16::try_from(field).ok()?;
        let place = self.0.binary_search_by_key(&field, |(known, _)| *known).ok()?;
        Some(&self.0[place].1)
    }

    pub(super) fn set_all(&mut self, values: &[(usize, FieldValue)]) {
        for (field, value) in values {
            self.set(*field, value.clone());
        }
    }
}

/// A record that was written to.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// `None`: there is no such record, not yet or no more.
    pub(super) current: Option<Changes>,
    /// A commit that becomes visible at the given microsecond, in place of `current`.
    pub(super) late: Option<Box<(i64, Changes)>>,
    /// Microseconds at which it was deleted.
    pub(super) deleted: Option<i64>,
    /// Whether it has left the recycle bin for good.
    pub(super) purged: bool,
}

impl Written {
    /// What a reader finds, if there is such a record.
    pub(super) fn at(&self, now: i64) -> Option<&Changes> {
        if self.purged || self.deleted.is_some_and(|at| now.saturating_sub(at) > BIN_LIFE) {
            return None;
        }
        match &self.late {
            Some(late) if late.0 <= now => Some(&late.1),
            _ => self.current.as_ref(),
        }
    }

    /// Makes a late commit the current state once it is visible.
    pub(super) fn settle(&mut self, now: i64) {
        if let Some(late) = self.late.take_if(|late| late.0 <= now) {
            self.current = Some(late.1);
        }
    }
}

/// All records of one object that were written to, over those that are made from their number.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Records `1..=seeded` exist without having been written.
    pub(super) seeded: u64,
    /// The highest number given out.
    pub(super) last: u64,
    pub(super) rows: BTreeMap<u64, Arc<Written>>,
    /// Records by the values written to key fields, in lower case; may be out of date.
    pub(super) keys: HashMap<usize, HashMap<String, Vec<u64>>>,
}

impl Table {
    pub(super) fn new(seeded: u64) -> Self {
        Self {
            seeded,
            last: seeded,
            ..Self::default()
        }
    }

    /// What to write to for record `n`.
    pub(super) fn written(&mut self, n: u64) -> &mut Written {
        let seeded = n <= self.seeded;
        let written = self.rows.entry(n).or_insert_with(|| {
            Arc::new(Written {
                current: seeded.then(Changes::default),
                ..Written::default()
            })
        });
        Arc::make_mut(written)
    }

    /// Remembers that record `n` was given this value of a key field.
    pub(super) fn remember(&mut self, field: usize, key: &str, n: u64) {
        let holders = self
            .keys
            .entry(field)
            .or_default()
            .entry(key.to_lowercase())
            .or_default();
        if !holders.contains(&n) {
            holders.push(n);
        }
    }
}
