//! A filter as SOQL: conditions that leave out only what surely does not pass.
//!
//! The org compares text without regard to letter case, orders it by a language, and takes an empty text for null; a
//! condition is handed over only where everything that passes the filter also meets the condition. The records that come
//! are looked at again.

use connector_core::{Comparison, Field, Filter, Literal, Operator, Test, Value};

use crate::describe::{FieldDescribe, ObjectDescribe};
use crate::soql::{instant, quote};
use crate::types::{Mapped, data_type};

/// Most characters of a condition's list: the address has to hold it.
const LONGEST: usize = 3_000;

/// The conditions that the org looks at, and the fields that it cannot be asked for.
pub(crate) fn conditions<'a>(filter: &'a Filter, object: &ObjectDescribe) -> (Vec<String>, Vec<&'a str>) {
    let (mut conditions, mut here) = (Vec::new(), Vec::new());
    for comparison in filter.comparisons() {
        let known = object.field(&comparison.field).filter(|field| field.filterable);
        match known.and_then(|field| condition(comparison, field)) {
            Some(condition) if condition.len() <= LONGEST => conditions.push(condition),
            _ => here.push(comparison.field.as_str()),
        }
    }
    (conditions, here)
}

fn condition(comparison: &Comparison, field: &FieldDescribe) -> Option<String> {
    let name = &field.name;
    Some(match &comparison.test {
        Test::IsNull => format!("{name} = NULL"),
        Test::IsNotNull => format!("{name} != NULL"),
        Test::Compare(operator, value) => {
            if !compares(field, *operator) {
                return None;
            }
            format!("{name} {} {}", operator.as_str(), literal(value, field)?)
        }
        Test::In(values) => {
            if !compares(field, Operator::Equal) {
                return None;
            }
            let list: Option<Vec<String>> = values.iter().map(|value| literal(value, field)).collect();
            format!("{name} IN ({})", list.filter(|list| !list.is_empty())?.join(","))
        }
    })
}

/// Whether all that stands in this order to a value here does so at the org.
fn compares(field: &FieldDescribe, operator: Operator) -> bool {
    match field.kind.as_str() {
        "id" | "reference" | "string" | "phone" | "url" | "email" | "picklist" => operator == Operator::Equal,
        "boolean" => matches!(operator, Operator::Equal | Operator::NotEqual),
        // A formula is compared by more digits than are shown.
        "int" | "double" | "currency" | "percent" => !field.calculated,
        "date" | "datetime" => true,
        _ => false,
    }
}

/// `value` as SOQL spells it; `None` where it cannot.
fn literal(value: &Literal, field: &FieldDescribe) -> Option<String> {
    let Mapped::To(data_type) = data_type(field) else {
        return None;
    };
    let fitted = value.fit(&Field::new(&field.name, data_type)).ok()?;
    let mut digits = String::new();
    match fitted.value(&mut digits) {
        Value::Bool(value) => Some(value.to_string().to_uppercase()),
        Value::Int(value) => i32::try_from(value).ok().map(|value| value.to_string()),
        Value::Decimal(value) => plain(value.to_string()),
        // An empty text is null there, and what is trimmed there is not trimmed here.
        Value::Text(text) if !text.is_empty() && text.trim() == text => Some(quote(text)),
        Value::Date(date) => within_years(date.to_string()),
        Value::Instant(moment) if moment == moment.floor_to_second() => within_years(instant(moment)),
        _ => None,
    }
}

/// A number with few enough digits to be the same at the org.
fn plain(number: String) -> Option<String> {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    (is_plain && digits <= 15).then_some(number)
}

/// Dates that the org knows: the years 1700 to 4000.
fn within_years(date: String) -> Option<String> {
    let year: u32 = date.get(..4)?.parse().ok()?;
    let is_short = date.as_bytes().get(4) == Some(&b'-');
    (is_short && (1700..4000).contains(&year)).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> ObjectDescribe {
        let field = |(name, kind): (&str, &str)| FieldDescribe {
            name: name.into(),
            kind: kind.into(),
            precision: 18,
            scale: 2,
            filterable: kind != "textarea",
            calculated: name == "Formula",
            ..FieldDescribe::default()
        };
        let fields = [
            ("Name", "string"),
            ("Note", "textarea"),
            ("Open", "boolean"),
            ("N", "int"),
            ("Amount", "currency"),
            ("Formula", "double"),
            ("Day", "date"),
            ("At", "datetime"),
            ("Tags", "multipicklist"),
        ];
        ObjectDescribe {
            name: "X".into(),
            fields: fields.map(field).to_vec(),
            ..ObjectDescribe::default()
        }
    }

    #[test]
    fn what_the_org_compares_as_here_is_handed_over() {
        for (filter, wanted) in [
            ("Name = 'O''Neil'", r"Name = 'O\'Neil'"),
            ("Name in ('a', 'b')", "Name IN ('a','b')"),
            ("Name is null and Open = true", "Name = NULL AND Open = TRUE"),
            ("N >= 5 and N != 7", "N >= 5 AND N != 7"),
            ("Amount < 12.50", "Amount < 12.50"),
            ("Day > '2024-02-29'", "Day > 2024-02-29"),
            ("At <= '2024-02-29T13:30:00+01:00'", "At <= 2024-02-29T12:30:00Z"),
        ] {
            let filter = Filter::parse(filter).unwrap();
            let (conditions, here) = conditions(&filter, &object());
            assert_eq!(
                (conditions.join(" AND ").as_str(), here.len()),
                (wanted, 0),
                "{filter}"
            );
        }
    }

    #[test]
    fn what_it_compares_otherwise_is_looked_at_here() {
        for filter in [
            // `A` is another text than `a` here, and the same one there.
            "Name != 'a'",
            "Name < 'a'",
            "Name = ''",
            "Name = ' a'",
            "Note is null",
            "Formula = 5",
            "N < 99999999999",
            "Amount = 1234567890123456.78",
            "Day > '0001-01-01'",
            "At < '2024-02-29T13:30:00.5Z'",
            "Tags = 'a;b'",
        ] {
            let filter = Filter::parse(filter).unwrap();
            let (conditions, here) = conditions(&filter, &object());
            assert_eq!((conditions.len(), here.len()), (0, 1), "{filter}");
        }
    }
}
