//! The values that a field offers.

use super::wire::FieldDescribe;

/// The values of a picklist, or of a field that takes several of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Picklist {
    /// Whether the org refuses every other value.
    pub restricted: bool,
    /// The values in the order in which people see them.
    pub values: Vec<PicklistValue>,
}

/// One value of a [`Picklist`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PicklistValue {
    /// What is read and written.
    pub value: String,
    /// What people see, in the user's language.
    pub label: String,
    /// Whether it may be chosen today; a record may still hold one that may not.
    pub active: bool,
}

impl Picklist {
    /// The picklist of `field`, if it is one.
    pub(super) fn of(field: &FieldDescribe) -> Option<Self> {
        if !matches!(field.kind.as_str(), "picklist" | "multipicklist" | "combobox") {
            return None;
        }
        let values = field.picklist_values.iter().map(|entry| PicklistValue {
            value: entry.value.clone(),
            label: entry.label.clone().unwrap_or_else(|| entry.value.clone()),
            active: entry.active,
        });
        Some(Self {
            restricted: field.restricted_picklist,
            values: values.collect(),
        })
    }
}
