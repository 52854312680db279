//! Finding records by a key.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use super::external_key;
use super::object::ObjectType;
use super::org::{Data, Org};
use super::value::FieldValue;

/// Seeded records by the value of one field, in lower case.
pub(super) type SeedKeys = HashMap<String, Vec<u64>>;

impl Org {
    /// The numbers of the records, the recycle bin left out, whose field holds this value.
    pub(super) fn holders(
        &self,
        data: &Data,
        object: &ObjectType,
        field: usize,
        value: &FieldValue,
    ) -> Vec<u64> {
        let Some(text) = value.text() else {
            return Vec::new();
        };
        let lower = text.to_lowercase();
        let mut found = self.seeded_holders(object, field, &lower);
        let written = data
            .tables
            .get(&object.name)
            .and_then(|table| table.keys.get(&field)?.get(&lower));
        found.extend(written.into_iter().flatten());
        found.sort_unstable();
        found.dedup();
        let exact = object.fields[field].case_sensitive;
        found.retain(|&n| {
            self.row(data, object, n).is_some_and(|row| {
                let held = row.value(field).text();
                let same = held.is_some_and(|held| {
                    if exact {
                        held == text
                    } else {
                        held.to_lowercase() == lower
                    }
                });
                same && !row.is_deleted()
            })
        });
        found
    }

    fn seeded_holders(&self, object: &ObjectType, field: usize, lower: &str) -> Vec<u64> {
        let Some(seed) = object.fields[field].seed else {
            return Vec::new();
        };
        if object.is_lead() && object.fields[field].name == "ExternalKey__c" {
            return external_key::lead(lower).into_iter().collect();
        }
        let name = (object.name.clone(), field);
        let known = self
            .seed_keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .map(Arc::clone);
        // Made when first asked for: most tests never look a lead up by anything but its external key.
        let known = known.unwrap_or_else(|| {
            let mut all = SeedKeys::new();
            for n in 1..=self.seeded(&object.name) {
                if let Some(text) = seed(self.seeds(), n).text() {
                    all.entry(text.to_lowercase()).or_default().push(n);
                }
            }
            let all = Arc::new(all);
            self.seed_keys
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name, Arc::clone(&all));
            all
        });
        known.get(lower).cloned().unwrap_or_default()
    }
}
