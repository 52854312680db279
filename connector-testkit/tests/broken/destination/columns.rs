//! Which column each field goes to, as the defect has it.

use std::sync::Arc;

use connector_core::{
    Batch, BatchBuilder, Deletes, Field, Nulls, Record, Schema, Value, WriteMode, WriteRequest,
};

use super::defect::Defect;
use super::system::This;
use crate::rebuild::{deletes, kept};

/// The columns that are written, each with the field whose values it gets; `None`: nulls.
pub(super) struct Columns {
    schema: Arc<Schema>,
    from: Vec<Option<usize>>,
}

impl Columns {
    /// The columns of a request, where the defect has others than it should; the request is made to fit them.
    pub(super) fn of(this: &This, request: &mut WriteRequest) -> Option<Self> {
        let given = Arc::clone(&request.schema);
        let there = this.memory.rows(request.stream.as_str());
        let there = there.as_ref().map(Batch::schema);
        let lacks = |schema: &Schema, field: &Field| schema.field(&field.name).is_none();
        let mut columns: Vec<(Field, Option<usize>)> = Vec::new();
        for (position, field) in given.fields().iter().enumerate() {
            let name = named(this.defect, &field.name, &columns);
            match columns.iter_mut().find(|(column, _)| column.name == name) {
                Some((_, from)) => *from = Some(position),
                None => columns.push((field.clone().with_name(name), Some(position))),
            }
        }
        match (this.defect, there) {
            (Some(Defect::NewFieldsIgnored), Some(there)) => {
                columns.retain(|(column, _)| !lacks(there, column));
            }
            (Some(Defect::GoneFieldsCleared), Some(there))
                if request.mode != WriteMode::History && request.deletes == Deletes::Hard =>
            {
                let gone = there.fields().iter().filter(|field| lacks(&given, field));
                columns.extend(gone.map(|field| (field.clone(), None)));
            }
            (Some(Defect::FieldsByPosition), _) => {
                let mut server = this.server.lock();
                let first = server.first_schema.get_or_insert_with(|| Arc::clone(&given));
                if first.fields().len() == given.fields().len() {
                    let fields = first.fields().iter().cloned();
                    columns = fields.zip((0..).map(Some)).collect();
                }
            }
            _ => {}
        }
        let (fields, from): (Vec<Field>, Vec<Option<usize>>) = columns.into_iter().unzip();
        if fields == given.fields() {
            return None;
        }
        let schema = Arc::new(Schema::new(fields, given.primary_key_names()).unwrap());
        request.schema = Arc::clone(&schema);
        Some(Self { schema, from })
    }

    /// The batch with these columns.
    pub(super) fn fill(&self, batch: &Batch) -> Batch {
        let first = batch.get(0).map_or(0, |record| record.sequence());
        let mut builder = BatchBuilder::new(Arc::clone(&self.schema), first);
        for record in batch.records() {
            for from in &self.from {
                builder.push(from.map_or(Value::Null, |position| record.value(position)));
            }
            builder.end_record(record.op());
        }
        builder.finish()
    }
}

/// What a column is called.
fn named(defect: Option<Defect>, name: &str, before: &[(Field, Option<usize>)]) -> String {
    match defect {
        Some(Defect::NamesSanitised) => {
            let is_special = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
            name.replace(is_special, "_")
        }
        Some(Defect::NamesQuotedTwice) => name.replace('"', "\"\""),
        Some(Defect::NamesInLowerCase) => name.to_lowercase(),
        Some(Defect::NamesMergedByCase) => {
            let same = |column: &&(Field, _)| column.0.name.to_lowercase() == name.to_lowercase();
            before
                .iter()
                .find(same)
                .map_or(name, |(column, _)| &column.name)
                .to_owned()
        }
        Some(Defect::NamesCut) => {
            let end = (0..=name.len().min(63))
                .rev()
                .find(|&end| name.is_char_boundary(end));
            name[..end.unwrap_or_default()].to_owned()
        }
        _ => name.to_owned(),
    }
}

impl This {
    /// What the defect does to the table before anything is written.
    pub(super) fn begin(&self, request: &mut WriteRequest) {
        let stream = request.stream.as_str().to_owned();
        match self.defect {
            Some(Defect::TableInLowerCase) => request.stream = stream.to_lowercase().as_str().into(),
            Some(Defect::OverwriteTruncatesFirst) if request.mode == WriteMode::Overwrite => {
                self.remove(&stream, |_| true);
            }
            Some(Defect::NewFieldsEmptyTable) => {
                let there = self.memory.rows(&stream);
                let is_new = |field: &Field| {
                    let there = there.as_ref().map(|there| there.schema().field(&field.name));
                    there.is_some_and(|field| field.is_none())
                };
                if request.schema.fields().iter().any(is_new) {
                    self.remove(&stream, |_| true);
                }
            }
            Some(Defect::OverwriteNeverResumes) if request.mode == WriteMode::Overwrite => {
                request.resumes = false;
            }
            Some(Defect::NullsAlwaysClear) => {
                request.nulls = Nulls::Clear;
                request.nulls_of.clear();
            }
            Some(Defect::NullsOfFieldsIgnored) => request.nulls_of.clear(),
            Some(Defect::DeletesNotIgnored) if request.deletes == Deletes::Ignore => {
                request.deletes = Deletes::Hard;
            }
            Some(Defect::SoftIsHard) if request.deletes == Deletes::Soft => request.deletes = Deletes::Hard,
            Some(Defect::DeleteIsUpsert) if request.mode == WriteMode::Delete => {
                request.mode = WriteMode::Upsert;
            }
            Some(Defect::HistoryIsUpsert) if request.mode == WriteMode::History => {
                request.mode = WriteMode::Upsert;
            }
            Some(Defect::HistoryWithoutDeletes) if request.mode == WriteMode::History => {
                request.deletes = Deletes::Ignore;
            }
            Some(Defect::PruneWithoutLimit) => request.max_delete = 1.0,
            Some(Defect::PruneNeverResumes) if request.mode == WriteMode::Prune => request.resumes = false,
            Some(Defect::OverwriteAlwaysResumes) if request.mode == WriteMode::Overwrite => {
                request.resumes = true;
            }
            Some(Defect::KeepIgnored) => request.keep.clear(),
            Some(Defect::InsertIsUpsert) if request.mode == WriteMode::Insert => {
                let key = request.schema.primary_key_names().map(str::to_owned);
                request.match_on = key.collect();
                request.mode = WriteMode::Upsert;
            }
            Some(Defect::UpdateIsUpsert) if request.mode == WriteMode::Update => {
                request.mode = WriteMode::Upsert;
            }
            _ => {}
        }
    }

    /// Removes the rows of a table that `which` says.
    pub(super) fn remove(&self, table: &str, which: impl Fn(&Record<'_>) -> bool) {
        if let Some(rows) = self.memory.rows(table) {
            let gone = kept(&rows, |_, record| which(record));
            self.memory.put(table, &deletes(&gone)).unwrap();
        }
    }
}
