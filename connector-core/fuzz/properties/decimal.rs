//! Decimals: no text panics, what is read is written exactly, and order is that of the digits.

use std::cmp::Ordering;

use connector_core::Decimal;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (left, right) = text.split_once(' ').unwrap_or((text, text));
    let (mut x, mut y) = (String::new(), String::new());
    let (Ok(left), Ok(right)) = (Decimal::parse(left, &mut x), Decimal::parse(right, &mut y)) else {
        return;
    };
    for number in [left, right] {
        round_trips(&number);
    }
    assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
    if left.is_finite() && right.is_finite() {
        assert_eq!(left.cmp(&right), compare(&left.to_string(), &right.to_string()));
    }
}

fn round_trips(number: &Decimal<'_>) {
    let written = number.to_string();
    let mut scratch = String::new();
    let again = Decimal::parse(&written, &mut scratch).unwrap();
    assert_eq!(again.to_string(), written);
    assert_eq!((again.scale(), again), (number.scale(), *number));
    assert!(number.significant_scale() <= number.scale());
    if !number.is_finite() {
        assert_eq!(number.to_i64(), None);
        assert!(!number.fits(u16::MAX, 0));
        return;
    }
    let (whole, fraction) = digits(&written);
    assert_eq!(number.integer_digits(), whole.len());
    assert_eq!(number.significant_scale(), fraction.len());
    let integer = fraction.is_empty().then(|| {
        let sign = if written.starts_with('-') { "-" } else { "" };
        format!("{sign}0{whole}").parse().ok()
    });
    assert_eq!(number.to_i64(), integer.flatten());
    if let Some(integer) = number.to_i64() {
        assert_eq!(Decimal::from(integer), *number);
    }
    // A sign belongs to what is not zero.
    assert!(!written.starts_with('-') || !whole.is_empty() || !fraction.is_empty());
}

/// The order of two plain decimals, by padding both to the same digits.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let negative = |text: &str| text.starts_with('-');
    match (negative(left), negative(right)) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (true, true) => return compare(&right[1..], &left[1..]),
        (false, false) => {}
    }
    let ((left, left_fraction), (right, right_fraction)) = (digits(left), digits(right));
    let whole = left.len().max(right.len());
    let fraction = left_fraction.len().max(right_fraction.len());
    let padded = |digits: &str, rest: &str| {
        let (before, behind) = (
            "0".repeat(whole - digits.len()),
            "0".repeat(fraction - rest.len()),
        );
        format!("{before}{digits}{rest}{behind}")
    };
    padded(left, left_fraction).cmp(&padded(right, right_fraction))
}

/// The digits before and behind the point, without zeros that say nothing.
fn digits(plain: &str) -> (&str, &str) {
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let whole = whole.trim_start_matches('-').trim_start_matches('0');
    (whole, fraction.trim_end_matches('0'))
}
