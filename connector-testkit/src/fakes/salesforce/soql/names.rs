//! The names of fields, after SELECT and elsewhere.

use std::sync::Arc;

use super::super::error::ApiError;
use super::super::object::ObjectType;
use super::ast::{Aggregate, Function, Select};
use super::path::{Path, Step};
use super::token::malformed;
use super::words::Words;

/// Most steps from a record up to a parent.
const MAX_STEPS: usize = 5;
/// Most rows of a query with FIELDS(ALL) or FIELDS(CUSTOM).
pub(super) const MAX_ALL_FIELDS: usize = 200;

/// Something after SELECT.
#[derive(Debug)]
pub(super) enum Named {
    Field {
        at: usize,
        name: String,
    },
    /// `COUNT()`, `MAX(Amount)`, `FIELDS(ALL)`; the name in capitals.
    Call {
        at: usize,
        name: String,
        argument: Option<String>,
        alias: Option<String>,
    },
}

impl Words<'_> {
    /// What stands between SELECT and FROM.
    pub(super) fn names(&mut self) -> Result<Vec<Named>, ApiError> {
        let mut names = Vec::new();
        loop {
            let at = self.at();
            if self.symbol("(") {
                return Err(malformed("the fake org knows no subqueries"));
            }
            let name = self.word()?;
            if self.symbol("(") {
                let argument = if self.symbol(")") {
                    None
                } else {
                    let argument = self.word()?;
                    if !self.symbol(")") {
                        return Err(self.unexpected());
                    }
                    Some(argument)
                };
                let alias = if self.peek_keyword("FROM") {
                    None
                } else {
                    self.word().ok()
                };
                names.push(Named::Call {
                    at,
                    name: name.to_ascii_uppercase(),
                    argument,
                    alias,
                });
            } else {
                names.push(Named::Field { at, name });
            }
            if !self.symbol(",") {
                return Ok(names);
            }
        }
    }

    pub(super) fn select(&self, object: &ObjectType, names: Vec<Named>) -> Result<Select, ApiError> {
        if let [
            Named::Call {
                name, argument: None, ..
            },
        ] = &names[..]
            && name == "COUNT"
        {
            return Ok(Select::Count);
        }
        let mut paths: Vec<Path> = Vec::with_capacity(names.len());
        let mut aggregates = Vec::new();
        let mut all_fields = false;
        for named in names {
            match named {
                Named::Field { at, name } => paths.push(self.path(object, at, &name)?),
                Named::Call { name, argument, .. } if name == "FIELDS" => {
                    let which = argument.unwrap_or_default().to_ascii_uppercase();
                    all_fields |= which != "STANDARD";
                    let wanted = object.visible().filter(|(_, field)| match which.as_str() {
                        "STANDARD" => !field.is_custom(),
                        "CUSTOM" => field.is_custom(),
                        _ => true,
                    });
                    paths.extend(wanted.map(|(field, _)| Path {
                        steps: Vec::new(),
                        field,
                    }));
                }
                Named::Call {
                    at,
                    name,
                    argument,
                    alias,
                } => {
                    let function = match name.as_str() {
                        "COUNT" => Function::Count,
                        "COUNT_DISTINCT" => Function::CountDistinct,
                        "MIN" => Function::Min,
                        "MAX" => Function::Max,
                        _ => return Err(malformed(format!("the fake org knows no function {name}"))),
                    };
                    let argument = argument.ok_or_else(|| malformed("unexpected token: ')'"))?;
                    let path = self.path(object, at, &argument)?;
                    let alias = alias.unwrap_or_else(|| format!("expr{}", aggregates.len()));
                    aggregates.push(Aggregate {
                        function,
                        path,
                        alias,
                    });
                }
            }
        }
        if !aggregates.is_empty() {
            if let Some(path) = paths.first() {
                let message = format!("Field must be grouped or aggregated: {}", path.meta(object).name);
                return Err(malformed(message));
            }
            return Ok(Select::Aggregates(aggregates));
        }
        for (place, path) in paths.iter().enumerate() {
            if paths[..place].iter().any(|before| before.is_same(path)) {
                let message = format!("duplicate field selected: {}", path.name(object));
                return Err(ApiError::bad("INVALID_FIELD", message));
            }
        }
        Ok(Select::Fields { paths, all_fields })
    }

    /// The field a name such as `Name`, `Lead.Name` or `Owner.Name` stands for.
    pub(super) fn path(&self, object: &ObjectType, at: usize, name: &str) -> Result<Path, ApiError> {
        let own = match name.split_once('.') {
            Some((head, tail)) if head.eq_ignore_ascii_case(&object.name) => tail,
            _ => name,
        };
        let parts: Vec<&str> = own.split('.').collect();
        let (field, relationships) = match parts.split_last() {
            Some((field, relationships)) if relationships.len() <= MAX_STEPS => (*field, relationships),
            _ => {
                return Err(self.pointed(
                    "MALFORMED_QUERY",
                    at,
                    "SOQL statements cannot query more than 5 levels up",
                ));
            }
        };
        let mut steps: Vec<Step> = Vec::with_capacity(relationships.len());
        for (place, name) in relationships.iter().enumerate() {
            let here = steps.last().map_or(object, |step| &*step.object);
            let next = relationships.get(place + 1).copied();
            let step = self.step(here, name, next, field);
            steps.push(step.ok_or_else(|| self.no_relationship(at, name))?);
        }
        let end = steps.last().map_or(object, |step| &*step.object);
        let field = end.field(field).ok_or_else(|| {
            let message = format!(
                "No such column '{field}' on entity '{}'. If you are attempting to use a custom field, be sure to \
                 append the '__c' after the custom field name. Please reference your WSDL or the describe call for \
                 the appropriate names.",
                end.name
            );
            self.pointed("INVALID_FIELD", at, &message)
        })?;
        Ok(Path { steps, field })
    }

    /// The step up by a relationship; of several kinds of parents, the one that has what comes next.
    fn step(&self, object: &ObjectType, name: &str, next: Option<&str>, field: &str) -> Option<Step> {
        let (reference, meta) = object.relationship(name)?;
        let parents: Vec<_> = meta
            .reference_to
            .iter()
            .filter_map(|name| self.schema.find(name))
            .collect();
        let fits = |parent: &&&Arc<ObjectType>| match next {
            Some(next) => parent.relationship(next).is_some(),
            None => parent.field(field).is_some(),
        };
        let parent = parents.iter().find(fits).or_else(|| parents.first())?;
        Some(Step {
            field: reference,
            name: meta.relationship_name.clone(),
            object: Arc::clone(parent),
        })
    }

    fn no_relationship(&self, at: usize, name: &str) -> ApiError {
        let message = format!(
            "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom \
             relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL \
             or the describe call for the appropriate names."
        );
        self.pointed("INVALID_FIELD", at, &message)
    }
}
