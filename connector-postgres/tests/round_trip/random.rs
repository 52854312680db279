//! Numbers and texts that look random and are the same for the same seed.

/// `SplitMix64`: small, fast, and good enough for test data.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// From 0 to `limit`, without it.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.bits() % limit
    }

    /// From `first` to `last`, both of them included.
    pub(crate) fn within(&mut self, first: i64, last: i64) -> i64 {
        let width = (i128::from(last) - i128::from(first) + 1) as u128;
        (i128::from(first) + (u128::from(self.bits()) % width) as i128) as i64
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// An integer of so many bits: any number of them is as likely as any other, and the ends of the range come often.
    pub(crate) fn integer(&mut self, bits: u32) -> i64 {
        let any = (self.bits() as i64) >> (64 - bits);
        match self.below(8) {
            0 => self.one_of(&[
                0,
                1,
                -1,
                i64::MAX >> (64 - bits),
                i64::MIN >> (64 - bits),
                9_999,
                10_000,
            ]),
            1..4 => any >> self.below(u64::from(bits)),
            _ => any,
        }
    }

    /// Microseconds of a day, its end included.
    pub(crate) fn time(&mut self) -> i64 {
        let micros = self.within(0, 86_400_000_000);
        match self.below(8) {
            0 => self.one_of(&[0, 1, 999_999, 86_399_999_999, 86_400_000_000]),
            1..3 => micros - micros % 1_000_000,
            _ => micros,
        }
    }

    /// A text of up to `longest` characters: plain ones, those that some syntax minds, and any that there are.
    pub(crate) fn text(&mut self, longest: u64) -> String {
        const MINDED: &[char] = &[
            '"',
            '\'',
            '\\',
            '{',
            '}',
            '(',
            ')',
            '[',
            ']',
            ',',
            ';',
            ' ',
            '\n',
            '\r',
            '\t',
            '\u{1}',
            '\u{7f}',
            '%',
            '$',
            '\u{a0}',
            '\u{2028}',
            '\u{feff}',
            '\u{ffff}',
            '\u{10ffff}',
            '🚀',
            '日',
            'é',
            '\u{301}',
        ];
        if self.one_in(16) {
            let choices = [
                "", "NULL", "null", "\\N", "\\.", "NaN", "infinity", "{}", "00", "ﬁ", "İ",
            ];
            return self.one_of(&choices).chars().take(longest as usize).collect();
        }
        let length = self.below(longest.min(12) + 1);
        (0..length)
            .map(|_| match self.below(4) {
                0 => self.one_of(MINDED),
                1 => char::from_u32(self.below(0x11_0000) as u32)
                    .filter(|c| *c != '\0')
                    .unwrap_or('x'),
                _ => char::from(b'a' + self.below(26) as u8),
            })
            .collect()
    }

    /// The digits of a decimal: mostly few, sometimes a thousand; sometimes none that is a number.
    pub(crate) fn decimal(&mut self) -> String {
        if self.one_in(32) {
            return self
                .one_of(&["NaN", "Infinity", "-Infinity", "0", "0.000", "10000", "0.0001"])
                .to_owned();
        }
        let longest = match self.below(400) {
            0 => 1_000,
            1..40 => 60,
            _ => 9,
        };
        let (whole, fraction) = (self.below(longest + 1), self.below(longest + 1));
        let mut digits = |count: u64, out: &mut String| {
            out.extend((0..count).map(|_| char::from(b'0' + self.below(10) as u8)));
        };
        let (mut text, mut behind) = (String::new(), String::new());
        digits(whole, &mut text);
        digits(fraction, &mut behind);
        let text = text.trim_start_matches('0');
        let sign = if self.one_in(2) { "-" } else { "" };
        let whole = if text.is_empty() { "0" } else { text };
        if behind.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{behind}")
        }
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let longest = if self.one_in(100) { 300 } else { 12 };
        let length = self.below(longest);
        (0..length).map(|_| self.bits() as u8).collect()
    }
}
