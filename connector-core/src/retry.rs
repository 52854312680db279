//! How often and how patiently to try again: data, and the pauses it means.

use std::time::Duration;

/// How often to try, and how the pauses grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first one included; at least 1.
    pub max_attempts: u32,
    /// The first pause, before jitter.
    pub first_pause: Duration,
    /// The longest pause, before jitter.
    pub longest_pause: Duration,
}

impl RetryPolicy {
    /// One try, no more.
    pub const NEVER: Self = Self {
        max_attempts: 1,
        first_pause: Duration::ZERO,
        longest_pause: Duration::ZERO,
    };
}

impl Default for RetryPolicy {
    /// Five tries; pauses of about 1, 2, 4 and 8 seconds.
    fn default() -> Self {
        Self {
            max_attempts: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(120),
        }
    }
}

/// The pauses between tries: doubling, capped, with full jitter over the upper half.
///
/// Pure: the same seed gives the same pauses. Ends when the tries are used up.
#[derive(Clone, Debug)]
pub struct Backoff {
    left: u32,
    next: Duration,
    longest: Duration,
    seed: u64,
}

impl Backoff {
    /// The pauses of `policy`; `seed` is whatever randomness the caller has.
    pub fn new(policy: &RetryPolicy, seed: u64) -> Self {
        Self {
            left: policy.max_attempts.saturating_sub(1),
            next: policy.first_pause.min(policy.longest_pause),
            longest: policy.longest_pause,
            seed,
        }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        // xorshift*: enough to spread clients that fail together.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let share = 0.5 + (self.seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 54) as f64;
        let pause = self.next.mul_f64(share);
        self.next = self.next.saturating_mul(2).min(self.longest);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_within_their_jitter_and_end() {
        let policy = RetryPolicy {
            max_attempts: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(3),
        };
        for seed in 1..200 {
            let pauses: Vec<_> = Backoff::new(&policy, seed).collect();
            assert_eq!(pauses.len(), 4);
            for (pause, full) in pauses.iter().zip([1, 2, 3, 3]) {
                assert!(
                    *pause >= Duration::from_secs(full) / 2 && *pause <= Duration::from_secs(full),
                    "{pause:?}"
                );
            }
        }
        assert_eq!(Backoff::new(&RetryPolicy::NEVER, 1).count(), 0);
    }
}
