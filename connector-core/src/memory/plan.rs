//! What a write will do, decided before a record moves.

use std::sync::Arc;

use super::change::Layout;
use super::fit::takes;
use super::history::{Versions, own_fields};
use super::table::Table;
use crate::destination::{ColumnPlan, Deletes, WriteMode, WritePlan, WriteRequest};
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::schema::{Field, Schema};

/// A write decided: the table as it will be, and where each field goes.
#[derive(Debug)]
pub(super) struct Plan {
    /// The shape of the table once it is made or changed.
    pub(super) schema: Arc<Schema>,
    pub(super) layout: Layout,
    /// The fields that an existing table lacks; `None` where there is no table.
    added: Option<Vec<Field>>,
    columns: Vec<ColumnPlan>,
}

impl Plan {
    /// Compares a request with the table that is there.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: fields that are missing or cannot be written, types that do not fit, a key that is none.
    pub(super) fn new(request: &WriteRequest, table: Option<&Table>, creates: bool) -> Result<Self> {
        let context = |error: Error| error.with_context("table", request.stream.as_str());
        Self::of(request, table, creates).map_err(context)
    }

    fn of(request: &WriteRequest, table: Option<&Table>, creates: bool) -> Result<Self> {
        let given = &request.schema;
        for name in request.match_on.iter().chain(&request.keep) {
            given.index_of(name)?;
        }
        let naming = request.mode.is_naming();
        let keyed = naming
            || matches!(
                request.mode,
                WriteMode::Update | WriteMode::Upsert | WriteMode::History
            );
        let own = own_fields(request)?;
        // Of what only names rows, nothing else counts.
        let counts = |field: &&Field| !naming || request.match_on.contains(&field.name);
        let given_fields: Vec<&Field> = given.fields().iter().filter(counts).collect();
        if keyed && request.match_on.is_empty() {
            return Err(Error::new(
                ErrorKind::Schema,
                format!("an {} needs a key to find its records by", request.mode),
            )
            .with_help("name the fields of a key with `match_on`, or write in the mode insert"));
        }
        let (schema, added) = match table {
            None => (Arc::new(new_schema(request, &own)?), None),
            Some(table) => {
                let (schema, mut added) = wider_schema(table.schema(), &given_fields, creates && !naming)?;
                let own: Vec<&Field> = own.iter().collect();
                if request.mode == WriteMode::History {
                    check_history(table.schema(), request)?;
                }
                let (schema, more) = wider_schema(&schema, &own, creates)?;
                for field in own {
                    column(field, &schema.fields()[schema.index_of(&field.name)?])?;
                }
                added.extend(more);
                (schema, Some(added))
            }
        };
        let to = |name: &String| schema.index_of(name);
        let match_on = request.match_on.iter().map(to).collect::<Result<Vec<_>>>()?;
        let keep = request.keep.iter().map(to).collect::<Result<Vec<_>>>()?;
        for (name, &position) in request.match_on.iter().zip(&match_on) {
            check_key(name, &schema, position)?;
        }
        let key = match request.mode {
            WriteMode::Overwrite if !match_on.is_empty() => match_on,
            _ if keyed => match_on,
            _ => schema.primary_key().to_vec(),
        };
        if let Some(table) = table.filter(|_| request.mode != WriteMode::History) {
            check_unique(table, &key)?;
        }
        let mut columns = Vec::new();
        for field in given_fields {
            let position = schema.index_of(&field.name)?;
            let target = &schema.fields()[position];
            check_access(
                request.mode,
                target,
                key.contains(&position),
                keep.contains(&position),
            )?;
            columns.push(column(field, target)?);
        }
        let mut layout = Layout::new(request.mode, given, &schema, key, keep);
        layout.deletes = request.deletes;
        if request.mode == WriteMode::History {
            layout.versions = Some(Versions::of(&schema)?);
        } else if request.deletes == Deletes::Soft {
            layout.deleted_at = schema.index_of(Deletes::DELETED_AT).ok();
        }
        Ok(Self {
            layout,
            schema,
            added,
            columns,
        })
    }

    /// What a plan says of all this.
    pub(super) fn write_plan(self, request: &WriteRequest) -> WritePlan {
        let name = &request.stream;
        let key: Vec<&str> = self
            .layout
            .key
            .iter()
            .map(|&position| self.schema.fields()[position].name.as_str())
            .collect();
        let by = match key.as_slice() {
            [] => String::new(),
            key => format!(" by ({})", key.join(", ")),
        };
        let note = match self.added.as_deref() {
            None => format!(
                "makes `{name}` with {} fields, then {}{by}",
                self.columns.len(),
                request.mode
            ),
            Some(_) if request.mode.is_naming() => format!("{} rows of `{name}`{by}", request.mode),
            Some([]) => format!(
                "{} into `{name}`{by}; rows that are the same are not touched",
                request.mode
            ),
            Some(added) => format!(
                "{} into `{name}`{by}, after adding {} fields",
                request.mode,
                added.len()
            ),
        };
        WritePlan::new(note).with_columns(self.columns)
    }
}

/// The shape of a table that is made: its key is what records are found by, or the source's own.
fn new_schema(request: &WriteRequest, own: &[Field]) -> Result<Schema> {
    let mut key: Vec<&str> = if request.match_on.is_empty() {
        request.schema.primary_key_names().collect()
    } else {
        request.match_on.iter().map(String::as_str).collect()
    };
    let nullable = |field: &Field| !key.contains(&field.name.as_str());
    let field = |field: &Field| {
        let mut made = Field::new(field.name.as_str(), field.data_type);
        made.nullable = nullable(field);
        made
    };
    let mut fields: Vec<Field> = request.schema.fields().iter().map(field).collect();
    fields.extend(own.iter().cloned());
    if request.mode == WriteMode::History {
        key.push(WriteMode::VALID_FROM);
    }
    Schema::new(fields, key)
}

/// The shape of a table with the fields it lacks, and those fields.
fn wider_schema(there: &Arc<Schema>, given: &[&Field], creates: bool) -> Result<(Arc<Schema>, Vec<Field>)> {
    let lacks = |field: &&&Field| there.field(&field.name).is_none();
    let added: Vec<Field> = given
        .iter()
        .filter(lacks)
        .map(|field| Field::new(field.name.as_str(), field.data_type))
        .collect();
    match added.first() {
        None => return Ok((Arc::clone(there), added)),
        Some(field) if !creates => return Err(there.unknown_field(&field.name)),
        Some(_) => {}
    }
    let all = there.fields().iter().chain(&added).cloned().collect();
    Ok((Arc::new(Schema::new(all, there.primary_key_names())?), added))
}

fn check_key(name: &str, schema: &Schema, position: usize) -> Result<()> {
    let field = &schema.fields()[position];
    if !field.data_type.can_be_key() {
        let message = format!("`{name}` of type {} cannot be part of a key", field.data_type);
        return Err(Error::new(ErrorKind::Schema, message)
            .with_help("match on a text, integer, decimal, date or uuid field"));
    }
    if !field.access.match_key && !schema.primary_key().contains(&position) {
        let message = format!("records cannot be found by `{name}`");
        let keys: Vec<&str> = schema
            .fields()
            .iter()
            .filter(|field| field.access.match_key)
            .map(|field| field.name.as_str())
            .collect();
        return Err(Error::new(ErrorKind::Schema, message)
            .with_help(format!("match on one of `{}`", keys.join("`, `"))));
    }
    Ok(())
}

/// Refuses a table that keeps no versions by this key.
fn check_history(there: &Schema, request: &WriteRequest) -> Result<()> {
    let wanted = request.match_on.iter().map(String::as_str);
    let mut wanted: Vec<&str> = wanted.chain([WriteMode::VALID_FROM]).collect();
    let mut primary: Vec<&str> = there.primary_key_names().collect();
    wanted.sort_unstable();
    primary.sort_unstable();
    if wanted == primary {
        return Ok(());
    }
    let message = format!("the table keeps no versions by ({})", request.match_on.join(", "));
    Err(Error::new(ErrorKind::Schema, message).with_help("write the history into a table of its own"))
}

/// Refuses a key that stands on several rows: which of them would count is anybody's guess.
fn check_unique(table: &Table, key: &[usize]) -> Result<()> {
    let primary = table.schema().primary_key();
    let holds_primary = !primary.is_empty() && primary.iter().all(|position| key.contains(position));
    // A key with a field that the table has yet to get stands on no row.
    if holds_primary
        || key
            .iter()
            .any(|&position| position >= table.schema().fields().len())
    {
        return Ok(());
    }
    match table.index(key).twice() {
        0 => Ok(()),
        twice => {
            let names: Vec<&str> = key
                .iter()
                .map(|&position| table.schema().fields()[position].name.as_str())
                .collect();
            let message = format!("{twice} values of {} stand on several records", names.join(", "));
            Err(Error::new(ErrorKind::Data, message).with_help("match on fields that are unique"))
        }
    }
}

fn check_access(mode: WriteMode, field: &Field, in_key: bool, kept: bool) -> Result<()> {
    let access = field.access;
    let changes = matches!(mode, WriteMode::Update | WriteMode::Upsert) && !in_key && !kept;
    let makes = mode != WriteMode::Update && !mode.is_naming();
    let word = if changes && !access.updatable {
        "changed"
    } else if makes && !access.creatable && !(in_key && mode == WriteMode::Upsert) {
        "given to a new record"
    } else {
        return Ok(());
    };
    Err(
        Error::new(ErrorKind::Schema, format!("`{}` cannot be {word}", field.name))
            .with_help("leave the field out of the mapping"),
    )
}

fn column(from: &Field, to: &Field) -> Result<ColumnPlan> {
    let Some(lossless) = takes(to.data_type, from.data_type) else {
        let message = format!(
            "`{}` is {} and cannot hold {}",
            to.name, to.data_type, from.data_type
        );
        return Err(Error::new(ErrorKind::Schema, message).with_help("map the field to another one"));
    };
    Ok(ColumnPlan {
        name: to.name.clone(),
        from: from.data_type.to_string(),
        to: to.data_type.to_string(),
        lossless,
        reason: (!lossless).then(|| "a value that the field cannot hold is rejected".to_owned()),
    })
}

/// The error for a table that is not there.
pub(super) fn no_table<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("there is no table `{name}`"));
    match nearest(name, known).as_slice() {
        [] => error.with_help("`create` makes tables"),
        near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::StreamName;
    use crate::schema::{Access, DataType};
    use crate::state::TaskId;

    fn schema(fields: &[(&str, DataType)], key: &[&str]) -> Arc<Schema> {
        let fields = fields
            .iter()
            .map(|&(name, data_type)| Field::new(name, data_type));
        Arc::new(Schema::new(fields.collect(), key.iter().copied()).unwrap())
    }

    fn request(schema: Arc<Schema>, mode: WriteMode, match_on: &[&str]) -> WriteRequest {
        WriteRequest::new(StreamName::new("lead"), schema, mode, TaskId::new("job", "lead"))
            .with_match_on(match_on.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_table_that_is_made_has_the_key_that_finds_its_rows() {
        let given = schema(&[("id", DataType::Int64), ("email", DataType::TEXT)], &["id"]);
        let plan =
            |match_on: &[&str], mode| Plan::new(&request(Arc::clone(&given), mode, match_on), None, true);
        let key = |plan: Plan| plan.schema.primary_key().to_vec();
        assert_eq!(key(plan(&["email"], WriteMode::Upsert).unwrap()), [1]);
        assert_eq!(key(plan(&[], WriteMode::Insert).unwrap()), [0]);
        assert_eq!(
            plan(&["mail"], WriteMode::Upsert)
                .unwrap_err()
                .report()
                .to_string(),
            "there is no field `mail`\n  table: lead\nhelp: did you mean `email`?"
        );
    }

    #[test]
    fn each_column_is_named_with_what_it_loses() {
        let there = schema(&[("id", DataType::Int64), ("age", DataType::Int16)], &["id"]);
        let given = schema(
            &[
                ("id", DataType::Int32),
                ("age", DataType::Int32),
                ("note", DataType::TEXT),
            ],
            &["id"],
        );
        let request = request(given, WriteMode::Upsert, &["id"]);
        let table = Table::new(there);
        let plan = Plan::new(&request, Some(&table), true)
            .unwrap()
            .write_plan(&request);
        assert_eq!(plan.notes, ["upsert into `lead` by (id), after adding 1 fields"]);
        let columns: Vec<(&str, &str, &str, bool)> = plan
            .columns
            .iter()
            .map(|column| (&*column.name, &*column.from, &*column.to, column.lossless))
            .collect();
        assert_eq!(
            columns,
            [
                ("id", "int32", "int64", true),
                ("age", "int32", "int16", false),
                ("note", "text", "text", true)
            ]
        );
        let error = Plan::new(&request, Some(&table), false).unwrap_err();
        assert_eq!(error.message(), "there is no field `note`");
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let fields = vec![
            Field::new("id", DataType::Int64),
            Field::new("made", DataType::Instant).with_access(Access::READ_ONLY),
            Field::new("name", DataType::TEXT).with_access(Access::ALL.with_match_key(false)),
        ];
        let table = Table::new(Arc::new(Schema::new(fields, ["id"]).unwrap()));
        let refused = |fields: &[(&str, DataType)], match_on: &str| {
            let request = request(schema(fields, &[]), WriteMode::Update, &[match_on]);
            Plan::new(&request, Some(&table), false)
                .unwrap_err()
                .message()
                .to_owned()
        };
        let id = ("id", DataType::Int64);
        assert_eq!(
            refused(&[id, ("made", DataType::Instant)], "id"),
            "`made` cannot be changed"
        );
        assert_eq!(
            refused(&[("name", DataType::TEXT)], "name"),
            "records cannot be found by `name`"
        );
        assert_eq!(
            refused(&[id, ("name", DataType::Bool)], "id"),
            "`name` is text and cannot hold bool"
        );
        assert_eq!(
            refused(&[("made", DataType::Instant)], "made"),
            "`made` of type instant cannot be part of a key"
        );
    }
}
