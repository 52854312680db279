//! The few queries this crate asks.

use connector_core::value::Instant;

use super::{instant, quote};

/// A half-open span of a cursor field: what an incremental read asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The cursor field.
    pub(crate) cursor: String,
    /// The first instant within; `None`: from the start of time.
    pub(crate) from: Option<Instant>,
    /// The first instant after.
    pub(crate) until: Instant,
}

/// One query over one object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    /// The object, perhaps with an alias.
    pub(crate) object: &'a str,
    /// The columns, in order.
    pub(crate) columns: &'a [String],
    /// Only records whose cursor lies within.
    pub(crate) window: Option<&'a Window>,
    /// Of those, the ones that pass every condition.
    pub(crate) conditions: &'a [String],
}

impl Query<'_> {
    /// All records, in whatever order: Bulk answers faster when none is asked for.
    pub(crate) fn unordered(&self) -> String {
        format!(
            "SELECT {} FROM {}{}",
            self.columns.join(","),
            self.object,
            self.conditions(None)
        )
    }

    /// The records after `last`, in the order of their ids: a page can be asked for again by its last id alone.
    pub(crate) fn by_id(&self, last: Option<&str>) -> String {
        let columns = self.columns.join(",");
        format!(
            "SELECT {columns} FROM {}{} ORDER BY Id",
            self.object,
            self.conditions(last)
        )
    }

    /// The next `limit` records after `last`, by their ids.
    pub(crate) fn next_by_id(&self, last: Option<&str>, limit: usize) -> String {
        format!("{} LIMIT {limit}", self.by_id(last))
    }

    /// The records with these ids, whatever their cursor.
    pub(crate) fn by_ids<T: AsRef<str>>(&self, ids: &[T]) -> String {
        let ids: Vec<String> = ids.iter().map(|id| quote(id.as_ref())).collect();
        let mut conditions = self.conditions.to_vec();
        conditions.push(format!("Id IN ({})", ids.join(",")));
        format!(
            "SELECT {} FROM {} WHERE {}",
            self.columns.join(","),
            self.object,
            conditions.join(" AND ")
        )
    }

    /// The number of records.
    pub(crate) fn count(&self) -> String {
        format!("SELECT COUNT() FROM {}{}", self.object, self.conditions(None))
    }

    fn conditions(&self, last: Option<&str>) -> String {
        let mut conditions = self.conditions.to_vec();
        if let Some(Window { cursor, from, until }) = self.window {
            if let Some(from) = from {
                conditions.push(format!("{cursor} >= {}", instant(*from)));
            }
            conditions.push(format!("{cursor} < {}", instant(*until)));
        }
        if let Some(last) = last {
            conditions.push(format!("Id > {}", quote(last)));
        }
        if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_read_as_expected() {
        let at = |text| Instant::parse_iso(text).unwrap();
        let columns = ["Id".to_owned(), "Name".to_owned()];
        let until = at("2026-01-02T00:00:00.999Z");
        let mut window = Window {
            cursor: "SystemModstamp".to_owned(),
            from: None,
            until,
        };
        let whole = Query {
            object: "Lead",
            columns: &columns,
            window: None,
            conditions: &[],
        };
        assert_eq!(whole.unordered(), "SELECT Id,Name FROM Lead");
        assert_eq!(
            whole.by_id(Some("00Q'")),
            r"SELECT Id,Name FROM Lead WHERE Id > '00Q\'' ORDER BY Id"
        );
        assert_eq!(
            whole.by_ids(&["a".to_owned(), "b".to_owned()]),
            "SELECT Id,Name FROM Lead WHERE Id IN ('a','b')"
        );
        let first = Query {
            window: Some(&window),
            ..whole
        };
        assert_eq!(
            first.count(),
            "SELECT COUNT() FROM Lead WHERE SystemModstamp < 2026-01-02T00:00:00Z"
        );
        window.from = Some(at("2026-01-01T00:00:00Z"));
        let later = Query {
            window: Some(&window),
            ..whole
        };
        assert_eq!(
            later.by_id(Some("00Q1")),
            "SELECT Id,Name FROM Lead WHERE SystemModstamp >= 2026-01-01T00:00:00Z AND \
             SystemModstamp < 2026-01-02T00:00:00Z AND Id > '00Q1' ORDER BY Id"
        );
    }

    #[test]
    fn conditions_come_first() {
        let columns = ["Id".to_owned()];
        let conditions = ["(A = 1 OR B = 2)".to_owned()];
        let query = Query {
            object: "Lead l",
            columns: &columns,
            window: None,
            conditions: &conditions,
        };
        assert_eq!(
            query.next_by_id(Some("x"), 200),
            "SELECT Id FROM Lead l WHERE (A = 1 OR B = 2) AND Id > 'x' ORDER BY Id LIMIT 200"
        );
        assert_eq!(
            query.by_ids(&["a"]),
            "SELECT Id FROM Lead l WHERE (A = 1 OR B = 2) AND Id IN ('a')"
        );
    }
}
