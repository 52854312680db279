//! Memory in use, and words that must not be shown.

use super::verdict::{Failure, Verdict};

/// Bytes of memory that this process uses, where the machine says.
pub(crate) fn memory_in_use() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// A limit on how much more memory may be used than at the start.
pub(crate) struct Ceiling {
    start: u64,
    most: u64,
    /// What was freed before and is the process's still: taken up, so that nobody grows into it unseen.
    _spare: Vec<Vec<u8>>,
}

impl Ceiling {
    /// At most `bytes` more than now.
    pub(crate) fn from_here(bytes: u64) -> Self {
        let spare = spare();
        Self {
            start: memory_in_use().unwrap_or_default(),
            most: bytes,
            _spare: spare,
        }
    }

    /// Fails if the limit is passed.
    pub(crate) fn look(&self, when: &str) -> Verdict {
        let more = memory_in_use().unwrap_or_default().saturating_sub(self.start);
        if more <= self.most {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} MiB of memory were taken {when}; at most {} are allowed",
            more >> 20,
            self.most >> 20
        )))
    }
}

/// Takes memory until the process has to ask for more.
fn spare() -> Vec<Vec<u8>> {
    const BLOCK: usize = 64 << 10;
    const MOST: usize = (2 << 30) / BLOCK;
    let before = memory_in_use().unwrap_or(u64::MAX >> 1);
    let mut taken: Vec<Vec<u8>> = Vec::new();
    while taken.len() < MOST && memory_in_use().is_some_and(|now| now < before + (2 << 20)) {
        taken.extend((0..16).map(|_| vec![1; BLOCK]));
    }
    taken
}

/// Fails if `shown` holds one of `secrets`, as it is or as URLs, `Debug` and base64 write it.
pub(crate) fn hidden(shown: &str, secrets: &[String]) -> Verdict {
    for (number, secret) in secrets.iter().enumerate() {
        let debugged = format!("{secret:?}");
        let mut forms = vec![
            secret.clone(),
            escaped(secret),
            debugged.trim_matches('"').to_owned(),
        ];
        // Of a few bytes, base64 leaves too little to be told from any other text.
        if secret.len() >= 8 {
            forms.extend((0..3).map(|place| base64(secret, place)));
        }
        if let Some(place) = forms.iter().find_map(|form| shown.find(form.as_str())) {
            // The secret itself is not repeated here.
            let line = shown[..place].lines().count();
            return Err(Failure::new(format!(
                "secret {} of {} is shown, in line {line} of what was collected",
                number + 1,
                secrets.len()
            )));
        }
    }
    Ok(())
}

/// A text as a URL has it.
fn escaped(text: &str) -> String {
    let character = |byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(character).collect()
}

/// What the base64 of a longer text has in it wherever `text` stands there, `place` bytes into a group of three: the
/// characters at its ends, which its neighbours have a share in, are left out.
fn base64(text: &str, place: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = std::iter::repeat_n(0, place).chain(text.bytes()).collect();
    let bit = |bit: usize| bytes[bit / 8] >> (7 - bit % 8) & 1;
    let (first, end) = ((place * 8).div_ceil(6), bytes.len() * 8 / 6);
    let character = |position: usize| {
        let bits = (position * 6..position * 6 + 6).fold(0, |bits, next| bits << 1 | bit(next));
        char::from(ALPHABET[usize::from(bits)])
    };
    (first..end).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secrets = ["p@ss \"word\"/é".to_owned()];
        let shown = [
            "it is p@ss \"word\"/é",
            "?token=p%40ss%20%22word%22%2F%C3%A9&page=2",
            "Secret(\"p@ss \\\"word\\\"/é\")",
            // Behind nothing, `me:` and so on: at each place in a group of three.
            "cEBzcyAid29yZCIvw6k=",
            "bWU6cEBzcyAid29yZCIvw6k=",
            "bTpwQHNzICJ3b3JkIi/DqQ==",
            "eW91OnBAc3MgIndvcmQiL8OpOnRoZW0=",
        ];
        for shown in shown {
            assert!(hidden(shown, &secrets).is_err(), "{shown}");
        }
        let hidden_well = hidden("p@ss, word, cEBzcyAi", &secrets);
        assert_eq!(hidden_well, Ok(()));
    }
}
