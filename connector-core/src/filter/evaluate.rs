//! Whether a record passes a filter.

use std::cmp::Ordering;

use super::fitted::FittedLiteral;
use super::{Filter, Operator, Test};
use crate::batch::Record;
use crate::error::Result;
use crate::schema::Schema;
use crate::value::Value;

/// A filter for records of one schema, its literals read as values of their fields' types.
#[derive(Clone, Debug)]
pub struct RecordFilter {
    tests: Vec<(usize, FittedTest)>,
}

#[derive(Clone, Debug)]
enum FittedTest {
    Compare(Operator, FittedLiteral),
    In(Vec<FittedLiteral>),
    IsNull,
    IsNotNull,
}

impl Filter {
    /// The filter for records of `schema`.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema): a field is not there, or a literal is no value of its type.
    pub fn for_records(&self, schema: &Schema) -> Result<RecordFilter> {
        let mut tests = Vec::with_capacity(self.comparisons.len());
        for comparison in &self.comparisons {
            let position = schema
                .index_of(&comparison.field)
                .map_err(|error| error.with_context("filter", self.to_string()))?;
            let field = &schema.fields()[position];
            let test = match &comparison.test {
                Test::Compare(operator, literal) => FittedTest::Compare(*operator, literal.fit(field)?),
                Test::In(literals) => {
                    let fitted = literals.iter().map(|literal| literal.fit(field));
                    FittedTest::In(fitted.collect::<Result<_>>()?)
                }
                Test::IsNull => FittedTest::IsNull,
                Test::IsNotNull => FittedTest::IsNotNull,
            };
            tests.push((position, test));
        }
        Ok(RecordFilter { tests })
    }
}

impl RecordFilter {
    /// Whether the record passes every comparison. An unset field counts as null.
    pub fn keeps(&self, record: &Record<'_>) -> bool {
        self.keeps_values(|position| record.value(position))
    }

    /// The same for the values at positions of the schema.
    pub(crate) fn keeps_values<'a>(&self, value: impl Fn(usize) -> Value<'a>) -> bool {
        self.tests.iter().all(|(position, test)| {
            let value = value(*position);
            match test {
                FittedTest::IsNull => !value.is_present(),
                FittedTest::IsNotNull => value.is_present(),
                FittedTest::Compare(operator, literal) => {
                    order(&value, literal).is_some_and(|order| operator.holds(order))
                }
                FittedTest::In(literals) => literals
                    .iter()
                    .any(|literal| order(&value, literal) == Some(Ordering::Equal)),
            }
        })
    }
}

impl Operator {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// How a value stands to a literal; `None` where there is no value.
fn order(value: &Value<'_>, literal: &FittedLiteral) -> Option<Ordering> {
    let mut digits = String::new();
    Some(match (value, literal.value(&mut digits)) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(&b),
        (Value::Int(a), Value::Int(b)) => a.cmp(&b),
        (Value::Float32(a), Value::Float64(b)) => floats(f64::from(*a), b),
        (Value::Float64(a), Value::Float64(b)) => floats(*a, b),
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(&b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Date(a), Value::Date(b)) => a.cmp(&b),
        (Value::Time(a), Value::Time(b)) => a.cmp(&b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(&b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(&b),
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(&b),
        _ => return None,
    })
}

/// As PostgreSQL orders them: the zeros are equal, `NaN` is itself and above everything.
fn floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::{BatchBuilder, Op};
    use crate::error::ErrorKind;
    use crate::schema::{DataType, Field};
    use crate::value::{Date, Decimal};

    fn schema() -> Arc<Schema> {
        let fields = vec![
            Field::new("id", DataType::Int32),
            Field::new("name", DataType::Text { max_chars: Some(3) }),
            Field::new("amount", DataType::decimal(5, 2)),
            Field::new("day", DataType::Date),
            Field::new("real", DataType::Float32),
            Field::new("flag", DataType::Bool),
            Field::new("doc", DataType::Json),
        ];
        Arc::new(Schema::new(fields, ["id"]).unwrap())
    }

    /// The ids of the records that pass, of three of which the last has nothing but its id.
    fn kept(filter: &str) -> Vec<i64> {
        let mut builder = BatchBuilder::new(schema(), 0);
        for (id, name, amount, days, real, flag) in [
            (1, "a", 150, 0, 0.5, true),
            (2, "B", -25, 19_000, f32::NAN, false),
        ] {
            builder.push(Value::Int(id));
            builder.push(Value::Text(name));
            builder.push(Value::Decimal(Decimal::new(amount, 2)));
            builder.push(Value::Date(Date::from_unix_days(days)));
            builder.push(Value::Float32(real));
            builder.push(Value::Bool(flag));
            builder.push(Value::Json("{}"));
            builder.end_record(Op::Put);
        }
        builder.push(Value::Int(3));
        (0..6).for_each(|_| builder.push(Value::Null));
        builder.end_record(Op::Put);
        let filter = Filter::parse(filter).unwrap().for_records(&schema()).unwrap();
        let batch = builder.finish();
        let kept = batch.records().filter(|record| filter.keeps(record));
        kept.map(|record| match record.value(0) {
            Value::Int(id) => id,
            other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn records_pass_as_in_sql() {
        for (filter, ids) in [
            ("id >= 2", vec![2, 3]),
            ("id < 99999999999", vec![1, 2, 3]),
            ("name != 'a'", vec![2]),
            ("name < 'a'", vec![2]),
            ("name in ('B', 'far too long')", vec![2]),
            ("amount = 1.5", vec![1]),
            ("amount < 1e-3", vec![2]),
            ("day > '2000-01-01'", vec![2]),
            ("real > 1e30", vec![2]),
            ("real = 0.5", vec![1]),
            ("flag = false", vec![2]),
            ("name is null", vec![3]),
            ("doc is not null and id > 1", vec![2]),
            ("name = 'a' and amount < 0", vec![]),
        ] {
            assert_eq!(kept(filter), ids, "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for (filter, message, help) in [
            ("nam = 'a'", "there is no field `nam`", "did you mean `name`?"),
            (
                "id = 1.5",
                "the filter compares `id`, which is of type int32, with 1.5",
                "compare it with a whole number",
            ),
            (
                "day = 5",
                "the filter compares `day`, which is of type date, with 5",
                "compare it with a date in quotes, such as '2024-02-29'",
            ),
            (
                "doc = '{}'",
                "`doc` is of type json, whose values a filter cannot compare",
                "`is null` and `is not null` can be asked of every field",
            ),
        ] {
            let error = Filter::parse(filter).unwrap().for_records(&schema()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Schema);
            assert_eq!((error.message(), error.help()), (message, Some(help)));
        }
    }
}
