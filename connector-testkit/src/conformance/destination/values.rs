//! Values, nulls and unset fields.

use std::sync::Arc;

use connector_core::{Batch, BatchBuilder, DataType, Field, Nulls, Op, Schema, Value, WriteMode};

use super::DestinationSystem;
use super::write::{found, holds, keyed_mode, open, ready, request, request_of, usual_mode, write};
use crate::conformance::rows::{lines, same};
use crate::conformance::sample::altered;
use crate::conformance::verdict::ensure;
use crate::conformance::{Failure, Verdict};

pub(super) async fn records_arrive_as_they_are(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..60).await;
    let records = system.records(0..60, 1);
    write(system, request(system, mode), [records.clone()]).await?;
    holds(system, &[&records], "sixty records written").await
}

/// The first field that takes any text: long enough for all of them.
fn text_field(schema: &Schema) -> Result<&Field, Failure> {
    let texts = schema.fields().iter().enumerate().filter(|(position, field)| {
        let roomy = matches!(field.data_type, DataType::Text { max_chars } if max_chars.is_none_or(|most| most >= 80));
        roomy && !schema.primary_key().contains(position)
    });
    texts
        .map(|(_, field)| field)
        .next()
        .ok_or_else(|| Failure::new("the test's schema has no text field for 80 characters"))
}

/// Records whose text field holds `texts`.
fn with_texts(system: &dyn DestinationSystem, texts: &[String]) -> Result<Batch, Failure> {
    let schema = system.schema();
    let name = &text_field(&schema)?.name;
    let records = system.records(0..texts.len(), 1);
    let mut builder = BatchBuilder::new(Arc::clone(records.schema()), 0);
    for (record, text) in records.records().zip(texts) {
        for (field, value) in schema.fields().iter().zip(record.values()) {
            builder.push(if field.name == *name {
                Value::Text(text)
            } else {
                value
            });
        }
        builder.end_record(Op::Put);
    }
    Ok(builder.finish())
}

pub(super) async fn text_arrives_byte_for_byte(system: &dyn DestinationSystem) -> Verdict {
    let texts = system.texts();
    let mode = usual_mode(system)?;
    ready(system, mode, 0..texts.len()).await;
    let records = with_texts(system, &texts)?;
    write(system, request(system, mode), [records.clone()]).await?;
    holds(system, &[&records], "records with unusual texts").await
}

pub(super) async fn a_nul_is_kept_or_rejected(system: &dyn DestinationSystem) -> Verdict {
    let texts = ["before", "a\u{0}b", "after"].map(str::to_owned);
    let mode = usual_mode(system)?;
    ready(system, mode, 0..3).await;
    let there = found(system).await;
    let records = with_texts(system, &texts)?;
    let report = write(system, request(system, mode), [records.clone()]).await?;
    if report.counts.rejected == 0 {
        return holds(system, &[&records], "records of which one holds a NUL").await;
    }
    // Rejected: then the other two arrived, and what was there of it before is as it was.
    let written = lines(&records);
    let mut wanted = vec![written[0].clone(), written[2].clone()];
    let before = lines(&system.records(1..2, 0));
    wanted.extend(there.into_iter().filter(|line| before.contains(line)));
    same(
        found(system).await,
        wanted,
        "records of which the one with a NUL was rejected",
    )
}

pub(super) async fn fields_are_matched_by_name(system: &dyn DestinationSystem) -> Verdict {
    let mode = usual_mode(system)?;
    ready(system, mode, 0..10).await;
    let schema = system.schema();
    write(system, request(system, mode), [system.records(0..5, 1)]).await?;
    let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name.as_str()).collect();
    names.reverse();
    let turned = Arc::new(schema.select(&names)?);
    let records = system.records(5..10, 1);
    let mut builder = BatchBuilder::new(Arc::clone(&turned), 0);
    for record in records.records() {
        names.iter().for_each(|name| builder.push(record.get(name)));
        builder.end_record(Op::Put);
    }
    let request = request_of(system.stream(), turned, mode);
    write(system, request, [builder.finish()]).await?;
    let first = match mode {
        WriteMode::Overwrite => system.records(0..0, 1),
        _ => system.records(0..5, 1),
    };
    holds(
        system,
        &[&first, &records],
        "records written in another order of fields",
    )
    .await
}

/// Whether a field is neither a key nor must be given.
fn is_free(schema: &Schema, field: &Field) -> bool {
    field.nullable && !field.access.required && !schema.primary_key_names().any(|name| name == field.name)
}

pub(super) async fn null_clears(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..10).await;
    let schema = system.schema();
    let full = system.records(0..10, 1);
    write(system, request(system, mode), [full.clone()]).await?;
    let cleared = altered(&full, Op::Put, |index, field, value| {
        if index % 2 == 0 && is_free(&schema, field) {
            Value::Null
        } else {
            value
        }
    });
    write(system, request(system, mode), [cleared.clone()]).await?;
    holds(system, &[&cleared], "records of which half were cleared by nulls").await
}

pub(super) async fn unset_leaves_alone(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..10).await;
    let schema = system.schema();
    let full = system.records(0..10, 1);
    write(system, request(system, mode), [full.clone()]).await?;
    let blank = altered(&system.records(0..10, 2), Op::Put, |_, field, value| {
        if is_free(&schema, field) {
            Value::Unset
        } else {
            value
        }
    });
    write(system, request(system, mode), [blank]).await?;
    let wanted = merged(&schema, &full, &system.records(0..10, 2), |_, field| {
        !is_free(&schema, field)
    });
    holds(
        system,
        &[&wanted],
        "records written again with their fields unset",
    )
    .await
}

pub(super) async fn unset_and_null_stay_apart_in_one_batch(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..12).await;
    let schema = system.schema();
    let full = system.records(0..12, 1);
    write(system, request(system, mode), [full.clone()]).await?;
    // Record by record and field by field something else: a value, null, or nothing said.
    let turn = |index: usize, field: &Field| {
        let position = schema.fields().iter().position(|other| other.name == field.name);
        if is_free(&schema, field) {
            (index + position.unwrap_or_default()) % 3
        } else {
            0
        }
    };
    let mixed = altered(
        &system.records(0..12, 2),
        Op::Put,
        |index, field, value| match turn(index, field) {
            0 => value,
            1 => Value::Null,
            _ => Value::Unset,
        },
    );
    write(system, request(system, mode), [mixed.clone()]).await?;
    let wanted = merged(&schema, &full, &mixed, |index, field| turn(index, field) != 2);
    holds(
        system,
        &[&wanted],
        "records with values, nulls and unset fields side by side",
    )
    .await
}

pub(super) async fn nulls_are_left_alone_where_they_are_to_be(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..10).await;
    let schema = system.schema();
    let full = system.records(0..10, 1);
    write(system, request(system, mode), [full.clone()]).await?;
    let cleared = altered(&system.records(0..10, 2), Op::Put, |index, field, value| {
        if index % 2 == 0 && is_free(&schema, field) {
            Value::Null
        } else {
            value
        }
    });
    let request = request(system, mode).with_nulls(Nulls::Leave, Vec::new());
    write(system, request, [cleared.clone()]).await?;
    let wanted = merged(&schema, &full, &cleared, |index, field| {
        let record = cleared.get(index);
        record.is_some_and(|record| record.get(&field.name) != Value::Null)
    });
    holds(
        system,
        &[&wanted],
        "records with nulls that leave their fields alone",
    )
    .await
}

pub(super) async fn a_field_may_have_its_own_answer_to_nulls(system: &dyn DestinationSystem) -> Verdict {
    let mode = keyed_mode(system)?;
    ready(system, mode, 0..6).await;
    let schema = system.schema();
    let free: Vec<&Field> = schema
        .fields()
        .iter()
        .filter(|field| is_free(&schema, field))
        .collect();
    let Some(own) = free.first() else {
        return Err(Failure::new("the test's schema has no field that may be null"));
    };
    let full = system.records(0..6, 1);
    let cleared = altered(&full, Op::Put, |_, field, value| {
        if is_free(&schema, field) {
            Value::Null
        } else {
            value
        }
    });
    for (nulls, of_field) in [(Nulls::Leave, Nulls::Clear), (Nulls::Clear, Nulls::Leave)] {
        write(system, request(system, mode), [full.clone()]).await?;
        let request = request(system, mode).with_nulls(nulls, vec![(own.name.clone(), of_field)]);
        write(system, request, [cleared.clone()]).await?;
        let wanted = merged(&schema, &full, &cleared, |_, field| {
            let answer = if field.name == own.name { of_field } else { nulls };
            answer == Nulls::Clear
        });
        let what = format!("records with nulls that {nulls} their fields, but {of_field} one of them");
        holds(system, &[&wanted], &what).await?;
    }
    Ok(())
}

/// `old`, with the fields of `new` that `taken` says.
fn merged(schema: &Arc<Schema>, old: &Batch, new: &Batch, taken: impl Fn(usize, &Field) -> bool) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(schema), 0);
    for (index, (old, new)) in old.records().zip(new.records()).enumerate() {
        for (position, field) in schema.fields().iter().enumerate() {
            let from = if taken(index, field) { new } else { old };
            builder.push(from.value(position));
        }
        builder.end_record(Op::Put);
    }
    builder.finish()
}

pub(super) async fn unset_in_a_new_record_is_null(system: &dyn DestinationSystem) -> Verdict {
    let schema = system.schema();
    let with = |blank: Value<'static>| {
        altered(&system.records(0..5, 1), Op::Put, |index, field, value| {
            if index % 2 == 1 && is_free(&schema, field) {
                blank
            } else {
                value
            }
        })
    };
    let mut writer = open(system, request(system, WriteMode::Upsert)).await?;
    writer.write(with(Value::Unset)).await?;
    let report = writer.finish(None).await?;
    ensure!(
        report.counts.rejected == 0,
        "new records with unset fields were rejected: {:?}",
        report.rejected
    );
    holds(system, &[&with(Value::Null)], "new records with unset fields").await
}
