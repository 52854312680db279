//! SOQL as text: literals that cannot break out, and the few queries this crate asks.

mod parse;
mod query;

pub(crate) use parse::{Item, Parsed, parse};
pub(crate) use query::{Query, Window};

use connector_core::value::Instant;

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
}
