//! Which records a query finds.

use std::cmp::Ordering;

use super::super::decimal::Decimal;
use super::super::field::FieldType;
use super::super::row_set::RowSet;
use super::super::value::FieldValue;
use super::super::view::{RowView, View};
use super::ast::{Condition, Literal, Operator, Query};

/// The records `query` finds, in order; those in the recycle bin only with `all`.
pub(in super::super) fn run(query: &Query, view: &View, all: bool) -> RowSet {
    let deleted = query.object.field("IsDeleted");
    let matching = view.numbers(&query.object).filter(|&n| {
        let Some(row) = view.row(&query.object, n) else {
            return false;
        };
        let alive = all || deleted.is_none_or(|field| row.value(field) != FieldValue::Bool(true));
        alive
            && query
                .condition
                .as_ref()
                .is_none_or(|condition| holds(condition, row))
    });
    let limit = query.limit.unwrap_or(usize::MAX);
    // Ids ascend with the numbers, so the order by Id is the order at hand.
    let ordered = query
        .order
        .iter()
        .any(|order| query.object.fields[order.field].kind != FieldType::Id)
        || query.order.first().is_some_and(|order| order.descending);
    if !ordered {
        return matching.skip(query.offset).take(limit).collect();
    }
    let mut rows: Vec<(Vec<SortKey>, u64)> = matching
        .filter_map(|n| {
            let row = view.row(&query.object, n)?;
            let keys = query.order.iter();
            let keys = keys.map(|order| SortKey::new(row.value(order.field)));
            Some((keys.collect(), n))
        })
        .collect();
    rows.sort_by(|(left, left_n), (right, right_n)| {
        for ((left, right), order) in left.iter().zip(right).zip(&query.order) {
            let ordering = match (left, right) {
                (SortKey::Null, SortKey::Null) => Ordering::Equal,
                (SortKey::Null, _) if order.nulls_last => Ordering::Greater,
                (SortKey::Null, _) => Ordering::Less,
                (_, SortKey::Null) if order.nulls_last => Ordering::Less,
                (_, SortKey::Null) => Ordering::Greater,
                _ if order.descending => right.cmp(left),
                _ => left.cmp(right),
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        left_n.cmp(right_n)
    });
    rows.into_iter()
        .map(|(_, n)| n)
        .skip(query.offset)
        .take(limit)
        .collect()
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Null,
    Bool(bool),
    DateTime(i64),
    Number(Decimal),
    Text(String),
}

impl SortKey {
    fn new(value: FieldValue) -> Self {
        match value {
            FieldValue::Null | FieldValue::Compound(_) | FieldValue::Json(_) => Self::Null,
            FieldValue::Bool(value) => Self::Bool(value),
            FieldValue::DateTime(micros) => Self::DateTime(micros),
            FieldValue::Number(text) => Decimal::parse(&text).map_or(Self::Null, Self::Number),
            FieldValue::Text(text) => Self::Text(text.into_owned()),
        }
    }
}

fn holds(condition: &Condition, row: RowView<'_>) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| holds(part, row)),
        Condition::Or(parts) => parts.iter().any(|part| holds(part, row)),
        Condition::Not(inner) => !holds(inner, row),
        Condition::Compare {
            field,
            operator,
            literal,
        } => compares(&row.value(*field), *operator, literal),
        Condition::In {
            field,
            literals,
            negated,
        } => {
            let value = row.value(*field);
            literals
                .iter()
                .any(|literal| compares(&value, Operator::Equal, literal))
                != *negated
        }
        Condition::Like { field, pattern } => row
            .value(*field)
            .text()
            .is_some_and(|text| like(&text.to_lowercase(), pattern)),
    }
}

fn compares(value: &FieldValue, operator: Operator, literal: &Literal) -> bool {
    let ordering = match (value, literal) {
        (FieldValue::Null, Literal::Null) => Some(Ordering::Equal),
        (FieldValue::Bool(value), Literal::Bool(other)) => Some(value.cmp(other)),
        (FieldValue::DateTime(value), Literal::DateTime(other)) => Some(value.cmp(other)),
        (FieldValue::Number(value), Literal::Number(other)) => {
            Decimal::parse(value).map(|value| value.cmp(other))
        }
        // Text ignores letter case; an id was brought into its one form, which tells `a` from `A` in its checksum.
        (FieldValue::Text(value), Literal::Text(other)) => Some(text_order(value, other)),
        _ => None,
    };
    match operator {
        Operator::Equal => ordering == Some(Ordering::Equal),
        Operator::NotEqual => ordering != Some(Ordering::Equal),
        Operator::Less => ordering == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => ordering == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn text_order(value: &str, literal: &str) -> Ordering {
    if literal.bytes().any(|byte| byte.is_ascii_uppercase()) {
        // Only ids keep their capitals.
        return value.cmp(literal);
    }
    value.to_lowercase().as_str().cmp(literal)
}

/// `%` stands for any text, `_` for any one letter, a backslash before them for themselves.
fn like(text: &str, pattern: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => text.is_empty(),
        Some('%') => {
            let rest = letters.as_str();
            like(text, rest)
                || text
                    .chars()
                    .next()
                    .is_some_and(|first| like(&text[first.len_utf8()..], pattern))
        }
        Some('_') => text
            .chars()
            .next()
            .is_some_and(|first| like(&text[first.len_utf8()..], letters.as_str())),
        Some('\\') if letters.as_str().starts_with(['%', '_']) => {
            let literal = letters.next();
            text.chars().next() == literal && like(&text[1..], letters.as_str())
        }
        Some(letter) => text
            .strip_prefix(letter)
            .is_some_and(|rest| like(rest, letters.as_str())),
    }
}
