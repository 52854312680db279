//! The parts of a describe answer that are used.

use serde::Deserialize;

/// The list of objects.
#[derive(Debug, Deserialize)]
pub(crate) struct ObjectList {
    /// Every object this user may see.
    pub(crate) sobjects: Vec<ObjectEntry>,
}

/// One object of the list.
#[derive(Debug, Deserialize)]
pub(crate) struct ObjectEntry {
    pub(crate) name: String,
    pub(crate) label: String,
    /// Whether SOQL may select from it.
    pub(crate) queryable: bool,
}

/// One object in full.
#[derive(Debug, Deserialize)]
pub(crate) struct ObjectDescribe {
    pub(crate) name: String,
    pub(crate) queryable: bool,
    #[serde(default)]
    pub(crate) createable: bool,
    #[serde(default)]
    pub(crate) updateable: bool,
    #[serde(default)]
    pub(crate) deletable: bool,
    pub(crate) fields: Vec<FieldDescribe>,
}

/// One field: the attributes that decide how it is read and written, of the 57 there are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FieldDescribe {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Most characters of a text; 0 where it does not apply.
    pub(crate) length: u32,
    pub(crate) precision: u16,
    pub(crate) scale: u16,
    pub(crate) digits: u16,
    pub(crate) nillable: bool,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) defaulted_on_create: bool,
    pub(crate) id_lookup: bool,
    pub(crate) external_id: bool,
    pub(crate) filterable: bool,
    /// A formula or roll-up summary.
    pub(crate) calculated: bool,
    pub(crate) auto_number: bool,
    pub(crate) unique: bool,
    /// Of a reference: the objects it may point to.
    pub(crate) reference_to: Vec<String>,
    /// Of a reference: its name in paths such as `Parent__r.Name`; `None` where it cannot be followed.
    pub(crate) relationship_name: Option<String>,
    /// Of a picklist: other values than the listed ones are refused.
    pub(crate) restricted_picklist: bool,
    pub(crate) picklist_values: Vec<PicklistValue>,
}

/// One value of a picklist.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PicklistValue {
    /// What the API takes and gives; people see its label.
    pub(crate) value: String,
    pub(crate) active: bool,
}

impl ObjectDescribe {
    /// The field called `name`, spelt exactly so.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldDescribe> {
        self.fields.iter().find(|field| field.name == name)
    }
}
