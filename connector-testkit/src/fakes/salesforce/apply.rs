//! Storing what was decided to be written.

use std::sync::Arc;

use super::check::Assignments;
use super::field::FieldType;
use super::object::ObjectType;
use super::org::{Data, Org};
use super::table::Table;
use super::timestamp::whole_second;
use super::value::FieldValue;
use super::view::{RowView, row_of};

impl Data {
    fn table(&mut self, object: &ObjectType) -> &mut Table {
        let tables = Arc::make_mut(&mut self.tables);
        Arc::make_mut(tables.entry(object.name.clone()).or_default())
    }

    /// Whether anything was ever written to record `n`.
    pub(super) fn was_written(&self, object: &str, n: u64) -> bool {
        self.tables
            .get(object)
            .is_some_and(|table| table.rows.contains_key(&n))
    }
}

impl Org {
    /// Record `n` as it is now, if there is one.
    pub(super) fn row<'a>(&'a self, data: &'a Data, object: &'a ObjectType, n: u64) -> Option<RowView<'a>> {
        row_of(
            data.tables.get(&object.name)?,
            self.seeds(),
            object,
            n,
            self.now(),
        )
    }

    /// Adds the audit fields of a write that `values` don't give themselves.
    pub(super) fn stamp(
        &self,
        object: &ObjectType,
        by: &FieldValue,
        created: bool,
        values: &mut Assignments,
    ) {
        let now = FieldValue::DateTime(whole_second(self.now()));
        let mut fields = vec![
            ("SystemModstamp", now.clone()),
            ("LastModifiedDate", now.clone()),
            ("LastModifiedById", by.clone()),
        ];
        if created {
            fields.extend([
                ("CreatedDate", now),
                ("CreatedById", by.clone()),
                ("OwnerId", by.clone()),
            ]);
        }
        for (name, value) in fields {
            if let Some(field) = object.index(name).filter(|field| !gives(values, *field)) {
                values.push((field, value));
            }
        }
    }

    /// Creates a record and tells its number.
    pub(super) fn create(
        &self,
        data: &mut Data,
        object: &ObjectType,
        mut values: Assignments,
        by: &FieldValue,
        visible_at: Option<i64>,
    ) -> u64 {
        let table = data.table(object);
        table.last += 1;
        let n = table.last;
        for (place, field) in object.fields.iter().enumerate() {
            if gives(&values, place) {
                continue;
            }
            if field.auto_number {
                values.push((place, format!("A-{n:04}").into()));
            } else if let Some(value) = &field.default {
                values.push((place, value.clone()));
            } else if field.kind == FieldType::Picklist && field.defaulted_on_create {
                let first = field.choices.first();
                values.extend(first.map(|first| (place, first.as_str().into())));
            }
        }
        self.stamp(object, by, true, &mut values);
        self.apply(data, object, n, &values, visible_at);
        n
    }

    /// Stores the values. With `visible_at`, readers see them only from that microsecond on.
    pub(super) fn apply(
        &self,
        data: &mut Data,
        object: &ObjectType,
        n: u64,
        values: &Assignments,
        visible_at: Option<i64>,
    ) {
        let now = self.now();
        let table = data.table(object);
        for (field, value) in values {
            if let Some(key) = value.text().filter(|_| object.fields[*field].is_key()) {
                table.remember(*field, &key, n);
            }
        }
        let written = table.written(n);
        written.settle(now);
        match visible_at {
            Some(visible_at) => {
                let mut changes = match written.late.take() {
                    Some(late) => late.1,
                    None => written.current.clone().unwrap_or_default(),
                };
                changes.set_all(values);
                written.late = Some(Box::new((visible_at, changes)));
            }
            None => {
                // A commit under way sees this one as well.
                if let Some(late) = &mut written.late {
                    late.1.set_all(values);
                }
                written.current.get_or_insert_default().set_all(values);
            }
        }
    }

    /// Moves the record to the recycle bin; where the object has none, it is gone.
    pub(super) fn bin(&self, data: &mut Data, object: &ObjectType, n: u64, by: &FieldValue) {
        match object.index("IsDeleted") {
            None => self.purge(data, object, n),
            Some(field) => {
                let mut values = vec![(field, true.into())];
                self.stamp(object, by, false, &mut values);
                self.apply(data, object, n, &values, None);
                data.table(object).written(n).deleted = Some(self.now());
            }
        }
    }

    /// Removes the record for good; `deleted` still tells of it.
    pub(super) fn purge(&self, data: &mut Data, object: &ObjectType, n: u64) {
        let now = self.now();
        let written = data.table(object).written(n);
        written.deleted.get_or_insert(now);
        written.purged = true;
    }

    /// Takes the record out of the recycle bin.
    pub(super) fn restore(&self, data: &mut Data, object: &ObjectType, n: u64, by: &FieldValue) {
        let Some(field) = object.index("IsDeleted") else {
            return;
        };
        let mut values = vec![(field, false.into())];
        self.stamp(object, by, false, &mut values);
        self.apply(data, object, n, &values, None);
        data.table(object).written(n).deleted = None;
    }
}

fn gives(values: &Assignments, field: usize) -> bool {
    values.iter().any(|(given, _)| *given == field)
}
