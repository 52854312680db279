//! The org's objects and their fields.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::lead_pools;
use super::lead_seed::{self, Seed};

/// The 54 standard fields of Lead, as a real org describes them.
const LEAD_FIELDS: &str = include_str!("lead-fields.tsv");

/// Custom fields of Lead, in the same columns.
const CUSTOM_LEAD_FIELDS: &str = "\
LeadScore__c\tdouble\txsd:double\t0\t0\t5\t2\t0\t1\t1\t1\t0\t0\t0\t1\t1\t0\t0\t\t\t\t
ExternalKey__c\tstring\txsd:string\t64\t192\t0\t0\t0\t1\t1\t1\t0\t1\t1\t1\t1\t1\t0\t\t\t\t
Balance__c\tcurrency\txsd:double\t0\t0\t18\t2\t0\t1\t1\t1\t0\t0\t0\t1\t1\t0\t0\t\t\t\t
Tier__c\tstring\txsd:string\t10\t30\t0\t0\t0\t1\t1\t1\t0\t0\t0\t1\t1\t1\t0\t\t\t\t
BigCount__c\tdouble\txsd:double\t0\t0\t18\t0\t0\t1\t1\t1\t0\t0\t0\t1\t1\t0\t0\t\t\t\t";

const USER_FIELDS: &str = "\
Id\tid\ttns:ID\t18\t18\t0\t0\t0\t0\t0\t0\t1\t1\t0\t1\t1\t1\t0\t\t\t\t
Username\tstring\txsd:string\t80\t240\t0\t0\t0\t0\t0\t0\t0\t1\t0\t1\t1\t1\t0\t\t\t\t
Name\tstring\txsd:string\t121\t363\t0\t0\t0\t0\t0\t0\t0\t0\t0\t1\t1\t1\t0\t\t\t\t
Email\temail\txsd:string\t128\t384\t0\t0\t0\t0\t0\t0\t0\t0\t0\t1\t1\t1\t0\t\t\t\t
IsActive\tboolean\txsd:boolean\t0\t0\t0\t0\t0\t0\t0\t0\t1\t0\t0\t1\t1\t1\t0\t\t\t\t
SystemModstamp\tdatetime\txsd:dateTime\t0\t0\t0\t0\t0\t0\t0\t0\t1\t0\t0\t1\t1\t0\t0\t\t\t\t";

const ACCOUNT_FIELDS: &str = "\
Id\tid\ttns:ID\t18\t18\t0\t0\t0\t0\t0\t0\t1\t1\t0\t1\t1\t1\t0\t\t\t\t
IsDeleted\tboolean\txsd:boolean\t0\t0\t0\t0\t0\t0\t0\t0\t1\t0\t0\t1\t1\t1\t0\t\t\t\t
Name\tstring\txsd:string\t255\t765\t0\t0\t0\t0\t1\t1\t0\t0\t0\t1\t1\t1\t0\t\t\t\t
SystemModstamp\tdatetime\txsd:dateTime\t0\t0\t0\t0\t0\t0\t0\t0\t1\t0\t0\t1\t1\t0\t0\t\t\t\t";

const LEAD_STATUS_FIELDS: &str = "\
Id\tid\ttns:ID\t18\t18\t0\t0\t0\t0\t0\t0\t1\t1\t0\t1\t1\t1\t0\t\t\t\t
MasterLabel\tstring\txsd:string\t255\t765\t0\t0\t0\t0\t0\t0\t0\t0\t0\t1\t1\t1\t0\t\t\t\t
IsConverted\tboolean\txsd:boolean\t0\t0\t0\t0\t0\t0\t0\t0\t1\t0\t0\t1\t1\t1\t0\t\t\t\t
SystemModstamp\tdatetime\txsd:dateTime\t0\t0\t0\t0\t0\t0\t0\t0\t1\t0\t0\t1\t1\t0\t0\t\t\t\t";

/// The kinds of values the org tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldType {
    Id,
    Reference,
    Text,
    Email,
    Picklist,
    Boolean,
    Int,
    Double,
    Date,
    DateTime,
    Address,
}

/// One field of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
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
    pub(super) filterable: bool,
    pub(super) sortable: bool,
    pub(super) groupable: bool,
    pub(super) restricted_picklist: bool,
    pub(super) reference_to: Vec<&'static str>,
    pub(super) relationship_name: &'static str,
    pub(super) compound: &'static str,
    pub(super) extra_type_info: &'static str,
    pub(super) seed: Seed,
}

impl Field {
    pub(super) fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    pub(super) fn is_unique(&self) -> bool {
        self.external_id
    }

    /// The values a picklist offers.
    pub(super) fn choices(&self) -> &'static [&'static str] {
        if self.kind == FieldType::Picklist {
            lead_pools::choices(self.name)
        } else {
            &[]
        }
    }
}

/// One object of the org.
#[derive(Debug)]
pub(super) struct ObjectType {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) plural: &'static str,
    pub(super) key_prefix: &'static str,
    /// Whether Bulk jobs take it.
    pub(super) bulk: bool,
    pub(super) fields: Vec<Field>,
}

impl ObjectType {
    /// Index of the field of this name, in any letter case.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_lead(&self) -> bool {
        self.name == "Lead"
    }
}

/// All objects of the org.
pub(super) fn objects() -> &'static [ObjectType] {
    static OBJECTS: OnceLock<Vec<ObjectType>> = OnceLock::new();
    OBJECTS.get_or_init(|| {
        let lead = [LEAD_FIELDS, CUSTOM_LEAD_FIELDS];
        vec![
            object("Account", "Account", "Accounts", "001", true, &[ACCOUNT_FIELDS]),
            object("Lead", "Lead", "Leads", "00Q", true, &lead),
            object(
                "LeadStatus",
                "Lead Status Value",
                "Lead Status Values",
                "01J",
                false,
                &[LEAD_STATUS_FIELDS],
            ),
            object("User", "User", "Users", "005", true, &[USER_FIELDS]),
        ]
    })
}

/// The object of this name, in any letter case.
pub(super) fn find(name: &str) -> Option<&'static ObjectType> {
    objects()
        .iter()
        .find(|object| object.name.eq_ignore_ascii_case(name))
}

/// The object Lead.
pub(super) fn lead() -> &'static ObjectType {
    &objects()[1]
}

/// Index of a field of Lead that is known to exist.
pub(super) fn lead_field(name: &str) -> usize {
    static INDEXES: OnceLock<HashMap<&'static str, usize>> = OnceLock::new();
    let indexes = INDEXES.get_or_init(|| {
        lead()
            .fields
            .iter()
            .enumerate()
            .map(|(place, field)| (field.name, place))
            .collect()
    });
    indexes.get(name).copied().unwrap_or_default()
}

fn object(
    name: &'static str,
    label: &'static str,
    plural: &'static str,
    key_prefix: &'static str,
    bulk: bool,
    tables: &[&'static str],
) -> ObjectType {
    let lines = tables.iter().flat_map(|table| table.lines());
    let fields = lines
        .filter(|line| !line.starts_with("name\t"))
        .filter_map(|line| field(name, line))
        .collect();
    ObjectType {
        name,
        label,
        plural,
        key_prefix,
        bulk,
        fields,
    }
}

fn field(object: &str, line: &'static str) -> Option<Field> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let text = |place: usize| columns.get(place).copied().unwrap_or_default().trim();
    let number = |place: usize| text(place).parse::<usize>().unwrap_or_default();
    let flag = |place: usize| text(place) == "1";
    let kind = match text(1) {
        "" => return None,
        "id" => FieldType::Id,
        "reference" => FieldType::Reference,
        "email" => FieldType::Email,
        "picklist" => FieldType::Picklist,
        "boolean" => FieldType::Boolean,
        "int" => FieldType::Int,
        "double" | "currency" | "percent" => FieldType::Double,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        "address" => FieldType::Address,
        _ => FieldType::Text,
    };
    Some(Field {
        name: text(0),
        type_name: text(1),
        kind,
        soap_type: text(2),
        length: number(3),
        byte_length: number(4),
        precision: number(5),
        scale: number(6),
        digits: number(7),
        nillable: flag(8),
        createable: flag(9),
        updateable: flag(10),
        defaulted_on_create: flag(11),
        id_lookup: flag(12),
        external_id: flag(13),
        filterable: flag(14),
        sortable: flag(15),
        groupable: flag(16),
        restricted_picklist: flag(17),
        reference_to: text(18).split(',').filter(|target| !target.is_empty()).collect(),
        relationship_name: text(19),
        compound: text(20),
        extra_type_info: text(21),
        seed: lead_seed::seed(object, text(0)),
    })
}
