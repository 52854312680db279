//! Decimals, against their digits.

use connector_core::Decimal;
use proptest::prelude::*;

use crate::{cases, properties};

/// A number as a person writes it, and its canonical text.
fn number() -> impl Strategy<Value = (String, String)> {
    let parts = prop_oneof![
        ("[0-9]{0,3}", "[0-9]{0,3}"),
        ("0{0,3}[0-9]{0,12}", "[0-9]{0,12}0{0,3}"),
        ("[0-9]{0,40}", "[0-9]{0,40}"),
    ];
    let parts = parts.prop_filter("a number has digits", |(whole, fraction)| {
        !whole.is_empty() || !fraction.is_empty()
    });
    ("[+-]?", parts, any::<bool>()).prop_map(|(sign, (whole, fraction), point)| {
        let point = if fraction.is_empty() && !point { "" } else { "." };
        let canonical = canonical(&sign, &whole, &fraction);
        (format!("{sign}{whole}{point}{fraction}"), canonical)
    })
}

fn canonical(sign: &str, whole: &str, fraction: &str) -> String {
    let zero = format!("{whole}{fraction}").bytes().all(|digit| digit == b'0');
    let sign = if sign == "-" && !zero { "-" } else { "" };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// Digits with the point moved by `exponent`, written out.
fn written_out(sign: &str, whole: &str, fraction: &str, exponent: i32) -> String {
    let mut digits = format!("{whole}{fraction}");
    let mut point = i32::try_from(whole.len()).unwrap() + exponent;
    while point < 0 {
        digits.insert(0, '0');
        point += 1;
    }
    while usize::try_from(point).unwrap() > digits.len() {
        digits.push('0');
    }
    let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap());
    canonical(sign, whole, fraction)
}

fn read(text: &str) -> String {
    let mut scratch = String::new();
    Decimal::parse(text, &mut scratch).unwrap().to_string()
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn numbers_are_read_exactly((text, canonical) in number()) {
        prop_assert_eq!(read(&text), &*canonical);
        prop_assert_eq!(read(&canonical), &*canonical);
        let mut scratch = String::new();
        let number = Decimal::parse(&text, &mut scratch).unwrap();
        let fraction = canonical.split_once('.').map_or("", |(_, fraction)| fraction);
        prop_assert_eq!(number.scale(), fraction.len());
        properties::decimal::check(text.as_bytes());
    }

    #[test]
    fn scientific_notation_is_the_number_written_out(
        sign in "[+-]?",
        whole in "[0-9]{1,20}",
        fraction in "[0-9]{0,20}",
        exponent in -60..=60_i32,
        (upper, plus) in any::<(bool, bool)>(),
    ) {
        let point = if fraction.is_empty() { "" } else { "." };
        let e = if upper { 'E' } else { 'e' };
        let plus = if plus && exponent >= 0 { "+" } else { "" };
        let text = format!("{sign}{whole}{point}{fraction}{e}{plus}{exponent}");
        prop_assert_eq!(read(&text), written_out(&sign, &whole, &fraction, exponent), "{}", text);
    }

    #[test]
    fn order_is_that_of_the_digits(
        (one, one_canonical) in number(),
        (other, other_canonical) in number(),
        zeros in 0..30_usize,
    ) {
        let (mut x, mut y) = (String::new(), String::new());
        let a = Decimal::parse(&one, &mut x).unwrap();
        let b = Decimal::parse(&other, &mut y).unwrap();
        let wanted = properties::decimal::compare(&one_canonical, &other_canonical);
        prop_assert_eq!(a.cmp(&b), wanted);
        prop_assert_eq!(b.cmp(&a), wanted.reverse());
        // More zeros behind the point are the same number.
        let point = if one_canonical.contains('.') { "" } else { "." };
        let longer = format!("{one_canonical}{point}{:0<zeros$}", "");
        let mut z = String::new();
        let c = Decimal::parse(&longer, &mut z).unwrap();
        prop_assert_eq!(a, c);
        prop_assert_eq!(b.cmp(&c), wanted.reverse());
    }

    #[test]
    fn what_stands_in_place_is_what_was_put_there(coefficient in any::<i64>(), scale in 0..=40_u16) {
        let number = Decimal::new(coefficient, scale);
        let text = number.to_string();
        prop_assert_eq!(&text, &written_out(
            if coefficient < 0 { "-" } else { "" },
            &coefficient.unsigned_abs().to_string(),
            "",
            -i32::from(scale),
        ));
        properties::decimal::check(text.as_bytes());
        let mut scratch = String::new();
        let read = Decimal::parse(&text, &mut scratch).unwrap();
        prop_assert_eq!(read, number);
        prop_assert_eq!(read.to_i64(), number.to_i64());
        prop_assert_eq!(read.integer_digits(), number.integer_digits());
        prop_assert_eq!(read.significant_scale(), number.significant_scale());
    }

    #[test]
    fn no_text_panics(
        text in prop_oneof![any::<String>(), "[-+0-9.eE ]{0,40}", "[0-9]{1,5}[eE][+-]?[0-9]{1,12}"],
    ) {
        properties::decimal::check(text.as_bytes());
    }
}
