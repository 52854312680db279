//! Durations and sizes as people write them.

use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};

use crate::job::CommitEvery;

/// `90 s`, `5 min`, `1 h`, `250 ms`; a space may stand between.
pub(super) fn duration(text: &str) -> Result<Duration> {
    let (number, unit) = split(text);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong(text, "a duration such as \"90 s\" or \"5 min\"")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| wrong(text, "a duration such as \"90 s\" or \"5 min\""))?;
    Ok(Duration::from_millis(number.saturating_mul(millis)))
}

/// A size such as `64 MiB`, a duration, or both: `64 MiB, 30 s`.
pub(super) fn commit_every(text: &str) -> Result<CommitEvery> {
    let mut every = CommitEvery::default();
    for part in text.split(',').map(str::trim) {
        let (number, unit) = split(part);
        let bytes = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => {
                every.time = duration(part)
                    .map_err(|_| wrong(text, "a size or a duration such as \"64 MiB\" or \"30 s\""))?;
                continue;
            }
        };
        let number: usize = number
            .parse()
            .map_err(|_| wrong(text, "a size such as \"64 MiB\""))?;
        every.bytes = number.saturating_mul(bytes);
    }
    Ok(every)
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

fn wrong(text: &str, wanted: &str) -> Error {
    Error::new(ErrorKind::Config, format!("`{text}` is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        assert_eq!(duration("90 s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("5min").unwrap(), Duration::from_secs(300));
        assert!(duration("5").is_err());
        let every = commit_every("64 KiB, 2 s").unwrap();
        assert_eq!((every.bytes, every.time), (65_536, Duration::from_secs(2)));
        assert_eq!(
            commit_every("1 furlong").unwrap_err().to_string(),
            "`1 furlong` is not a size or a duration such as \"64 MiB\" or \"30 s\""
        );
    }
}
