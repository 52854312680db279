//! Names that are easily taken for one another, or for something else.

/// Each is a name of its own.
pub(crate) const ODD: &[&str] = &[
    "",
    " ",
    "plain",
    "Plain",
    "PLAIN",
    " plain",
    "plain ",
    "two words",
    "two  words",
    "a/b",
    "a\\b",
    "a//b",
    "../../plain",
    "it's",
    "it''s",
    "\"quoted\"",
    "'; DROP TABLE task; --",
    "per%cent",
    "per%25cent",
    "under_score",
    "underXscore",
    "$1",
    "a,b",
    "{a,b}",
    "[\"a\",\"b\"]",
    "[\"a\", \"b\"]",
    "{\"a\":1}",
    "null",
    "NULL",
    "0",
    "00",
    "0.0",
    "tab\tand\nline",
    "r\u{e9}sum\u{e9}",
    "re\u{301}sume\u{301}",
    "stra\u{df}e",
    "strasse",
    "\u{130}stanbul",
    "\u{6f22}\u{5b57}",
    "\u{1f980}",
    "\u{1f980}\u{200d}",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ODD;

    #[test]
    fn odd_names_are_all_different() {
        let different: BTreeSet<&str> = ODD.iter().copied().collect();
        assert_eq!(different.len(), ODD.len());
    }
}
