//! What the org demands of a record before it is written.

use std::collections::BTreeMap;

use super::change::{Operation, RowChange};
use super::coerce::coerce;
use super::error::RowError;
use super::field::{Field, FieldType};
use super::id;
use super::object::ObjectType;
use super::org::{Data, Org};
use super::value::FieldValue;
use super::view::RowView;

/// Fields with the values they get.
pub(super) type Assignments = Vec<(usize, FieldValue)>;

impl Org {
    /// The values a change gives to record `n`, or to a new record.
    pub(super) fn assignments(
        &self,
        data: &Data,
        change: &RowChange,
        n: Option<u64>,
    ) -> Result<Assignments, RowError> {
        let object = &*change.object;
        let allowed = |field: &Field| {
            if n.is_none() {
                field.createable
            } else {
                field.updateable
            }
        };
        let key = match change.operation {
            Operation::Upsert { key } => Some(key),
            _ => None,
        };
        let given = change.fields.iter().map(|(field, _)| *field);
        let refused: Vec<&str> = given
            .chain(change.parents.iter().map(|parent| parent.field))
            // The key of an upsert that finds its record is only looked at.
            .filter(|field| !(n.is_some() && key == Some(*field)))
            .map(|field| &object.fields[field])
            .filter(|field| !allowed(field))
            .map(|field| field.name.as_str())
            .collect();
        if !refused.is_empty() {
            let message = format!(
                "Unable to create/update fields: {}. Please check the security settings of this field and verify \
                 that it is read/write for your profile or permission set.",
                refused.join(", ")
            );
            return Err(RowError::new(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                message,
                &refused,
            ));
        }
        let mut values = Vec::with_capacity(change.fields.len() + change.parents.len());
        for (field, input) in &change.fields {
            if n.is_some() && key == Some(*field) {
                continue;
            }
            values.push((*field, coerce(&object.fields[*field], input)?));
        }
        for parent in &change.parents {
            let value = coerce(&parent.object.fields[parent.key], &parent.value)?;
            values.push((parent.field, self.parent(data, parent, &value)?));
        }
        if n.is_none() {
            require_all(object, &values)?;
        }
        for (field, value) in &values {
            let meta = &object.fields[*field];
            if meta.unique && !value.is_null() {
                self.check_unique(data, object, *field, value, n)?;
            }
            if let (FieldType::Reference, FieldValue::Text(target)) = (meta.kind, value) {
                self.check_reference(data, meta, target)?;
            }
        }
        self.check_rules(data, object, n, &values)?;
        Ok(values)
    }

    fn parent(
        &self,
        data: &Data,
        parent: &super::change::Parent,
        value: &FieldValue,
    ) -> Result<FieldValue, RowError> {
        if value.is_null() {
            return Ok(FieldValue::Null);
        }
        let meta = &parent.object.fields[parent.key];
        if meta.kind == FieldType::Id {
            return Ok(value.clone());
        }
        match self.holders(data, &parent.object, parent.key, value)[..] {
            [n] => Ok(id::make(&parent.object.key_prefix, n).into()),
            [] => {
                let message = format!(
                    "Foreign key external ID: {} not found for field {} in entity {}",
                    value.text().unwrap_or_default().to_lowercase(),
                    meta.name,
                    parent.object.name
                );
                Err(RowError::new("INVALID_FIELD", message, &[]))
            }
            _ => Err(several(&parent.object, meta, &[])),
        }
    }

    fn check_unique(
        &self,
        data: &Data,
        object: &ObjectType,
        field: usize,
        value: &FieldValue,
        n: Option<u64>,
    ) -> Result<(), RowError> {
        let holder = self
            .holders(data, object, field, value)
            .into_iter()
            .find(|holder| Some(*holder) != n);
        let Some(holder) = holder else {
            return Ok(());
        };
        let holder = id::make(&object.key_prefix, holder);
        let message = format!(
            "duplicate value found: {} duplicates value on record with id: {}",
            object.fields[field].name,
            &holder[..15]
        );
        Err(RowError::new("DUPLICATE_VALUE", message, &[]))
    }

    fn check_reference(&self, data: &Data, field: &Field, target: &str) -> Result<(), RowError> {
        let schema = self.schema();
        let fits = |name: &str| field.reference_to.iter().any(|known| known == name);
        let exists = match schema.of_id(target) {
            Some(object) => {
                let row = id::number(&object.key_prefix, target).and_then(|n| self.row(data, object, n));
                fits(&object.name) && row.is_some_and(|row| !row.is_deleted())
            }
            // Parents of objects that this org leaves out, such as Group, cannot be looked up.
            None => field.reference_to.iter().any(|name| schema.find(name).is_none()),
        };
        if exists {
            return Ok(());
        }
        let message = format!("{}: invalid cross reference id", field.name);
        Err(RowError::new(
            "INVALID_CROSS_REFERENCE_KEY",
            message,
            &[&field.name],
        ))
    }

    fn check_rules(
        &self,
        data: &Data,
        object: &ObjectType,
        n: Option<u64>,
        values: &Assignments,
    ) -> Result<(), RowError> {
        if object.rules.is_empty() {
            return Ok(());
        }
        let mut record = match n.and_then(|n| self.row(data, object, n)) {
            Some(row) => fields_of(&row),
            None => BTreeMap::new(),
        };
        for field in &object.fields {
            record.entry(field.name.clone()).or_insert(FieldValue::Null);
        }
        for (field, value) in values {
            record.insert(object.fields[*field].name.clone(), value.clone());
        }
        match object.rules.iter().find(|rule| (rule.refuses)(&record)) {
            None => Ok(()),
            Some(rule) => {
                let fields: Vec<&str> = Some(rule.field.as_str())
                    .filter(|name| !name.is_empty())
                    .into_iter()
                    .collect();
                Err(RowError::new(
                    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                    rule.message.clone(),
                    &fields,
                ))
            }
        }
    }
}

/// All fields of a record by name.
pub(super) fn fields_of(row: &RowView<'_>) -> BTreeMap<String, FieldValue> {
    let fields = row.object.fields.iter().enumerate();
    fields
        .map(|(field, meta)| (meta.name.clone(), row.value(field)))
        .collect()
}

/// Several records hold the key of an upsert.
pub(super) fn several(object: &ObjectType, field: &Field, holders: &[u64]) -> RowError {
    let ids: Vec<String> = holders.iter().map(|&n| id::make(&object.key_prefix, n)).collect();
    let message = format!(
        "{}: more than one record found for external id field: [{}]",
        field.name,
        ids.join(", ")
    );
    RowError::new("DUPLICATE_EXTERNAL_ID", message, &[&field.name])
}

fn require_all(object: &ObjectType, values: &Assignments) -> Result<(), RowError> {
    let missing: Vec<&str> = object
        .fields
        .iter()
        .enumerate()
        .filter(|(field, meta)| meta.is_required() && !values.iter().any(|(given, _)| given == field))
        .map(|(_, meta)| meta.name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    Err(RowError::new("REQUIRED_FIELD_MISSING", message, &missing))
}
