//! One object of the org.

use std::collections::BTreeMap;

use super::field::Field;
use super::value::FieldValue;

/// Whether a record, with its fields by name, is refused.
pub(super) type Refuses = fn(&BTreeMap<String, FieldValue>) -> bool;

/// A validation rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The field the message stands at; empty for the top of the page.
    pub(super) field: String,
    pub(super) message: String,
    pub(super) refuses: Refuses,
}

/// What describe says of an object, and what the org does about it.
#[derive(Clone, Debug)]
pub(super) struct ObjectType {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) plural: String,
    pub(super) key_prefix: String,
    /// Whether Bulk jobs take it.
    pub(super) bulk: bool,
    pub(super) queryable: bool,
    pub(super) retrieveable: bool,
    pub(super) replicateable: bool,
    pub(super) searchable: bool,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) deletable: bool,
    pub(super) undeletable: bool,
    pub(super) mergeable: bool,
    pub(super) deprecated_and_hidden: bool,
    /// A query must filter by one of these fields; empty for none.
    pub(super) needs_filter: Vec<String>,
    pub(super) fields: Vec<Field>,
    pub(super) rules: Vec<Rule>,
    /// When describe last changed, in microseconds; 0 for when the org started.
    pub(super) changed: i64,
}

impl ObjectType {
    /// An object without fields that can do everything but be merged.
    pub(super) fn new(name: &str, key_prefix: &str) -> Self {
        let label = name.trim_end_matches("__c").replace('_', " ");
        Self {
            name: name.to_owned(),
            plural: format!("{label}s"),
            label,
            key_prefix: key_prefix.to_owned(),
            bulk: true,
            queryable: true,
            retrieveable: true,
            replicateable: true,
            searchable: true,
            createable: true,
            updateable: true,
            deletable: true,
            undeletable: true,
            mergeable: false,
            deprecated_and_hidden: false,
            needs_filter: Vec::new(),
            fields: Vec::new(),
            rules: Vec::new(),
            changed: 0,
        }
    }

    pub(super) fn set_writable(&mut self, writable: bool) {
        self.createable = writable;
        self.updateable = writable;
        self.deletable = writable;
        self.undeletable = writable;
        self.replicateable = writable;
    }

    /// Takes over the fields and rules of `more`; a field that is known already is replaced.
    pub(super) fn extend(&mut self, more: Self) {
        for field in more.fields {
            let standard = super::spec::SYSTEM_FIELDS.contains(&field.name.as_str());
            match self.fields.iter_mut().find(|known| known.name == field.name) {
                Some(_) if standard => {}
                Some(known) => *known = field,
                None if standard => {}
                None => self.fields.push(field),
            }
        }
        self.rules.extend(more.rules);
    }

    /// Index of the field of this name, in any letter case, as far as a client may see it.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.index(name).filter(|&place| !self.fields[place].hidden)
    }

    /// Index of the field of this name, hidden or not.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        let exact = self.fields.iter().position(|field| field.name == name);
        exact.or_else(|| {
            self.fields
                .iter()
                .position(|field| field.name.eq_ignore_ascii_case(name))
        })
    }

    /// The fields a client may see, with their index.
    pub(super) fn visible(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.fields.iter().enumerate().filter(|(_, field)| !field.hidden)
    }

    /// The field that refers to a parent by this relationship, with its index.
    pub(super) fn relationship(&self, name: &str) -> Option<(usize, &Field)> {
        self.visible().find(|(_, field)| {
            !field.relationship_name.is_empty() && field.relationship_name.eq_ignore_ascii_case(name)
        })
    }

    pub(super) fn is_lead(&self) -> bool {
        self.name == "Lead"
    }
}
