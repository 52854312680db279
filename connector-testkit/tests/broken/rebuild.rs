//! Batches made again, with something about them changed.

use std::sync::Arc;

use connector_core::{Batch, BatchBuilder, Column, DataType, Field, Key, Op, Record, Schema, Value};

/// The records that `keep` keeps, by their place in the batch.
pub(crate) fn kept(batch: &Batch, mut keep: impl FnMut(usize, &Record<'_>) -> bool) -> Batch {
    let mut builder = begin(batch);
    for (index, record) in batch.records().enumerate() {
        if keep(index, &record) {
            number(&mut builder, &record);
            record.values().for_each(|value| builder.push(value));
            builder.end_record(record.op());
        }
    }
    builder.finish()
}

/// The same records with the values that `push` pushes for each.
pub(crate) fn pushed(
    batch: &Batch,
    mut push: impl FnMut(&mut BatchBuilder, &Record<'_>, &Field, Value<'_>),
) -> Batch {
    let mut builder = begin(batch);
    for record in batch.records() {
        number(&mut builder, &record);
        for (field, value) in record.schema().fields().iter().zip(record.values()) {
            push(&mut builder, &record, field, value);
        }
        builder.end_record(record.op());
    }
    builder.finish()
}

/// The same records with every text as `harm` leaves it; `None`: null.
pub(crate) fn texts(batch: &Batch, harm: impl Fn(&str) -> Option<String>) -> Batch {
    pushed(batch, |builder, _, _, value| match value {
        Value::Text(text) => builder.push(harm(text).as_deref().map_or(Value::Null, Value::Text)),
        value => builder.push(value),
    })
}

/// The same records, numbered from `first`.
pub(crate) fn numbered(batch: &Batch, first: u64) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(batch.schema()), first);
    for record in batch.records() {
        record.values().for_each(|value| builder.push(value));
        builder.end_record(record.op());
    }
    builder.finish()
}

/// The same records, all of them there.
pub(crate) fn puts(batch: &Batch) -> Batch {
    let mut builder = begin(batch);
    for record in batch.records() {
        number(&mut builder, &record);
        record.values().for_each(|value| builder.push(value));
        builder.end_record(Op::Put);
    }
    builder.finish()
}

/// The same records with every decimal as a float holds it.
pub(crate) fn floats(batch: &Batch) -> Batch {
    pushed(batch, |builder, _, _, value| match value {
        Value::Decimal(number) => {
            let float: f64 = number.to_string().parse().unwrap();
            builder.push_decimal(&float.to_string()).unwrap();
        }
        value => builder.push(value),
    })
}

/// The same records, each of whose fields is what `change` makes of it. Keys that no field shows stay.
pub(crate) fn under(batch: Batch, change: impl Fn(&Field) -> Field) -> Batch {
    let schema = Arc::new(changed(batch.schema(), change));
    let columns: Vec<Column> = (0..schema.fields().len()).map(Column::Field).collect();
    batch.remap(schema, &columns)
}

/// The schema, each of whose fields is what `change` makes of it; names must stay.
pub(crate) fn changed(schema: &Schema, change: impl Fn(&Field) -> Field) -> Schema {
    let fields = schema.fields().iter().map(change).collect();
    Schema::new(fields, schema.primary_key_names()).unwrap()
}

/// The same records under the source keys that `respell` makes of theirs.
pub(crate) fn rekeyed(batch: &Batch, respell: impl Fn(&Key) -> String) -> Batch {
    let own = Arc::clone(batch.schema());
    let fields = own
        .fields()
        .iter()
        .cloned()
        .chain([Field::new("(key)", DataType::TEXT)]);
    let wide = Arc::new(Schema::new(fields.collect(), ["(key)"]).unwrap());
    let mut builder = BatchBuilder::new(wide, first(batch));
    for record in batch.records() {
        number(&mut builder, &record);
        record.values().for_each(|value| builder.push(value));
        builder.push(Value::Text(&respell(&record.source_key().unwrap())));
        builder.end_record(record.op());
    }
    let columns: Vec<Column> = (0..own.fields().len()).map(Column::Field).collect();
    builder.finish().remap(own, &columns)
}

/// Several batches' records in one; `None` where there is no batch.
pub(crate) fn joined<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> Option<Batch> {
    let mut batches = batches.into_iter().peekable();
    let mut builder = begin(batches.peek()?);
    for record in batches.flat_map(Batch::records) {
        number(&mut builder, &record);
        record.values().for_each(|value| builder.push(value));
        builder.end_record(record.op());
    }
    Some(builder.finish())
}

fn first(batch: &Batch) -> u64 {
    batch.get(0).map_or(0, |record| record.sequence())
}

fn begin(batch: &Batch) -> BatchBuilder {
    BatchBuilder::new(Arc::clone(batch.schema()), first(batch))
}

/// Lets the next record have the number of `record`.
fn number(builder: &mut BatchBuilder, record: &Record<'_>) {
    while builder.next_sequence() < record.sequence() {
        builder.cancel_record();
    }
}

/// Deletes of the records.
pub(crate) fn deletes(batch: &Batch) -> Batch {
    let mut builder = begin(batch);
    for record in batch.records() {
        record.values().for_each(|value| builder.push(value));
        builder.end_record(Op::Delete);
    }
    builder.finish()
}
