//! The query part of a request's target.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a link leaves unescaped.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b',');

/// Decoded parameters in the order they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads `a=1&b=2` as PHP does: a bare `+` is a space.
    pub(super) fn parse(text: &str) -> Self {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        Self { pairs }
    }

    /// The last value of a parameter, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self
            .pairs
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// The comma-separated values of a parameter.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.get(name)
            .map(|value| value.split(',').map(str::trim).collect())
    }

    /// A relative link: these parameters, then the others of this query but those named in `without`.
    pub(super) fn link(&self, first: &[(&str, String)], without: &[&str]) -> String {
        let others = self
            .pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .filter(|(name, _)| !without.contains(name) && !first.iter().any(|(known, _)| known == name));
        let pairs: Vec<String> = first
            .iter()
            .map(|(name, value)| (*name, value.clone()))
            .chain(others)
            .map(|(name, value)| {
                format!(
                    "{}={}",
                    utf8_percent_encode(name, PLAIN),
                    utf8_percent_encode(&value, PLAIN)
                )
            })
            .collect();
        format!("?{}", pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_plus_is_a_space() {
        let query = Query::parse("id:in=1,2&date_modified%3Amin=a+b%2Bc&page=&page=&limit=5&limit=6");
        assert_eq!(query.list("id:in"), Some(vec!["1", "2"]));
        assert_eq!(query.get("date_modified:min"), Some("a b+c"));
        assert_eq!(query.get("page"), None);
        assert_eq!(query.get("limit"), Some("6"));
    }

    #[test]
    fn a_link_keeps_the_other_parameters() {
        let query = Query::parse("page=2&limit=50&date_modified:min=2018-01-10T00:00:00%2B00:00");
        assert_eq!(
            query.link(&[("page", "3".to_owned()), ("limit", "50".to_owned())], &[]),
            "?page=3&limit=50&date_modified:min=2018-01-10T00:00:00%2B00:00"
        );
    }
}
