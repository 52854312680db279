//! Exact decimals of any length.

use std::cmp::Ordering;
use std::fmt;

use super::ParseError;

/// The most digits and the largest scale that are accepted: PostgreSQL's `numeric` ends there too.
const MAX_INTEGER_DIGITS: usize = 131_072;
const MAX_SCALE: usize = 16_383;

/// An exact decimal number, or one of the three that are none: `NaN`, `Infinity`, `-Infinity`.
///
/// Up to 18 digits stand in place; longer ones borrow their canonical text. The scale is kept: `336.3200` stays so.
/// Equality and order are those of numbers: `1.0` equals `1.00`, and `NaN` equals itself and is the greatest, as in
/// PostgreSQL.
#[derive(Clone, Copy)]
pub struct Decimal<'a>(pub(crate) Repr<'a>);

#[derive(Clone, Copy)]
pub(crate) enum Repr<'a> {
    Small {
        coefficient: i64,
        scale: u16,
    },
    /// `-?digits[.digits]` without superfluous leading zeros, or one of the three special words.
    Text(&'a str),
}

impl<'a> Decimal<'a> {
    /// `coefficient / 10^scale`.
    pub const fn new(coefficient: i64, scale: u16) -> Self {
        Self(Repr::Small { coefficient, scale })
    }

    /// Reads `[+-]digits[.digits][e[+-]digits]`; scientific notation is written out. `scratch` holds the digits of
    /// a number too long to stand in place.
    pub fn parse(text: &str, scratch: &'a mut String) -> Result<Self, ParseError> {
        if let Some(small) = parse_small(text).or_else(|| parse_scientific(text)) {
            return Ok(small);
        }
        scratch.clear();
        write_canonical(text, scratch).ok_or(ParseError("a decimal number such as -12.50 or 9.5E8"))?;
        // Scientific notation that becomes short once written out.
        Ok(parse_small(scratch).unwrap_or(Self(Repr::Text(scratch))))
    }

    /// Digits behind the point.
    pub fn scale(&self) -> usize {
        match self.0 {
            Repr::Small { scale, .. } => scale.into(),
            Repr::Text(text) => text.split_once('.').map_or(0, |(_, fraction)| fraction.len()),
        }
    }

    /// Digits before the point; 0 for numbers below 1.
    pub fn integer_digits(&self) -> usize {
        match self.0 {
            Repr::Small { coefficient, scale } => {
                let digits = coefficient
                    .unsigned_abs()
                    .checked_ilog10()
                    .map_or(0, |log| log as usize + 1);
                digits.saturating_sub(scale.into())
            }
            Repr::Text(text) => {
                let whole = text.trim_start_matches('-').split('.').next().unwrap_or_default();
                whole.trim_start_matches('0').len()
            }
        }
    }

    /// Digits behind the point that are not trailing zeros.
    pub fn significant_scale(&self) -> usize {
        match self.0 {
            Repr::Small {
                mut coefficient,
                mut scale,
            } => {
                while scale > 0 && coefficient % 10 == 0 {
                    coefficient /= 10;
                    scale -= 1;
                }
                scale.into()
            }
            Repr::Text(text) => text
                .split_once('.')
                .map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len()),
        }
    }

    /// Whether it is a number at all, not `NaN` or an infinity.
    pub fn is_finite(&self) -> bool {
        match self.0 {
            Repr::Small { .. } => true,
            Repr::Text(text) => text.ends_with(|c: char| c.is_ascii_digit()),
        }
    }

    /// Whether it is `NaN`.
    pub fn is_nan(&self) -> bool {
        matches!(self.0, Repr::Text("NaN"))
    }

    /// Whether a column of `precision` digits, `scale` of them behind the point, holds it without rounding.
    pub fn fits(&self, precision: u16, scale: u16) -> bool {
        self.is_finite()
            && self.significant_scale() <= scale.into()
            && self.integer_digits() <= usize::from(precision.saturating_sub(scale))
    }

    /// The whole number it is, if it is one and within range.
    pub fn to_i64(&self) -> Option<i64> {
        if self.significant_scale() > 0 || !self.is_finite() {
            return None;
        }
        match self.0 {
            // Only zero is whole at a scale beyond a coefficient's digits.
            Repr::Small { coefficient, scale } => Some(
                10_i64
                    .checked_pow(scale.into())
                    .map_or(0, |unit| coefficient / unit),
            ),
            Repr::Text(text) => text.split('.').next()?.parse().ok(),
        }
    }

    /// The coefficient and scale, where the number stands in place (18 digits or fewer).
    pub fn as_small(&self) -> Option<(i64, u16)> {
        match self.0 {
            Repr::Small { coefficient, scale } => Some((coefficient, scale)),
            Repr::Text(_) => None,
        }
    }

    /// Sign, whole digits and fraction digits of the canonical form, for comparison.
    fn parts(text: &str) -> (bool, &str, &str) {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        (
            negative,
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        )
    }
}

impl From<i64> for Decimal<'_> {
    fn from(number: i64) -> Self {
        Self::new(number, 0)
    }
}

/// The fast path: at most 18 digits, no exponent.
fn parse_small<'a>(text: &str) -> Option<Decimal<'a>> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut coefficient = 0_i64;
    let mut scale = None;
    let mut count = 0;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                if count == 18 {
                    return None;
                }
                count += 1;
                coefficient = coefficient * 10 + i64::from(byte - b'0');
                scale = scale.map(|scale| scale + 1);
            }
            b'.' if scale.is_none() && count > 0 => scale = Some(0),
            _ => return None,
        }
    }
    if count == 0 || scale == Some(0) {
        return None;
    }
    Some(Decimal::new(
        if negative { -coefficient } else { coefficient },
        scale.unwrap_or(0),
    ))
}

/// The fast path of scientific notation: at most 18 digits, written out or not.
fn parse_scientific<'a>(text: &str) -> Option<Decimal<'a>> {
    let place = text.bytes().position(|byte| matches!(byte, b'e' | b'E'))?;
    let (coefficient, scale) = parse_small(text.get(..place)?)?.as_small()?;
    let exponent: i32 = text.get(place + 1..)?.parse().ok()?;
    let scale = i32::from(scale).checked_sub(exponent)?;
    let Ok(scale) = u16::try_from(scale) else {
        let unit = 10_i64.checked_pow(scale.unsigned_abs())?;
        let whole = coefficient.checked_mul(unit)?;
        return (whole.unsigned_abs() < LEAST_OF_19).then(|| Decimal::new(whole, 0));
    };
    (scale < 18).then(|| Decimal::new(coefficient, scale))
}

/// The least number of 19 digits.
const LEAST_OF_19: u64 = 1_000_000_000_000_000_000;

/// The general path: any length, any exponent within bounds.
fn write_canonical(text: &str, out: &mut String) -> Option<()> {
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        out.push_str(text);
        return Some(());
    }
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
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    // Where the point stands among `whole ++ fraction`.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let digits = whole.len() + fraction.len();
    let zeros_before = usize::try_from(-point).unwrap_or(0);
    let zeros_after = usize::try_from(point - digits as i64).unwrap_or(0);
    if zeros_before + digits > MAX_SCALE + MAX_INTEGER_DIGITS || zeros_after + digits > MAX_INTEGER_DIGITS {
        return None;
    }
    let digit_at = |i: usize| {
        if i < whole.len() {
            whole.as_bytes()[i]
        } else {
            fraction.as_bytes()[i - whole.len()]
        }
    };
    let whole_end = usize::try_from(point).unwrap_or(0).min(digits);
    let mut integer: String = (0..whole_end).map(|i| char::from(digit_at(i))).collect();
    integer.extend(std::iter::repeat_n('0', zeros_after));
    let integer = integer.trim_start_matches('0');
    let scale = zeros_before + (digits - whole_end);
    if integer.len() > MAX_INTEGER_DIGITS || scale > MAX_SCALE {
        return None;
    }
    // Zero has no sign, however many digits it has: it must have one text.
    if negative && (0..digits).any(|i| digit_at(i) != b'0') {
        out.push('-');
    }
    out.push_str(if integer.is_empty() { "0" } else { integer });
    if scale > 0 {
        out.push('.');
        out.extend(std::iter::repeat_n('0', zeros_before));
        out.extend((whole_end..digits).map(|i| char::from(digit_at(i))));
    }
    Some(())
}

impl fmt::Display for Decimal<'_> {
    /// Plain notation, all digits of the scale.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Text(text) => f.write_str(text),
            Repr::Small {
                coefficient,
                scale: 0,
            } => write!(f, "{coefficient}"),
            Repr::Small { coefficient, scale } => {
                let sign = if coefficient < 0 { "-" } else { "" };
                let digits = coefficient.unsigned_abs();
                match 10_u64.checked_pow(scale.into()) {
                    Some(unit) => write!(
                        f,
                        "{sign}{}.{:0width$}",
                        digits / unit,
                        digits % unit,
                        width = scale.into()
                    ),
                    None => write!(f, "{sign}0.{digits:0width$}", width = scale.into()),
                }
            }
        }
    }
}

impl fmt::Debug for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (
            Repr::Small {
                coefficient: a,
                scale: x,
            },
            Repr::Small {
                coefficient: b,
                scale: y,
            },
        ) = (self.0, other.0)
            && x == y
        {
            return a.cmp(&b);
        }
        let (a, b) = (self.to_string(), other.to_string());
        // -Infinity < numbers < Infinity < NaN.
        let rank = |text: &str| match text {
            "-Infinity" => 0,
            "Infinity" => 2,
            "NaN" => 3,
            _ => 1,
        };
        if rank(&a) != rank(&b) || rank(&a) != 1 {
            return rank(&a).cmp(&rank(&b));
        }
        let (a_negative, a_whole, a_fraction) = Self::parts(&a);
        let (b_negative, b_whole, b_fraction) = Self::parts(&b);
        let magnitude = a_whole
            .len()
            .cmp(&b_whole.len())
            .then_with(|| a_whole.cmp(b_whole))
            .then_with(|| a_fraction.cmp(b_fraction));
        let zero = |whole: &str, fraction: &str| whole.is_empty() && fraction.is_empty();
        match (
            a_negative && !zero(a_whole, a_fraction),
            b_negative && !zero(b_whole, b_fraction),
        ) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &str) {
        let mut scratch = String::new();
        assert_eq!(
            Decimal::parse(text, &mut scratch)
                .map(|d| d.to_string())
                .as_deref(),
            Ok(wanted),
            "{text}"
        );
    }

    #[test]
    fn every_form_of_a_number_is_read_exactly() {
        check("0", "0");
        check("-0.01", "-0.01");
        check("-0.00", "0.00");
        check("-0.00000000000000000000", "0.00000000000000000000");
        check("336.3200", "336.3200");
        check("+7", "7");
        check("9.5E8", "950000000");
        check("1.5e-3", "0.0015");
        check("1E+2", "100");
        check("-1.50E1", "-15.0");
        check("-0E3", "0");
        check("1E17", "100000000000000000");
        check("1E18", "1000000000000000000");
        check("123456789.12E-15", "0.00000012345678912");
        check("1E-30", "0.000000000000000000000000000001");
        check(".5", "0.5");
        check("5.", "5");
        check("007", "7");
        check("1234567890123456.78", "1234567890123456.78");
        check(
            "-12345678901234567890123456789.000100",
            "-12345678901234567890123456789.000100",
        );
        check("999999999999999999", "999999999999999999");
        check("9999999999999999999", "9999999999999999999");
        check("0.000000000000000000000001", "0.000000000000000000000001");
        check("NaN", "NaN");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let mut scratch = String::new();
        for text in [
            "", "-", ".", "1.2.3", "abc", "1e", "1e999999", "0x10", "1,000", " 1", "1 ", "--1", "inf", "e5",
        ] {
            assert!(Decimal::parse(text, &mut scratch).is_err(), "{text}");
        }
    }

    #[test]
    fn equality_and_order_are_those_of_numbers() {
        let (mut x, mut y) = (String::new(), String::new());
        for (a, b, wanted) in [
            ("1.0", "1.00", Ordering::Equal),
            ("-0", "0.000", Ordering::Equal),
            ("2", "10", Ordering::Less),
            ("-2", "-10", Ordering::Greater),
            ("0.09", "0.1", Ordering::Less),
            ("12345678901234567890", "12345678901234567890.0", Ordering::Equal),
            ("-12345678901234567890", "1", Ordering::Less),
            ("NaN", "99999999999999999999", Ordering::Greater),
        ] {
            let (a, b) = (
                Decimal::parse(a, &mut x).unwrap(),
                Decimal::parse(b, &mut y).unwrap(),
            );
            assert_eq!(a.cmp(&b), wanted, "{a} {b}");
        }
    }

    #[test]
    fn fits_counts_digits_on_both_sides() {
        assert!(Decimal::new(99_999, 2).fits(5, 2));
        assert!(!Decimal::new(100_000, 2).fits(5, 2));
        assert!(Decimal::new(1_000, 3).fits(5, 2));
        assert!(!Decimal::new(1_001, 3).fits(5, 2));
        assert_eq!(Decimal::new(4_200, 2).to_i64(), Some(42));
        assert_eq!(Decimal::new(4_201, 2).to_i64(), None);
        assert_eq!(Decimal::new(0, 40).to_i64(), Some(0));
        let mut scratch = String::new();
        let special = |text, scratch: &mut String| {
            let number = Decimal::parse(text, scratch).unwrap();
            (number.is_nan(), number.is_finite())
        };
        assert_eq!(special("NaN", &mut scratch), (true, false));
        assert_eq!(special("-Infinity", &mut scratch), (false, false));
        assert_eq!(special("1e30", &mut scratch), (false, true));
    }
}
