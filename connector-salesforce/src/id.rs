//! Record ids: 15 characters in which letter case counts, or 18 with a checksum of it.

use std::fmt;

/// A record id in its 18-character form.
///
/// Both forms name the same record; comparing needs one of them. The org answers with 18 characters whatever was
/// sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id([u8; 18]);

impl Id {
    /// Reads either form; `None` for what cannot be an id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut id = [0; 18];
        id[..15].copy_from_slice(&bytes[..15]);
        match bytes.get(15..18) {
            Some(checksum) if checksum.len() == 3 => id[15..].copy_from_slice(checksum),
            _ => id[15..].copy_from_slice(&checksum(&bytes[..15])),
        }
        Some(Self(id))
    }

    /// The 18 characters.
    pub(crate) fn as_str(&self) -> &str {
        // Only ASCII letters and digits get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// One character per five: bit `i` is set where character `i` is a capital.
fn checksum(fifteen: &[u8]) -> [u8; 3] {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let mut out = [b'A'; 3];
    for (group, out) in fifteen.chunks(5).zip(&mut out) {
        let bits = group.iter().enumerate().fold(0, |bits, (i, byte)| {
            bits | usize::from(byte.is_ascii_uppercase()) << i
        });
        *out = ALPHABET[bits];
    }
    out
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_id() {
        let long = Id::parse("001D000000IRFmaIAH").unwrap();
        assert_eq!(Id::parse("001D000000IRFma"), Some(long));
        assert_eq!(long.as_str(), "001D000000IRFmaIAH");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "00Q",
            "001D000000IRFma'",
            "001D000000IRFmaI",
            "001D000000IRFmaIAHx",
            "００１D000000IRFm",
        ] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }
}
