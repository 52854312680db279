//! Which field goes where.

use std::sync::Arc;

use connector_core::{Batch, Column, Result, Schema};

use crate::job::FieldMapping;

/// A mapping decided: the destination's schema, and the source's field behind each of its fields.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub(crate) schema: Arc<Schema>,
    pub(crate) fields: Vec<FieldMapping>,
    /// The positions in the schema batches last came with.
    columns: Option<(Arc<Schema>, Vec<Column>)>,
}

impl Mapping {
    /// Maps a stream of `source`'s shape. Without `fields`, every field goes under its own name; a `match_on` field
    /// that `fields` does not name is taken under its own name.
    ///
    /// # Errors
    /// [`Schema`](connector_core::ErrorKind::Schema): the source has no such field.
    pub(crate) fn new(source: &Schema, fields: &[FieldMapping], match_on: &[String]) -> Result<Self> {
        let own = |name: &str| FieldMapping {
            to: name.to_owned(),
            from: name.to_owned(),
        };
        let mut mapped: Vec<FieldMapping> = match_on
            .iter()
            .filter(|key| !fields.is_empty() && !fields.iter().any(|field| field.to == **key))
            .map(|key| own(key))
            .collect();
        mapped.extend(fields.iter().cloned());
        if fields.is_empty() {
            mapped = source
                .fields()
                .iter()
                .filter(|field| field.access.readable)
                .map(|field| own(&field.name))
                .collect();
        }
        let of = |field: &FieldMapping| {
            source
                .index_of(&field.from)
                .map(|i| source.fields()[i].clone().with_name(&field.to))
        };
        let schema_fields = mapped.iter().map(of).collect::<Result<Vec<_>>>()?;
        let target_of = |from: &str| {
            mapped
                .iter()
                .find(|field| field.from == from)
                .map(|field| field.to.as_str())
        };
        let key: Option<Vec<&str>> = source.primary_key_names().map(target_of).collect();
        let schema = Schema::new(schema_fields, key.unwrap_or_default())?;
        Ok(Self {
            schema: Arc::new(schema),
            fields: mapped,
            columns: None,
        })
    }

    /// The same for records that have nothing but the destination's fields called `names`.
    ///
    /// # Errors
    /// [`Schema`](connector_core::ErrorKind::Schema): there is no such field.
    pub(crate) fn only(mut self, names: &[String]) -> Result<Self> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.schema = Arc::new(self.schema.select(&names)?);
        let of = |name: &&str| self.fields.iter().find(|field| field.to == **name).cloned();
        self.fields = names.iter().filter_map(of).collect();
        Ok(self)
    }

    /// Destination's name and source's name of each field that is not among `names` of the destination.
    pub(crate) fn pairs_except(&self, names: &[String]) -> Vec<(String, String)> {
        let other = self.fields.iter().filter(|field| !names.contains(&field.to));
        other
            .map(|field| (field.to.clone(), field.from.clone()))
            .collect()
    }

    /// Destination's name and source's name of the fields called `names` at the destination.
    pub(crate) fn pairs_of(&self, names: &[String]) -> Vec<(String, String)> {
        let of = |name: &String| self.fields.iter().find(|field| field.to == *name);
        names
            .iter()
            .filter_map(of)
            .map(|field| (field.to.clone(), field.from.clone()))
            .collect()
    }

    /// The batch under the destination's names.
    ///
    /// # Errors
    /// [`Schema`](connector_core::ErrorKind::Schema): the batch lacks a field that the source had described.
    pub(crate) fn apply(&mut self, batch: Batch) -> Result<Batch> {
        let known = self
            .columns
            .as_ref()
            .is_some_and(|(schema, _)| Arc::ptr_eq(schema, batch.schema()));
        if !known {
            let position = |field: &FieldMapping| batch.schema().index_of(&field.from).map(Column::Field);
            let columns = self.fields.iter().map(position).collect::<Result<Vec<_>>>()?;
            self.columns = Some((Arc::clone(batch.schema()), columns));
        }
        let columns = self
            .columns
            .as_ref()
            .map(|(_, columns)| columns.as_slice())
            .unwrap_or_default();
        Ok(batch.remap(Arc::clone(&self.schema), columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_core::{BatchBuilder, DataType, Field, Key, Op, Value};

    fn source() -> Arc<Schema> {
        let fields = vec![
            Field::new("Id", DataType::TEXT),
            Field::new("Score", DataType::Int32),
        ];
        Arc::new(Schema::new(fields, ["Id"]).unwrap())
    }

    #[test]
    fn a_match_field_comes_along_under_its_own_name() {
        let fields = [FieldMapping {
            to: "LeadScore__c".to_owned(),
            from: "Score".to_owned(),
        }];
        let mut mapping = Mapping::new(&source(), &fields, &["Id".to_owned()]).unwrap();
        let names: Vec<&str> = mapping
            .schema
            .fields()
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(names, ["Id", "LeadScore__c"]);
        let mut builder = BatchBuilder::new(source(), 0);
        builder.push(Value::Text("00Q"));
        builder.push(Value::Int(7));
        builder.end_record(Op::Put);
        let batch = mapping.apply(builder.finish()).unwrap();
        let record = batch.get(0).unwrap();
        assert_eq!(record.get("LeadScore__c"), Value::Int(7));
        assert_eq!(record.source_key(), Some(Key::new("00Q")));
    }

    #[test]
    fn a_field_the_source_lacks_names_the_nearest() {
        let fields = [FieldMapping {
            to: "LeadScore__c".to_owned(),
            from: "Scores".to_owned(),
        }];
        let error = Mapping::new(&source(), &fields, &[]).unwrap_err();
        assert_eq!(
            error.report().to_string(),
            "there is no field `Scores`\nhelp: did you mean `Score`?"
        );
    }
}
