//! SOQL as text: literals that cannot break out, and the few queries this crate asks.

use connector_core::value::Instant;

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
    /// The object.
    pub(crate) object: &'a str,
    /// The columns, in order.
    pub(crate) columns: &'a [String],
    /// Only records whose cursor lies within.
    pub(crate) window: Option<&'a Window>,
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

    /// The records with these ids.
    pub(crate) fn by_ids(&self, ids: &[String]) -> String {
        let ids: Vec<String> = ids.iter().map(|id| quote(id)).collect();
        format!(
            "SELECT {} FROM {} WHERE Id IN ({})",
            self.columns.join(","),
            self.object,
            ids.join(",")
        )
    }

    /// The number of records.
    pub(crate) fn count(&self) -> String {
        format!("SELECT COUNT() FROM {}{}", self.object, self.conditions(None))
    }

    fn conditions(&self, last: Option<&str>) -> String {
        let mut conditions = Vec::new();
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

/// `text` as a string literal.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// `instant` as a literal; the org keeps whole seconds.
pub(crate) fn instant(instant: Instant) -> String {
    instant.floor_to_second().to_string()
}

/// Whether `name` can be an object's or field's API name, and so may stand in a path or a query as it is.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_cannot_break_out() {
        assert_eq!(
            quote("O'Neil\\ \"x\"\n\r\t\u{8}\u{c}é"),
            r#"'O\'Neil\\ \"x\"\n\r\t\b\fé'"#
        );
        assert_eq!(quote("' OR Name != '"), r"'\' OR Name != \''");
    }

    #[test]
    fn names_are_plain() {
        assert!(is_name("LeadScore__c") && is_name("ns__X__c"));
        for name in [
            "",
            "Lead/describe",
            "Lead Where",
            "1Lead",
            "Lead'",
            "Lead?x",
            "リード",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

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
}
