//! Objects with a field of every type, and records of them.

use connector_core::value::{Date, Instant, Time};
use connector_core::{BatchBuilder, DataType, Value};
use connector_testkit::fakes::salesforce::{FieldSpec, FieldValue, ObjectSpec};

/// What people have made in every org of these tests.
pub(crate) fn objects() -> Vec<ObjectSpec> {
    let thing = with_every_type(ObjectSpec::new("Thing__c", "a01"));
    let other = with_every_type(ObjectSpec::new("Other__c", "a02"));
    let plain = with_every_type(ObjectSpec::new("Plain__c", "a03"))
        .without("IsDeleted")
        .without("SystemModstamp")
        .bulk(false);
    let wide = (0..420).fold(
        with_every_type(ObjectSpec::new("Wide__c", "a04")).bulk(false),
        |wide, n| {
            wide.field(FieldSpec::string(
                &format!("Some_field_with_a_rather_long_name_{n:03}__c"),
                20,
            ))
        },
    );
    vec![thing, other, plain, wide]
}

fn with_every_type(object: ObjectSpec) -> ObjectSpec {
    object
        .field(FieldSpec::textarea("Note__c", 32_000))
        .field(FieldSpec::textarea("Short__c", 255))
        .field(FieldSpec::phone("Phone__c"))
        .field(FieldSpec::url("Url__c"))
        .field(FieldSpec::email("Mail__c"))
        .field(FieldSpec::picklist("Grade__c", &["Hot", "warm", "cold"]))
        .field(FieldSpec::multipicklist("Tags__c", &["a", "b", "c"]))
        .field(FieldSpec::combobox("Combo__c", &["x", "y"]))
        .field(FieldSpec::boolean("Flag__c"))
        .field(FieldSpec::int("Count__c", 9))
        .field(FieldSpec::long("Long__c"))
        .field(FieldSpec::double("Real__c", 18, 5))
        .field(FieldSpec::currency("Amount__c", 18, 2))
        .field(FieldSpec::percent("Share__c", 5, 2))
        .field(FieldSpec::double("Computed__c", 18, 2).calculated())
        .field(FieldSpec::date("Day__c"))
        .field(FieldSpec::datetime("At__c"))
        .field(FieldSpec::time("Hour__c"))
        .field(FieldSpec::string("Ext__c", 40).external_id().unique())
        .field(FieldSpec::location("Place__c", 6))
        .field(FieldSpec::address("HomeAddress"))
}

/// The values of record `number` in its `version`.
pub(crate) fn values(number: usize, version: usize) -> Vec<(&'static str, FieldValue)> {
    let turn = number + 3 * version;
    let plain = number * 1_000 + version;
    // One in eight is null.
    let or_null = |value: FieldValue| {
        if turn % 8 == 7 { FieldValue::Null } else { value }
    };
    let pick = |edges: &[&str], plain: String| edges.get(turn % 16).map_or(plain, |edge| (*edge).to_owned());
    let number_of = |edges: &[&str], plain: String| or_null(FieldValue::number(pick(edges, plain)));
    let text_of = |edges: &[&str], plain: String| or_null(pick(edges, plain).into());
    vec![
        (
            "Name",
            text_of(&["Same", "same", "SAME"], format!("Name {number} v{version}")),
        ),
        (
            "Note__c",
            text_of(&["line\nfeed, \"quoted\""], format!("Note {plain}")),
        ),
        ("Short__c", text_of(&["Ω", "ω"], format!("short {turn}"))),
        ("Phone__c", or_null(format!("+49 {plain}").into())),
        ("Url__c", or_null(format!("https://example.com/{plain}").into())),
        ("Mail__c", or_null(format!("m{plain}@example.com").into())),
        ("Grade__c", or_null(["Hot", "warm", "cold"][turn % 3].into())),
        ("Tags__c", or_null(["a", "a;b", "a;b;c"][turn % 3].into())),
        ("Combo__c", or_null(["x", "free"][turn % 2].into())),
        ("Flag__c", turn.is_multiple_of(2).into()),
        (
            "Count__c",
            number_of(&["-999999999", "999999999", "0"], plain.to_string()),
        ),
        (
            "Long__c",
            number_of(&["-999999999999999999", "999999999999999999"], plain.to_string()),
        ),
        (
            "Real__c",
            number_of(&["-0.00001", "1234567890123.45678"], format!("{plain}.5")),
        ),
        (
            "Amount__c",
            number_of(&["-0.01", "1234567890123456.78"], format!("{plain}.25")),
        ),
        (
            "Share__c",
            number_of(&["-999.99", "999.99"], format!("{}.5", turn % 100)),
        ),
        ("Computed__c", number_of(&["0.1"], format!("{plain}.125"))),
        (
            "Day__c",
            text_of(
                &["1700-01-01", "3999-12-31", "2024-02-29"],
                format!("2001-01-{:02}", turn % 28 + 1),
            ),
        ),
        (
            "At__c",
            or_null(FieldValue::DateTime(i64::try_from(plain).unwrap() * 1_000_000)),
        ),
        (
            "Hour__c",
            text_of(
                &["00:00:00.000Z", "23:59:59.999Z"],
                format!("12:{:02}:30.000Z", turn % 60),
            ),
        ),
        ("Ext__c", format!("ext-{number:06}").into()),
        (
            "Place__Latitude__s",
            number_of(&["-89.5", "89.5"], format!("{}.123456", turn % 90)),
        ),
        ("HomeCity", text_of(&["München"], format!("City {turn}"))),
    ]
}

/// Pushes what a perfect reader makes of a value.
pub(crate) fn push(builder: &mut BatchBuilder, data_type: DataType, value: &FieldValue) {
    match (value, data_type) {
        (FieldValue::Null, _) => builder.push(Value::Null),
        (FieldValue::Bool(value), _) => builder.push(Value::Bool(*value)),
        (FieldValue::Number(text), DataType::Decimal(_)) => builder.push_decimal(text).unwrap(),
        (FieldValue::Number(text), _) => builder.push(Value::Int(text.parse().unwrap())),
        (FieldValue::DateTime(micros), _) => {
            builder.push(Value::Instant(Instant::from_unix_micros(*micros)));
        }
        (FieldValue::Text(text), DataType::Date) => builder.push(Value::Date(Date::parse(text).unwrap())),
        (FieldValue::Text(text), DataType::Time) => builder.push(Value::Time(Time::parse(text).unwrap())),
        (FieldValue::Text(text), _) => builder.push(Value::Text(text)),
        (other, _) => panic!("{other:?} is read by nobody"),
    }
}
