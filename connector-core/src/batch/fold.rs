//! Fields of a record folded into one: a JSON object of their values.

use std::sync::Arc;

use super::{Batch, Cell, Column, HeapKind, MAX_HEAP, Op, heap_cell};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{DataType, Field, Schema};
use crate::value::json::write_json_text;
use crate::value::{Value, write_json};

/// Which fields become one, made once and used for every batch of a schema.
///
/// The one field is the last. Its value is a JSON object of the folded fields, in their order, each as
/// [`write_json`] writes it. A field that is null is left out; a negative zero, which is no JSON number everywhere,
/// becomes the text `-0`. Where all of them are null, so is the one field; where all are unset, and in a
/// [`Delete`](Op::Delete), it is unset.
///
/// A record that says something about some of them and leaves others unset says so in another form, a *patch*: one
/// object under the empty name, in which each field it says something about has a list of its value, or an empty one for
/// null: `{"":{"a":[1],"b":[]}}`.
#[derive(Clone, Debug)]
pub struct Fold {
    schema: Arc<Schema>,
    columns: Vec<Column>,
    /// The number of fields there were.
    width: usize,
    folded: Vec<Member>,
}

#[derive(Clone, Debug)]
struct Member {
    position: usize,
    /// The name as JSON, and a colon.
    key: String,
}

impl Fold {
    /// Folds the fields of `schema` that `is_folded` says into one called `into`. Without any, there is nothing to fold.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: a field that stays has that name, or one that is folded has none.
    pub fn new(
        schema: &Schema,
        into: &str,
        mut is_folded: impl FnMut(usize, &Field) -> bool,
    ) -> Result<Self> {
        let (mut fields, mut columns, mut folded) = (Vec::new(), Vec::new(), Vec::new());
        let mut one = Field::new(into, DataType::Json);
        one.access.updatable = false;
        for (position, field) in schema.fields().iter().enumerate() {
            if !is_folded(position, field) {
                fields.push(field.clone());
                columns.push(Column::Field(position));
                continue;
            }
            if field.name.is_empty() {
                return Err(Error::new(
                    ErrorKind::Schema,
                    "a field without a name cannot be folded",
                ));
            }
            one.access.updatable |= field.access.updatable;
            let mut key = String::new();
            write_json_text(&field.name, &mut key);
            key.push(':');
            folded.push(Member { position, key });
        }
        let width = schema.fields().len();
        let kept = |name: &&str| fields.iter().any(|field| field.name == **name);
        let key: Vec<&str> = match schema.primary_key_names().all(|name| kept(&name)) {
            true => schema.primary_key_names().collect(),
            false => Vec::new(),
        };
        let mut all = fields.clone();
        all.push(one);
        Ok(Self {
            schema: Arc::new(Schema::new(all, key)?),
            columns,
            width,
            folded,
        })
    }

    /// The schema after it: the fields that stay, in their order, and the one.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Whether the text of a folded value is a patch.
    pub fn is_patch(json: &str) -> bool {
        json.starts_with(PATCH)
    }

    /// Appends what a record says of the folded fields, and returns the cell that stands for it but for its place.
    fn write(&self, batch: &Batch, index: usize, json: &mut String) -> Said {
        let value = |member: &Member| batch.value(index, member.position);
        let unset = |member: &&Member| matches!(value(member), Value::Unset);
        let unset = self.folded.iter().filter(unset).count();
        if unset == self.folded.len() || batch.ops[index] == Op::Delete {
            return Said::Nothing;
        }
        let is_patch = unset > 0;
        json.push_str(if is_patch { PATCH } else { "" });
        let start = json.len();
        for member in &self.folded {
            let value = value(member);
            if matches!(value, Value::Unset) || (!is_patch && value == Value::Null) {
                continue;
            }
            json.push(if json.len() == start { '{' } else { ',' });
            json.push_str(&member.key);
            if !is_patch {
                write(&value, json);
                continue;
            }
            json.push('[');
            if value != Value::Null {
                write(&value, json);
            }
            json.push(']');
        }
        if json.len() == start {
            return Said::Null;
        }
        json.push_str(if is_patch { "}}" } else { "}" });
        Said::Object
    }
}

/// What a patch begins with, and nothing else: no field's name is empty.
const PATCH: &str = "{\"\":";

enum Said {
    Nothing,
    Null,
    Object,
}

fn write(value: &Value<'_>, json: &mut String) {
    match value {
        Value::Float32(number) if *number == 0.0 && number.is_sign_negative() => json.push_str("\"-0\""),
        Value::Float64(number) if *number == 0.0 && number.is_sign_negative() => json.push_str("\"-0\""),
        value => write_json(value, json),
    }
}

impl Batch {
    /// The same records with some of their fields folded into one. The source key stays, folded or not; what the folded
    /// fields held stays in memory with the batch.
    ///
    /// # Errors
    /// [`ErrorKind::Data`]: the batch would be larger than one can be; nobody else has it any more.
    ///
    /// # Panics
    /// When `fold` was made for a schema of another width.
    pub fn fold(mut self, fold: &Fold) -> Result<Self> {
        assert_eq!(
            self.schema.fields().len(),
            fold.width,
            "a fold is of its own schema"
        );
        let stride = self.stride;
        let mut cells = Vec::with_capacity(self.len() * (stride + 1));
        let mut json = String::new();
        for index in 0..self.len() {
            json.clear();
            let cell = match fold.write(&self, index, &mut json) {
                Said::Nothing => Cell::Unset,
                Said::Null => Cell::Null,
                Said::Object => {
                    let start = self.heap.text.len();
                    if start + json.len() > MAX_HEAP {
                        return Err(Error::new(
                            ErrorKind::Data,
                            "a batch whose fields are folded into one would be larger than 4 GiB",
                        )
                        .with_help("lower the job's `memory_budget`, so that batches are smaller"));
                    }
                    self.heap.text.push_str(&json);
                    heap_cell(HeapKind::Json, start, json.len())
                }
            };
            cells.extend_from_slice(&self.cells[index * stride..][..stride]);
            cells.push(cell);
        }
        let columns: Vec<Column> = fold
            .columns
            .iter()
            .cloned()
            .chain([Column::Field(stride)])
            .collect();
        let wider = Self {
            cells,
            stride: stride + 1,
            ..self
        };
        Ok(wider.remap(Arc::clone(&fold.schema), &columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchBuilder;
    use crate::key::Key;

    fn schema() -> Arc<Schema> {
        let mut system = Field::new("c", DataType::Json);
        system.access.updatable = false;
        let fields = vec![
            Field::new("a", DataType::TEXT),
            Field::new("id", DataType::Int64),
            Field::new("b \"", DataType::Float64),
            system,
        ];
        Arc::new(Schema::new(fields, ["a"]).unwrap())
    }

    fn folded(rows: &[(Op, [Value<'_>; 4])]) -> Batch {
        let mut builder = BatchBuilder::new(schema(), 3);
        for (op, row) in rows {
            row.iter().for_each(|value| builder.push(*value));
            builder.end_record(*op);
        }
        let fold = Fold::new(&schema(), "_rest", |_, field| field.name != "id").unwrap();
        builder.finish().fold(&fold).unwrap()
    }

    #[test]
    fn set_null_and_unset_stay_apart() {
        let (id, null, unset) = (Value::Int(1), Value::Null, Value::Unset);
        let batch = folded(&[
            (Op::Put, [Value::Text("x"), id, Value::Float64(-0.0), null]),
            (Op::Put, [null, id, null, null]),
            (Op::Put, [unset, id, unset, unset]),
            (Op::Put, [Value::Text("x"), id, null, unset]),
            (Op::Put, [null, id, unset, unset]),
            // A null of JSON's own is a value.
            (Op::Put, [null, id, null, Value::Json("null")]),
            (Op::Delete, [Value::Text("x"), id, unset, unset]),
        ]);
        let shown: Vec<String> = batch
            .records()
            .map(|record| format!("{:?} {:?}", record.value(0), record.value(1)))
            .collect();
        assert_eq!(
            shown,
            [
                r#"Int(1) Json("{\"a\":\"x\",\"b \\\"\":\"-0\"}")"#,
                "Int(1) Null",
                "Int(1) Unset",
                r#"Int(1) Json("{\"\":{\"a\":[\"x\"],\"b \\\"\":[]}}")"#,
                r#"Int(1) Json("{\"\":{\"a\":[]}}")"#,
                r#"Int(1) Json("{\"c\":null}")"#,
                "Int(1) Unset",
            ]
        );
        let patches = batch.records().map(|record| match record.value(1) {
            Value::Json(json) => Fold::is_patch(json),
            _ => false,
        });
        assert_eq!(patches.filter(|is_patch| *is_patch).count(), 2);
        // The key is folded, and the record is known by it all the same.
        let first = batch.get(0).unwrap();
        assert_eq!((first.sequence(), first.source_key()), (3, Some(Key::new("x"))));
    }

    #[test]
    fn the_one_field_must_have_a_name_of_its_own() {
        assert!(Fold::new(&schema(), "id", |_, field| field.name == "a").is_err());
        let fold = Fold::new(&schema(), "a", |_, field| field.name != "id").unwrap();
        let names: Vec<&str> = fold.schema().fields().iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["id", "a"]);
        assert!(fold.schema().fields()[1].access.updatable && fold.schema().primary_key().is_empty());
        let fold = Fold::new(&schema(), "_rest", |_, field| field.name == "c").unwrap();
        assert!(!fold.schema().fields()[3].access.updatable);
        assert_eq!(fold.schema().primary_key(), [0]);
    }
}
