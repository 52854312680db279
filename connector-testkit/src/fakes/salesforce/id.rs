//! Record ids: 15 case-sensitive characters and a checksum of 3.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// Where the org lives, the part between prefix and number that all its ids share.
const POD: &[u8; 6] = b"Hr0000";

fn checksum(fifteen: &[u8]) -> [u8; 3] {
    let mut sum = [0; 3];
    for (group, slot) in fifteen.chunks(5).zip(&mut sum) {
        let bits = group.iter().enumerate().fold(0, |bits, (place, byte)| {
            if byte.is_ascii_uppercase() {
                bits | 1 << place
            } else {
                bits
            }
        });
        *slot = CHECKSUM[bits & 31];
    }
    sum
}

/// The 18-character id of record `n` of the object with this key prefix.
pub(super) fn make(prefix: &str, n: u64) -> String {
    let mut id = [b'0'; 18];
    for (slot, byte) in id.iter_mut().zip(prefix.bytes().chain(POD.iter().copied())) {
        *slot = byte;
    }
    let mut rest = n;
    for slot in id[9..15].iter_mut().rev() {
        *slot = ALPHABET[usize::try_from(rest % 62).unwrap_or_default()];
        rest /= 62;
    }
    let sum = checksum(&id[..15]);
    id[15..].copy_from_slice(&sum);
    id.iter().map(|&byte| char::from(byte)).collect()
}

/// The 18-character form of a well-formed id of 15 or 18 characters; letter case lost on the way is restored from
/// the checksum.
pub(super) fn normalize(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut fifteen = bytes[..15].to_vec();
    if bytes.len() == 18 {
        for (place, byte) in fifteen.iter_mut().enumerate() {
            let sum = bytes[15 + place / 5].to_ascii_uppercase();
            let bits = CHECKSUM.iter().position(|&known| known == sum)?;
            *byte = if bits >> (place % 5) & 1 == 1 {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            };
        }
    }
    let sum = checksum(&fifteen);
    if bytes.len() == 18 && sum != bytes[15..].to_ascii_uppercase()[..] {
        return None;
    }
    fifteen.extend_from_slice(&sum);
    String::from_utf8(fifteen).ok()
}

/// The number of the record with this id, if it is one of this org and object.
pub(super) fn number(prefix: &str, id: &str) -> Option<u64> {
    let id = normalize(id)?;
    let body = id.as_bytes().strip_prefix(prefix.as_bytes())?.strip_prefix(POD)?;
    body[..6].iter().try_fold(0, |sum, byte| {
        let digit = ALPHABET.iter().position(|known| known == byte)?;
        Some(sum * 62 + digit as u64)
    })
}
