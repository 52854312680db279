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
}

impl Ceiling {
    /// At most `bytes` more than now.
    pub(crate) fn from_here(bytes: u64) -> Self {
        Self {
            start: memory_in_use().unwrap_or_default(),
            most: bytes,
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

/// Fails if `shown` holds one of `secrets`, as it is or as URLs and base64 write it.
pub(crate) fn hidden(shown: &str, secrets: &[String]) -> Verdict {
    for (number, secret) in secrets.iter().enumerate() {
        let escaped: String = secret
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect();
        let debugged = format!("{secret:?}");
        for form in [secret.as_str(), escaped.as_str(), debugged.trim_matches('"')] {
            if shown.contains(form) {
                // The secret itself is not repeated here.
                let place = shown.find(form).unwrap_or_default();
                let line = shown[..place].lines().count();
                return Err(Failure::new(format!(
                    "secret {} of {} is shown, in line {line} of what was collected",
                    number + 1,
                    secrets.len()
                )));
            }
        }
    }
    Ok(())
}
