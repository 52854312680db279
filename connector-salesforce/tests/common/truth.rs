use connector_core::value::Instant;
use connector_core::{Record, Value};
use connector_testkit::fakes::salesforce::{FakeSalesforce, FieldValue};

/// The number of the lead that `record` is.
pub fn lead_number(org: &FakeSalesforce, record: &Record<'_>) -> u64 {
    org.lead_number(&record.get("Id").to_string()).unwrap()
}

/// Checks every cell of `record` against what the org holds.
pub fn assert_lead(org: &FakeSalesforce, record: &Record<'_>) {
    let n = lead_number(org, record);
    let truth = org.lead(n);
    for (field, value) in record.schema().fields().iter().zip(record.values()) {
        let wanted = &truth[field.name.as_str()];
        let same = match (wanted, value) {
            (FieldValue::Null, value) => value == Value::Null,
            (FieldValue::Bool(wanted), Value::Bool(value)) => *wanted == value,
            (FieldValue::Number(wanted), Value::Int(value)) => *wanted == value.to_string(),
            (FieldValue::Number(wanted), Value::Decimal(value)) => {
                let mut scratch = String::new();
                connector_core::Decimal::parse(wanted, &mut scratch).is_ok_and(|wanted| wanted == value)
            }
            (FieldValue::Text(wanted), Value::Text(value)) => wanted == value,
            (FieldValue::Text(wanted), Value::Date(value)) => *wanted == value.to_string(),
            (FieldValue::DateTime(wanted), Value::Instant(value)) => {
                Instant::from_unix_micros(*wanted) == value
            }
            _ => false,
        };
        assert!(same, "lead {n}, {}: {value:?}, not {wanted:?}", field.name);
    }
}
