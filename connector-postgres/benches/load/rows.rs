//! The leads as batches.

use std::sync::Arc;

use connector_core::value::{Date, Instant};
use connector_core::{Batch, BatchBuilder, DataType, Field, Op, Schema, Value};

use crate::lead::{Cell, FIELDS, Kind, records};

/// Different rows; they repeat under other ids.
const SOURCE_ROWS: usize = 1009;
/// Bytes of a batch.
const BATCH: usize = 1 << 20;

/// Which rows differ from the ones that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    /// Every so many rows one.
    OneIn(u64),
}

impl Change {
    const NAMES: [(&'static str, Self); 3] = [
        ("none", Self::None),
        ("some", Self::OneIn(100)),
        ("all", Self::OneIn(1)),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, change)| *change == self).unwrap().0
    }

    pub(crate) fn named(name: &str) -> Self {
        Self::NAMES.iter().find(|(known, _)| *known == name).unwrap().1
    }

    fn touches(self, row: u64) -> bool {
        matches!(self, Self::OneIn(every) if row.is_multiple_of(every))
    }
}

/// The shape of a lead.
pub(crate) fn schema() -> Arc<Schema> {
    let fields = FIELDS.iter().map(|(name, kind, nulls)| {
        let data_type = match kind {
            Kind::Bool => DataType::Bool,
            Kind::Int => DataType::Int32,
            Kind::Float => DataType::Float64,
            Kind::Decimal => DataType::decimal(18, 0),
            Kind::Words(..) | Kind::Digits(_) | Kind::Id | Kind::Pick(_) => DataType::TEXT,
            Kind::Date => DataType::Date,
            Kind::Instant => DataType::Instant,
        };
        let field = Field::new(*name, data_type);
        if *nulls == 0 { field.not_null() } else { field }
    });
    Arc::new(Schema::new(fields.collect(), ["Id"]).unwrap())
}

/// Batches of leads, made one at a time.
pub(crate) struct Rows {
    schema: Arc<Schema>,
    cells: Vec<Cell>,
    next: u64,
    end: u64,
    change: Change,
}

impl Rows {
    pub(crate) fn new(count: u64, change: Change) -> Self {
        Self {
            schema: schema(),
            cells: records(SOURCE_ROWS),
            next: 0,
            end: count,
            change,
        }
    }

    fn push(&self, row: u64, builder: &mut BatchBuilder) {
        let start = row as usize % SOURCE_ROWS * FIELDS.len();
        let cells = self.cells[start..].iter().take(FIELDS.len());
        for (cell, (name, _, _)) in cells.zip(&FIELDS) {
            let text;
            builder.push(match (*name, cell) {
                // In no order that an index would like: as ids of different origins are.
                ("Id", _) => {
                    text = format!("00Q{:015x}", row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4);
                    Value::Text(&text)
                }
                ("LastName", Cell::Text(last)) if self.change.touches(row) => {
                    text = format!("{last} jr.");
                    Value::Text(&text)
                }
                (_, Cell::Null) => Value::Null,
                (_, Cell::Bool(value)) => Value::Bool(*value),
                (_, Cell::Int(value)) => Value::Int((*value).into()),
                (_, Cell::Float(value)) => Value::Float64(*value),
                (_, Cell::Decimal(value)) => Value::Decimal((*value).into()),
                (_, Cell::Text(value)) => Value::Text(value),
                (_, Cell::Date(days)) => Value::Date(Date::from_unix_days(*days)),
                (_, Cell::Instant(micros)) => Value::Instant(Instant::from_unix_micros(*micros)),
            });
        }
        builder.end_record(Op::Put);
    }
}

impl Iterator for Rows {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let mut builder = BatchBuilder::new(Arc::clone(&self.schema), self.next);
        while self.next < self.end && !builder.is_full(BATCH) {
            self.push(self.next, &mut builder);
            self.next += 1;
        }
        (!builder.is_empty()).then(|| builder.finish())
    }
}
