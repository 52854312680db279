//! Tables whose source has changed its shape.

use std::sync::Arc;

use connector_core::{Batch, BatchBuilder, DataType, Field, Op, Schema, Value, WriteMode};

use super::DestinationSystem;
use super::write::{request, request_of, write};
use crate::conformance::rows::{lines, same};
use crate::conformance::{Failure, Verdict};

/// The system's schema with one more field.
fn wider(system: &dyn DestinationSystem) -> Result<Arc<Schema>, Failure> {
    let schema = system.schema();
    let mut fields = schema.fields().to_vec();
    fields.push(Field::new("New_Field__c", DataType::decimal(18, 2)));
    Ok(Arc::new(Schema::new(fields, schema.primary_key_names())?))
}

/// Records of the wider schema, whose new field is `value`.
fn widened(schema: &Arc<Schema>, records: &Batch, value: Value<'_>) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
    for record in records.records() {
        record.values().for_each(|value| builder.push(value));
        builder.push(value);
        builder.end_record(Op::Put);
    }
    builder.finish()
}

async fn rows(system: &dyn DestinationSystem, schema: &Arc<Schema>) -> Result<Vec<String>, Failure> {
    let rows = system.rows(&system.stream(), schema).await;
    rows.map(|rows| lines(&rows))
        .ok_or_else(|| Failure::new("the table is not there any more"))
}

pub(super) async fn a_new_field_joins_and_old_rows_stay(system: &dyn DestinationSystem) -> Verdict {
    write(
        system,
        request(system, WriteMode::Upsert),
        [system.records(0..10, 1)],
    )
    .await?;
    let schema = wider(system)?;
    let new = widened(
        &schema,
        &system.records(8..15, 2),
        Value::Decimal(connector_core::Decimal::new(1_050, 2)),
    );
    let request = request_of(system.stream(), Arc::clone(&schema), WriteMode::Upsert);
    write(system, request, [new.clone()]).await?;
    let old = widened(&schema, &system.records(0..8, 1), Value::Null);
    let wanted = lines(&old).into_iter().chain(lines(&new)).collect();
    same(
        rows(system, &schema).await?,
        wanted,
        "a table that a field was added to",
    )
}

pub(super) async fn a_field_that_is_gone_keeps_its_values(system: &dyn DestinationSystem) -> Verdict {
    let schema = wider(system)?;
    let value = Value::Decimal(connector_core::Decimal::new(1_050, 2));
    let wide = |numbers, version| widened(&schema, &system.records(numbers, version), value);
    let first = request_of(system.stream(), Arc::clone(&schema), WriteMode::Upsert);
    write(system, first, [wide(0..10, 1)]).await?;
    write(
        system,
        request(system, WriteMode::Upsert),
        [system.records(5..12, 2)],
    )
    .await?;
    let new = widened(&schema, &system.records(10..12, 2), Value::Null);
    let parts = [wide(0..5, 1), wide(5..10, 2), new];
    let wanted = parts.iter().flat_map(lines).collect();
    same(
        rows(system, &schema).await?,
        wanted,
        "a table one of whose fields is not written any more",
    )
}
