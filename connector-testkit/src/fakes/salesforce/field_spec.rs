//! Fields of one's own.

use super::field::{Field, FieldType};
use super::value::FieldValue;

/// A field for an [`ObjectSpec`](super::ObjectSpec): by default one that clients may read, create and update, that
/// may be empty, and that can be filtered and sorted by where Salesforce allows it for the type.
#[derive(Clone, Debug)]
pub struct FieldSpec {
    field: Field,
    /// The parts of a compound field.
    parts: Vec<Field>,
}

impl FieldSpec {
    fn new(name: &str, type_name: &'static str, kind: FieldType) -> Self {
        Self {
            field: Field::new(name, type_name, kind),
            parts: Vec::new(),
        }
    }

    fn of_length(name: &str, type_name: &'static str, kind: FieldType, length: usize) -> Self {
        let mut spec = Self::new(name, type_name, kind);
        spec.field.length = length;
        spec.field.byte_length = length * 3;
        spec
    }

    fn decimal(name: &str, type_name: &'static str, precision: usize, scale: usize) -> Self {
        let mut spec = Self::new(name, type_name, FieldType::Double);
        spec.field.precision = precision;
        spec.field.scale = scale;
        spec
    }

    /// Type `string`.
    pub fn string(name: &str, length: usize) -> Self {
        Self::of_length(name, "string", FieldType::Text, length)
    }

    /// Type `textarea`; longer than 255 characters it cannot be filtered or sorted by.
    pub fn textarea(name: &str, length: usize) -> Self {
        let mut spec = Self::of_length(name, "textarea", FieldType::Text, length);
        spec.field.extra_type_info = "plaintextarea";
        if length > 255 {
            spec.field.filterable = false;
            spec.field.sortable = false;
            spec.field.groupable = false;
        }
        spec
    }

    /// Type `phone`.
    pub fn phone(name: &str) -> Self {
        Self::of_length(name, "phone", FieldType::Text, 40)
    }

    /// Type `url`.
    pub fn url(name: &str) -> Self {
        Self::of_length(name, "url", FieldType::Text, 255)
    }

    /// Type `email`.
    pub fn email(name: &str) -> Self {
        Self::of_length(name, "email", FieldType::Email, 80)
    }

    /// Type `picklist`.
    pub fn picklist(name: &str, values: &[&str]) -> Self {
        Self::of_length(name, "picklist", FieldType::Picklist, 255).choices(values)
    }

    /// Type `multipicklist`: values are given as `A;B;C`.
    pub fn multipicklist(name: &str, values: &[&str]) -> Self {
        Self::of_length(name, "multipicklist", FieldType::MultiPicklist, 4_099).choices(values)
    }

    /// Type `combobox`: a picklist that takes other texts as well.
    pub fn combobox(name: &str, values: &[&str]) -> Self {
        Self::of_length(name, "combobox", FieldType::Picklist, 255).choices(values)
    }

    /// Type `encryptedstring`: read masked.
    pub fn encrypted(name: &str, length: usize) -> Self {
        Self::of_length(name, "encryptedstring", FieldType::Encrypted, length)
    }

    /// Type `boolean`: never null.
    pub fn boolean(name: &str) -> Self {
        Self::new(name, "boolean", FieldType::Boolean)
    }

    /// Type `int`.
    pub fn int(name: &str, digits: usize) -> Self {
        let mut spec = Self::new(name, "int", FieldType::Int);
        spec.field.digits = digits;
        spec
    }

    /// Type `long`.
    pub fn long(name: &str) -> Self {
        let mut spec = Self::new(name, "long", FieldType::Long);
        spec.field.digits = 18;
        spec
    }

    /// Type `double`.
    pub fn double(name: &str, precision: usize, scale: usize) -> Self {
        Self::decimal(name, "double", precision, scale)
    }

    /// Type `currency`.
    pub fn currency(name: &str, precision: usize, scale: usize) -> Self {
        Self::decimal(name, "currency", precision, scale)
    }

    /// Type `percent`.
    pub fn percent(name: &str, precision: usize, scale: usize) -> Self {
        Self::decimal(name, "percent", precision, scale)
    }

    /// Type `date`.
    pub fn date(name: &str) -> Self {
        Self::new(name, "date", FieldType::Date)
    }

    /// Type `datetime`.
    pub fn datetime(name: &str) -> Self {
        Self::new(name, "datetime", FieldType::DateTime)
    }

    /// Type `time`: `HH:mm:ss.SSSZ`.
    pub fn time(name: &str) -> Self {
        Self::new(name, "time", FieldType::Time)
    }

    /// Type `reference` to records of the named objects. `relationship` is the name for `Rel.Field` and nested writes,
    /// such as `Parent__r`; empty if it cannot be traversed.
    pub fn reference(name: &str, to: &[&str], relationship: &str) -> Self {
        let mut spec = Self::new(name, "reference", FieldType::Reference);
        spec.field.length = 18;
        spec.field.byte_length = 18;
        spec.field.reference_to = to.iter().map(|&to| to.to_owned()).collect();
        relationship.clone_into(&mut spec.field.relationship_name);
        spec
    }

    /// Type `location` with its parts: for `Place__c`, `Place__Latitude__s` and `Place__Longitude__s`.
    pub fn location(name: &str, scale: usize) -> Self {
        let mut spec = Self::new(name, "location", FieldType::Location);
        spec.field.sortable = false;
        spec.field.groupable = false;
        let stem = name.trim_end_matches("__c");
        for part in ["Latitude", "Longitude"] {
            let mut part = Self::double(&format!("{stem}__{part}__s"), scale + 3, scale).field;
            name.clone_into(&mut part.compound);
            spec.parts.push(part);
        }
        spec
    }

    /// Type `address` with its parts: for `BillingAddress`, `BillingStreet`, `BillingCity` and so on.
    pub fn address(name: &str) -> Self {
        let mut spec = Self::new(name, "address", FieldType::Address);
        spec.field.sortable = false;
        spec.field.groupable = false;
        let stem = name.trim_end_matches("Address");
        for (part, length) in [
            ("Street", 255),
            ("City", 40),
            ("State", 80),
            ("PostalCode", 20),
            ("Country", 80),
        ] {
            spec.parts
                .push(Self::string(&format!("{stem}{part}"), length).field);
        }
        for part in ["Latitude", "Longitude"] {
            spec.parts
                .push(Self::double(&format!("{stem}{part}"), 18, 15).field);
        }
        spec.parts
            .iter_mut()
            .for_each(|part| name.clone_into(&mut part.compound));
        spec
    }

    /// Type `base64`: REST shows the path of the blob, Bulk refuses it. Its value is given as base64 text.
    pub fn base64(name: &str) -> Self {
        Self::of_length(name, "base64", FieldType::Base64, 37_748_736)
    }

    /// Type `anyType`, read-only: a scalar of whatever type, such as `OldValue` of a history object.
    pub fn any(name: &str) -> Self {
        Self::new(name, "anyType", FieldType::Any)
    }

    /// Type `complexvalue`: JSON of whatever shape, given as [`FieldValue::Json`].
    pub fn complex(name: &str) -> Self {
        Self::new(name, "complexvalue", FieldType::Complex).read_only()
    }

    /// A `string` that the org fills with `A-0001`, `A-0002` and so on.
    pub fn auto_number(name: &str) -> Self {
        let mut spec = Self::string(name, 30).read_only();
        spec.field.auto_number = true;
        spec.field.nillable = false;
        spec.field.defaulted_on_create = true;
        spec
    }

    fn choices(mut self, values: &[&str]) -> Self {
        self.field.choices = values.iter().map(|&value| value.to_owned()).collect();
        self
    }

    /// Must be given on insert and cannot be cleared.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.field.nillable = false;
        self.field.defaulted_on_create = false;
        self
    }

    /// A formula or roll-up: read-only. Its value is what the test sets, by
    /// [`set_silently`](super::FakeSalesforce::set_silently) without moving `SystemModstamp`.
    #[must_use]
    pub fn calculated(mut self) -> Self {
        self.field.calculated = true;
        self.read_only()
    }

    /// Whether clients may give it on insert and on update.
    #[must_use]
    pub fn access(mut self, createable: bool, updateable: bool) -> Self {
        self.field.createable = createable;
        self.field.updateable = updateable;
        self
    }

    /// Clients may only read it.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.access(false, false)
    }

    /// An external id, by itself not unique.
    #[must_use]
    pub fn external_id(mut self) -> Self {
        self.field.external_id = true;
        self.field.id_lookup = true;
        self
    }

    /// Two records cannot have the same value, in any letter case.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.field.unique = true;
        self
    }

    /// Values that differ in letter case only are different ones.
    #[must_use]
    pub fn case_sensitive(mut self) -> Self {
        self.field.case_sensitive = true;
        self
    }

    /// Upserts may go by it although it is no external id.
    #[must_use]
    pub fn id_lookup(mut self) -> Self {
        self.field.id_lookup = true;
        self
    }

    /// Whether WHERE and ORDER BY may name it.
    #[must_use]
    pub fn filterable(mut self, filterable: bool) -> Self {
        self.field.filterable = filterable;
        self.field.sortable = filterable;
        self
    }

    /// Refuses other values than the picklist's.
    #[must_use]
    pub fn restricted(mut self) -> Self {
        self.field.restricted_picklist = true;
        self
    }

    /// What a new record gets where the client gives nothing.
    #[must_use]
    pub fn default_value(mut self, value: impl Into<FieldValue>) -> Self {
        self.field.default = Some(value.into());
        self.field.defaulted_on_create = true;
        self
    }

    /// Hidden from the API's user by field-level security: to clients there is no such field.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.field.hidden = true;
        self
    }

    pub(super) fn into_fields(self) -> impl Iterator<Item = Field> {
        std::iter::once(self.field).chain(self.parts)
    }
}
