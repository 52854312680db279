//! Records in bulk: one table of small cells, one heap of bytes.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::key::Key;
use crate::schema::Schema;
use crate::value::fit::Scratch;
use crate::value::{
    Array, Date, Decimal, DecimalRepr, Instant, Interval, ParseError, Time, Timestamp, Value,
};

/// What a record does to the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Op {
    /// It is there, with these values.
    #[default]
    Put,
    /// It is gone; only its key counts.
    Delete,
}

/// Records of one schema.
///
/// A batch owns one table of 16-byte cells and one heap of bytes; [`Record`] and [`Value`] borrow from it, so that a
/// cell costs no allocation. Each record has a sequence number, unique within its run, and a *source key*: the
/// values of its primary key at the source, carried along whether or not a mapping keeps those fields.
#[derive(Clone, Debug)]
pub struct Batch {
    schema: Arc<Schema>,
    /// Cells per record: the schema's fields, then key cells that no field shows any more.
    stride: usize,
    key: Arc<[usize]>,
    cells: Vec<Cell>,
    heap: Heap,
    ops: Vec<Op>,
    sequences: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Cell {
    Unset,
    Null,
    Bool(bool),
    Int(i64),
    Float32(f32),
    Float64(f64),
    Decimal { scale: u16, coefficient: i64 },
    Date(Date),
    Time(Time),
    Timestamp(Timestamp),
    Instant(Instant),
    Heap { kind: HeapKind, length: u32, start: u32 },
}

#[derive(Clone, Copy, Debug)]
enum HeapKind {
    Text,
    Json,
    Bytes,
    Decimal,
    Uuid,
    Interval,
    Array,
}

/// The bytes of all cells that are not small: text apart, so that reading it needs no check of its encoding.
#[derive(Clone, Debug, Default)]
struct Heap {
    text: String,
    bytes: Vec<u8>,
}

impl Heap {
    fn len(&self) -> usize {
        self.text.len() + self.bytes.len()
    }

    fn truncate(&mut self, (text, bytes): (usize, usize)) {
        self.text.truncate(text);
        self.bytes.truncate(bytes);
    }

    fn lengths(&self) -> (usize, usize) {
        (self.text.len(), self.bytes.len())
    }

    /// Empty, with room for as much as `last` holds.
    fn with_room(last: &Self) -> Self {
        Self {
            text: String::with_capacity(room(last.text.len())),
            bytes: Vec::with_capacity(room(last.bytes.len())),
        }
    }
}

/// The most bytes a batch's heap holds: offsets are 32 bits wide.
const MAX_HEAP: usize = u32::MAX as usize;

/// Where a column of a remapped batch comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The field at this position of the batch.
    Field(usize),
    /// Unset in every record.
    Unset,
}

impl Batch {
    /// The shape of the records.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Bytes the records take: cells, heap, operations and sequence numbers.
    pub fn byte_len(&self) -> usize {
        byte_len(self.cells.len(), self.heap.len(), self.ops.len())
    }

    /// The record at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        (index < self.len()).then_some(Record { batch: self, index })
    }

    /// The records in order.
    #[inline]
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        (0..self.len()).map(|index| Record { batch: self, index })
    }

    /// The same records under another schema: `columns` says where each of its fields comes from. The source key
    /// stays, shown by a field or not. Bytes are moved, not copied.
    ///
    /// # Panics
    /// When `columns` is not as long as `schema` has fields, or names a position that is not there: both are made
    /// from the same schemas once, when a task is planned.
    #[must_use]
    pub fn remap(self, schema: Arc<Schema>, columns: &[Column]) -> Self {
        assert_eq!(schema.fields().len(), columns.len(), "a column for each field");
        let identity = columns
            .iter()
            .enumerate()
            .all(|(i, column)| *column == Column::Field(i));
        if identity && columns.len() == self.stride {
            return Self { schema, ..self };
        }
        let mut hidden: Vec<usize> = Vec::new();
        let key: Arc<[usize]> = self
            .key
            .iter()
            .map(|&position| {
                columns
                    .iter()
                    .position(|column| *column == Column::Field(position))
                    .unwrap_or_else(|| {
                        hidden.push(position);
                        columns.len() + hidden.len() - 1
                    })
            })
            .collect();
        let stride = columns.len() + hidden.len();
        let mut cells = Vec::with_capacity(stride * self.len());
        for record in self.cells.chunks_exact(self.stride.max(1)) {
            cells.extend(columns.iter().map(|column| match column {
                Column::Field(position) => record[*position],
                Column::Unset => Cell::Unset,
            }));
            cells.extend(hidden.iter().map(|&position| record[position]));
        }
        Self {
            schema,
            stride,
            key,
            cells,
            ..self
        }
    }

    /// The records that `keep` keeps, in their order and under their numbers. What the others held stays in memory with
    /// the batch.
    #[must_use]
    pub fn retain(mut self, mut keep: impl FnMut(&Record<'_>) -> bool) -> Self {
        let kept: Vec<bool> = self.records().map(|record| keep(&record)).collect();
        if kept.iter().all(|kept| *kept) {
            return self;
        }
        let mut cells = kept
            .iter()
            .flat_map(|kept| std::iter::repeat_n(*kept, self.stride));
        self.cells.retain(|_| cells.next().unwrap_or(true));
        let mut ops = kept.iter();
        self.ops.retain(|_| ops.next().copied().unwrap_or(true));
        let mut sequences = kept.iter();
        self.sequences
            .retain(|_| sequences.next().copied().unwrap_or(true));
        self
    }

    /// The same records, unset where they hold null in the fields at `positions`.
    #[must_use]
    pub fn unset_nulls(mut self, positions: &[usize]) -> Self {
        for cells in self.cells.chunks_exact_mut(self.stride.max(1)) {
            for &position in positions {
                if let Some(cell @ Cell::Null) = cells.get_mut(position) {
                    *cell = Cell::Unset;
                }
            }
        }
        self
    }

    #[inline]
    fn value(&self, index: usize, position: usize) -> Value<'_> {
        read(&self.heap, self.cells[index * self.stride + position])
    }
}

fn byte_len(cells: usize, heap: usize, records: usize) -> usize {
    cells * size_of::<Cell>() + heap + records * (size_of::<Op>() + size_of::<u64>())
}

// Within its caller, what a cell is and what is done with it cost one jump between them.
#[inline(always)]
fn read(heap: &Heap, cell: Cell) -> Value<'_> {
    match cell {
        Cell::Unset => Value::Unset,
        Cell::Null => Value::Null,
        Cell::Bool(value) => Value::Bool(value),
        Cell::Int(value) => Value::Int(value),
        Cell::Float32(value) => Value::Float32(value),
        Cell::Float64(value) => Value::Float64(value),
        Cell::Decimal { scale, coefficient } => Value::Decimal(Decimal::new(coefficient, scale)),
        Cell::Date(value) => Value::Date(value),
        Cell::Time(value) => Value::Time(value),
        Cell::Timestamp(value) => Value::Timestamp(value),
        Cell::Instant(value) => Value::Instant(value),
        Cell::Heap { kind, length, start } => {
            let range = start as usize..start as usize + length as usize;
            match kind {
                HeapKind::Text => Value::Text(&heap.text[range]),
                HeapKind::Json => Value::Json(&heap.text[range]),
                HeapKind::Decimal => Value::Decimal(Decimal(DecimalRepr::Text(&heap.text[range]))),
                HeapKind::Bytes => Value::Bytes(&heap.bytes[range]),
                HeapKind::Array => Value::Array(Array::from_encoded(&heap.bytes[range])),
                HeapKind::Uuid => Value::Uuid(heap.bytes[range].try_into().unwrap_or_default()),
                HeapKind::Interval => {
                    let [m, o, n, t, d, a, y, s, micros @ ..]: [u8; 16] =
                        heap.bytes[range].try_into().unwrap_or_default();
                    Value::Interval(Interval {
                        months: i32::from_le_bytes([m, o, n, t]),
                        days: i32::from_le_bytes([d, a, y, s]),
                        micros: i64::from_le_bytes(micros),
                    })
                }
            }
        }
    }
}

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    batch: &'a Batch,
    index: usize,
}

impl<'a> Record<'a> {
    /// What the record does.
    #[inline]
    pub fn op(&self) -> Op {
        self.batch.ops[self.index]
    }

    /// The record's number within its run.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.batch.sequences[self.index]
    }

    /// The shape of the record.
    pub fn schema(&self) -> &'a Schema {
        &self.batch.schema
    }

    /// The value of the field at `position` of the schema.
    ///
    /// # Panics
    /// When the schema has no such position.
    #[inline]
    pub fn value(&self, position: usize) -> Value<'a> {
        debug_assert!(position < self.batch.schema.fields().len());
        self.batch.value(self.index, position)
    }

    /// The value of the field called `name`; unset where there is no such field.
    pub fn get(&self, name: &str) -> Value<'a> {
        let position = self
            .batch
            .schema
            .fields()
            .iter()
            .position(|field| field.name == name);
        position.map_or(Value::Unset, |position| self.value(position))
    }

    /// The values in the order of the schema.
    #[inline]
    pub fn values(&self) -> impl ExactSizeIterator<Item = Value<'a>> + use<'a> {
        let Self { batch, index } = *self;
        let cells = &batch.cells[index * batch.stride..][..batch.schema.fields().len()];
        Values {
            cells: cells.iter(),
            heap: &batch.heap,
        }
    }

    /// The record's key at its source, if the source has one.
    pub fn source_key(&self) -> Option<Key> {
        let values = self
            .batch
            .key
            .iter()
            .map(|&position| self.batch.value(self.index, position));
        (!self.batch.key.is_empty()).then(|| Key::from_values(values))
    }
}

/// The values of a record: an iterator of its own, because a closure is not inlined into other crates.
struct Values<'a> {
    cells: std::slice::Iter<'a, Cell>,
    heap: &'a Heap,
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Value<'a>> {
        match self.cells.next() {
            Some(cell) => Some(read(self.heap, *cell)),
            None => None,
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cells.size_hint()
    }
}

impl ExactSizeIterator for Values<'_> {}

/// Puts records together, cell by cell, in the order of the schema.
///
/// A reader pushes one value per field, then calls [`end_record`](Self::end_record); a record that turns out to be
/// broken halfway is taken back with [`cancel_record`](Self::cancel_record).
#[derive(Debug)]
pub struct BatchBuilder {
    schema: Arc<Schema>,
    key: Arc<[usize]>,
    cells: Vec<Cell>,
    heap: Heap,
    ops: Vec<Op>,
    sequences: Vec<u64>,
    next_sequence: u64,
    /// Heap length at the last end of a record.
    record_heap: (usize, usize),
    pub(crate) scratch: Scratch,
    max_records: usize,
    /// Where each field stands, for records whose fields come by name.
    positions: OnceLock<HashMap<String, usize>>,
}

impl BatchBuilder {
    /// Records of `schema`, whose primary key becomes their source key; numbered from `first_sequence`.
    pub fn new(schema: Arc<Schema>, first_sequence: u64) -> Self {
        let key = schema.primary_key().into();
        Self {
            schema,
            key,
            cells: Vec::new(),
            heap: Heap::default(),
            ops: Vec::new(),
            sequences: Vec::new(),
            next_sequence: first_sequence,
            record_heap: (0, 0),
            scratch: Scratch::default(),
            max_records: usize::MAX,
            positions: OnceLock::new(),
        }
    }

    /// The shape of the records.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Whole records so far.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is no whole record yet.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Bytes so far, as [`Batch::byte_len`] counts them.
    pub fn byte_len(&self) -> usize {
        byte_len(self.cells.len(), self.heap.len(), self.ops.len())
    }

    /// Pushes the next cell.
    #[inline]
    pub fn push(&mut self, value: Value<'_>) {
        let cell = self.store(value);
        self.cells.push(cell);
    }

    // Within `push`, and with it within its caller, a cell costs one jump. The compiler puts it apart once it has a second
    // caller, which benches/rows.rs shows.
    #[inline(always)]
    fn store(&mut self, value: Value<'_>) -> Cell {
        match value {
            Value::Unset => Cell::Unset,
            Value::Null => Cell::Null,
            Value::Bool(value) => Cell::Bool(value),
            Value::Int(value) => Cell::Int(value),
            Value::Float32(value) => Cell::Float32(value),
            Value::Float64(value) => Cell::Float64(value),
            Value::Decimal(Decimal(DecimalRepr::Small { coefficient, scale })) => {
                Cell::Decimal { scale, coefficient }
            }
            Value::Decimal(Decimal(DecimalRepr::Text(text))) => self.store_text(HeapKind::Decimal, text),
            Value::Text(text) => self.store_text(HeapKind::Text, text),
            Value::Json(text) => self.store_text(HeapKind::Json, text),
            Value::Bytes(bytes) => self.store_bytes(HeapKind::Bytes, bytes),
            Value::Date(value) => Cell::Date(value),
            Value::Time(value) => Cell::Time(value),
            Value::Timestamp(value) => Cell::Timestamp(value),
            Value::Instant(value) => Cell::Instant(value),
            Value::Interval(value) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&value.months.to_le_bytes());
                bytes[4..8].copy_from_slice(&value.days.to_le_bytes());
                bytes[8..].copy_from_slice(&value.micros.to_le_bytes());
                self.store_bytes(HeapKind::Interval, &bytes)
            }
            Value::Uuid(bytes) => self.store_bytes(HeapKind::Uuid, &bytes),
            Value::Array(array) => self.store_bytes(HeapKind::Array, array.encoded()),
        }
    }

    /// Reads a decimal from text and pushes it.
    ///
    /// # Errors
    /// The text is no number; nothing was pushed.
    pub fn push_decimal(&mut self, text: &str) -> Result<(), ParseError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let decimal =
            Decimal::parse(text, &mut scratch.digits).map(|decimal| self.push(Value::Decimal(decimal)));
        self.scratch = scratch;
        decimal
    }

    /// Ends the record; cells not pushed are unset.
    ///
    /// # Panics
    /// When more cells were pushed than the schema has fields.
    pub fn end_record(&mut self, op: Op) {
        let end = (self.ops.len() + 1) * self.schema.fields().len();
        assert!(
            self.cells.len() <= end,
            "a record has more cells than its schema has fields"
        );
        self.cells.resize(end, Cell::Unset);
        self.ops.push(op);
        self.sequences.push(self.next_sequence);
        self.next_sequence += 1;
        self.record_heap = self.heap.lengths();
    }

    /// Takes back the cells of the unfinished record; its sequence number is used up and returned, for the rejection.
    pub fn cancel_record(&mut self) -> u64 {
        self.cells.truncate(self.ops.len() * self.schema.fields().len());
        self.heap.truncate(self.record_heap);
        self.next_sequence += 1;
        self.next_sequence - 1
    }

    /// The position of the next cell in its record.
    pub(crate) fn next_position(&self) -> usize {
        self.cells.len() - self.ops.len() * self.schema.fields().len()
    }

    /// Begins a record whose fields come by name: every cell is unset. An unfinished record is taken back.
    pub(crate) fn begin_record(&mut self) {
        let start = self.ops.len() * self.schema.fields().len();
        self.cells.truncate(start);
        self.heap.truncate(self.record_heap);
        self.cells.resize(start + self.schema.fields().len(), Cell::Unset);
    }

    /// Sets one cell of the record that [`begin_record`](Self::begin_record) began.
    pub(crate) fn set(&mut self, position: usize, value: Value<'_>) {
        let start = self.ops.len() * self.schema.fields().len();
        let cell = self.store(value);
        self.cells[start + position] = cell;
    }

    /// Whether that cell was set.
    pub(crate) fn is_set(&self, position: usize) -> bool {
        let start = self.ops.len() * self.schema.fields().len();
        !matches!(self.cells[start + position], Cell::Unset)
    }

    /// The position of the field called `name`; it likely is `expected`.
    pub(crate) fn position(&self, name: &str, expected: usize) -> Option<usize> {
        let fields = self.schema.fields();
        if fields.get(expected).is_some_and(|field| field.name == name) {
            return Some(expected);
        }
        let positions = self.positions.get_or_init(|| {
            let names = fields.iter().map(|field| field.name.clone());
            names.zip(0..).collect()
        });
        positions.get(name).copied()
    }

    /// The number the next record gets.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// The same, full at `max_records` already.
    #[must_use]
    pub fn with_max_records(mut self, max_records: usize) -> Self {
        self.max_records = max_records.max(1);
        self
    }

    /// Whether the batch should be cut here: `max_bytes` are reached, or as many records as it may have, or the heap is
    /// near the end of its offsets.
    pub fn is_full(&self, max_bytes: usize) -> bool {
        self.byte_len() >= max_bytes || self.len() >= self.max_records || self.heap.len() >= MAX_HEAP / 2
    }

    /// The whole records so far as a batch; the builder goes on empty. An unfinished record is taken back.
    pub fn finish(&mut self) -> Batch {
        self.cells.truncate(self.ops.len() * self.schema.fields().len());
        self.heap.truncate(self.record_heap);
        self.record_heap = (0, 0);
        // The next batch is likely as large as this one.
        let (cells, records) = (room(self.cells.len()), room(self.ops.len()));
        let heap = Heap::with_room(&self.heap);
        Batch {
            schema: Arc::clone(&self.schema),
            stride: self.schema.fields().len(),
            key: Arc::clone(&self.key),
            cells: std::mem::replace(&mut self.cells, Vec::with_capacity(cells)),
            heap: std::mem::replace(&mut self.heap, heap),
            ops: std::mem::replace(&mut self.ops, Vec::with_capacity(records)),
            sequences: std::mem::replace(&mut self.sequences, Vec::with_capacity(records)),
        }
    }

    #[inline]
    fn store_text(&mut self, kind: HeapKind, text: &str) -> Cell {
        let start = self.heap.text.len();
        self.heap.text.push_str(text);
        heap_cell(kind, start, text.len())
    }

    #[inline]
    fn store_bytes(&mut self, kind: HeapKind, bytes: &[u8]) -> Cell {
        let start = self.heap.bytes.len();
        self.heap.bytes.extend_from_slice(bytes);
        heap_cell(kind, start, bytes.len())
    }
}

/// Room for `last` and a little more: batches cut by their bytes differ, and growth would copy and double them.
fn room(last: usize) -> usize {
    last + last / 16
}

/// One batch beyond 4 GiB cannot be: readers cut batches by `is_full` and cap a value's size far below.
#[inline]
fn heap_cell(kind: HeapKind, start: usize, length: usize) -> Cell {
    assert!(
        start + length <= MAX_HEAP,
        "a batch's heap ends at 4 GiB; cut batches by `is_full`"
    );
    Cell::Heap {
        kind,
        length: length as u32,
        start: start as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{DataType, Field};

    fn schema() -> Arc<Schema> {
        let fields = vec![
            Field::new("Id", DataType::TEXT),
            Field::new("Amount", DataType::Decimal(None)),
            Field::new("Note", DataType::TEXT),
        ];
        Arc::new(Schema::new(fields, ["Id"]).unwrap())
    }

    #[test]
    fn a_cell_is_two_words() {
        assert_eq!(size_of::<Cell>(), 16);
    }

    #[test]
    fn unset_null_and_value_stay_apart() {
        let mut builder = BatchBuilder::new(schema(), 7);
        builder.push(Value::Text("a"));
        builder.push_decimal("12345678901234567890.50").unwrap();
        builder.push(Value::Null);
        builder.end_record(Op::Put);
        builder.push(Value::Text(""));
        builder.end_record(Op::Delete);
        let batch = builder.finish();
        let rows: Vec<Vec<String>> = batch
            .records()
            .map(|record| record.values().map(|value| format!("{value:?}")).collect())
            .collect();
        assert_eq!(
            rows,
            [
                ["Text(\"a\")", "Decimal(12345678901234567890.50)", "Null"],
                ["Text(\"\")", "Unset", "Unset"]
            ]
        );
        assert_eq!(
            batch
                .records()
                .map(|record| record.sequence())
                .collect::<Vec<_>>(),
            [7, 8]
        );
        assert_eq!(batch.get(1).map(|record| record.op()), Some(Op::Delete));
        assert_eq!(batch.byte_len(), 6 * 16 + 24 + 2 * 9);
        assert!(builder.is_empty());
    }

    #[test]
    fn a_cancelled_record_leaves_no_trace_but_its_number() {
        let mut builder = BatchBuilder::new(schema(), 0);
        builder.push(Value::Text("kept"));
        builder.end_record(Op::Put);
        builder.push(Value::Text("broken"));
        assert!(builder.push_decimal("abc").is_err());
        assert_eq!(builder.cancel_record(), 1);
        builder.push(Value::Text("next"));
        builder.end_record(Op::Put);
        let batch = builder.finish();
        assert_eq!(
            batch
                .records()
                .map(|record| record.sequence())
                .collect::<Vec<_>>(),
            [0, 2]
        );
        assert_eq!(batch.heap.text, "keptnext");
    }

    #[test]
    fn the_bytes_of_a_batch_are_those_of_its_parts() {
        let values = [
            (Value::Unset, 0),
            (Value::Null, 0),
            (Value::Int(7), 0),
            (Value::Decimal(Decimal::new(7, 1)), 0),
            (Value::Text("改行"), 6),
            (Value::Json("{}"), 2),
            (Value::Bytes(&[1, 2, 3]), 3),
            (Value::Uuid([0; 16]), 16),
            (Value::Interval(Interval::default()), 16),
        ];
        let fields = (0..values.len()).map(|i| Field::new(format!("f{i}"), DataType::TEXT));
        let mut builder = BatchBuilder::new(Arc::new(Schema::new(fields.collect(), []).unwrap()), 0);
        for _ in 0..3 {
            values.iter().for_each(|(value, _)| builder.push(*value));
            builder.end_record(Op::Put);
        }
        let heap: usize = values.iter().map(|(_, bytes)| bytes).sum();
        let whole = 3 * (16 * values.len() + heap + 1 + 8);
        assert_eq!(builder.byte_len(), whole);
        assert!(builder.is_full(whole) && !builder.is_full(whole + 1));
        // An unfinished record counts until it is taken back.
        builder.push(Value::Text("abc"));
        assert_eq!(builder.byte_len(), whole + 16 + 3);
        let batch = builder.finish();
        assert_eq!(batch.byte_len(), whole);
        assert_eq!(
            batch.cells.len() * size_of::<Cell>()
                + batch.heap.text.len()
                + batch.heap.bytes.len()
                + size_of_val(batch.ops.as_slice())
                + size_of_val(batch.sequences.as_slice()),
            whole
        );
        assert_eq!(builder.byte_len(), 0);
        // A remapped batch has fewer cells and the heap it had.
        let narrow = Arc::new(Schema::new(vec![Field::new("f4", DataType::TEXT)], []).unwrap());
        let narrow = batch.remap(narrow, &[Column::Field(4)]);
        assert_eq!(narrow.byte_len(), 3 * (16 + heap + 1 + 8));
    }

    #[test]
    fn a_remapped_batch_keeps_its_source_key() {
        let mut builder = BatchBuilder::new(schema(), 0);
        for id in ["x", "y"] {
            builder.push(Value::Text(id));
            builder.push(Value::Decimal(Decimal::new(5, 1)));
            builder.end_record(Op::Put);
        }
        let narrow = Arc::new(Schema::new(vec![Field::new("Score", DataType::Decimal(None))], []).unwrap());
        let batch = builder.finish().remap(narrow, &[Column::Field(1)]);
        let record = batch.get(1).unwrap();
        assert_eq!(record.source_key(), Some(Key::new("y")));
        assert_eq!(
            record.values().collect::<Vec<_>>(),
            [Value::Decimal(Decimal::new(5, 1))]
        );
        assert_eq!(record.get("Score"), Value::Decimal(Decimal::new(5, 1)));
        assert_eq!(record.get("Note"), Value::Unset);
    }
}
