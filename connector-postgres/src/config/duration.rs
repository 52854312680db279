//! Lengths of time.

use std::time::Duration;

use connector_core::{Error, ErrorKind, Properties, Result};

/// Seconds, or a number with its unit: `500ms`, `30s`, `5min`, `1h`, `30d`.
pub(super) fn read(given: &Properties, key: &str) -> Result<Option<Duration>> {
    let Some(text) = given.text(key) else {
        return Ok(None);
    };
    parse(text).map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("`{key}` is no length of time"))
            .with_help("write seconds, or a number with its unit: `500ms`, `30s`, `5min`, `1h`, `30d`")
    })
}

fn parse(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "min" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        "d" => Some(Duration::from_secs(number.checked_mul(24 * 3600)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_seconds_unless_they_say_otherwise() {
        assert_eq!(parse("30"), Some(Duration::from_secs(30)));
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("5 min"), Some(Duration::from_secs(300)));
        assert_eq!(parse("1h"), Some(Duration::from_secs(3600)));
        assert_eq!(parse("30d"), Some(Duration::from_secs(2_592_000)));
        for text in ["", "s", "1.5", "-1", "1w", "99999999999999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
