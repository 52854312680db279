//! Reading a stream in full.

use std::collections::BTreeSet;

use connector_core::{DataType, ErrorKind, Event, Key, Value};

use super::{SourceSystem, open, read, request, source, spec};
use crate::conformance::rows::{lines, same};
use crate::conformance::verdict::{ensure, ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

pub(super) async fn a_full_read_is_the_truth(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    system.change(7).await;
    let reading = read(system, request(system)).await?;
    ensure_eq!(reading.rejected, [], "records that were rejected");
    same(reading.lines(), lines(&system.truth().await), "a full read")
}

pub(super) async fn a_full_read_can_be_repeated(system: &dyn SourceSystem) -> Verdict {
    system.add(25).await;
    let first = read(system, request(system)).await?;
    let second = read(system, request(system)).await?;
    same(second.lines(), first.lines(), "the second of two full reads")
}

pub(super) async fn an_empty_stream_reads_empty(system: &dyn SourceSystem) -> Verdict {
    let reading = read(system, request(system)).await?;
    ensure_eq!(
        reading.lines(),
        Vec::<String>::new(),
        "records of an empty stream"
    );
    ensure_eq!(reading.rejected, [], "rejections of an empty stream");
    Ok(())
}

pub(super) async fn values_are_of_their_types(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    for_each_cell(system, |name, data_type, _, value| {
        ensure!(
            is_of(&value, data_type),
            "`{name}` is declared as {data_type} and holds {value:?}"
        );
        Ok(())
    })
    .await
}

pub(super) async fn text_comes_byte_for_byte(system: &dyn SourceSystem) -> Verdict {
    let texts = system.texts();
    system.add_texts(&texts).await;
    let truth = system.truth().await;
    ensure_eq!(truth.len(), texts.len(), "records that hold the texts");
    let reading = read(system, request(system)).await?;
    ensure_eq!(reading.rejected, [], "records that were rejected");
    same(
        reading.lines(),
        lines(&truth),
        "a read of records with unusual texts",
    )
}

pub(super) async fn fields_that_are_never_null_never_are(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    for_each_cell(system, |name, _, nullable, value| {
        ensure!(
            nullable || value.is_present(),
            "`{name}` is declared as never null and holds {value:?}"
        );
        Ok(())
    })
    .await
}

/// Calls `look` with every cell of a full read; there must be some.
async fn for_each_cell(
    system: &dyn SourceSystem,
    look: impl Fn(&str, DataType, bool, Value<'_>) -> Verdict,
) -> Verdict {
    let wanted = spec(system).await?.schema;
    let mut reader = open(system, request(system)).await?;
    let mut cells = 0;
    while let Some(event) = reader.next().await? {
        let Event::Records(batch) = event else {
            continue;
        };
        ensure_eq!(
            batch.schema().fields(),
            wanted.fields(),
            "the schema of a batch is not the described one"
        );
        for record in batch.records() {
            for (field, value) in wanted.fields().iter().zip(record.values()) {
                look(&field.name, field.data_type, field.nullable, value)?;
                cells += 1;
            }
        }
    }
    ensure!(cells > 0, "no record came");
    Ok(())
}

/// Whether a field of `data_type` may hold `value`.
pub(super) fn is_of(value: &Value<'_>, data_type: DataType) -> bool {
    match (value, data_type) {
        (Value::Unset | Value::Null, _)
        | (Value::Bool(_), DataType::Bool)
        | (Value::Int(_), DataType::Int64)
        | (Value::Float32(_), DataType::Float32)
        | (Value::Float64(_), DataType::Float64)
        | (Value::Decimal(_), DataType::Decimal(None))
        | (Value::Bytes(_), DataType::Bytes)
        | (Value::Date(_), DataType::Date)
        | (Value::Time(_), DataType::Time)
        | (Value::Timestamp(_), DataType::Timestamp)
        | (Value::Instant(_), DataType::Instant)
        | (Value::Interval(_), DataType::Interval)
        | (Value::Uuid(_), DataType::Uuid) => true,
        (Value::Int(number), DataType::Int16) => i16::try_from(*number).is_ok(),
        (Value::Int(number), DataType::Int32) => i32::try_from(*number).is_ok(),
        (Value::Decimal(number), DataType::Decimal(Some(size))) => number.fits(size.precision, size.scale),
        (Value::Text(text), DataType::Text { max_chars }) => {
            max_chars.is_none_or(|most| text.chars().count() <= most as usize)
        }
        (Value::Json(text), DataType::Json) => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        (Value::Array(array), DataType::Array(element)) => {
            array.iter().all(|value| is_of(&value, element.data_type()))
        }
        _ => false,
    }
}

pub(super) async fn keys_are_unique(system: &dyn SourceSystem) -> Verdict {
    system.add(60).await;
    let reading = read(system, request(system)).await?;
    let keys: BTreeSet<_> = reading.records.iter().map(|record| &record.key).collect();
    ensure_eq!(keys.len(), 60, "different keys of 60 records");
    Ok(())
}

pub(super) async fn the_source_key_is_the_primary_key(system: &dyn SourceSystem) -> Verdict {
    system.add(5).await;
    let mut reader = open(system, request(system)).await?;
    while let Some(event) = reader.next().await? {
        let Event::Records(batch) = event else {
            continue;
        };
        for record in batch.records() {
            let key = batch
                .schema()
                .primary_key()
                .iter()
                .map(|&position| record.value(position));
            ensure_eq!(
                record.source_key(),
                Some(Key::from_values(key)),
                "the source key of a record"
            );
        }
    }
    Ok(())
}

pub(super) async fn sequence_numbers_are_unique(system: &dyn SourceSystem) -> Verdict {
    system.add(60).await;
    let reading = read(system, request(system)).await?;
    let records = reading.records.iter().map(|record| record.sequence);
    let numbers: Vec<u64> = records
        .chain(reading.rejected.iter().map(|one| one.sequence))
        .collect();
    let different: BTreeSet<u64> = numbers.iter().copied().collect();
    ensure_eq!(
        different.len(),
        numbers.len(),
        "different sequence numbers of one run"
    );
    Ok(())
}

pub(super) async fn batches_keep_to_their_bytes(system: &dyn SourceSystem) -> Verdict {
    system.add(200).await;
    let reading = read(system, request(system).with_batch_bytes(4 << 10)).await?;
    let largest = system.truth().await;
    let record = largest.byte_len() / largest.len().max(1);
    // A batch is cut when it is full: the record that fills it, and records larger than most, stand over.
    let most = (4 << 10) + 4 * record;
    for (bytes, records) in &reading.batches {
        ensure!(
            *bytes <= most,
            "a batch of {records} records has {bytes} bytes where {} were asked for",
            4 << 10
        );
    }
    same(reading.lines(), lines(&largest), "a read in small batches")
}

pub(super) async fn batches_keep_to_their_records(system: &dyn SourceSystem) -> Verdict {
    system.add(50).await;
    let request = request(system).with_batch_bytes(1 << 20).with_batch_records(7);
    let reading = read(system, request).await?;
    for (_, records) in &reading.batches {
        ensure!(
            *records <= 7,
            "a batch has {records} records where 7 were asked for"
        );
    }
    same(
        reading.lines(),
        lines(&system.truth().await),
        "a read in batches of seven records",
    )
}

pub(super) async fn chosen_fields_come_in_their_order(system: &dyn SourceSystem) -> Verdict {
    system.add(10).await;
    let mut chosen: Vec<String> = spec(system)
        .await?
        .schema
        .fields()
        .iter()
        .map(|field| field.name.clone())
        .collect();
    chosen.reverse();
    chosen.truncate(chosen.len().div_ceil(2));
    let reading = read(system, request(system).with_fields(chosen.clone())).await?;
    let truth = system.truth().await;
    let wanted = truth.records().map(|record| {
        let cells = chosen.iter().map(|name| format!("{name}={:?}", record.get(name)));
        cells.collect::<Vec<_>>().join(" ")
    });
    same(reading.lines(), wanted.collect(), "a read of chosen fields")
}

pub(super) async fn the_source_key_comes_even_if_not_chosen(system: &dyn SourceSystem) -> Verdict {
    system.add(10).await;
    let schema = spec(system).await?.schema;
    let other = (0..schema.fields().len())
        .find(|position| !schema.primary_key().contains(position))
        .map(|position| schema.fields()[position].name.clone())
        .ok_or_else(|| Failure::new("the test's stream has no field beside its key"))?;
    let reading = read(system, request(system).with_fields(vec![other])).await?;
    let truth = system.truth().await;
    let shown = |key: Option<Key>| format!("{key:?}");
    same(
        reading
            .records
            .into_iter()
            .map(|record| shown(record.key))
            .collect(),
        truth.records().map(|record| shown(record.source_key())).collect(),
        "the source keys of records without their key fields",
    )
}

pub(super) async fn a_field_that_is_not_there_is_refused_by_name(system: &dyn SourceSystem) -> Verdict {
    let request = request(system).with_fields(vec!["no_such_field_here".to_owned()]);
    let connection = system.connect();
    let source = source(&*connection)?;
    let planned = refused(
        source.plan_read(&request).await,
        "the plan for a field that is not there",
    )?;
    let opened = refused(source.reader(request).await, "reading a field that is not there")?;
    for error in [planned, opened] {
        ensure_eq!(
            error.kind(),
            ErrorKind::Schema,
            "the kind of error for a field that is not there"
        );
        ensure!(
            error.report().to_string().contains("no_such_field_here"),
            "the error does not name the field: {}",
            error.report()
        );
    }
    Ok(())
}
