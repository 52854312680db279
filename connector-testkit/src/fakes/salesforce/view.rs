//! What can be read at one moment: the seeds plus what was written since.

use std::collections::HashMap;
use std::sync::Arc;

use super::field::FieldType;
use super::id;
use super::lead_seed::SeedContext;
use super::object::ObjectType;
use super::table::{Changes, Table};
use super::value::FieldValue;

/// What was written, by the object's name.
pub(super) type Tables = HashMap<String, Arc<Table>>;

/// The org at one moment; a clone sees the same for ever.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) seeds: SeedContext,
    pub(super) tables: Arc<Tables>,
    /// Microseconds: which late commits are visible.
    pub(super) now: i64,
}

impl View {
    fn table(&self, object: &ObjectType) -> Option<&Table> {
        self.tables.get(&object.name).map(|table| &**table)
    }

    /// The numbers of all records of an object in order, the recycle bin included.
    pub(super) fn numbers<'a>(&'a self, object: &ObjectType) -> impl Iterator<Item = u64> + use<'a> {
        let table = self.table(object);
        let seeded = table.map_or(0, |table| table.seeded);
        let written = table.filter(|table| !table.rows.is_empty());
        let own = (1..=seeded).filter(move |n| {
            written.is_none_or(|table| {
                table
                    .rows
                    .get(n)
                    .is_none_or(|written| written.at(self.now).is_some())
            })
        });
        let new = written.into_iter().flat_map(move |table| {
            table
                .rows
                .range(seeded + 1..)
                .filter(|(_, written)| written.at(self.now).is_some())
                .map(|(n, _)| *n)
        });
        own.chain(new)
    }

    /// Number of records outside the recycle bin.
    pub(super) fn alive(&self, object: &ObjectType) -> u64 {
        let Some(table) = self.table(object) else {
            return 0;
        };
        let seed_deleted = |n: u64| object.is_lead() && self.seeds.is_deleted(n);
        let binned = match self.seeds.deleted_every {
            every if object.is_lead() && every > 0 => table.seeded / every,
            _ => 0,
        };
        let written = table.rows.keys().copied();
        written.fold(table.seeded - binned, |count, n| {
            let before = n <= table.seeded && !seed_deleted(n);
            let now = self.row(object, n).is_some_and(|row| !row.is_deleted());
            count + u64::from(now) - u64::from(before)
        })
    }

    /// Record `n`, if there is one.
    pub(super) fn row<'a>(&'a self, object: &'a ObjectType, n: u64) -> Option<RowView<'a>> {
        row_of(self.table(object)?, &self.seeds, object, n, self.now)
    }

    /// The record with this id of 15 or 18 characters.
    pub(super) fn by_id<'a>(&'a self, object: &'a ObjectType, id: &str) -> Option<RowView<'a>> {
        self.row(object, id::number(&object.key_prefix, id)?)
    }
}

/// Record `n` of a table as it shows at `now`.
pub(super) fn row_of<'a>(
    table: &'a Table,
    seeds: &'a SeedContext,
    object: &'a ObjectType,
    n: u64,
    now: i64,
) -> Option<RowView<'a>> {
    let seeded = (1..=table.seeded).contains(&n);
    let changes = match table.rows.get(&n) {
        Some(written) => Some(written.at(now)?),
        None if seeded => None,
        None => return None,
    };
    Some(RowView {
        seeds,
        object,
        n,
        seeded,
        changes,
    })
}

/// One record at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowView<'a> {
    pub(super) seeds: &'a SeedContext,
    pub(super) object: &'a ObjectType,
    pub(super) n: u64,
    pub(super) seeded: bool,
    pub(super) changes: Option<&'a Changes>,
}

impl RowView<'_> {
    /// The record's id of 18 characters.
    pub(super) fn id(&self) -> String {
        id::make(&self.object.key_prefix, self.n)
    }

    pub(super) fn value(&self, field: usize) -> FieldValue {
        if let Some(value) = self.changes.and_then(|changes| changes.get(field)) {
            return value.clone();
        }
        let meta = &self.object.fields[field];
        match (meta.kind, meta.seed) {
            (FieldType::Id, _) => self.id().into(),
            (FieldType::Address, _) => self.address(&meta.name),
            (FieldType::Location, _) => self.location(&meta.name),
            _ if self.object.is_lead() && meta.name == "Name" => self.full_name(),
            (_, Some(seed)) if self.seeded => seed(self.seeds, self.n),
            (FieldType::Boolean, _) => false.into(),
            _ => FieldValue::Null,
        }
    }

    /// The value of the field of this name; null if there is no such field.
    pub(super) fn named(&self, field: &str) -> FieldValue {
        self.object
            .index(field)
            .map_or(FieldValue::Null, |field| self.value(field))
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.named("IsDeleted") == FieldValue::Bool(true)
    }

    fn full_name(&self) -> FieldValue {
        let first = self.named("FirstName").text();
        let last = self.named("LastName").text();
        let name: Vec<String> = [first, last].into_iter().flatten().collect();
        name.join(" ").into()
    }

    fn location(&self, name: &str) -> FieldValue {
        let stem = name.trim_end_matches("__c");
        let parts: Vec<_> = [("latitude", "Latitude"), ("longitude", "Longitude")]
            .into_iter()
            .map(|(key, part)| (key, self.named(&format!("{stem}__{part}__s"))))
            .collect();
        compound(parts)
    }

    fn address(&self, name: &str) -> FieldValue {
        const PARTS: [(&str, &str); 10] = [
            ("city", "City"),
            ("country", "Country"),
            ("countryCode", "CountryCode"),
            ("geocodeAccuracy", "GeocodeAccuracy"),
            ("latitude", "Latitude"),
            ("longitude", "Longitude"),
            ("postalCode", "PostalCode"),
            ("state", "State"),
            ("stateCode", "StateCode"),
            ("street", "Street"),
        ];
        let stem = name.trim_end_matches("Address");
        let part = |(key, part): (&'static str, &str)| (key, self.named(&format!("{stem}{part}")));
        compound(PARTS.into_iter().map(part).collect())
    }
}

fn compound(parts: Vec<(&'static str, FieldValue)>) -> FieldValue {
    if parts.iter().all(|(_, value)| value.is_null()) {
        FieldValue::Null
    } else {
        FieldValue::Compound(parts)
    }
}
