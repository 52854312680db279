//! The amounts of an order, in ten-thousandths.

use serde_json::{Map, Value};

use crate::fakes::seed::mix;

/// `336.3200` of 3,363,200.
pub(super) fn text(amount: u64) -> String {
    format!("{}.{:04}", amount / 10_000, amount % 10_000)
}

/// The total of order `n`, as filters see it.
pub(super) fn total_inc_tax(n: u64) -> u64 {
    let (subtotal, shipping, handling, wrapping) = parts(n);
    with_tax(subtotal) + with_tax(shipping) + with_tax(handling) + with_tax(wrapping)
}

/// Amounts without tax: of the goods, of shipping, of handling, of wrapping.
fn parts(n: u64) -> (u64, u64, u64, u64) {
    let subtotal = match mix(n, 110) % 50 {
        // More digits than a float holds.
        0 => 123_456_789_012_345_678 + mix(n, 111) % 1_000,
        1 => 0,
        _ => (1 + mix(n, 111) % 50_000) * 100,
    };
    let some = |salt: u64, one_in: u64| {
        if mix(n, salt).is_multiple_of(one_in) {
            (1 + mix(n, salt + 1) % 900) * 100
        } else {
            0
        }
    };
    (subtotal, some(112, 2), some(114, 10), some(116, 20))
}

fn tax(amount: u64) -> u64 {
    amount / 10
}

fn with_tax(amount: u64) -> u64 {
    amount + tax(amount)
}

/// Puts every amount of order `n` into its record.
pub(super) fn write(n: u64, record: &mut Map<String, Value>) {
    let (subtotal, shipping, handling, wrapping) = parts(n);
    let mut set = |name: &str, amount: u64| record.insert(name.to_owned(), text(amount).into());
    for (name, amount) in [
        ("subtotal", subtotal),
        ("shipping_cost", shipping),
        ("handling_cost", handling),
        ("wrapping_cost", wrapping),
    ] {
        set(&format!("{name}_ex_tax"), amount);
        set(&format!("{name}_inc_tax"), with_tax(amount));
        set(&format!("{name}_tax"), tax(amount));
        if name != "subtotal" {
            set(&format!("base_{name}"), amount);
        }
    }
    set("total_ex_tax", subtotal + shipping + handling + wrapping);
    set("total_inc_tax", total_inc_tax(n));
    set(
        "total_tax",
        tax(subtotal) + tax(shipping) + tax(handling) + tax(wrapping),
    );
    for (name, salt) in [
        ("store_credit_amount", 120),
        ("gift_certificate_amount", 121),
        ("coupon_discount", 122),
    ] {
        set(
            name,
            if mix(n, salt).is_multiple_of(12) {
                50_000
            } else {
                0
            },
        );
    }
    set(
        "discount_amount",
        if mix(n, 123).is_multiple_of(7) { 12_345 } else { 0 },
    );
    // Documented to be 0 whatever was refunded, and now and then no text at all.
    let refunded = if mix(n, 124).is_multiple_of(13) {
        Value::from(0)
    } else {
        Value::from("0.0000")
    };
    record.insert("refunded_amount".to_owned(), refunded);
}
