//! Reading only what passes a filter.

use connector_core::{Batch, ErrorKind, Filter, Key, SyncMode, Value};

use super::difference::WriteBack;
use super::{SourceSystem, read, request, since, source};
use crate::conformance::rows::{line, same};
use crate::conformance::verdict::{ensure, ensure_eq, refused};
use crate::conformance::{Failure, Verdict};

pub(super) async fn a_filter_lets_through_what_passes_it(system: &dyn SourceSystem) -> Verdict {
    system.add(40).await;
    let truth = system.truth().await;
    let filters = filters(&truth);
    ensure!(
        !filters.is_empty(),
        "the test's stream has no field that a filter can compare"
    );
    for text in filters {
        let filter = Filter::parse(&text)?;
        let request = request(system).with_filter(Some(filter.clone()));
        let what = format!("a read of what passes `{filter}`");
        same(
            read(system, request).await?.lines(),
            passing(&filter, &truth)?,
            &what,
        )?;
    }
    Ok(())
}

pub(super) async fn a_filter_goes_with_an_incremental_read(system: &dyn SourceSystem) -> Verdict {
    system.add(30).await;
    system.settle().await;
    let truth = system.truth().await;
    let filter = parting(&truth)?;
    let first = read(system, since(system, None).with_filter(Some(filter.clone()))).await?;
    let what = format!("the first incremental read of what passes `{filter}`");
    same(first.lines(), passing(&filter, &truth)?, &what)?;
    system.change(12).await;
    system.settle().await;
    let truth = system.truth().await;
    let next = since(system, Some(first.state()?)).with_filter(Some(filter.clone()));
    let next = read(system, next).await?;
    let passing = passing(&filter, &truth)?;
    for line in next.lines() {
        ensure!(
            passing.contains(&line),
            "an incremental read brings what does not pass `{filter}`: {line}"
        );
    }
    let arrived: Vec<String> = first.lines().into_iter().chain(next.lines()).collect();
    for line in &passing {
        ensure!(
            arrived.contains(line),
            "what was changed and passes `{filter}` does not arrive: {line}"
        );
    }
    Ok(())
}

pub(super) async fn a_filter_goes_with_keys(system: &dyn SourceSystem) -> Verdict {
    system.add(30).await;
    let truth = system.truth().await;
    let filter = parting(&truth)?;
    let keys: Vec<Key> = truth.records().filter_map(|record| record.source_key()).collect();
    let request = request(system)
        .with_sync(SyncMode::Keys(keys))
        .with_filter(Some(filter.clone()));
    let what = format!("a read by keys of what passes `{filter}`");
    same(
        read(system, request).await?.lines(),
        passing(&filter, &truth)?,
        &what,
    )
}

pub(super) async fn a_filter_goes_with_a_difference(system: &dyn SourceSystem) -> Verdict {
    system.add(30).await;
    let truth = system.truth().await;
    let filter = parting(&truth)?;
    let side = WriteBack::begin(system).await?;
    let reading = read(system, side.request(system).with_filter(Some(filter.clone()))).await?;
    let passes = filter.for_records(truth.schema())?;
    let passing = truth.records().filter(|record| passes.keeps(record));
    let shown = |key: Option<Key>| format!("{key:?}");
    same(
        reading
            .records
            .into_iter()
            .map(|record| shown(record.key))
            .collect(),
        passing.map(|record| shown(record.source_key())).collect(),
        &format!("the keys of a difference of what passes `{filter}`"),
    )?;
    ensure_eq!(
        reading.unchanged,
        0,
        "records found as they were confirmed, none having been"
    );
    Ok(())
}

pub(super) async fn a_filter_on_a_field_that_is_not_there_is_refused_by_name(
    system: &dyn SourceSystem,
) -> Verdict {
    let filter = Filter::parse("no_such_field_here is null")?;
    let request = request(system).with_filter(Some(filter));
    let connection = system.connect();
    let source = source(&*connection)?;
    let planned = refused(
        source.plan_read(&request).await,
        "the plan for a filter on a field that is not there",
    )?;
    let opened = refused(
        source.reader(request).await,
        "reading with a filter on a field that is not there",
    )?;
    for error in [planned, opened] {
        ensure_eq!(
            error.kind(),
            ErrorKind::Schema,
            "the kind of error for a filter on a field that is not there"
        );
        ensure!(
            error.report().to_string().contains("no_such_field_here"),
            "the error does not name the field: {}",
            error.report()
        );
    }
    Ok(())
}

/// The lines of the records that pass.
fn passing(filter: &Filter, truth: &Batch) -> Result<Vec<String>, Failure> {
    let filter = filter.for_records(truth.schema())?;
    let records = truth.records().filter(|record| filter.keeps(record));
    Ok(records.map(|record| line(&record)).collect())
}

/// A filter that some records pass, and some do not.
fn parting(truth: &Batch) -> Result<Filter, Failure> {
    for text in filters(truth) {
        let filter = Filter::parse(&text)?;
        let passing = passing(&filter, truth)?.len();
        if passing > 0 && passing < truth.len() {
            return Ok(filter);
        }
    }
    Err(Failure::new("no filter parts the records of the test's stream"))
}

/// For each field that can be compared, filters that are made of values it holds.
fn filters(truth: &Batch) -> Vec<String> {
    let mut filters = Vec::new();
    for (position, field) in truth.schema().fields().iter().enumerate() {
        let name = format!("\"{}\"", field.name.replace('"', "\"\""));
        let values = truth.records().map(|record| record.value(position));
        let mut literals = values.filter_map(literal).skip(truth.len() / 2);
        filters.push(format!("{name} is null"));
        let (Some(one), Some(other)) = (literals.next(), literals.next()) else {
            continue;
        };
        filters.push(format!("{name} != {one}"));
        filters.push(format!("{name} >= {one} and {name} is not null"));
        filters.push(format!("{name} in ({one}, {other})"));
    }
    filters
}

/// A value as a filter spells it, if its type can be compared.
fn literal(value: Value<'_>) -> Option<String> {
    match value {
        Value::Bool(_) | Value::Int(_) => Some(value.to_string()),
        Value::Decimal(number) => number.is_finite().then(|| number.to_string()),
        Value::Float32(number) => number.is_finite().then(|| number.to_string()),
        Value::Float64(number) => number.is_finite().then(|| number.to_string()),
        Value::Text(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Timestamp(_)
        | Value::Instant(_)
        | Value::Uuid(_) => Some(format!("'{}'", value.to_string().replace('\'', "''"))),
        _ => None,
    }
}
