//! A filter as SQL.

use connector_core::value::{Date, Instant, Timestamp};
use connector_core::{
    Comparison, DataType, Error, ErrorKind, Field, Filter, Literal, Operator, Result, Test, Value,
};

use super::relation::{Relation, select};
use crate::ident::{self, Ident};

/// The comparisons of a filter as conditions of a statement.
///
/// # Errors
/// [`ErrorKind::Schema`]: a field is not there, or a literal is no value of its type.
pub(crate) fn conditions(filter: &Filter, relation: &Relation) -> Result<Vec<String>> {
    // Everything that can be refused is, in the words of every other source.
    filter.for_records(&relation.schema)?;
    let conditions = filter
        .comparisons()
        .iter()
        .map(|comparison| condition(comparison, relation));
    conditions.collect()
}

fn condition(comparison: &Comparison, relation: &Relation) -> Result<String> {
    let position = relation.schema.index_of(&comparison.field)?;
    let (field, column) = (&relation.schema.fields()[position], &relation.columns[position]);
    let name = Ident(&column.name).to_string();
    let is_text = matches!(field.data_type, DataType::Text { .. });
    // The order of bytes, whatever the order of the database's language is.
    let exact = if is_text {
        format!("({})::text COLLATE \"C\"", select(column))
    } else {
        name.clone()
    };
    let sql = |literal: &Literal| literal_sql(literal, field);
    // What is equal in bytes is equal in any order too, of which there may be an index.
    let indexed = |equals: String| {
        if is_text && column.pg_type.to_core() == field.data_type && column.is_plain_text() {
            format!("({exact} {equals} AND {name} {equals})")
        } else {
            format!("{exact} {equals}")
        }
    };
    Ok(match &comparison.test {
        Test::IsNull => format!("{name} IS NULL"),
        Test::IsNotNull => format!("{name} IS NOT NULL"),
        Test::Compare(Operator::Equal, literal) => indexed(format!("= {}", sql(literal)?)),
        Test::Compare(Operator::NotEqual, literal) => format!("{exact} <> {}", sql(literal)?),
        Test::Compare(operator, literal) => format!("{exact} {} {}", operator.as_str(), sql(literal)?),
        Test::In(literals) => {
            let list = literals.iter().map(sql).collect::<Result<Vec<_>>>()?;
            indexed(format!("IN ({})", list.join(", ")))
        }
    })
}

/// A literal as a value of the widest type of its field's kind.
fn literal_sql(literal: &Literal, field: &Field) -> Result<String> {
    let fitted = literal.fit(field)?;
    let mut digits = String::new();
    let quoted = |value: &dyn std::fmt::Display, sql_type: &str| {
        format!("{}::{sql_type}", ident::Literal(&value.to_string()))
    };
    Ok(match fitted.value(&mut digits) {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => quoted(&value, "bigint"),
        Value::Float64(value) => quoted(&float(value), "double precision"),
        Value::Decimal(value) => quoted(&value, "numeric"),
        Value::Text(text) => quoted(&text, "text"),
        Value::Date(value) => date(value),
        Value::Time(value) => quoted(&value, "time"),
        Value::Timestamp(value) => timestamp(value),
        Value::Instant(value) => instant(value),
        Value::Uuid(_) => quoted(&fitted.value(&mut String::new()), "uuid"),
        other => {
            let message = format!("a filter's literal became {other:?}");
            return Err(Error::new(ErrorKind::Bug, message));
        }
    })
}

fn float(value: f64) -> String {
    if value.is_infinite() {
        String::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        value.to_string()
    }
}

/// Counted from 1970, so that no year is spelt.
fn date(value: Date) -> String {
    endless(&value, "date").unwrap_or_else(|| format!("(date '1970-01-01' + ({}))", value.unix_days()))
}

fn timestamp(value: Timestamp) -> String {
    endless(&value, "timestamp")
        .unwrap_or_else(|| format!("(timestamp '1970-01-01' + {})", micros(value.unix_micros())))
}

fn instant(value: Instant) -> String {
    endless(&value, "timestamptz").unwrap_or_else(|| {
        format!(
            "(timestamptz '1970-01-01 00:00:00+00' + {})",
            micros(value.unix_micros())
        )
    })
}

/// A time before or after all others, if it is one.
fn endless(value: &dyn std::fmt::Display, sql_type: &str) -> Option<String> {
    let text = value.to_string();
    matches!(text.as_str(), "infinity" | "-infinity").then(|| format!("'{text}'::{sql_type}"))
}

/// Days and the rest apart: a product with so many microseconds would lose the last of them.
fn micros(micros: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    format!("({days}) * interval '1 day' + {rest} * interval '1 microsecond'")
}
