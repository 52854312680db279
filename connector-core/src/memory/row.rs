//! One row of a table, and what it means that two values are the same.

use std::sync::Arc;

use crate::batch::{Batch, BatchBuilder, Op};
use crate::key::Key;
use crate::schema::{Field, Schema};
use crate::value::Value;

/// A row: a batch of one record, shared.
#[derive(Clone, Debug)]
pub(super) struct Row(Arc<Batch>);

impl Row {
    /// A row of `schema`; values that are not given are unset.
    pub(super) fn new<'a>(schema: &Arc<Schema>, values: impl IntoIterator<Item = Value<'a>>) -> Self {
        let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
        for value in values {
            builder.push(value);
        }
        builder.end_record(Op::Put);
        Self(Arc::new(builder.finish()))
    }

    /// The same row with other values at some positions.
    pub(super) fn with(&self, changed: &[(usize, Value<'_>)]) -> Self {
        let values = (0..self.fields().len()).map(|position| {
            let change = changed.iter().find(|(other, _)| *other == position);
            change.map_or(self.value(position), |(_, value)| *value)
        });
        Self::new(self.0.schema(), values)
    }

    /// The fields the row was made with.
    pub(super) fn fields(&self) -> &[Field] {
        self.0.schema().fields()
    }

    /// The value at `position`; null where the table got the field after the row.
    pub(super) fn value(&self, position: usize) -> Value<'_> {
        let record = self.0.get(0).filter(|_| position < self.fields().len());
        record.map_or(Value::Null, |record| record.value(position))
    }

    /// The values at `positions`.
    pub(super) fn values(&self, positions: &[usize]) -> impl Iterator<Item = Value<'_>> {
        positions.iter().map(|&position| self.value(position))
    }

    /// Whether both hold the same values, bit for bit, in the first `fields` fields.
    pub(super) fn is_same(&self, other: &Self, fields: usize) -> bool {
        (0..fields).all(|position| is_same(&self.value(position), &other.value(position)))
    }

    /// Whether `self` holds the values of `other` under the names they have there.
    pub(super) fn says(&self, other: &Self) -> bool {
        other.fields().iter().enumerate().all(|(position, field)| {
            let mine = self.fields().iter().position(|own| own.name == field.name);
            mine.is_some_and(|mine| says(&self.value(mine), &other.value(position)))
        })
    }
}

/// Whether two values are stored alike: `1.0` is not `1.00`, and `NaN` is itself.
pub(super) fn is_same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Float32(a), Value::Float32(b)) => a.to_bits() == b.to_bits(),
        (Value::Float64(a), Value::Float64(b)) => a.to_bits() == b.to_bits(),
        (Value::Decimal(a), Value::Decimal(b)) => a == b && a.scale() == b.scale(),
        _ => a == b,
    }
}

/// Whether two values say the same to another system: `1.0` is `1.00`.
pub(super) fn says(a: &Value<'_>, b: &Value<'_>) -> bool {
    a == b || is_same(a, b)
}

/// What rows are found by: the key of `values`, in which `1.0` is `1.00`; `None` where one of them is missing.
pub(super) fn lookup_key<'a>(values: impl IntoIterator<Item = Value<'a>>) -> Option<Key> {
    let mut texts = Vec::new();
    for value in values {
        let mut text = value.is_present().then(|| value.to_string())?;
        if matches!(value, Value::Decimal(_)) && text.contains('.') {
            text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
        }
        texts.push(text);
    }
    Some(Key::from_values(texts.iter().map(|text| Value::Text(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DataType;
    use crate::value::Decimal;

    #[test]
    fn a_field_that_came_later_is_null() {
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64)], ["id"]).unwrap());
        let row = Row::new(&schema, [Value::Int(7)]);
        assert_eq!([row.value(0), row.value(1)], [Value::Int(7), Value::Null]);
    }

    #[test]
    fn a_scale_is_kept_and_a_key_knows_none() {
        let (short, long) = (
            Value::Decimal(Decimal::new(10, 1)),
            Value::Decimal(Decimal::new(100, 2)),
        );
        assert!(!is_same(&short, &long));
        assert!(says(&short, &long));
        assert_eq!(lookup_key([short]), lookup_key([long]));
        assert_eq!(lookup_key([short]), Some(Key::new("1")));
        assert_eq!(
            lookup_key([Value::Decimal(Decimal::new(100, 0))]),
            Some(Key::new("100"))
        );
        assert_eq!(lookup_key([Value::Int(1), Value::Null]), None);
    }

    #[test]
    fn not_a_number_is_the_same_as_itself() {
        assert!(is_same(&Value::Float64(f64::NAN), &Value::Float64(f64::NAN)));
        assert!(!is_same(&Value::Float64(0.0), &Value::Float64(-0.0)));
    }
}
