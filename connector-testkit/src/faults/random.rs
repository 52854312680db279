//! Chance that can be had again.

/// Numbers from a seed: the same every time.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The sequence `stream` of `seed`.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        // splitmix64: neighbouring seeds and streams start far apart.
        let mut state = seed.wrapping_add((stream + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // xorshift stays at 0 for ever.
        Self((state ^ (state >> 31)) | 1)
    }

    /// The next number, at least 0 and below 1.
    pub(super) fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
