//! Records compared as what they hold.

use std::collections::BTreeMap;

use connector_core::{Batch, Record};

use super::verdict::Failure;

/// A record's fields and values, every digit and every kind of value in it.
pub(crate) fn line(record: &Record<'_>) -> String {
    let fields = record.schema().fields().iter();
    let cells: Vec<String> = fields
        .zip(record.values())
        .map(|(field, value)| format!("{}={value:?}", field.name))
        .collect();
    cells.join(" ")
}

/// The lines of every record.
pub(crate) fn lines(batch: &Batch) -> Vec<String> {
    batch.records().map(|record| line(&record)).collect()
}

/// Whether both hold the same lines equally often; the failure names the first few that differ.
pub(crate) fn same(found: Vec<String>, wanted: Vec<String>, what: &str) -> Result<(), Failure> {
    let mut balance: BTreeMap<String, i64> = BTreeMap::new();
    for line in wanted {
        *balance.entry(line).or_default() += 1;
    }
    for line in found {
        *balance.entry(line).or_default() -= 1;
    }
    let pick = |wanted: bool| {
        let lines = balance
            .iter()
            .filter(move |(_, count)| (**count > 0) == wanted && **count != 0);
        let (number, shown) = lines.fold((0, String::new()), |(number, mut shown), (line, count)| {
            if number < 3 {
                shown.push_str(&format!("\n  {} × {line}", count.abs()));
            }
            (number + count.abs(), shown)
        });
        (number, shown)
    };
    let ((missing, missing_lines), (extra, extra_lines)) = (pick(true), pick(false));
    if missing == 0 && extra == 0 {
        return Ok(());
    }
    let mut message = format!("{what}: {missing} records are missing, {extra} are too many");
    if missing > 0 {
        message.push_str(&format!("\nmissing:{missing_lines}"));
    }
    if extra > 0 {
        message.push_str(&format!("\ntoo many:{extra_lines}"));
    }
    Err(Failure::new(message))
}
