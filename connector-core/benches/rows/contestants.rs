//! The three ways to hold rows, Arrow in two forms.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int32Builder,
    StringBuilder, TimestampMicrosecondBuilder, UInt8Builder, UInt64Builder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int32Type, TimestampMicrosecondType, UInt8Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Date32Array, Decimal128Array, Float64Array,
    Int32Array, PrimitiveArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use connector_core::value::{Date, Instant};
use connector_core::{Batch, BatchBuilder, DataType, Decimal, Field, Op, Schema, Value};

use crate::lead::{Cell, FIELDS, Kind, Sum};

/// Takes rows, gives batches, reads them back.
pub(crate) trait Contestant<'a> {
    type Batch;

    /// Adds one record; whether the batch is to be cut after it.
    fn add(&mut self, row: &'a [Cell], sequence: u64) -> bool;

    fn finish(&mut self) -> Self::Batch;

    fn read(batch: &Self::Batch, sum: &mut Sum);
}

pub(crate) struct Ours {
    builder: BatchBuilder,
    batch_bytes: usize,
}

impl Ours {
    pub(crate) fn new(batch_bytes: usize) -> Self {
        let fields = FIELDS.iter().map(|(name, kind, nulls)| {
            let field = Field::new(*name, data_type(*kind));
            if *nulls == 0 { field.not_null() } else { field }
        });
        let schema = Schema::new(fields.collect(), ["Id"]).unwrap();
        Self {
            builder: BatchBuilder::new(Arc::new(schema), 0),
            batch_bytes,
        }
    }
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Bool,
        Kind::Int => DataType::Int32,
        Kind::Float => DataType::Float64,
        Kind::Decimal => DataType::decimal(18, 0),
        Kind::Words(..) | Kind::Digits(_) | Kind::Id | Kind::Pick(_) => DataType::TEXT,
        Kind::Date => DataType::Date,
        Kind::Instant => DataType::Instant,
    }
}

impl Contestant<'_> for Ours {
    type Batch = Batch;

    fn add(&mut self, row: &[Cell], _: u64) -> bool {
        for cell in row {
            self.builder.push(match cell {
                Cell::Null => Value::Null,
                Cell::Bool(value) => Value::Bool(*value),
                Cell::Int(value) => Value::Int((*value).into()),
                Cell::Float(value) => Value::Float64(*value),
                Cell::Decimal(value) => Value::Decimal(Decimal::new(*value, 0)),
                Cell::Text(text) => Value::Text(text),
                Cell::Date(days) => Value::Date(Date::from_unix_days(*days)),
                Cell::Instant(micros) => Value::Instant(Instant::from_unix_micros(*micros)),
            });
        }
        self.builder.end_record(Op::Put);
        self.builder.is_full(self.batch_bytes)
    }

    fn finish(&mut self) -> Batch {
        self.builder.finish()
    }

    fn read(batch: &Batch, sum: &mut Sum) {
        for record in batch.records() {
            sum.add(record.op() as u64);
            sum.add(record.sequence());
            for value in record.values() {
                match value {
                    Value::Null => (),
                    Value::Bool(value) => sum.add(value.into()),
                    Value::Int(value) => sum.signed(value),
                    Value::Float64(value) => sum.float(value),
                    Value::Decimal(value) => sum.signed(value.as_small().unwrap().0),
                    Value::Text(text) => sum.text(text),
                    Value::Date(date) => sum.signed(date.unix_days().into()),
                    Value::Instant(instant) => sum.signed(instant.unix_micros()),
                    other => unreachable!("{other:?}"),
                }
            }
        }
    }
}

/// How many records each batch holds, one after the other.
pub(crate) type Cuts<'a> = std::slice::Iter<'a, usize>;

pub(crate) struct Json<'a> {
    batch: JsonBatch,
    cuts: Cuts<'a>,
    records: usize,
}

#[derive(Default)]
pub(crate) struct JsonBatch {
    rows: Vec<Vec<serde_json::Value>>,
    ops: Vec<Op>,
    sequences: Vec<u64>,
}

impl JsonBatch {
    fn with_capacity(records: usize) -> Self {
        Self {
            rows: Vec::with_capacity(records),
            ops: Vec::with_capacity(records),
            sequences: Vec::with_capacity(records),
        }
    }
}

impl<'a> Json<'a> {
    pub(crate) fn new(mut cuts: Cuts<'a>) -> Self {
        let records = cuts.next().copied().unwrap_or(0);
        Self {
            batch: JsonBatch::with_capacity(records),
            cuts,
            records,
        }
    }
}

impl Contestant<'_> for Json<'_> {
    type Batch = JsonBatch;

    fn add(&mut self, row: &[Cell], sequence: u64) -> bool {
        let values = row.iter().map(|cell| match cell {
            Cell::Null => serde_json::Value::Null,
            Cell::Bool(value) => (*value).into(),
            Cell::Int(value) | Cell::Date(value) => (*value).into(),
            Cell::Float(value) => (*value).into(),
            Cell::Decimal(value) | Cell::Instant(value) => (*value).into(),
            Cell::Text(text) => text.as_str().into(),
        });
        self.batch.rows.push(values.collect());
        self.batch.ops.push(Op::Put);
        self.batch.sequences.push(sequence);
        self.batch.rows.len() == self.records
    }

    fn finish(&mut self) -> JsonBatch {
        self.records = self.cuts.next().copied().unwrap_or(0);
        std::mem::replace(&mut self.batch, JsonBatch::with_capacity(self.records))
    }

    fn read(batch: &JsonBatch, sum: &mut Sum) {
        for ((row, op), sequence) in batch.rows.iter().zip(&batch.ops).zip(&batch.sequences) {
            sum.add(*op as u64);
            sum.add(*sequence);
            for value in row {
                match value {
                    serde_json::Value::Null => (),
                    serde_json::Value::Bool(value) => sum.add((*value).into()),
                    serde_json::Value::Number(number) => match number.as_i64() {
                        Some(number) => sum.signed(number),
                        None => sum.float(number.as_f64().unwrap()),
                    },
                    serde_json::Value::String(text) => sum.text(text),
                    other => unreachable!("{other:?}"),
                }
            }
        }
    }
}

/// Builders of the columns, of what each record does, and of its number.
struct Builders {
    columns: Vec<Builder>,
    ops: UInt8Builder,
    sequences: UInt64Builder,
}

enum Builder {
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Float(Float64Builder),
    Decimal(Decimal128Builder),
    Text(StringBuilder),
    Date(Date32Builder),
    Instant(TimestampMicrosecondBuilder),
}

impl Builder {
    fn new(kind: Kind, records: usize, text: usize) -> Self {
        match kind {
            Kind::Bool => Self::Bool(BooleanBuilder::with_capacity(records)),
            Kind::Int => Self::Int(Int32Builder::with_capacity(records)),
            Kind::Float => Self::Float(Float64Builder::with_capacity(records)),
            Kind::Decimal => {
                let builder = Decimal128Builder::with_capacity(records);
                Self::Decimal(builder.with_precision_and_scale(18, 0).unwrap())
            }
            Kind::Words(..) | Kind::Digits(_) | Kind::Id | Kind::Pick(_) => {
                Self::Text(StringBuilder::with_capacity(records, text))
            }
            Kind::Date => Self::Date(Date32Builder::with_capacity(records)),
            Kind::Instant => {
                let builder = TimestampMicrosecondBuilder::with_capacity(records);
                Self::Instant(builder.with_timezone("UTC"))
            }
        }
    }

    fn push(&mut self, cell: &Cell) {
        match (self, cell) {
            (Self::Bool(builder), Cell::Bool(value)) => builder.append_value(*value),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Int(builder), Cell::Int(value)) => builder.append_value(*value),
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Float(builder), Cell::Float(value)) => builder.append_value(*value),
            (Self::Float(builder), _) => builder.append_null(),
            (Self::Decimal(builder), Cell::Decimal(value)) => builder.append_value((*value).into()),
            (Self::Decimal(builder), _) => builder.append_null(),
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Date(builder), Cell::Date(days)) => builder.append_value(*days),
            (Self::Date(builder), _) => builder.append_null(),
            (Self::Instant(builder), Cell::Instant(micros)) => builder.append_value(*micros),
            (Self::Instant(builder), _) => builder.append_null(),
        }
    }

    /// The cells at `position` of all `rows`.
    fn push_column(&mut self, rows: &[&[Cell]], position: usize) {
        let column = rows.iter().map(|row| &row[position]);
        match self {
            Self::Bool(builder) => column.for_each(|cell| match cell {
                Cell::Bool(value) => builder.append_value(*value),
                _ => builder.append_null(),
            }),
            Self::Int(builder) => column.for_each(|cell| match cell {
                Cell::Int(value) => builder.append_value(*value),
                _ => builder.append_null(),
            }),
            Self::Float(builder) => column.for_each(|cell| match cell {
                Cell::Float(value) => builder.append_value(*value),
                _ => builder.append_null(),
            }),
            Self::Decimal(builder) => column.for_each(|cell| match cell {
                Cell::Decimal(value) => builder.append_value((*value).into()),
                _ => builder.append_null(),
            }),
            Self::Text(builder) => column.for_each(|cell| match cell {
                Cell::Text(text) => builder.append_value(text),
                _ => builder.append_null(),
            }),
            Self::Date(builder) => column.for_each(|cell| match cell {
                Cell::Date(days) => builder.append_value(*days),
                _ => builder.append_null(),
            }),
            Self::Instant(builder) => column.for_each(|cell| match cell {
                Cell::Instant(micros) => builder.append_value(*micros),
                _ => builder.append_null(),
            }),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Bool(mut builder) => Arc::new(builder.finish()),
            Self::Int(mut builder) => Arc::new(builder.finish()),
            Self::Float(mut builder) => Arc::new(builder.finish()),
            Self::Decimal(mut builder) => Arc::new(builder.finish()),
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Date(mut builder) => Arc::new(builder.finish()),
            Self::Instant(mut builder) => Arc::new(builder.finish()),
        }
    }

    /// Bytes of text so far.
    fn text(&self) -> usize {
        match self {
            Self::Text(builder) => builder.values_slice().len(),
            _ => 0,
        }
    }
}

impl Builders {
    fn new(records: usize, mut text: impl FnMut(usize) -> usize) -> Self {
        let columns = FIELDS
            .iter()
            .enumerate()
            .map(|(position, (_, kind, _))| Builder::new(*kind, records, text(position)));
        Self {
            columns: columns.collect(),
            ops: UInt8Builder::with_capacity(records),
            sequences: UInt64Builder::with_capacity(records),
        }
    }

    fn end_record(&mut self, sequence: u64) {
        self.ops.append_value(Op::Put as u8);
        self.sequences.append_value(sequence);
    }

    /// The batch so far; the next builders are as large, for `records`.
    fn finish(&mut self, schema: &Arc<arrow_schema::Schema>, records: usize) -> RecordBatch {
        let next = Self::new(records, |position| {
            let text = self.columns[position].text();
            text + text / 8
        });
        let mut done = std::mem::replace(self, next);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(FIELDS.len() + 2);
        columns.extend(done.columns.into_iter().map(Builder::finish));
        columns.push(Arc::new(done.ops.finish()));
        columns.push(Arc::new(done.sequences.finish()));
        RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
    }
}

fn arrow_schema() -> Arc<arrow_schema::Schema> {
    use arrow_schema::{DataType, Field, TimeUnit};
    let data_type = |kind| match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int32,
        Kind::Float => DataType::Float64,
        Kind::Decimal => DataType::Decimal128(18, 0),
        Kind::Words(..) | Kind::Digits(_) | Kind::Id | Kind::Pick(_) => DataType::Utf8,
        Kind::Date => DataType::Date32,
        Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    };
    let mut fields: Vec<Field> = FIELDS
        .iter()
        .map(|(name, kind, nulls)| Field::new(*name, data_type(*kind), *nulls > 0))
        .collect();
    fields.push(Field::new("op", DataType::UInt8, false));
    fields.push(Field::new("sequence", DataType::UInt64, false));
    Arc::new(arrow_schema::Schema::new(fields))
}

/// Arrow from row to row: written as the rows come, read as a writer needs them.
pub(crate) struct ArrowByRow<'a> {
    schema: Arc<arrow_schema::Schema>,
    builders: Builders,
    cuts: Cuts<'a>,
    records: usize,
}

impl<'a> ArrowByRow<'a> {
    pub(crate) fn new(mut cuts: Cuts<'a>) -> Self {
        let records = cuts.next().copied().unwrap_or(0);
        Self {
            schema: arrow_schema(),
            builders: Builders::new(records, |_| 0),
            cuts,
            records,
        }
    }
}

impl Contestant<'_> for ArrowByRow<'_> {
    type Batch = RecordBatch;

    fn add(&mut self, row: &[Cell], sequence: u64) -> bool {
        for (builder, cell) in self.builders.columns.iter_mut().zip(row) {
            builder.push(cell);
        }
        self.builders.end_record(sequence);
        self.builders.ops.len() == self.records
    }

    fn finish(&mut self) -> RecordBatch {
        self.records = self.cuts.next().copied().unwrap_or(0);
        self.builders.finish(&self.schema, self.records)
    }

    fn read(batch: &RecordBatch, sum: &mut Sum) {
        let (columns, own) = batch.columns().split_at(FIELDS.len());
        let columns: Vec<Column<'_>> = columns
            .iter()
            .zip(&FIELDS)
            .map(|(array, (_, kind, _))| Column::new(array, *kind))
            .collect();
        let (ops, sequences) = (
            own[0].as_primitive::<UInt8Type>(),
            own[1].as_primitive::<UInt64Type>(),
        );
        for row in 0..batch.num_rows() {
            sum.add(ops.value(row).into());
            sum.add(sequences.value(row));
            for column in &columns {
                column.read(row, sum);
            }
        }
    }
}

enum Column<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int32Array),
    Float(&'a Float64Array),
    Decimal(&'a Decimal128Array),
    Text(&'a StringArray),
    Date(&'a Date32Array),
    Instant(&'a TimestampMicrosecondArray),
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef, kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool(array.as_boolean()),
            Kind::Int => Self::Int(array.as_primitive::<Int32Type>()),
            Kind::Float => Self::Float(array.as_primitive::<Float64Type>()),
            Kind::Decimal => Self::Decimal(array.as_primitive::<Decimal128Type>()),
            Kind::Words(..) | Kind::Digits(_) | Kind::Id | Kind::Pick(_) => Self::Text(array.as_string()),
            Kind::Date => Self::Date(array.as_primitive::<Date32Type>()),
            Kind::Instant => Self::Instant(array.as_primitive::<TimestampMicrosecondType>()),
        }
    }

    fn read(&self, row: usize, sum: &mut Sum) {
        fn valid<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
            array.is_valid(row).then(|| array.value(row))
        }
        match self {
            Self::Bool(array) if array.is_valid(row) => sum.add(array.value(row).into()),
            Self::Text(array) if array.is_valid(row) => sum.text(array.value(row)),
            Self::Bool(_) | Self::Text(_) => (),
            Self::Int(array) => valid(array, row)
                .into_iter()
                .for_each(|value| sum.signed(value.into())),
            Self::Float(array) => valid(array, row).into_iter().for_each(|value| sum.float(value)),
            Self::Decimal(array) => valid(array, row)
                .into_iter()
                .for_each(|value| sum.signed(value as i64)),
            Self::Date(array) => valid(array, row)
                .into_iter()
                .for_each(|value| sum.signed(value.into())),
            Self::Instant(array) => valid(array, row).into_iter().for_each(|value| sum.signed(value)),
        }
    }

    fn read_all(&self, sum: &mut Sum) {
        match self {
            Self::Bool(array) => array.iter().flatten().for_each(|value| sum.add(value.into())),
            Self::Int(array) => array.iter().flatten().for_each(|value| sum.signed(value.into())),
            Self::Float(array) => array.iter().flatten().for_each(|value| sum.float(value)),
            Self::Decimal(array) => array.iter().flatten().for_each(|value| sum.signed(value as i64)),
            Self::Text(array) => array.iter().flatten().for_each(|text| sum.text(text)),
            Self::Date(array) => array.iter().flatten().for_each(|value| sum.signed(value.into())),
            Self::Instant(array) => array.iter().flatten().for_each(|value| sum.signed(value)),
        }
    }
}

/// Arrow from column to column: what it is best at, where the source keeps a whole batch of rows at hand.
pub(crate) struct ArrowByColumn<'a> {
    inner: ArrowByRow<'a>,
    rows: Vec<&'a [Cell]>,
}

impl<'a> ArrowByColumn<'a> {
    pub(crate) fn new(cuts: Cuts<'a>) -> Self {
        Self {
            inner: ArrowByRow::new(cuts),
            rows: Vec::new(),
        }
    }
}

impl<'a> Contestant<'a> for ArrowByColumn<'a> {
    type Batch = RecordBatch;

    fn add(&mut self, row: &'a [Cell], sequence: u64) -> bool {
        self.rows.push(row);
        self.inner.builders.end_record(sequence);
        self.rows.len() == self.inner.records
    }

    fn finish(&mut self) -> RecordBatch {
        for (position, builder) in self.inner.builders.columns.iter_mut().enumerate() {
            builder.push_column(&self.rows, position);
        }
        self.rows.clear();
        self.inner.finish()
    }

    fn read(batch: &RecordBatch, sum: &mut Sum) {
        let (columns, own) = batch.columns().split_at(FIELDS.len());
        for (array, (_, kind, _)) in columns.iter().zip(&FIELDS) {
            Column::new(array, *kind).read_all(sum);
        }
        own[0]
            .as_primitive::<UInt8Type>()
            .values()
            .iter()
            .for_each(|op| sum.add((*op).into()));
        own[1]
            .as_primitive::<UInt64Type>()
            .values()
            .iter()
            .for_each(|sequence| sum.add(*sequence));
    }
}
