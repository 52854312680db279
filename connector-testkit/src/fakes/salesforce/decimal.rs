//! Exact decimals on their text.

use std::cmp::Ordering;

/// A decimal number of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Digits before the point, without leading zeros; empty for zero.
    whole: String,
    /// Digits after the point, without trailing zeros.
    fraction: String,
}

impl Decimal {
    /// Reads `[+-]digits[.digits][e[+-]digits]`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.len() + fraction.len() == 0 || exponent.abs() > 400 {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let point = i32::try_from(whole.len()).ok()? + exponent;
        let (whole, fraction) = match usize::try_from(point) {
            Ok(point) if point >= digits.len() => (
                format!("{digits}{}", "0".repeat(point - digits.len())),
                String::new(),
            ),
            Ok(point) => (digits[..point].to_owned(), digits[point..].to_owned()),
            Err(_) => (
                String::new(),
                format!("{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
            ),
        };
        Some(Self::tidy(negative, &whole, &fraction))
    }

    fn tidy(negative: bool, whole: &str, fraction: &str) -> Self {
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Self {
            negative: negative && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        }
    }

    /// Digits before the point.
    pub(super) fn whole_digits(&self) -> usize {
        self.whole.len()
    }

    /// Whether there is nothing after the point.
    pub(super) fn is_whole(&self) -> bool {
        self.fraction.is_empty()
    }

    /// Rounded half up (away from zero) to `scale` places.
    pub(super) fn round(&self, scale: usize) -> Self {
        if self.fraction.len() <= scale {
            return self.clone();
        }
        let mut digits = format!("0{}{}", self.whole, &self.fraction[..scale]).into_bytes();
        if self.fraction.as_bytes()[scale] >= b'5' {
            for digit in digits.iter_mut().rev() {
                if *digit == b'9' {
                    *digit = b'0';
                } else {
                    *digit += 1;
                    break;
                }
            }
        }
        let digits = String::from_utf8(digits).unwrap_or_default();
        let point = digits.len() - scale;
        Self::tidy(self.negative, &digits[..point], &digits[point..])
    }

    /// Plain notation without needless zeros: `-12.5`, `0.01`, `950000000`.
    pub(super) fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        if self.fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{}", self.fraction)
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || {
            let whole = self
                .whole
                .len()
                .cmp(&other.whole.len())
                .then_with(|| self.whole.cmp(&other.whole));
            whole.then_with(|| self.fraction.cmp(&other.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// The plain number `text` as REST shows a double: `3.0`, `87.5`.
pub(super) fn write_double(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    if !text.contains('.') {
        out.extend_from_slice(b".0");
    }
}

/// The plain number `text` as Bulk CSV shows a double: scientific from 10⁷ on and below 10⁻³, `9.5E8`, all digits kept.
pub(super) fn write_scientific(out: &mut Vec<u8>, text: &str) {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let (digits, exponent) = if whole.len() > 7 {
        (format!("{whole}{fraction}"), whole.len() - 1)
    } else if whole == "0" && fraction.starts_with("000") {
        return write_tiny(out, text.starts_with('-'), fraction);
    } else {
        return write_double(out, text);
    };
    if text.starts_with('-') {
        out.push(b'-');
    }
    let tail = digits[1..].trim_end_matches('0');
    out.push(digits.as_bytes()[0]);
    out.push(b'.');
    out.extend_from_slice(if tail.is_empty() { b"0" } else { tail.as_bytes() });
    out.extend_from_slice(format!("E{exponent}").as_bytes());
}

fn write_tiny(out: &mut Vec<u8>, negative: bool, fraction: &str) {
    let zeros = fraction.bytes().take_while(|&byte| byte == b'0').count();
    let digits = &fraction[zeros..];
    if negative {
        out.push(b'-');
    }
    let tail = digits.get(1..).filter(|tail| !tail.is_empty()).unwrap_or("0");
    let head = digits.get(..1).unwrap_or("0");
    out.extend_from_slice(format!("{head}.{tail}E-{}", zeros + 1).as_bytes());
}
