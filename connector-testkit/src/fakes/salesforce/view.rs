//! What can be read at one moment: the seeds plus what was written since.

use std::collections::HashMap;
use std::sync::Arc;

use super::lead_seed::SeedContext;
use super::schema::{FieldType, ObjectType, lead_field};
use super::value::FieldValue;

/// The fields of one lead that differ from its seed, by field index.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Vec<(u16, FieldValue)>);

impl Changes {
    pub(super) fn set(&mut self, field: usize, value: FieldValue) {
        let field = u16::try_from(field).unwrap_or(u16::MAX);
        match self.0.binary_search_by_key(&field, |(known, _)| *known) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (field, value)),
        }
    }

    pub(super) fn get(&self, field: usize) -> Option<&FieldValue> {
        let field = u16::try_from(field).ok()?;
        let place = self.0.binary_search_by_key(&field, |(known, _)| *known).ok()?;
        Some(&self.0[place].1)
    }
}

/// A lead that was written to.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) current: Changes,
    /// A commit that becomes visible at the given microsecond, in place of `current`.
    pub(super) late: Option<Box<(i64, Changes)>>,
}

impl Written {
    pub(super) fn at(&self, now: i64) -> &Changes {
        match &self.late {
            Some(late) if late.0 <= now => &late.1,
            _ => &self.current,
        }
    }
}

/// All leads that were written to, by number.
pub(super) type Overlay = HashMap<u64, Written>;

/// The org at one moment; a clone sees the same for ever.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) seeds: SeedContext,
    pub(super) leads: u64,
    pub(super) overlay: Arc<Overlay>,
    /// Microseconds: which late commits are visible.
    pub(super) now: i64,
}

impl View {
    /// Number of records of an object, the recycle bin included; they are numbered from 1.
    pub(super) fn count(&self, object: &ObjectType) -> u64 {
        match object.name {
            "Lead" => self.leads,
            "User" => 2,
            "LeadStatus" => 4,
            _ => 0,
        }
    }

    pub(super) fn row<'a>(&'a self, object: &'static ObjectType, n: u64) -> RowView<'a> {
        let written = if object.is_lead() && !self.overlay.is_empty() {
            self.overlay.get(&n)
        } else {
            None
        };
        RowView {
            seeds: &self.seeds,
            object,
            n,
            changes: written.map(|written| written.at(self.now)),
        }
    }
}

/// One record at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowView<'a> {
    pub(super) seeds: &'a SeedContext,
    pub(super) object: &'static ObjectType,
    pub(super) n: u64,
    pub(super) changes: Option<&'a Changes>,
}

impl RowView<'_> {
    pub(super) fn value(&self, field: usize) -> FieldValue {
        if let Some(value) = self.changes.and_then(|changes| changes.get(field)) {
            return value.clone();
        }
        let meta = &self.object.fields[field];
        match meta.name {
            "Name" if self.object.is_lead() => self.full_name(),
            "Address" if meta.kind == FieldType::Address => self.address(),
            _ => (meta.seed)(self.seeds, self.n),
        }
    }

    pub(super) fn lead_value(&self, field: &str) -> FieldValue {
        self.value(lead_field(field))
    }

    fn full_name(&self) -> FieldValue {
        let first = self.lead_value("FirstName").text();
        let last = self.lead_value("LastName").text();
        let name: Vec<String> = [first, last].into_iter().flatten().collect();
        name.join(" ").into()
    }

    fn address(&self) -> FieldValue {
        const PARTS: [(&str, &str); 10] = [
            ("city", "City"),
            ("country", "Country"),
            ("countryCode", ""),
            ("geocodeAccuracy", "GeocodeAccuracy"),
            ("latitude", "Latitude"),
            ("longitude", "Longitude"),
            ("postalCode", "PostalCode"),
            ("state", "State"),
            ("stateCode", ""),
            ("street", "Street"),
        ];
        let part = |name: &str| {
            if name.is_empty() {
                FieldValue::Null
            } else {
                self.lead_value(name)
            }
        };
        let parts: Vec<_> = PARTS.iter().map(|&(key, name)| (key, part(name))).collect();
        if parts.iter().all(|(_, value)| value.is_null()) {
            FieldValue::Null
        } else {
            FieldValue::Compound(parts)
        }
    }
}
