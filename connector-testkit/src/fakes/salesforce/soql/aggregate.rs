//! COUNT, MIN and their like over what a query finds.

use std::collections::BTreeSet;

use super::super::object::ObjectType;
use super::super::row_set::RowSet;
use super::super::value::FieldValue;
use super::super::view::View;
use super::ast::{Aggregate, Function};
use super::eval::SortKey;

impl Aggregate {
    /// The value over `rows`.
    pub(in super::super) fn value(&self, view: &View, object: &ObjectType, rows: &RowSet) -> FieldValue {
        let found = rows
            .slice(0, rows.len())
            .filter_map(|n| view.row(object, n))
            .map(|row| self.path.value(view, row))
            .filter(|value| !value.is_null());
        let keyed = found.map(|value| (SortKey::new(value.clone()), value));
        match self.function {
            Function::Count => FieldValue::number(keyed.count().to_string()),
            Function::CountDistinct => {
                let distinct: BTreeSet<SortKey> = keyed.map(|(key, _)| key).collect();
                FieldValue::number(distinct.len().to_string())
            }
            Function::Min => value(keyed.min_by(|left, right| left.0.cmp(&right.0))),
            Function::Max => value(keyed.max_by(|left, right| left.0.cmp(&right.0))),
        }
    }

    /// Whether the value is a whole number whatever the field's type.
    pub(in super::super) fn counts(&self) -> bool {
        matches!(self.function, Function::Count | Function::CountDistinct)
    }

    /// The field that is looked at.
    pub(in super::super) fn kind(&self, object: &ObjectType) -> super::super::field::FieldType {
        self.path.meta(object).kind
    }
}

fn value(found: Option<(SortKey, FieldValue)>) -> FieldValue {
    found.map_or(FieldValue::Null, |(_, value)| value)
}
