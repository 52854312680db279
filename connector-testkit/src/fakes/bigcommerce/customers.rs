//! `GET /v3/customers`: by page and by cursor.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::customer_filter::CustomerFilter;
use super::customer_seed::{CustomerKey, CustomerSeed, INCLUDES};
use super::error::Refusal;
use super::page::{Page, Sort};
use super::query::Query;
use super::table::Table;
use super::{cursor, reply};

const SORTS: [&str; 3] = ["date_created", "date_modified", "last_name"];

/// Names of the fields a request asked to be included.
pub(super) fn includes(query: &Query) -> Result<Vec<&'static str>, Refusal> {
    let asked = query.list("include").unwrap_or_default();
    asked
        .iter()
        .map(|name| {
            let known = INCLUDES.iter().find(|(parameter, _)| parameter == name);
            known
                .map(|(_, field)| *field)
                .ok_or_else(|| Refusal::invalid("include", "Not a known include."))
        })
        .collect()
}

/// A customer as an answer shows it.
pub(super) fn show(table: &Table<CustomerSeed>, number: u64, includes: &[&'static str]) -> Value {
    if let Some(record) = table.changed(number) {
        let hidden = |name: &str| {
            INCLUDES
                .iter()
                .any(|(_, field)| *field == name && !includes.contains(field))
        };
        let shown = record.iter().filter(|(name, _)| !hidden(name));
        return Value::Object(shown.map(|(name, value)| (name.clone(), value.clone())).collect());
    }
    let (seed, id) = (table.kind(), table.id(number));
    let mut record = seed.flat(number, id);
    for field in includes {
        record.insert((*field).to_owned(), seed.nested(field, number, id));
    }
    Value::Object(record)
}

/// Answers the list.
pub(super) fn list(table: &Table<CustomerSeed>, query: &Query) -> Result<Response, Refusal> {
    let page = Page::parse(query)?;
    let filter = CustomerFilter::parse(query)?;
    let includes = includes(query)?;
    let sort = Sort::parse(query, &SORTS)?;
    let (after, before) = (place(query, "after")?, place(query, "before")?);
    let by_cursor = after.is_some() || before.is_some();

    let mut meta = Map::new();
    let numbers = if by_cursor {
        by_key(table, &filter, after, before, page.take())
    } else {
        let (numbers, total) = by_page(table, &filter, sort, page);
        meta.insert(
            "pagination".to_owned(),
            pagination(query, page, numbers.len(), total),
        );
        numbers
    };
    if by_cursor || page.number == 1 {
        let ids: Vec<u64> = numbers.iter().map(|&number| table.id(number)).collect();
        meta.insert(
            "cursor_pagination".to_owned(),
            cursor_pagination(query, page, &ids, by_cursor),
        );
    }
    let data: Vec<Value> = numbers
        .iter()
        .map(|&number| show(table, number, &includes))
        .collect();
    Ok(reply::ok(&json!({ "data": data, "meta": meta })))
}

fn place(query: &Query, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    cursor::decode(text)
        .map(Some)
        .ok_or_else(|| Refusal::invalid(name, "Not a cursor."))
}

/// A page next to a key, ordered by id whatever the sort says.
fn by_key(
    table: &Table<CustomerSeed>,
    filter: &CustomerFilter,
    after: Option<u64>,
    before: Option<u64>,
    take: usize,
) -> Vec<u64> {
    let min = after.map_or(0, |id| id.saturating_add(1));
    let max = match before {
        Some(0) => return Vec::new(),
        Some(id) => id - 1,
        None => u64::MAX,
    };
    let rows = filter.numbers(table, min, max).map(|(number, _)| number);
    if after.is_some() {
        return rows.take(take).collect();
    }
    let mut numbers: Vec<u64> = rows.rev().take(take).collect();
    numbers.reverse();
    numbers
}

/// A page by its number, and how many rows there are on all pages.
fn by_page(
    table: &Table<CustomerSeed>,
    filter: &CustomerFilter,
    sort: Option<Sort>,
    page: Page,
) -> (Vec<u64>, u64) {
    let mut rows = filter.numbers(table, 0, u64::MAX);
    let Some(sort) = sort else {
        let numbers: Vec<u64> = rows
            .by_ref()
            .skip(page.skip())
            .take(page.take())
            .map(|(number, _)| number)
            .collect();
        drop(rows);
        let total = if filter.is_open() {
            table.len()
        } else {
            filter.numbers(table, 0, u64::MAX).count() as u64
        };
        return (numbers, total);
    };
    let mut rows: Vec<(u64, CustomerKey)> = rows.collect();
    match sort.field {
        "date_created" => sort.apply(&mut rows, |(_, key)| key.created),
        "date_modified" => sort.apply(&mut rows, |(_, key)| key.modified),
        _ => sort.apply(&mut rows, |(number, _)| {
            show(table, *number, &[])
                .get("last_name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        }),
    }
    let numbers = rows
        .iter()
        .skip(page.skip())
        .take(page.take())
        .map(|(number, _)| *number)
        .collect();
    (numbers, rows.len() as u64)
}

fn pagination(query: &Query, page: Page, count: usize, total: u64) -> Value {
    let pages = total.div_ceil(page.limit);
    let link = |number: u64| {
        query.link(
            &[("page", number.to_string()), ("limit", page.limit.to_string())],
            &["after", "before"],
        )
    };
    let mut links = Map::new();
    if page.number > 1 {
        links.insert("previous".to_owned(), link(page.number - 1).into());
    }
    links.insert("current".to_owned(), link(page.number).into());
    if page.number < pages {
        links.insert("next".to_owned(), link(page.number + 1).into());
    }
    json!({
        "total": total,
        "count": count,
        "per_page": page.limit,
        "current_page": page.number,
        "total_pages": pages,
        "links": links,
    })
}

/// The next link is only left out of an empty page, so that the last full page has one too.
fn cursor_pagination(query: &Query, page: Page, ids: &[u64], by_cursor: bool) -> Value {
    let mut links = Map::new();
    let mut out = json!({ "count": ids.len(), "per_page": page.limit });
    if let (Some(&first), Some(&last)) = (ids.first(), ids.last()) {
        let link = |name: &str, id: u64| {
            let first = [("limit", page.limit.to_string()), (name, cursor::encode(id))];
            Value::from(query.link(&first, &["page", "after", "before"]))
        };
        if by_cursor {
            links.insert("previous".to_owned(), link("before", first));
        }
        links.insert("next".to_owned(), link("after", last));
        out["start_cursor"] = cursor::encode(first).into();
        out["end_cursor"] = cursor::encode(last).into();
    }
    out["links"] = Value::Object(links);
    out
}
