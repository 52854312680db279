//! The part of a list that a request asks for.

use super::error::Refusal;
use super::query::Query;

/// Rows on a page where the request doesn't say.
const DEFAULT: u64 = 50;
/// Rows on a page at most.
const MOST: u64 = 250;

/// `page` and `limit`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// From 1.
    pub(super) number: u64,
    pub(super) limit: u64,
}

impl Page {
    pub(super) fn parse(query: &Query) -> Result<Self, Refusal> {
        let page = Self {
            number: positive(query, "page", 1)?,
            limit: positive(query, "limit", DEFAULT)?,
        };
        if page.limit > MOST {
            Err(Refusal::LimitTooLarge)
        } else {
            Ok(page)
        }
    }

    /// Rows to skip.
    pub(super) fn skip(self) -> usize {
        usize::try_from((self.number - 1).saturating_mul(self.limit)).unwrap_or(usize::MAX)
    }

    /// Rows to show.
    pub(super) fn take(self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }
}

fn positive(query: &Query, name: &str, default: u64) -> Result<u64, Refusal> {
    let Some(text) = query.get(name) else {
        return Ok(default);
    };
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| Refusal::invalid(name, "Not a whole number above 0."))
}

/// A sort: a field, and whether large values come first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sort {
    pub(super) field: &'static str,
    pub(super) descending: bool,
}

impl Sort {
    /// Reads `sort=field:asc` with one of the fields an endpoint knows.
    pub(super) fn parse(query: &Query, fields: &[&'static str]) -> Result<Option<Self>, Refusal> {
        let Some(text) = query.get("sort") else {
            return Ok(None);
        };
        let (name, direction) = text.split_once(':').unwrap_or((text, "asc"));
        let field = fields.iter().find(|&&field| field == name);
        match (field, direction) {
            (Some(&field), "asc" | "desc") => Ok(Some(Self {
                field,
                descending: direction == "desc",
            })),
            _ => Err(Refusal::invalid(
                "sort",
                "Not a field and direction this list is sorted by.",
            )),
        }
    }

    /// Sorts rows by a key; equal ones stay ordered by id.
    pub(super) fn apply<T, K: Ord>(self, rows: &mut [T], key: impl FnMut(&T) -> K) {
        if self.descending {
            let mut key = key;
            rows.sort_by_cached_key(|row| std::cmp::Reverse(key(row)));
        } else {
            rows.sort_by_cached_key(key);
        }
    }
}
