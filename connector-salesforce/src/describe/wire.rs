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
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectDescribe {
    pub(crate) name: String,
    pub(crate) queryable: bool,
    #[serde(default)]
    pub(crate) updateable: bool,
    /// Whether the org keeps a list of what was deleted.
    #[serde(default)]
    pub(crate) replicateable: bool,
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
    /// Whether two records cannot have the same value.
    pub(crate) unique: bool,
    /// Whether letter case tells two values of a unique field apart.
    pub(crate) case_sensitive: bool,
    pub(crate) filterable: bool,
    /// A formula or roll-up summary.
    pub(crate) calculated: bool,
    /// Shown with its characters masked.
    pub(crate) encrypted: bool,
    /// The objects whose records a reference may name.
    #[serde(deserialize_with = "listed")]
    pub(crate) reference_to: Vec<String>,
    /// What leads from here to the record that a reference names, in queries and writes.
    pub(crate) relationship_name: Option<String>,
    /// The values that a picklist offers.
    #[serde(deserialize_with = "listed")]
    pub(crate) picklist_values: Vec<PicklistEntry>,
    /// Whether a picklist refuses every other value.
    pub(crate) restricted_picklist: bool,
}

/// One value of a picklist.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PicklistEntry {
    /// What the API reads and writes.
    pub(crate) value: String,
    /// What people see.
    pub(crate) label: Option<String>,
    /// Whether it may be chosen today; an old record may hold one that may not.
    pub(crate) active: bool,
}

/// A list that may be missing or `null`.
fn listed<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl ObjectDescribe {
    /// The field called `name`, spelt exactly so.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldDescribe> {
        self.fields.iter().find(|field| field.name == name)
    }
}
