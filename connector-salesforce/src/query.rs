//! What the columns of a query are, found out from the descriptions of the objects it names.

use std::sync::Arc;

use connector_core::{
    Access, DataType, Error, ErrorKind, Field, Result, Schema, Selection, StreamSpec, nearest,
};

use crate::connector::Salesforce;
use crate::describe::{Described, FieldDescribe};
use crate::soql::{self, Item, Parsed};
use crate::types::{Mapped, data_type};

/// A query, and what it answers.
#[derive(Debug)]
pub(crate) struct QueryShape {
    pub(crate) parsed: Parsed,
    /// The object that it asks.
    pub(crate) described: Arc<Described>,
    pub(crate) spec: StreamSpec,
}

impl Salesforce {
    /// What the query `text` answers.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], [`ErrorKind::Unsupported`]: it cannot be read. [`ErrorKind::NotFound`],
    /// [`ErrorKind::Schema`]: it names an object or field that is not there; the help names the nearest.
    pub(crate) async fn query_shape(&self, text: &str) -> Result<QueryShape> {
        let parsed = soql::parse(text)?;
        let described = self.object(&parsed.object.as_str().into()).await?;
        let mut fields: Vec<Field> = Vec::new();
        for (position, item) in parsed.items.iter().enumerate() {
            match item {
                Item::Path(path) => {
                    let path = without_alias(path, &parsed);
                    let field = self.column(&described, path).await?;
                    // A grouped field of a parent stands in the answer under its own name alone.
                    let grouped = parsed.whole.is_some() && parsed.items.iter().any(is_call);
                    let name = if grouped { path.last().cloned() } else { None };
                    fields.push(name.map_or_else(|| field.clone(), |name| field.clone().with_name(name)));
                }
                Item::Call {
                    function,
                    path,
                    alias,
                } => {
                    let field = self.column(&described, without_alias(path, &parsed)).await?;
                    let unnamed = parsed.items[..position]
                        .iter()
                        .filter(|item| is_unnamed(item))
                        .count();
                    let name = alias.clone().unwrap_or_else(|| format!("expr{unnamed}"));
                    let data_type = result_of(function, field.data_type)?;
                    fields.push(Field::new(name, data_type).with_access(Access::READ_ONLY));
                }
                Item::Fields(which) => fields.extend(all(&described, which)?),
            }
        }
        let key = fields
            .iter()
            .any(|field| field.name == "Id" && !field.nullable)
            .then_some("Id");
        let schema = Schema::new(fields, key)?;
        let can_be_cut = parsed.whole.is_none() && described.spec.schema.field("Id").is_some();
        let spec = StreamSpec::new(Selection::Query(text.to_owned()), Arc::new(schema))
            .with_cursor(described.spec.cursor.clone().filter(|_| can_be_cut));
        Ok(QueryShape {
            parsed,
            described,
            spec,
        })
    }

    /// The column that `path` leads to from `start`.
    async fn column(&self, start: &Arc<Described>, path: &[String]) -> Result<Field> {
        let Some((name, parents)) = path.split_last() else {
            return Err(Error::new(ErrorKind::Config, "a column of the query has no name"));
        };
        let mut here = vec![Arc::clone(start)];
        let mut spelt = Vec::with_capacity(path.len());
        for parent in parents {
            let Some(reference) = here.iter().find_map(|object| relationship(object, parent)) else {
                return Err(unknown(&here, parent, |field| field.relationship_name.as_deref()));
            };
            spelt.extend(reference.relationship_name.clone());
            let mut next = Vec::new();
            for object in &reference.reference_to {
                next.push(self.object(&object.as_str().into()).await?);
            }
            here = next;
        }
        for object in &here {
            let Some(known) = object
                .object
                .fields
                .iter()
                .find(|field| field.name.eq_ignore_ascii_case(name))
            else {
                continue;
            };
            let data_type = match data_type(known) {
                Mapped::To(data_type) => data_type,
                Mapped::LeftOut(_) if crate::types::is_compound(known) && parents.is_empty() => {
                    DataType::Json
                }
                Mapped::LeftOut(reason) => {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        format!("`{}` cannot be read: {reason}", path.join(".")),
                    ));
                }
            };
            spelt.push(known.name.clone());
            let field = Field::new(spelt.join("."), data_type).with_access(Access::READ_ONLY);
            let is_id = parents.is_empty() && known.kind == "id";
            return Ok(if is_id { field.not_null() } else { field });
        }
        if here.len() > 1 && name.eq_ignore_ascii_case("Type") {
            // The name of the object that a reference to one of several leads to.
            spelt.push("Type".to_owned());
            return Ok(Field::new(spelt.join("."), DataType::TEXT).with_access(Access::READ_ONLY));
        }
        Err(unknown(&here, name, |field| Some(&field.name)))
    }
}

fn is_call(item: &Item) -> bool {
    matches!(item, Item::Call { .. })
}

fn is_unnamed(item: &Item) -> bool {
    matches!(item, Item::Call { alias: None, .. })
}

fn without_alias<'a>(path: &'a [String], parsed: &Parsed) -> &'a [String] {
    let names = [parsed.alias.as_deref(), Some(parsed.object.as_str())];
    match path {
        [first, rest @ ..]
            if !rest.is_empty()
                && names
                    .iter()
                    .flatten()
                    .any(|name| name.eq_ignore_ascii_case(first)) =>
        {
            rest
        }
        _ => path,
    }
}

fn relationship<'a>(object: &'a Described, name: &str) -> Option<&'a FieldDescribe> {
    object.object.fields.iter().find(|field| {
        let known = field.relationship_name.as_deref();
        known.is_some_and(|known| known.eq_ignore_ascii_case(name)) && !field.reference_to.is_empty()
    })
}

fn unknown(
    objects: &[Arc<Described>],
    name: &str,
    spelt: impl Fn(&FieldDescribe) -> Option<&str> + Copy,
) -> Error {
    let known = objects
        .iter()
        .flat_map(|object| &object.object.fields)
        .filter_map(spelt);
    let error = Error::new(ErrorKind::Schema, format!("there is no field `{name}`"));
    let error = match objects {
        [object, ..] => error.with_context("object", &object.object.name),
        [] => error,
    };
    match nearest(name, known).as_slice() {
        [] => error.with_help(
            "`describe` lists the fields there are; one that is missing may be hidden from this user",
        ),
        near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
    }
}

/// What a function of a field gives.
fn result_of(function: &str, of: DataType) -> Result<DataType> {
    Ok(match function {
        "COUNT" | "COUNT_DISTINCT" => DataType::Int64,
        "SUM" | "AVG" => DataType::Decimal(None),
        "MIN" | "MAX" => of,
        "CALENDAR_MONTH" | "CALENDAR_QUARTER" | "CALENDAR_YEAR" | "DAY_IN_MONTH" | "DAY_IN_WEEK"
        | "DAY_IN_YEAR" | "FISCAL_MONTH" | "FISCAL_QUARTER" | "FISCAL_YEAR" | "HOUR_IN_DAY"
        | "WEEK_IN_MONTH" | "WEEK_IN_YEAR" => DataType::Int32,
        "DAY_ONLY" => DataType::Date,
        "TOLABEL" | "FORMAT" => DataType::TEXT,
        other => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the query uses `{other}`, whose result is of no known type"),
            )
            .with_help("select fields, or COUNT, SUM, AVG, MIN and MAX of them"));
        }
    })
}

/// The fields that `FIELDS(which)` stands for.
fn all(described: &Described, which: &str) -> Result<Vec<Field>> {
    let wanted: fn(&str) -> bool = match which {
        "ALL" => |_| true,
        "STANDARD" => |name| !name.ends_with("__c"),
        "CUSTOM" => |name| name.ends_with("__c"),
        other => {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the query selects FIELDS({other}), which there is not"),
            )
            .with_help("say FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)"));
        }
    };
    let fields = described.spec.schema.fields().iter();
    Ok(fields.filter(|field| wanted(&field.name)).cloned().collect())
}
