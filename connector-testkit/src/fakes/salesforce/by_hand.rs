//! What people and administrators do, past the API: no ledger entry, another user, no field-level security.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::{Operation, RowChange};
use super::check::{Assignments, fields_of};
use super::field::FieldType;
use super::id;
use super::json_in::Input;
use super::lead_seed::human_user;
use super::object::ObjectType;
use super::org::{Data, Org};
use super::value::FieldValue;

impl Org {
    /// A person's edit of a lead, which must pass what a client's has to pass.
    pub(super) fn human_edit(
        &self,
        n: u64,
        fields: &[(String, Input)],
        visible_at: Option<i64>,
    ) -> Result<(), String> {
        let lead = self.lead();
        let mut change = RowChange::new(&lead, Operation::Update);
        for (name, input) in fields {
            let field = lead
                .field(name)
                .ok_or_else(|| format!("Lead has no field {name}"))?;
            change.fields.push((field, input.clone()));
        }
        let mut data = self.data();
        self.row(&data, &lead, n)
            .ok_or_else(|| format!("there is no lead {n}"))?;
        let mut values = self
            .assignments(&data, &change, Some(n))
            .map_err(|error| format!("{}: {}", error.code, error.message))?;
        self.stamp(&lead, &human_user(), false, &mut values);
        self.apply(&mut data, &lead, n, &values, visible_at);
        Ok(())
    }

    /// A person's deletion: the lead goes to the recycle bin and its stamp moves.
    pub(super) fn human_delete(&self, n: u64) -> Result<(), String> {
        let lead = self.lead();
        let mut data = self.data();
        self.row(&data, &lead, n)
            .ok_or_else(|| format!("there is no lead {n}"))?;
        self.bin(&mut data, &lead, n, &human_user());
        Ok(())
    }

    /// Creates a record with any values of the right kind and tells its id.
    pub(super) fn place(
        &self,
        object: &str,
        fields: &[(&str, FieldValue)],
        visible_at: Option<i64>,
    ) -> Result<String, String> {
        let object = self.known(object)?;
        let values = free(&object, fields)?;
        let n = self.create(&mut self.data(), &object, values, &human_user(), visible_at);
        Ok(id::make(&object.key_prefix, n))
    }

    /// Sets any values of the right kind. `stamped` moves the audit fields that are not among them.
    pub(super) fn set(
        &self,
        object: &str,
        id: &str,
        fields: &[(&str, FieldValue)],
        stamped: bool,
        visible_at: Option<i64>,
    ) -> Result<(), String> {
        let object = self.known(object)?;
        let mut values = free(&object, fields)?;
        let mut data = self.data();
        let n = self.existing(&data, &object, id)?;
        if stamped {
            self.stamp(&object, &human_user(), false, &mut values);
        }
        self.apply(&mut data, &object, n, &values, visible_at);
        Ok(())
    }

    /// Moves the record to the recycle bin, out of it, or away for good.
    pub(super) fn remove(&self, object: &str, id: &str, how: Operation) -> Result<(), String> {
        let object = self.known(object)?;
        let mut data = self.data();
        let n = self.existing(&data, &object, id)?;
        match how {
            Operation::Undelete => self.restore(&mut data, &object, n, &human_user()),
            Operation::HardDelete => self.purge(&mut data, &object, n),
            _ => self.bin(&mut data, &object, n, &human_user()),
        }
        Ok(())
    }

    /// The record with all its fields, in the recycle bin or not.
    pub(super) fn show(&self, object: &str, id: &str) -> Option<BTreeMap<String, FieldValue>> {
        let object = self.known(object).ok()?;
        let view = self.view();
        view.by_id(&object, id).map(|row| fields_of(&row))
    }

    /// All records in the order of their ids, the recycle bin included.
    pub(super) fn show_all(&self, object: &str) -> Vec<BTreeMap<String, FieldValue>> {
        let Ok(object) = self.known(object) else {
            return Vec::new();
        };
        let view = self.view();
        let rows = view.numbers(&object).filter_map(|n| view.row(&object, n));
        rows.map(|row| fields_of(&row)).collect()
    }

    fn known(&self, object: &str) -> Result<Arc<ObjectType>, String> {
        self.object(object)
            .ok_or_else(|| format!("there is no object {object}"))
    }

    fn existing(&self, data: &Data, object: &ObjectType, id: &str) -> Result<u64, String> {
        id::number(&object.key_prefix, id)
            .filter(|&n| self.row(data, object, n).is_some())
            .ok_or_else(|| format!("there is no {} {id}", object.name))
    }
}

/// The values by field index; they need only be of the field's kind: old records hold what today's rules refuse.
fn free(object: &ObjectType, fields: &[(&str, FieldValue)]) -> Result<Assignments, String> {
    let mut values = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let field = object
            .index(name)
            .ok_or_else(|| format!("{} has no field {name}", object.name))?;
        let kind = object.fields[field].kind;
        let fits = match value {
            _ if kind == FieldType::Id || kind.is_compound() => false,
            FieldValue::Null => true,
            FieldValue::Compound(_) => false,
            _ if kind == FieldType::Any => true,
            FieldValue::Bool(_) => kind == FieldType::Boolean,
            FieldValue::Number(_) => kind.is_numeric(),
            FieldValue::DateTime(_) => kind == FieldType::DateTime,
            FieldValue::Json(_) => kind == FieldType::Complex,
            FieldValue::Text(_) => {
                !kind.is_numeric()
                    && !matches!(
                        kind,
                        FieldType::Boolean | FieldType::DateTime | FieldType::Complex
                    )
            }
        };
        if !fits {
            return Err(format!(
                "{}.{name} is of type {} and takes no such value",
                object.name, object.fields[field].type_name
            ));
        }
        values.push((field, value.clone()));
    }
    Ok(values)
}
