//! Writing leads.

use std::collections::HashSet;
use std::sync::Arc;

use super::coerce::coerce;
use super::error::RowError;
use super::external_key;
use super::id;
use super::json_in::Input;
use super::lead_seed::{human_user, integration_user};
use super::org::{Data, Org};
use super::schema::{lead, lead_field};
use super::timestamp::whole_second;
use super::value::FieldValue;
use super::view::{RowView, Written};
use crate::fakes::LedgerEntry;

/// A change of one lead, as a client sent it.
#[derive(Clone, Debug)]
pub(super) struct RowUpdate {
    pub(super) id: Option<String>,
    /// By field index.
    pub(super) fields: Vec<(usize, Input)>,
}

/// Fields with the values they get.
type Assignments = Vec<(usize, FieldValue)>;

impl Org {
    /// Updates up to 200 leads as one chunk, in order: the id of each or why it was refused. With `all_or_none`, one
    /// refusal takes everything back.
    pub(super) fn update_leads(
        &self,
        request: u64,
        updates: &[RowUpdate],
        all_or_none: bool,
    ) -> Vec<Result<String, RowError>> {
        let mut data = self.data();
        let mut seen = HashSet::new();
        let mut undo: Vec<(u64, Option<Written>)> = Vec::new();
        let mut entries = Vec::new();
        let mut results = Vec::with_capacity(updates.len());
        for update in updates {
            results.push(self.prepare(&data, update, &mut seen).map(|(n, assignments)| {
                undo.push((n, data.overlay.get(&n).cloned()));
                entries.push(entry(request, n, &assignments));
                self.apply(&mut data, n, assignments, integration_user(), None);
                id::make(lead().key_prefix, n)
            }));
        }
        if all_or_none && results.iter().any(Result::is_err) {
            let overlay = Arc::make_mut(&mut data.overlay);
            for (n, before) in undo.into_iter().rev() {
                match before {
                    Some(before) => overlay.insert(n, before),
                    None => overlay.remove(&n),
                };
            }
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                let message = "Record rolled back because not all records were valid and the request was using \
                               AllOrNone header";
                *result = Err(RowError::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, &[]));
            }
            return results;
        }
        entries.into_iter().for_each(|entry| self.ledger.record(entry));
        results
    }

    fn prepare(
        &self,
        data: &Data,
        update: &RowUpdate,
        seen: &mut HashSet<u64>,
    ) -> Result<(u64, Assignments), RowError> {
        let Some(given) = update.id.as_deref().filter(|id| !id.is_empty()) else {
            return Err(RowError::new(
                "MISSING_ARGUMENT",
                "Id not specified in an update call",
                &[],
            ));
        };
        let malformed = || {
            RowError::new(
                "MALFORMED_ID",
                format!("Lead ID: id value of incorrect type: {given}"),
                &["Id"],
            )
        };
        let full = id::normalize(given).ok_or_else(malformed)?;
        if !full.starts_with(lead().key_prefix) {
            return Err(malformed());
        }
        let known = id::number(lead().key_prefix, &full).filter(|n| (1..=self.leads()).contains(n));
        let Some(n) = known else {
            return Err(RowError::new(
                "INVALID_CROSS_REFERENCE_KEY",
                "invalid cross reference id",
                &[],
            ));
        };
        if !seen.insert(n) {
            let message = format!("Duplicate id in the specified list: {full}");
            return Err(RowError::new("DUPLICATE_VALUE", message, &["Id"]));
        }
        if let Some(fault) = self.faults.take_row(n) {
            return Err(RowError::new(&fault.code, fault.message, &[]));
        }
        let row = self.row(data, n);
        if row.lead_value("IsDeleted") == FieldValue::Bool(true) {
            return Err(RowError::new("ENTITY_IS_DELETED", "entity is deleted", &[]));
        }
        if row.lead_value("IsConverted") == FieldValue::Bool(true) {
            return Err(RowError::new(
                "CANNOT_UPDATE_CONVERTED_LEAD",
                "cannot reference converted lead",
                &[],
            ));
        }
        self.coerce_all(data, n, &update.fields)
            .map(|assignments| (n, assignments))
    }

    fn coerce_all(&self, data: &Data, n: u64, fields: &[(usize, Input)]) -> Result<Assignments, RowError> {
        let mut assignments = Vec::with_capacity(fields.len());
        for (field, input) in fields {
            let meta = &lead().fields[*field];
            let value = coerce(meta, input)?;
            if let (true, FieldValue::Text(key)) = (meta.is_unique(), &value) {
                self.check_unique(data, n, key)?;
            }
            assignments.push((*field, value));
        }
        Ok(assignments)
    }

    fn row<'a>(&'a self, data: &'a Data, n: u64) -> RowView<'a> {
        let changes = data.overlay.get(&n).map(|written| written.at(self.now()));
        RowView {
            seeds: self.seeds(),
            object: lead(),
            n,
            changes,
        }
    }

    fn check_unique(&self, data: &Data, n: u64, key: &str) -> Result<(), RowError> {
        let lower = key.to_lowercase();
        let holders = [external_key::lead(key), data.keys.get(&lower).copied()];
        for holder in holders
            .into_iter()
            .flatten()
            .filter(|&holder| holder != n && (1..=self.leads()).contains(&holder))
        {
            let held = self.row(data, holder).lead_value("ExternalKey__c").text();
            if held.is_some_and(|held| held.to_lowercase() == lower) {
                let holder = id::make(lead().key_prefix, holder);
                let message = format!(
                    "duplicate value found: ExternalKey__c duplicates value on record with id: {}",
                    &holder[..15]
                );
                return Err(RowError::new("DUPLICATE_VALUE", message, &[]));
            }
        }
        Ok(())
    }

    /// Stores the values and moves the stamps. With `visible_at`, readers see it only from that microsecond on.
    fn apply(
        &self,
        data: &mut Data,
        n: u64,
        assignments: Assignments,
        by: FieldValue,
        visible_at: Option<i64>,
    ) {
        let now = self.now();
        for (field, value) in &assignments {
            if let (true, FieldValue::Text(key)) = (lead().fields[*field].is_unique(), value) {
                data.keys.insert(key.to_lowercase(), n);
            }
        }
        let stamp = FieldValue::DateTime(whole_second(now));
        let mut all = assignments;
        all.push((lead_field("SystemModstamp"), stamp.clone()));
        all.push((lead_field("LastModifiedDate"), stamp));
        all.push((lead_field("LastModifiedById"), by));
        let written = Arc::make_mut(&mut data.overlay).entry(n).or_default();
        if let Some(late) = written.late.take_if(|late| late.0 <= now) {
            written.current = late.1;
        }
        match visible_at {
            Some(visible_at) => {
                let mut changes = written
                    .late
                    .take()
                    .map_or_else(|| written.current.clone(), |late| late.1);
                all.into_iter()
                    .for_each(|(field, value)| changes.set(field, value));
                written.late = Some(Box::new((visible_at, changes)));
            }
            None => {
                // A commit under way sees this one as well.
                if let Some(late) = &mut written.late {
                    all.iter()
                        .cloned()
                        .for_each(|(field, value)| late.1.set(field, value));
                }
                all.into_iter()
                    .for_each(|(field, value)| written.current.set(field, value));
            }
        }
    }

    /// A person's edit: no ledger entry, another user.
    pub(super) fn human_edit(
        &self,
        n: u64,
        fields: &[(String, Input)],
        visible_at: Option<i64>,
    ) -> Result<(), String> {
        if !(1..=self.leads()).contains(&n) {
            return Err(format!("there is no lead {n}"));
        }
        let mut indexed = Vec::with_capacity(fields.len());
        for (name, input) in fields {
            let field = lead()
                .field(name)
                .ok_or_else(|| format!("Lead has no field {name}"))?;
            indexed.push((field, input.clone()));
        }
        let mut data = self.data();
        let assignments = self
            .coerce_all(&data, n, &indexed)
            .map_err(|error| format!("{}: {}", error.code, error.message))?;
        self.apply(&mut data, n, assignments, human_user(), visible_at);
        Ok(())
    }

    /// A person's deletion: the lead goes to the recycle bin and its stamp moves.
    pub(super) fn human_delete(&self, n: u64) -> Result<(), String> {
        if !(1..=self.leads()).contains(&n) {
            return Err(format!("there is no lead {n}"));
        }
        let assignments = vec![(lead_field("IsDeleted"), FieldValue::Bool(true))];
        self.apply(&mut self.data(), n, assignments, human_user(), None);
        Ok(())
    }
}

fn entry(request: u64, n: u64, assignments: &Assignments) -> LedgerEntry {
    LedgerEntry {
        request,
        object: lead().name.to_owned(),
        operation: "update".to_owned(),
        id: id::make(lead().key_prefix, n),
        fields: assignments
            .iter()
            .map(|(field, value)| (lead().fields[*field].name.to_owned(), value.to_json()))
            .collect(),
    }
}
