//! The records of an org, as its test sees and changes them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::change::Operation;
use super::error::EditError;
use super::fake::FakeSalesforce;
use super::fault::RecordFault;
use super::value::FieldValue;

/// Records of any object, by object name and id. These calls come from a person, not from the API's user: they are not
/// in the ledger, they may set what clients may not (read-only, calculated and hidden fields, audit fields), and they
/// check no more than the kind of a value, as old records hold what today's rules refuse.
impl FakeSalesforce {
    /// Creates a record and tells its id.
    ///
    /// # Errors
    ///
    /// An unknown object or field, or a value of another kind than the field's.
    pub fn insert_record(&self, object: &str, fields: &[(&str, FieldValue)]) -> Result<String, EditError> {
        self.org.place(object, fields, None).map_err(EditError)
    }

    /// Creates a record that carries the stamps of now but becomes visible only when the clock has moved on by
    /// `visible_after`.
    ///
    /// # Errors
    ///
    /// As of [`insert_record`](Self::insert_record).
    pub fn insert_record_late(
        &self,
        object: &str,
        fields: &[(&str, FieldValue)],
        visible_after: Duration,
    ) -> Result<String, EditError> {
        let visible_at = self.later(visible_after);
        self.org
            .place(object, fields, Some(visible_at))
            .map_err(EditError)
    }

    /// Changes a record; `SystemModstamp`, `LastModifiedDate` and `LastModifiedById` move unless they are among the
    /// fields.
    ///
    /// # Errors
    ///
    /// As of [`insert_record`](Self::insert_record), or no such record.
    pub fn update_record(
        &self,
        object: &str,
        id: &str,
        fields: &[(&str, FieldValue)],
    ) -> Result<(), EditError> {
        self.org.set(object, id, fields, true, None).map_err(EditError)
    }

    /// Changes a record with the stamps of now, visible only when the clock has moved on by `visible_after`.
    ///
    /// # Errors
    ///
    /// As of [`update_record`](Self::update_record).
    pub fn update_record_late(
        &self,
        object: &str,
        id: &str,
        fields: &[(&str, FieldValue)],
        visible_after: Duration,
    ) -> Result<(), EditError> {
        let visible_at = self.later(visible_after);
        self.org
            .set(object, id, fields, true, Some(visible_at))
            .map_err(EditError)
    }

    /// Changes a record without moving its stamps, as the values of formulas change.
    ///
    /// # Errors
    ///
    /// As of [`update_record`](Self::update_record).
    pub fn set_silently(
        &self,
        object: &str,
        id: &str,
        fields: &[(&str, FieldValue)],
    ) -> Result<(), EditError> {
        self.org.set(object, id, fields, false, None).map_err(EditError)
    }

    /// Moves a record to the recycle bin, where only `queryAll` sees it for 15 days; its stamps move. Of an object
    /// without `IsDeleted` it is gone at once.
    ///
    /// # Errors
    ///
    /// An unknown object, or no such record.
    pub fn delete_record(&self, object: &str, id: &str) -> Result<(), EditError> {
        self.org.remove(object, id, Operation::Delete).map_err(EditError)
    }

    /// Removes a record for good, from the recycle bin or past it; only `deleted` still tells of it.
    ///
    /// # Errors
    ///
    /// An unknown object, or no such record.
    pub fn purge_record(&self, object: &str, id: &str) -> Result<(), EditError> {
        self.org
            .remove(object, id, Operation::HardDelete)
            .map_err(EditError)
    }

    /// Takes a record out of the recycle bin; its stamps move.
    ///
    /// # Errors
    ///
    /// An unknown object, or no such record.
    pub fn undelete_record(&self, object: &str, id: &str) -> Result<(), EditError> {
        self.org
            .remove(object, id, Operation::Undelete)
            .map_err(EditError)
    }

    /// What a record holds now, field by field, hidden fields and compounds included; `None` if there is none, not
    /// yet or no more. Records in the recycle bin have `IsDeleted` true.
    pub fn record(&self, object: &str, id: &str) -> Option<BTreeMap<String, FieldValue>> {
        self.org.show(object, id)
    }

    /// All records of an object in the order of their ids, the recycle bin included.
    pub fn records(&self, object: &str) -> Vec<BTreeMap<String, FieldValue>> {
        self.org.show_all(object)
    }

    /// Scripts the refusal of writes to the records of an object that hold, or would get, a value.
    pub fn fail_record(&self, fault: RecordFault) {
        self.org.faults.add_record(fault);
    }

    /// Hides a field from the API's user, or shows it again, as a change of field-level security does at any time.
    ///
    /// # Errors
    ///
    /// An unknown object or field.
    pub fn hide_field(&self, object: &str, field: &str, hidden: bool) -> Result<(), EditError> {
        self.org
            .change_schema(object, |object| {
                let field = object
                    .index(field)
                    .ok_or_else(|| format!("{} has no field {field}", object.name))?;
                object.fields[field].hidden = hidden;
                Ok(())
            })
            .map_err(EditError)
    }

    /// Adds a field to an object, as an administrator does at any time.
    ///
    /// # Errors
    ///
    /// An unknown object, or a field that is there already.
    pub fn add_field(&self, object: &str, field: super::FieldSpec) -> Result<(), EditError> {
        self.org
            .change_schema(object, |object| {
                for field in field.into_fields() {
                    if object.index(&field.name).is_some() {
                        return Err(format!("{} has a field {} already", object.name, field.name));
                    }
                    object.fields.push(field);
                }
                Ok(())
            })
            .map_err(EditError)
    }

    fn later(&self, after: Duration) -> i64 {
        let after = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        self.org.now().saturating_add(after)
    }
}
