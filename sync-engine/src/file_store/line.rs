//! Lines that show whether they are whole: a checksum, a space, JSON, a line feed.

use connector_core::{Error, ErrorKind, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Hexadecimal digits of the checksum.
const SUM: usize = 16;

/// `value` as a line.
pub(super) fn seal(value: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Bug, "a journal entry does not become JSON").with_source(error)
    })?;
    Ok(format!("{} {json}\n", hash(json.as_bytes(), SUM)))
}

/// The JSON of a line; `None` if the line is not as it was written.
pub(super) fn open(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, json) = line.split_at_checked(SUM)?;
    let json = json.strip_prefix(b" ")?;
    (hash(json, SUM).as_bytes() == sum).then_some(json)
}

/// The first `digits` hexadecimal digits of the SHA-256 of `bytes`.
pub(super) fn hash(bytes: &[u8], digits: usize) -> String {
    let mut text: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_whole_is_seen() {
        let line = seal(&"a\nb").unwrap();
        assert_eq!(open(line.as_bytes()), Some(&br#""a\nb""#[..]));
        for end in 0..line.len() {
            assert_eq!(open(&line.as_bytes()[..end]), None, "{end}");
        }
        let mut other = line.into_bytes();
        other[SUM + 2] ^= 1;
        assert_eq!(open(&other), None);
    }
}
