//! Whether a key came twice in one commit.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// More keys than this are not remembered: some 16 MiB.
const MOST: usize = 1 << 20;

/// What was seen of the keys of one commit.
///
/// Of each key a digest is kept. Two keys that have the same one, or more keys than are remembered, count as one that
/// came twice: whoever asks then looks closer.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: HashSet<u64, BuildHasherDefault<Digest>>,
    repeat: bool,
}

impl Keys {
    /// Nothing can be known: equal keys may be of different bytes.
    pub(super) fn unknown() -> Self {
        Self {
            repeat: true,
            ..Self::default()
        }
    }

    /// Takes the digest of a record's key.
    pub(super) fn add(&mut self, digest: u64) {
        if self.repeat {
            return;
        }
        if self.seen.len() == MOST || !self.seen.insert(digest) {
            self.seen = HashSet::default();
            self.repeat = true;
        }
    }

    /// Whether one may have come twice.
    pub(super) fn may_repeat(&self) -> bool {
        self.repeat
    }
}

/// A digest is a digest already.
#[derive(Default)]
struct Digest(u64);

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_twice_is_seen() {
        let mut seen = Keys::default();
        [3, 1, 2].into_iter().for_each(|digest| seen.add(digest));
        assert!(!seen.may_repeat());
        seen.add(1);
        assert!(seen.may_repeat());
        assert!(Keys::unknown().may_repeat());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Keys::default();
        for digest in 0..=MOST as u64 {
            assert!(!seen.may_repeat());
            seen.add(digest);
        }
        assert!(seen.may_repeat() && seen.seen.capacity() == 0);
    }
}
