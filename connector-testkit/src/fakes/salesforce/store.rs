//! Writing records of any object, as a client does.

use std::collections::HashSet;
use std::sync::Arc;

use super::change::{Done, Operation, RowChange};
use super::check::{Assignments, several};
use super::coerce::coerce;
use super::error::RowError;
use super::field::FieldType;
use super::id;
use super::lead_seed::integration_user;
use super::object::ObjectType;
use super::org::{Data, Org};
use super::value::FieldValue;
use crate::fakes::LedgerEntry;

/// The keys a request has named so far.
#[derive(Debug, Default)]
struct Seen {
    ids: HashSet<String>,
    keys: HashSet<(String, usize, String)>,
}

/// A record that was written, and what it was given.
struct Applied {
    done: Done,
    operation: &'static str,
    values: Assignments,
}

impl Org {
    /// Writes up to 200 records as one chunk, in order: what became of each. With `all_or_none`, one refusal takes
    /// everything back. What is applied is in the ledger under `request`.
    pub(super) fn write(
        &self,
        request: u64,
        changes: &[RowChange],
        all_or_none: bool,
    ) -> Vec<Result<Done, RowError>> {
        let mut data = self.data();
        let before = all_or_none.then(|| Arc::clone(&data.tables));
        let mut seen = Seen::default();
        let mut entries = Vec::new();
        let mut results = Vec::with_capacity(changes.len());
        for change in changes {
            let applied = self.write_one(&mut data, change, &mut seen);
            results.push(applied.map(|applied| {
                entries.push(entry(request, &change.object, &applied));
                applied.done
            }));
        }
        if let Some(before) = before.filter(|_| results.iter().any(Result::is_err)) {
            data.tables = before;
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

    fn write_one(&self, data: &mut Data, change: &RowChange, seen: &mut Seen) -> Result<Applied, RowError> {
        match change.operation {
            Operation::Insert => self.insert(data, change),
            Operation::Update => {
                let n = self.target(data, change, seen, "update")?;
                self.update(data, change, n)
            }
            Operation::Upsert { key } => match self.upsert_target(data, change, key, seen)? {
                Some(n) => self.update(data, change, n),
                None => self.insert(data, change),
            },
            Operation::Delete | Operation::HardDelete => {
                let n = self.target(data, change, seen, "delete")?;
                self.delete(data, change, n)
            }
            Operation::Undelete => {
                let n = self.target(data, change, seen, "undelete")?;
                self.undelete(data, change, n)
            }
        }
    }

    /// The record an id names, whether or not it is in the recycle bin.
    fn target(&self, data: &Data, change: &RowChange, seen: &mut Seen, call: &str) -> Result<u64, RowError> {
        let object = &*change.object;
        let Some(given) = change.id.as_deref().filter(|id| !id.is_empty()) else {
            let message = format!("Id not specified in an {call} call");
            return Err(RowError::new("MISSING_ARGUMENT", message, &[]));
        };
        let malformed = || {
            let message = format!("{} ID: id value of incorrect type: {given}", object.name);
            RowError::new("MALFORMED_ID", message, &["Id"])
        };
        let full = id::normalize(given).ok_or_else(malformed)?;
        if !full.starts_with(&object.key_prefix) {
            return Err(malformed());
        }
        let n = id::number(&object.key_prefix, &full);
        let Some(n) = n.filter(|&n| self.row(data, object, n).is_some()) else {
            // What was deleted for good is told from what never was.
            let purged = n.is_some_and(|n| data.was_written(&object.name, n));
            return Err(if purged {
                RowError::new("ENTITY_IS_DELETED", "entity is deleted", &[])
            } else {
                RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])
            });
        };
        if !seen.ids.insert(full.clone()) {
            let message = format!("Duplicate id in the specified list: {full}");
            return Err(RowError::new("DUPLICATE_VALUE", message, &["Id"]));
        }
        Ok(n)
    }

    /// The record an upsert updates, if there is one.
    fn upsert_target(
        &self,
        data: &Data,
        change: &RowChange,
        key: usize,
        seen: &mut Seen,
    ) -> Result<Option<u64>, RowError> {
        let object = &*change.object;
        let meta = &object.fields[key];
        if meta.kind == FieldType::Id {
            let given = change.id.as_deref().is_some_and(|id| !id.is_empty());
            return if given {
                self.target(data, change, seen, "upsert").map(Some)
            } else {
                Ok(None)
            };
        }
        let input = change.fields.iter().find(|(field, _)| *field == key);
        let value = match input {
            Some((_, input)) => coerce(meta, input)?,
            None => FieldValue::Null,
        };
        let Some(text) = value.text() else {
            let message = format!("{} not specified", meta.name);
            return Err(RowError::new("MISSING_ARGUMENT", message, &[&meta.name]));
        };
        let folded = if meta.case_sensitive {
            text.clone()
        } else {
            text.to_lowercase()
        };
        if !seen.keys.insert((object.name.clone(), key, folded)) {
            let message = format!("Duplicate external id specified: {text}");
            return Err(RowError::new("DUPLICATE_VALUE", message, &[&meta.name]));
        }
        match self.holders(data, object, key, &value)[..] {
            [] => Ok(None),
            [n] => Ok(Some(n)),
            ref holders => Err(several(object, meta, holders)),
        }
    }

    fn insert(&self, data: &mut Data, change: &RowChange) -> Result<Applied, RowError> {
        let object = &*change.object;
        if !object.createable {
            let message = format!("entity type cannot be inserted: {}", object.label);
            return Err(RowError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                message,
                &[],
            ));
        }
        let values = self.assignments(data, change, None)?;
        if let Some(fault) = self.faults.take_record(object, None, &values) {
            return Err(fault);
        }
        let n = self.create(data, object, values.clone(), &integration_user(), None);
        Ok(Applied {
            done: Done {
                id: id::make(&object.key_prefix, n),
                created: true,
            },
            operation: "insert",
            values,
        })
    }

    fn update(&self, data: &mut Data, change: &RowChange, n: u64) -> Result<Applied, RowError> {
        let object = &*change.object;
        self.admit(data, object, n)?;
        if !object.updateable {
            let message = format!("entity type cannot be updated: {}", object.label);
            return Err(RowError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                message,
                &[],
            ));
        }
        let row = self.row(data, object, n);
        if row.is_some_and(|row| object.is_lead() && row.named("IsConverted") == FieldValue::Bool(true)) {
            return Err(RowError::new(
                "CANNOT_UPDATE_CONVERTED_LEAD",
                "cannot reference converted lead",
                &[],
            ));
        }
        let values = self.assignments(data, change, Some(n))?;
        let mut all = values.clone();
        self.stamp(object, &integration_user(), false, &mut all);
        self.apply(data, object, n, &all, None);
        Ok(applied(object, n, "update", values))
    }

    fn delete(&self, data: &mut Data, change: &RowChange, n: u64) -> Result<Applied, RowError> {
        let object = &*change.object;
        self.admit(data, object, n)?;
        if !object.deletable {
            let message = "insufficient access rights on object id";
            return Err(RowError::new("INSUFFICIENT_ACCESS_OR_READONLY", message, &[]));
        }
        self.bin(data, object, n, &integration_user());
        if change.operation == Operation::HardDelete {
            self.purge(data, object, n);
        }
        Ok(applied(object, n, "delete", Vec::new()))
    }

    fn undelete(&self, data: &mut Data, change: &RowChange, n: u64) -> Result<Applied, RowError> {
        let object = &*change.object;
        if self.row(data, object, n).is_some_and(|row| !row.is_deleted()) {
            let message = "Entity is not in the recycle bin";
            return Err(RowError::new("UNDELETE_FAILED", message, &[]));
        }
        self.restore(data, object, n, &integration_user());
        Ok(applied(object, n, "undelete", Vec::new()))
    }

    /// Whether a client may write to the record at all just now.
    fn admit(&self, data: &Data, object: &ObjectType, n: u64) -> Result<(), RowError> {
        if let Some(fault) = object.is_lead().then(|| self.faults.take_row(n)).flatten() {
            return Err(RowError::new(&fault.code, fault.message, &[]));
        }
        let row = self.row(data, object, n);
        if let Some(fault) = row.and_then(|row| self.faults.take_record(object, Some(&row), &[])) {
            return Err(fault);
        }
        if row.is_some_and(|row| row.is_deleted()) {
            return Err(RowError::new("ENTITY_IS_DELETED", "entity is deleted", &[]));
        }
        Ok(())
    }
}

fn applied(object: &ObjectType, n: u64, operation: &'static str, values: Assignments) -> Applied {
    Applied {
        done: Done {
            id: id::make(&object.key_prefix, n),
            created: false,
        },
        operation,
        values,
    }
}

fn entry(request: u64, object: &ObjectType, applied: &Applied) -> LedgerEntry {
    LedgerEntry {
        request,
        object: object.name.clone(),
        operation: applied.operation.to_owned(),
        id: applied.done.id.clone(),
        fields: applied
            .values
            .iter()
            .map(|(field, value)| (object.fields[*field].name.clone(), value.to_json()))
            .collect(),
    }
}
