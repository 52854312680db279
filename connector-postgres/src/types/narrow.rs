//! Columns that hold only some values of their type, and whether a value is one of them.

use connector_core::{Decimal, Value};

use crate::copy::Refusal;

/// Which values of its type a column holds as they are; it would round or cut the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Multiples of so many microseconds.
    Time { micros: i64 },
    /// Multiples of so many units each; of 0, only 0.
    Interval { months: i32, days: i32, micros: i64 },
    /// Numbers of so many digits, the last of them at `scale`: that may be negative, or exceed the precision.
    Digits { precision: i32, scale: i32 },
    /// Texts of so many bytes.
    Bytes(usize),
}

const INEXACT: Refusal = Refusal {
    code: "inexact",
    message: "the column would round the value",
};
const TOO_LONG: Refusal = Refusal {
    code: "too_long",
    message: "the text is longer than its column",
};

impl Limit {
    /// That of `name`.
    pub(super) const NAME: Self = Self::Bytes(63);

    /// From the modifier of a time, a timestamp or an instant: its digits behind the second.
    pub(super) fn of_time(typmod: i32) -> Option<Self> {
        Some(Self::Time {
            micros: fraction(typmod)?,
        })
    }

    /// From the modifier of an interval: its fields as bits, and the digits behind the second.
    pub(super) fn of_interval(typmod: i32) -> Option<Self> {
        const YEAR: i32 = 1 << 2;
        const MONTH: i32 = 1 << 1;
        const DAY: i32 = 1 << 3;
        const HOUR: i32 = 1 << 10;
        const MINUTE: i32 = 1 << 11;
        const SECOND: i32 = 1 << 12;
        const HOUR_MICROS: i64 = 3_600_000_000;
        if typmod < 0 {
            return None;
        }
        let (fields, digits) = (typmod >> 16 & 0x7FFF, typmod & 0xFFFF);
        let fraction = fraction(digits);
        let (months, days, micros) = if fields & SECOND != 0 || fields == 0x7FFF {
            (1, 1, fraction?)
        } else if fields & MINUTE != 0 {
            (1, 1, HOUR_MICROS / 60)
        } else if fields & HOUR != 0 {
            (1, 1, HOUR_MICROS)
        } else if fields & DAY != 0 {
            (1, 1, 0)
        } else if fields & MONTH != 0 {
            (1, 0, 0)
        } else if fields & YEAR != 0 {
            (12, 0, 0)
        } else {
            return None;
        };
        Some(Self::Interval { months, days, micros })
    }

    /// Precision and scale from a numeric's modifier, its header taken off; the scale has eleven bits and a sign.
    pub(super) fn digits(modifier: u32) -> (i32, i32) {
        let scale = (modifier & 0x7FF) as i32;
        ((modifier >> 16) as i32, (scale ^ 1024) - 1024)
    }

    /// Refuses a value that the column would change.
    pub(crate) fn check(&self, value: &Value<'_>) -> Result<(), Refusal> {
        let holds = match (self, value) {
            (Self::Time { micros }, Value::Time(time)) => time.micros() % micros == 0,
            (Self::Time { micros }, Value::Timestamp(moment)) => {
                !moment.is_finite() || moment.micros_since_2000() % micros == 0
            }
            (Self::Time { micros }, Value::Instant(moment)) => {
                !moment.is_finite() || moment.micros_since_2000() % micros == 0
            }
            (Self::Interval { months, days, micros }, Value::Interval(value)) => {
                is_multiple(value.months.into(), (*months).into())
                    && is_multiple(value.days.into(), (*days).into())
                    && is_multiple(value.micros, *micros)
            }
            (Self::Digits { precision, scale }, Value::Decimal(number)) => {
                has_digits(number, *precision, *scale)
            }
            (Self::Digits { precision, scale }, Value::Int(number)) => {
                has_digits(&(*number).into(), *precision, *scale)
            }
            (Self::Bytes(most), Value::Text(text)) => {
                return if text.len() <= *most {
                    Ok(())
                } else {
                    Err(TOO_LONG)
                };
            }
            // Of another type: for the type itself to refuse.
            _ => true,
        };
        if holds { Ok(()) } else { Err(INEXACT) }
    }
}

/// The microseconds of the last of so many digits behind the second; `None` where they are all kept.
fn fraction(digits: i32) -> Option<i64> {
    let unkept = 6_u32
        .checked_sub(u32::try_from(digits).ok()?)
        .filter(|unkept| *unkept > 0)?;
    Some(10_i64.pow(unkept))
}

fn is_multiple(number: i64, unit: i64) -> bool {
    if unit == 0 {
        number == 0
    } else {
        number % unit == 0
    }
}

fn has_digits(number: &Decimal<'_>, precision: i32, scale: i32) -> bool {
    if !number.is_finite() {
        return number.is_nan();
    }
    let text = number.to_string();
    let digits = text.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let zeros = |count: i32| usize::try_from(count).unwrap_or(0);
    let ends = if scale >= 0 {
        fraction.len() <= zeros(scale)
    } else {
        fraction.is_empty()
            && whole.len() - whole.trim_end_matches('0').len() >= zeros(-scale).min(whole.len())
    };
    let begins = if precision >= scale {
        whole.len() <= zeros(precision - scale)
    } else {
        let leading = fraction.len() - fraction.trim_start_matches('0').len();
        whole.is_empty() && leading >= zeros(scale - precision).min(fraction.len())
    };
    begins && ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_core::value::{Instant, Interval, Time};

    #[test]
    fn a_value_that_would_be_rounded_is_refused() {
        let time = |limit: &Limit, micros| {
            limit
                .check(&Value::Time(Time::from_micros(micros).unwrap()))
                .is_ok()
        };
        let tenths = Limit::of_time(1).unwrap();
        assert!(time(&tenths, 1_300_000) && !time(&tenths, 1_350_000) && !time(&tenths, 1));
        let whole = Limit::of_time(0).unwrap();
        assert!(time(&whole, 86_400_000_000) && !time(&whole, 100_000));
        assert!(whole.check(&Value::Instant(Instant::INFINITY)).is_ok());
        assert_eq!(Limit::of_time(6), None);
        assert_eq!(Limit::of_time(-1), None);
    }

    #[test]
    fn an_interval_keeps_the_fields_it_has() {
        let holds = |fields: i32, digits: i32, months, days, micros| {
            let limit = Limit::of_interval(fields << 16 | digits).unwrap();
            limit
                .check(&Value::Interval(Interval { months, days, micros }))
                .is_ok()
        };
        // Years; years and months; days; days to minutes; anything to tenths of a second.
        assert!(holds(4, 0xFFFF, 24, 0, 0) && !holds(4, 0xFFFF, 25, 0, 0) && !holds(4, 0xFFFF, 0, 1, 0));
        assert!(holds(6, 0xFFFF, 25, 0, 0) && !holds(6, 0xFFFF, 0, 0, 1));
        assert!(holds(8, 0xFFFF, 25, 7, 0) && !holds(8, 0xFFFF, 0, 0, 1));
        assert!(holds(0xC08, 0xFFFF, 1, 1, 60_000_000) && !holds(0xC08, 0xFFFF, 1, 1, 1_000_000));
        assert!(holds(0x7FFF, 1, 1, 1, -100_000) && !holds(0x7FFF, 1, 1, 1, -10_000));
        assert_eq!(Limit::of_interval(-1), None);
        assert_eq!(Limit::of_interval(0x7FFF << 16 | 0xFFFF), None);
    }

    #[test]
    fn scales_beyond_the_digits_count_zeros() {
        let holds = |text: &str, precision, scale| {
            let mut scratch = String::new();
            let number = Decimal::parse(text, &mut scratch).unwrap();
            Limit::Digits { precision, scale }
                .check(&Value::Decimal(number))
                .is_ok()
        };
        // numeric(3,-2): up to 99,900 in hundreds.
        for (text, wanted) in [
            ("99900", true),
            ("-100.0", true),
            ("0", true),
            ("100000", false),
            ("150", false),
            ("100.5", false),
            ("NaN", true),
            ("Infinity", false),
        ] {
            assert_eq!(holds(text, 3, -2), wanted, "{text}");
        }
        // numeric(2,4): below 0.01 in ten-thousandths.
        for (text, wanted) in [
            ("0.0099", true),
            ("-0.0001", true),
            ("0", true),
            ("0.01", false),
            ("0.00001", false),
            ("1", false),
        ] {
            assert_eq!(holds(text, 2, 4), wanted, "{text}");
        }
    }
}
