//! One field of an object.

use super::lead_seed::Seed;
use super::value::FieldValue;

/// The kinds of values the org tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldType {
    Id,
    Reference,
    /// Any text without rules of its own.
    Text,
    Email,
    Picklist,
    MultiPicklist,
    /// Read masked.
    Encrypted,
    Boolean,
    Int,
    Long,
    Double,
    Date,
    DateTime,
    Time,
    Address,
    Location,
    Base64,
    /// A scalar of whatever type.
    Any,
    /// JSON of whatever shape.
    Complex,
}

impl FieldType {
    /// The kind of a type as describe names it.
    pub(super) fn of(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "" => return None,
            "id" => Self::Id,
            "reference" => Self::Reference,
            "email" => Self::Email,
            "picklist" => Self::Picklist,
            "multipicklist" => Self::MultiPicklist,
            "encryptedstring" => Self::Encrypted,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "double" | "currency" | "percent" => Self::Double,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "time" => Self::Time,
            "address" => Self::Address,
            "location" => Self::Location,
            "base64" => Self::Base64,
            "anyType" => Self::Any,
            "complexvalue" | "json" => Self::Complex,
            _ => Self::Text,
        })
    }

    /// Whether values are numbers.
    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Long | Self::Double)
    }

    /// Whether the field only shows what its parts hold.
    pub(super) fn is_compound(self) -> bool {
        matches!(self, Self::Address | Self::Location)
    }

    fn soap_type(self) -> &'static str {
        match self {
            Self::Id | Self::Reference => "tns:ID",
            Self::Boolean => "xsd:boolean",
            Self::Int => "xsd:int",
            Self::Long => "xsd:long",
            Self::Double => "xsd:double",
            Self::Date => "xsd:date",
            Self::DateTime => "xsd:dateTime",
            Self::Time => "xsd:time",
            Self::Address => "urn:address",
            Self::Location => "urn:location",
            Self::Base64 => "xsd:base64Binary",
            Self::Any => "xsd:anyType",
            Self::Complex => "urn:RecordTypesSupported",
            Self::Text | Self::Email | Self::Picklist | Self::MultiPicklist | Self::Encrypted => "xsd:string",
        }
    }
}

/// What describe says of a field, and what the org does about it.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) type_name: &'static str,
    pub(super) kind: FieldType,
    pub(super) soap_type: &'static str,
    pub(super) length: usize,
    pub(super) byte_length: usize,
    pub(super) precision: usize,
    pub(super) scale: usize,
    pub(super) digits: usize,
    pub(super) nillable: bool,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) defaulted_on_create: bool,
    pub(super) id_lookup: bool,
    pub(super) external_id: bool,
    pub(super) unique: bool,
    pub(super) case_sensitive: bool,
    pub(super) filterable: bool,
    pub(super) sortable: bool,
    pub(super) groupable: bool,
    pub(super) calculated: bool,
    pub(super) auto_number: bool,
    pub(super) restricted_picklist: bool,
    pub(super) reference_to: Vec<String>,
    pub(super) relationship_name: String,
    pub(super) compound: String,
    pub(super) extra_type_info: &'static str,
    /// The values a picklist offers.
    pub(super) choices: Vec<String>,
    /// What a new record gets where the client gives nothing.
    pub(super) default: Option<FieldValue>,
    /// Hidden by field-level security: to clients there is no such field.
    pub(super) hidden: bool,
    /// Its value in seeded records.
    pub(super) seed: Option<Seed>,
}

impl Field {
    /// A field that can be read, written, left empty, and searched as far as fields of its type can.
    pub(super) fn new(name: &str, type_name: &'static str, kind: FieldType) -> Self {
        let plain = !kind.is_compound() && !matches!(kind, FieldType::Base64 | FieldType::Complex);
        Self {
            name: name.to_owned(),
            label: label(name),
            type_name,
            kind,
            soap_type: kind.soap_type(),
            length: 0,
            byte_length: 0,
            precision: 0,
            scale: 0,
            digits: 0,
            nillable: kind != FieldType::Boolean,
            createable: !kind.is_compound() && !matches!(kind, FieldType::Id | FieldType::Any),
            updateable: !kind.is_compound() && !matches!(kind, FieldType::Id | FieldType::Any),
            defaulted_on_create: kind == FieldType::Boolean,
            id_lookup: false,
            external_id: false,
            unique: false,
            case_sensitive: false,
            filterable: plain && !matches!(kind, FieldType::Any | FieldType::Encrypted),
            sortable: plain
                && !matches!(
                    kind,
                    FieldType::Any | FieldType::Encrypted | FieldType::MultiPicklist
                ),
            groupable: plain
                && !matches!(
                    kind,
                    FieldType::Double | FieldType::DateTime | FieldType::MultiPicklist
                ),
            calculated: false,
            auto_number: false,
            restricted_picklist: false,
            reference_to: Vec::new(),
            relationship_name: String::new(),
            compound: String::new(),
            extra_type_info: "",
            choices: Vec::new(),
            default: None,
            hidden: false,
            seed: None,
        }
    }

    pub(super) fn is_custom(&self) -> bool {
        self.name.ends_with("__c") || self.name.ends_with("__s")
    }

    /// Whether a record can be found by the field's value.
    pub(super) fn is_key(&self) -> bool {
        self.external_id || self.unique || (self.id_lookup && self.kind != FieldType::Id)
    }

    /// Whether an insert must bring a value.
    pub(super) fn is_required(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted_on_create
    }
}

/// `Last Name` of `LastName`.
fn label(name: &str) -> String {
    let mut label = String::new();
    let mut previous = ' ';
    for letter in name.trim_end_matches("__c").chars() {
        if letter.is_ascii_uppercase() && previous.is_ascii_lowercase() {
            label.push(' ');
        }
        label.push(letter);
        previous = letter;
    }
    label
}
