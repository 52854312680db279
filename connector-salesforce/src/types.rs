//! How Salesforce's types map onto the core's, both ways.
//!
//! | describe type | core type | why |
//! |---|---|---|
//! | `id` `reference` | text(18) | always 18 characters in answers |
//! | `string` `textarea` `phone` `url` `email` `picklist` `combobox` `multipicklist` `encryptedstring` `datacategorygroupreference` | text(length) | |
//! | `boolean` | bool | |
//! | `int` | int32 | |
//! | `long` | int64 | |
//! | `double` `currency` `percent` | decimal(precision, scale) | exact: never through a float |
//! | the same, calculated | decimal | a formula may exceed the scale it declares |
//! | `date` `time` `datetime` | date, time, instant | datetimes are UTC, whole seconds |
//! | `json` | json | |
//! | `anyType` | text | a history's old and new value, of whatever type |
//! | `address` `location` `complexvalue` | left out; json where it is asked for by name | compound: its parts are fields of their own |
//! | `base64` | left out | answers hold an address instead of the data |
//! | anything else | left out | unknown to this version |

use connector_core::{DataType, Value};

use crate::describe::FieldDescribe;
use crate::id::Id;

/// What a describe type is to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// A field of this type.
    To(DataType),
    /// Not read, and why.
    LeftOut(&'static str),
}

/// The core's type for a field.
pub(crate) fn data_type(field: &FieldDescribe) -> Mapped {
    let text = DataType::Text {
        max_chars: (field.length > 0).then_some(field.length),
    };
    Mapped::To(match field.kind.as_str() {
        "id"
        | "reference"
        | "string"
        | "textarea"
        | "phone"
        | "url"
        | "email"
        | "picklist"
        | "combobox"
        | "multipicklist"
        | "encryptedstring"
        | "datacategorygroupreference" => text,
        "boolean" => DataType::Bool,
        "int" => DataType::Int32,
        "long" => DataType::Int64,
        "double" | "currency" | "percent" if field.calculated || field.precision == 0 => {
            DataType::Decimal(None)
        }
        "double" | "currency" | "percent" => DataType::decimal(field.precision, field.scale),
        "date" => DataType::Date,
        "time" => DataType::Time,
        "datetime" => DataType::Instant,
        "json" => DataType::Json,
        "anyType" => DataType::TEXT,
        "address" | "location" => return Mapped::LeftOut("compound: its parts are read"),
        "complexvalue" => {
            return Mapped::LeftOut("a value of several parts: read where it is asked for by name");
        }
        "base64" => return Mapped::LeftOut("binary: answers hold an address instead of the data"),
        _ => return Mapped::LeftOut("its type is unknown to this version"),
    })
}

/// Whether `field` holds several values at once: an object in answers over REST, and nothing that Bulk reads.
pub(crate) fn is_compound(field: &FieldDescribe) -> bool {
    matches!(field.kind.as_str(), "address" | "location" | "complexvalue")
}

/// Whether `field` is shown with characters replaced, unless the user may see it whole.
pub(crate) fn is_masked(field: &FieldDescribe) -> bool {
    field.encrypted || field.kind == "encryptedstring"
}

/// How values of a core type go into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Every value arrives unchanged.
    Lossless,
    /// Values are checked one by one; one that would change is rejected.
    Checked,
    /// Not without a cast.
    No,
}

/// How values of `from` go into `field`.
pub(crate) fn fit(from: DataType, field: &FieldDescribe) -> Fit {
    use DataType::{
        Array, Bool, Bytes, Date, Decimal, Float32, Float64, Instant, Int16, Int32, Int64, Interval, Json,
        Text, Time, Timestamp, Uuid,
    };
    let Mapped::To(to) = data_type(field) else {
        return Fit::No;
    };
    // An id is checked character by character, whatever its declared length.
    if from.widens_to(to) && !is_id(field) {
        return Fit::Lossless;
    }
    match (from, to) {
        (Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(_), Int32 | Int64 | Decimal(_)) => Fit::Checked,
        (Text { .. }, Text { .. }) => Fit::Checked,
        (Uuid, Text { max_chars }) if !is_id(field) && max_chars.is_none_or(|max| max >= 36) => Fit::Lossless,
        // Years 1700 to 4000, whole seconds.
        (Date, Date) | (Time, Time) | (Instant, Instant) => Fit::Checked,
        (
            Bool
            | Int16
            | Int32
            | Int64
            | Float32
            | Float64
            | Decimal(_)
            | Text { .. }
            | Bytes
            | Date
            | Time
            | Timestamp
            | Instant
            | Interval
            | Uuid
            | Json
            | Array(_),
            _,
        ) => Fit::No,
    }
}

/// The field's type in Salesforce's words, for a plan.
pub(crate) fn words(field: &FieldDescribe) -> String {
    match field.kind.as_str() {
        "double" | "currency" | "percent" => format!("{}({},{})", field.kind, field.precision, field.scale),
        kind if field.length > 0 => format!("{kind}({})", field.length),
        kind => kind.to_owned(),
    }
}

fn is_id(field: &FieldDescribe) -> bool {
    matches!(field.kind.as_str(), "id" | "reference")
}

/// A value that a field does not take: our code for it, and what is wrong, without the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// Checks one value against the field it is for, before it is sent.
pub(crate) fn check(value: &Value<'_>, field: &FieldDescribe) -> Result<(), Misfit> {
    let refuse = |code, message: String| Err(Misfit { code, message });
    let Mapped::To(to) = data_type(field) else {
        return refuse("bad_value", format!("`{}` cannot be written", field.name));
    };
    match (value, to) {
        (Value::Text(text), DataType::Text { .. }) if is_id(field) => match Id::parse(text) {
            Some(_) => Ok(()),
            None => refuse(
                "bad_id",
                format!("`{}` is not an id of 15 or 18 letters and digits", field.name),
            ),
        },
        (Value::Text(text), DataType::Text { max_chars: Some(max) }) => {
            let chars = text.chars().count();
            if chars > max as usize {
                return refuse(
                    "too_long",
                    format!("`{}` takes {max} characters, not {chars}", field.name),
                );
            }
            Ok(())
        }
        (Value::Date(date), _) => check_year(date.ymd().0, field),
        (Value::Instant(instant), _) => {
            let micros = instant.unix_micros();
            let days = i32::try_from(micros.div_euclid(86_400_000_000)).unwrap_or(i32::MAX);
            check_year(connector_core::value::Date::from_unix_days(days).ymd().0, field)?;
            if micros % 1_000_000 != 0 {
                return refuse("inexact", format!("`{}` keeps whole seconds", field.name));
            }
            Ok(())
        }
        (Value::Time(time), _) if time.micros() % 1_000 != 0 || time.micros() >= 86_400_000_000 => refuse(
            "inexact",
            format!("`{}` keeps milliseconds of one day", field.name),
        ),
        (Value::Float32(number), _) => check_number(&number.to_string(), to, field),
        (Value::Float64(number), _) => check_number(&number.to_string(), to, field),
        (Value::Int(_) | Value::Decimal(_), DataType::Int32 | DataType::Int64 | DataType::Decimal(_)) => {
            check_number(&value.to_string(), to, field)
        }
        _ => Ok(()),
    }
}

fn check_year(year: i32, field: &FieldDescribe) -> Result<(), Misfit> {
    if (1700..=4000).contains(&year) {
        return Ok(());
    }
    Err(Misfit {
        code: "out_of_range",
        message: format!("`{}` takes the years 1700 to 4000", field.name),
    })
}

fn check_number(text: &str, to: DataType, field: &FieldDescribe) -> Result<(), Misfit> {
    let mut scratch = String::new();
    // Floats print `inf`, which is no decimal.
    let number = connector_core::Decimal::parse(text, &mut scratch)
        .ok()
        .filter(connector_core::Decimal::is_finite);
    let fits = number.is_some_and(|number| match to {
        DataType::Int32 => number.to_i64().is_some_and(|whole| i32::try_from(whole).is_ok()),
        DataType::Int64 => number.to_i64().is_some(),
        DataType::Decimal(Some(size)) => number.fits(size.precision, size.scale),
        _ => true,
    });
    let digits_fit = field.kind != "int"
        || field.digits == 0
        || number.is_some_and(|number| number.integer_digits() <= usize::from(field.digits));
    if fits && digits_fit {
        return Ok(());
    }
    let message = format!(
        "`{}` is {}; the number does not fit without rounding",
        field.name,
        words(field)
    );
    Err(Misfit {
        code: "number_does_not_fit",
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, length: u32, precision: u16, scale: u16) -> FieldDescribe {
        FieldDescribe {
            name: "F".into(),
            kind: kind.into(),
            length,
            precision,
            scale,
            ..FieldDescribe::default()
        }
    }

    #[test]
    fn reading_maps_as_the_table_says() {
        for (kind, length, precision, scale, wanted) in [
            ("id", 18, 0, 0, "text(18)"),
            ("textarea", 32_000, 0, 0, "text(32000)"),
            ("string", 0, 0, 0, "text"),
            ("boolean", 0, 0, 0, "bool"),
            ("int", 0, 0, 0, "int32"),
            ("long", 0, 0, 0, "int64"),
            ("currency", 0, 18, 2, "decimal(18,2)"),
            ("datetime", 0, 0, 0, "instant"),
            ("anyType", 0, 0, 0, "text"),
            ("json", 0, 0, 0, "json"),
        ] {
            let Mapped::To(found) = data_type(&field(kind, length, precision, scale)) else {
                panic!("{kind}")
            };
            assert_eq!(found.to_string(), wanted, "{kind}");
        }
        let formula = FieldDescribe {
            calculated: true,
            ..field("double", 0, 18, 2)
        };
        assert_eq!(data_type(&formula), Mapped::To(DataType::Decimal(None)));
        for kind in ["address", "location", "complexvalue", "base64", "hologram"] {
            assert!(
                matches!(data_type(&field(kind, 0, 0, 0)), Mapped::LeftOut(_)),
                "{kind}"
            );
        }
    }

    #[test]
    fn writing_needs_a_cast_where_a_value_would_turn_into_something_else() {
        let double = field("double", 0, 5, 2);
        assert_eq!(fit(DataType::decimal(5, 2), &double), Fit::Lossless);
        assert_eq!(fit(DataType::decimal(18, 4), &double), Fit::Checked);
        assert_eq!(fit(DataType::Int64, &double), Fit::Checked);
        assert_eq!(fit(DataType::TEXT, &double), Fit::No);
        assert_eq!(fit(DataType::Timestamp, &field("datetime", 0, 0, 0)), Fit::No);
        assert_eq!(fit(DataType::TEXT, &field("string", 80, 0, 0)), Fit::Checked);
        assert_eq!(
            fit(DataType::Text { max_chars: Some(80) }, &field("string", 80, 0, 0)),
            Fit::Lossless
        );
        assert_eq!(
            fit(
                DataType::Text { max_chars: Some(18) },
                &field("reference", 18, 0, 0)
            ),
            Fit::Checked
        );
        assert_eq!(fit(DataType::Int32, &field("string", 80, 0, 0)), Fit::No);
    }

    #[test]
    fn values_are_checked_one_by_one() {
        use connector_core::value::{Date, Decimal, Instant};
        let code =
            |value: Value<'_>, field: &FieldDescribe| check(&value, field).err().map(|misfit| misfit.code);
        let score = field("double", 0, 5, 2);
        assert_eq!(code(Value::Decimal(Decimal::new(99_999, 2)), &score), None);
        assert_eq!(
            code(Value::Decimal(Decimal::new(100_000, 2)), &score),
            Some("number_does_not_fit")
        );
        assert_eq!(
            code(Value::Decimal(Decimal::new(1_005, 3)), &score),
            Some("number_does_not_fit")
        );
        assert_eq!(code(Value::Float64(0.5), &score), None);
        assert_eq!(
            code(Value::Float64(f64::NAN), &score),
            Some("number_does_not_fit")
        );
        assert_eq!(
            code(Value::Int(3_000_000_000), &field("int", 0, 0, 0)),
            Some("number_does_not_fit")
        );
        let employees = FieldDescribe {
            digits: 8,
            ..field("int", 0, 0, 0)
        };
        assert_eq!(code(Value::Int(99_999_999), &employees), None);
        assert_eq!(
            code(Value::Int(100_000_000), &employees),
            Some("number_does_not_fit")
        );
        let tier = field("string", 3, 0, 0);
        assert_eq!(code(Value::Text("ééé"), &tier), None);
        assert_eq!(code(Value::Text("gold"), &tier), Some("too_long"));
        assert_eq!(
            code(Value::Text("00Q"), &field("reference", 18, 0, 0)),
            Some("bad_id")
        );
        let old = Date::from_ymd(1699, 12, 31).unwrap();
        assert_eq!(
            code(Value::Date(old), &field("date", 0, 0, 0)),
            Some("out_of_range")
        );
        for endless in [Value::Date(Date::INFINITY), Value::Date(Date::NEGATIVE_INFINITY)] {
            assert_eq!(code(endless, &field("date", 0, 0, 0)), Some("out_of_range"));
        }
        for endless in [Instant::INFINITY, Instant::NEGATIVE_INFINITY] {
            let code = code(Value::Instant(endless), &field("datetime", 0, 0, 0));
            assert_eq!(code, Some("out_of_range"));
        }
        let at = Value::Instant(Instant::from_unix_micros(1));
        assert_eq!(code(at, &field("datetime", 0, 0, 0)), Some("inexact"));
    }
}
