//! A field of the record or of one of its parents.

use std::sync::Arc;

use super::super::field::Field;
use super::super::object::ObjectType;
use super::super::value::FieldValue;
use super::super::view::{RowView, View};

/// From a record to its parent.
#[derive(Clone, Debug)]
pub(in super::super) struct Step {
    /// Index of the reference field.
    pub(in super::super) field: usize,
    /// The relationship's name, as REST shows it.
    pub(in super::super) name: String,
    /// The parent's object.
    pub(in super::super) object: Arc<ObjectType>,
}

/// `Name` or `Owner.Name`: steps to a parent, and a field there.
#[derive(Clone, Debug)]
pub(in super::super) struct Path {
    pub(in super::super) steps: Vec<Step>,
    pub(in super::super) field: usize,
}

impl Path {
    /// The object whose field it is, for a query of `object`.
    fn end<'a>(&'a self, object: &'a ObjectType) -> &'a ObjectType {
        self.steps.last().map_or(object, |step| &*step.object)
    }

    /// The field at the path's end.
    pub(in super::super) fn meta<'a>(&'a self, object: &'a ObjectType) -> &'a Field {
        &self.end(object).fields[self.field]
    }

    /// `Owner.Name`
    pub(in super::super) fn name(&self, object: &ObjectType) -> String {
        let mut name = String::new();
        for step in &self.steps {
            name.push_str(&step.name);
            name.push('.');
        }
        name.push_str(&self.meta(object).name);
        name
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        let steps = |path: &Self| path.steps.iter().map(|step| step.field).collect::<Vec<_>>();
        self.field == other.field && steps(self) == steps(other)
    }

    /// The value it leads to from `row`; null where a parent is missing.
    pub(in super::super) fn value(&self, view: &View, row: RowView<'_>) -> FieldValue {
        let Some((step, rest)) = self.steps.split_first() else {
            return row.value(self.field);
        };
        let rest = Self {
            steps: rest.to_vec(),
            field: self.field,
        };
        parent(view, row, step).map_or(FieldValue::Null, |row| rest.value(view, row))
    }
}

/// The parent a step leads to.
pub(in super::super) fn parent<'a>(view: &'a View, row: RowView<'_>, step: &'a Step) -> Option<RowView<'a>> {
    let id = row.value(step.field).text()?;
    view.by_id(&step.object, &id)
}
