//! Finding records by a key of their own: what has no id yet cannot be updated or deleted.

use std::collections::HashMap;

use connector_core::value::Instant;
use connector_core::{Decimal, Error, ErrorKind, Fate, Outcome, Result, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::columns::KeyColumn;
use super::operation::Operation;
use super::row::Row;
use super::{SalesforceWriter, Target};
use crate::id::Id;
use crate::rest::query::{MAX_URI, request, uri_len};
use crate::soql::quote;

/// Most keys of one query.
const MAX_KEYS: usize = 500;

/// A record of the org that has a key.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: Id,
    pub(super) created: Option<Instant>,
    pub(super) created_by: Option<Id>,
    /// The key as the org spells it.
    key: String,
}

/// The records of the org with the keys that were looked up.
#[derive(Debug, Default)]
pub(super) struct Lookup(HashMap<String, Vec<Found>>);

impl Lookup {
    /// The records with the key of `row`. A key that another spells with other capitals counts where none is
    /// spelt the same: whether letter case counts is a setting of the field.
    pub(super) fn of(&self, row: &Row, column: &KeyColumn) -> Vec<&Found> {
        let wanted = canonical(&row.key_value(column).to_string(), column);
        let near = self.0.get(&wanted.to_lowercase());
        let near = || near.into_iter().flatten();
        let exact: Vec<&Found> = near().filter(|found| found.key == wanted).collect();
        if exact.is_empty() { near().collect() } else { exact }
    }

    fn add(&mut self, found: Found) {
        self.0.entry(found.key.to_lowercase()).or_default().push(found);
    }
}

/// Looks the keys of `rows` up.
pub(super) async fn look_up(target: &Target, column: &KeyColumn, rows: &[Row]) -> Result<Lookup> {
    let mut lookup = Lookup::default();
    let mut rest = rows;
    while !rest.is_empty() {
        let (soql, taken) = query(target, column, rest).await?;
        rest = &rest[taken..];
        let mut next = Some(request(&target.org, &soql, false).await?);
        while let Some(request) = next {
            let response = target
                .org
                .send(&request)
                .await
                .map_err(|error| error.with_context("object", &target.object))?;
            let page: Page = response.json()?;
            for record in page.records {
                lookup.add(found(record, column)?);
            }
            next = match page.next {
                Some(next) if !page.done => {
                    Some(connector_http::Request::get(target.org.follow(&next).await?))
                }
                _ => None,
            };
        }
    }
    Ok(lookup)
}

#[derive(Deserialize)]
struct Page {
    done: bool,
    #[serde(rename = "nextRecordsUrl", default)]
    next: Option<String>,
    records: Vec<HashMap<String, Json>>,
}

fn found(mut record: HashMap<String, Json>, column: &KeyColumn) -> Result<Found> {
    let mut text = |name: &str| match record.remove(name) {
        Some(Json::String(text)) => Some(text),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let wrong = |name: &str| {
        Error::new(
            ErrorKind::Unavailable,
            format!("a record of the answer lacks `{name}`, by which it was looked up"),
        )
    };
    let key = text(&column.field.name).ok_or_else(|| wrong(&column.field.name))?;
    Ok(Found {
        id: text("Id")
            .and_then(|id| Id::parse(&id))
            .ok_or_else(|| wrong("Id"))?,
        created: text("CreatedDate").and_then(|at| Instant::parse_iso(&at).ok()),
        created_by: text("CreatedById").and_then(|id| Id::parse(&id)),
        key: canonical(&key, column),
    })
}

/// The query for the first of `rows`, and how many it takes.
async fn query(target: &Target, column: &KeyColumn, rows: &[Row]) -> Result<(String, usize)> {
    let mut columns = vec!["Id", column.field.name.as_str()];
    if target.columns.operation == Operation::Insert {
        columns.extend(target.columns.stamps.iter().map(String::as_str));
    }
    let mut soql = format!(
        "SELECT {} FROM {} WHERE {} IN (",
        columns.join(","),
        target.object,
        column.field.name
    );
    let mut len = uri_len(&request(&target.org, &soql, false).await?) + 3;
    let mut taken = 0;
    for row in rows.iter().take(MAX_KEYS) {
        let literal = literal(&row.key_value(column), column);
        len += encoded_len(&literal) + 3;
        if taken > 0 && len > MAX_URI {
            break;
        }
        if taken > 0 {
            soql.push(',');
        }
        soql.push_str(&literal);
        taken += 1;
    }
    soql.push(')');
    Ok((soql, taken))
}

/// How long a text becomes in an address.
fn encoded_len(text: &str) -> usize {
    let bytes = text.bytes();
    bytes
        .map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 })
        .sum()
}

fn is_number(column: &KeyColumn) -> bool {
    matches!(
        column.field.kind.as_str(),
        "double" | "currency" | "percent" | "int" | "long"
    )
}

fn literal(value: &Value<'_>, column: &KeyColumn) -> String {
    let text = value.to_string();
    if is_number(column) {
        canonical(&text, column)
    } else {
        quote(&text)
    }
}

/// A key in one spelling of the several that a number has.
fn canonical(text: &str, column: &KeyColumn) -> String {
    if !is_number(column) {
        return text.to_owned();
    }
    let mut scratch = String::new();
    match Decimal::parse(text, &mut scratch) {
        Ok(number) => {
            let written = number.to_string();
            match written.contains('.') {
                true => written.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => written,
            }
        }
        Err(_) => text.to_owned(),
    }
}

impl SalesforceWriter {
    /// Finds the ids of records that are matched on another field; those without one have met their fate.
    pub(super) async fn find(&mut self, operation: Operation, rows: Vec<Row>) -> Result<Vec<Row>> {
        let known = |row: &Row| row.id.is_some() || !operation.is_by_id();
        if rows.iter().all(known) {
            return Ok(rows);
        }
        let Some(column) = &self.target.columns.key else {
            return Ok(rows);
        };
        let name = column.field.name.clone();
        let lookup = look_up(&self.target, column, &rows).await?;
        let matches: Vec<Vec<Id>> = rows
            .iter()
            .map(|row| lookup.of(row, column).iter().map(|found| found.id).collect())
            .collect();
        let mut taken = Vec::with_capacity(rows.len());
        let mut fates: Vec<Fate> = Vec::new();
        for (mut row, ids) in rows.into_iter().zip(matches) {
            match (ids.as_slice(), operation) {
                ([id], _) => {
                    row.id = Some(*id);
                    taken.push(row);
                }
                ([], Operation::Delete) => {
                    self.report.counts.unchanged += 1;
                    fates.push(row.fate(Outcome::Deleted));
                }
                ([], _) => {
                    let message = format!("no record of Salesforce has this `{name}`");
                    let rejection = row.refuse("not_found", message).with_field(&name);
                    fates.push(self.refuse_unsent(&row, rejection));
                }
                (several, _) => {
                    let message = format!("{} records of Salesforce have this `{name}`", several.len());
                    let rejection = row.refuse("duplicate", message).with_field(&name);
                    fates.push(self.refuse_unsent(&row, rejection));
                }
            }
        }
        self.book.settle(&fates).await?;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::FieldDescribe;

    fn column(kind: &str) -> KeyColumn {
        KeyColumn {
            position: 0,
            field: FieldDescribe {
                name: "Key__c".into(),
                kind: kind.into(),
                ..FieldDescribe::default()
            },
        }
    }

    #[test]
    fn a_number_has_one_spelling() {
        for (text, wanted) in [
            ("5", "5"),
            ("5.0", "5"),
            ("5.50", "5.5"),
            ("1E3", "1000"),
            ("100", "100"),
        ] {
            assert_eq!(canonical(text, &column("double")), wanted, "{text}");
        }
        assert_eq!(canonical("5.0", &column("string")), "5.0");
    }

    #[test]
    fn a_text_cannot_break_out_of_its_literal() {
        assert_eq!(
            literal(&Value::Text("a' OR Id != '"), &column("string")),
            r"'a\' OR Id != \''"
        );
        assert_eq!(literal(&Value::Int(7), &column("double")), "7");
    }
}
