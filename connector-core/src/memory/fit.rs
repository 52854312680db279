//! Whether a value can stand in a field.

use serde::de::IgnoredAny;

use crate::key::Key;
use crate::report::{Outcome, Rejection};
use crate::schema::{DataType, Field};
use crate::value::{Decimal, Value};

/// Why a record was refused: a code, words without a value, the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    message: &'static str,
    pub(super) field: Option<String>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: &'static str) -> Self {
        Self {
            code,
            message,
            field: None,
        }
    }

    pub(super) fn of(field: &Field, code: &'static str, message: &'static str) -> Self {
        Self {
            field: Some(field.name.clone()),
            ..Self::new(code, message)
        }
    }

    /// The reason for people.
    pub(super) fn message(&self) -> String {
        match &self.field {
            Some(field) => format!("{} (`{field}`)", self.message),
            None => self.message.to_owned(),
        }
    }

    /// The refusal of the record numbered `sequence`.
    pub(super) fn rejection(&self, sequence: u64, key: Option<Key>) -> Rejection {
        let mut rejection = Rejection::new(sequence, key, self.code, self.message());
        rejection.fields.extend(self.field.clone());
        rejection
    }

    /// The refusal as a fate.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome::Rejected {
            code: self.code.to_owned(),
            message: self.message(),
            fields: self.field.iter().cloned().collect(),
        }
    }
}

/// Whether a field of type `to` takes values of type `from`, and if so, whether it takes all of them.
pub(super) fn takes(to: DataType, from: DataType) -> Option<bool> {
    use DataType::{Float32, Float64, Int16, Int32, Int64, Text};
    if from.widens_to(to) {
        return Some(true);
    }
    let whole = |data_type| matches!(data_type, Int16 | Int32 | Int64);
    let some = match (from, to) {
        (DataType::Decimal(_), DataType::Decimal(_)) | (Text { .. }, Text { .. }) => true,
        (from, Float32 | Float64 | DataType::Decimal(_)) => whole(from),
        (from, to) => whole(from) && whole(to),
    };
    some.then_some(false)
}

/// The value as `field` holds it.
pub(super) fn fit<'a>(field: &Field, value: Value<'a>) -> Result<Value<'a>, Refusal> {
    if value == Value::Null && !field.nullable {
        return Err(Refusal::of(field, "null_value", "the field takes no null"));
    }
    fit_type(field.data_type, value).map_err(|(code, message)| Refusal::of(field, code, message))
}

type Misfit = (&'static str, &'static str);

const WRONG_TYPE: Misfit = ("wrong_type", "the value is not of its field's type");
const OUT_OF_RANGE: Misfit = ("out_of_range", "the number does not fit its field");
const TOO_LONG: Misfit = ("too_long", "the text has more characters than its field takes");
const BAD_JSON: Misfit = ("bad_json", "the text is no JSON value");

fn fit_type<'a>(data_type: DataType, value: Value<'a>) -> Result<Value<'a>, Misfit> {
    let check = |fits: bool, otherwise: Misfit| if fits { Ok(value) } else { Err(otherwise) };
    match (data_type, value) {
        (_, Value::Unset | Value::Null)
        | (DataType::Bool, Value::Bool(_))
        | (DataType::Int64, Value::Int(_))
        | (DataType::Float32, Value::Float32(_))
        | (DataType::Float64, Value::Float64(_))
        | (DataType::Decimal(None), Value::Decimal(_))
        | (DataType::Bytes, Value::Bytes(_))
        | (DataType::Date, Value::Date(_))
        | (DataType::Time, Value::Time(_))
        | (DataType::Timestamp, Value::Timestamp(_))
        | (DataType::Instant, Value::Instant(_))
        | (DataType::Interval, Value::Interval(_))
        | (DataType::Uuid, Value::Uuid(_)) => Ok(value),
        (DataType::Int16, Value::Int(number)) => check(i16::try_from(number).is_ok(), OUT_OF_RANGE),
        (DataType::Int32, Value::Int(number)) => check(i32::try_from(number).is_ok(), OUT_OF_RANGE),
        (DataType::Float64, Value::Float32(number)) => Ok(Value::Float64(number.into())),
        (DataType::Float64, Value::Int(number)) => {
            let float = number as f64;
            let exact = float as i128 == i128::from(number);
            check(exact, OUT_OF_RANGE).map(|_| Value::Float64(float))
        }
        (DataType::Float32, Value::Int(number)) => {
            let float = number as f32;
            let exact = float as i128 == i128::from(number);
            check(exact, OUT_OF_RANGE).map(|_| Value::Float32(float))
        }
        (DataType::Decimal(_), Value::Int(number)) => {
            fit_type(data_type, Value::Decimal(Decimal::from(number)))
        }
        (DataType::Decimal(Some(size)), Value::Decimal(number)) => {
            check(number.fits(size.precision, size.scale), OUT_OF_RANGE)
        }
        (DataType::Text { max_chars }, Value::Text(text)) => check(
            max_chars.is_none_or(|max| text.chars().count() <= max as usize),
            TOO_LONG,
        ),
        (DataType::Json, Value::Json(text)) => {
            check(serde_json::from_str::<IgnoredAny>(text).is_ok(), BAD_JSON)
        }
        (DataType::Array(element), Value::Array(array)) => {
            for value in array.iter() {
                fit_type(element.data_type(), value)?;
            }
            Ok(value)
        }
        _ => Err(WRONG_TYPE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ElementType;
    use crate::value::ArrayBuf;

    fn code(data_type: DataType, value: Value<'_>) -> &'static str {
        fit(&Field::new("f", data_type), value).map_or_else(|refusal| refusal.code, |_| "fits")
    }

    #[test]
    fn what_does_not_fit_is_refused_by_code() {
        let text = DataType::Text { max_chars: Some(2) };
        assert_eq!(code(text, Value::Text("改行")), "fits");
        assert_eq!(code(text, Value::Text("abc")), "too_long");
        assert_eq!(code(text, Value::Int(1)), "wrong_type");
        assert_eq!(code(DataType::Int16, Value::Int(40_000)), "out_of_range");
        let decimal = DataType::decimal(4, 2);
        assert_eq!(code(decimal, Value::Decimal(Decimal::new(12_340, 3))), "fits");
        assert_eq!(
            code(decimal, Value::Decimal(Decimal::new(12_345, 3))),
            "out_of_range"
        );
        assert_eq!(code(decimal, Value::Int(100)), "out_of_range");
        assert_eq!(code(DataType::Json, Value::Json("{")), "bad_json");
        assert_eq!(code(DataType::Float64, Value::Int(i64::MAX)), "out_of_range");
        let mut array = ArrayBuf::new();
        array.push(&Value::Null);
        array.push(&Value::Int(70_000));
        assert_eq!(
            code(
                DataType::Array(ElementType::Int32),
                Value::Array(array.as_array())
            ),
            "fits"
        );
        assert_eq!(
            code(
                DataType::Array(ElementType::Int16),
                Value::Array(array.as_array())
            ),
            "out_of_range"
        );
    }

    #[test]
    fn a_wider_number_takes_a_narrower_one_exactly() {
        let wide = |data_type, value| fit(&Field::new("f", data_type), value).ok();
        assert_eq!(
            wide(DataType::Decimal(None), Value::Int(7)),
            Some(Value::Decimal(Decimal::new(7, 0)))
        );
        assert_eq!(
            wide(DataType::Float64, Value::Int(-3)),
            Some(Value::Float64(-3.0))
        );
        assert_eq!(takes(DataType::Int16, DataType::Int64), Some(false));
        assert_eq!(takes(DataType::Decimal(None), DataType::Int64), Some(true));
        assert_eq!(takes(DataType::Int64, DataType::TEXT), None);
        assert_eq!(takes(DataType::Float32, DataType::Float64), None);
    }

    #[test]
    fn a_refusal_names_its_field_and_no_value() {
        let refusal = fit(&Field::new("email", DataType::TEXT).not_null(), Value::Null).unwrap_err();
        let rejection = refusal.rejection(4, None);
        assert_eq!(
            (rejection.code.as_str(), rejection.message.as_str()),
            ("null_value", "the field takes no null (`email`)")
        );
        assert_eq!(rejection.fields, ["email"]);
    }
}
