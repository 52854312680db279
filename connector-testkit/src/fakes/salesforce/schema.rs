//! The org's standard objects, and all its objects by name.

use std::sync::Arc;

use super::field::{Field, FieldType};
use super::lead_pools;
use super::lead_seed;
use super::object::ObjectType;
use super::spec::ObjectSpec;

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

/// All objects of an org at one moment.
#[derive(Clone, Debug)]
pub(super) struct Schema(Vec<Arc<ObjectType>>);

impl Schema {
    /// The standard objects with `more`: a new object, or fields and rules for a standard one.
    pub(super) fn new(more: &[ObjectSpec]) -> Self {
        let mut objects = standard();
        for spec in more {
            let spec = spec.object.clone();
            match objects.iter_mut().find(|known| known.name == spec.name) {
                Some(known) => known.extend(spec),
                None => objects.push(spec),
            }
        }
        objects.sort_by(|left, right| left.name.cmp(&right.name));
        Self(objects.into_iter().map(Arc::new).collect())
    }

    pub(super) fn objects(&self) -> &[Arc<ObjectType>] {
        &self.0
    }

    /// The object of this name, in any letter case.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<ObjectType>> {
        self.0
            .iter()
            .find(|object| object.name.eq_ignore_ascii_case(name))
    }

    /// The object whose ids begin like this one.
    pub(super) fn of_id(&self, id: &str) -> Option<&Arc<ObjectType>> {
        self.0
            .iter()
            .find(|object| !object.key_prefix.is_empty() && id.starts_with(&object.key_prefix))
    }

    /// Puts `object` in the place of the one of its name.
    pub(super) fn replace(&mut self, object: ObjectType) {
        if let Some(known) = self.0.iter_mut().find(|known| known.name == object.name) {
            *known = Arc::new(object);
        }
    }
}

fn standard() -> Vec<ObjectType> {
    let lead = [LEAD_FIELDS, CUSTOM_LEAD_FIELDS];
    let mut lead = object("Lead", "Lead", "Leads", "00Q", &lead);
    lead.mergeable = true;
    let mut status = object(
        "LeadStatus",
        "Lead Status Value",
        "Lead Status Values",
        "01J",
        &[LEAD_STATUS_FIELDS],
    );
    status.bulk = false;
    vec![
        object("Account", "Account", "Accounts", "001", &[ACCOUNT_FIELDS]),
        lead,
        status,
        object("User", "User", "Users", "005", &[USER_FIELDS]),
    ]
}

fn object(name: &str, label: &str, plural: &str, key_prefix: &str, tables: &[&'static str]) -> ObjectType {
    let lines = tables.iter().flat_map(|table| table.lines());
    let fields: Vec<Field> = lines
        .filter(|line| !line.starts_with("name\t"))
        .filter_map(|line| field(name, line))
        .collect();
    let mut object = ObjectType::new(name, key_prefix);
    label.clone_into(&mut object.label);
    plural.clone_into(&mut object.plural);
    object.set_writable(fields.iter().any(|field| field.updateable));
    object.fields = fields;
    object
}

fn field(object: &str, line: &'static str) -> Option<Field> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let text = |place: usize| columns.get(place).copied().unwrap_or_default().trim();
    let number = |place: usize| text(place).parse::<usize>().unwrap_or_default();
    let flag = |place: usize| text(place) == "1";
    let kind = FieldType::of(text(1))?;
    let choices = if kind == FieldType::Picklist {
        lead_pools::choices(text(0))
    } else {
        &[]
    };
    let mut field = Field::new(text(0), text(1), kind);
    field.soap_type = text(2);
    field.length = number(3);
    field.byte_length = number(4);
    field.precision = number(5);
    field.scale = number(6);
    field.digits = number(7);
    field.nillable = flag(8);
    field.createable = flag(9);
    field.updateable = flag(10);
    field.defaulted_on_create = flag(11);
    field.id_lookup = flag(12);
    field.external_id = flag(13);
    field.unique = flag(13);
    field.filterable = flag(14);
    field.sortable = flag(15);
    field.groupable = flag(16);
    field.restricted_picklist = flag(17);
    field.reference_to = text(18)
        .split(',')
        .filter(|target| !target.is_empty())
        .map(str::to_owned)
        .collect();
    text(19).clone_into(&mut field.relationship_name);
    text(20).clone_into(&mut field.compound);
    field.extra_type_info = text(21);
    field.choices = choices.iter().map(|&choice| choice.to_owned()).collect();
    field.seed = Some(lead_seed::seed(object, text(0)));
    Some(field)
}
