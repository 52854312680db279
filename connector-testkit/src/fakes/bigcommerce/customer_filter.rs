//! Which customers a request asks for.

use serde_json::{Map, Value};

use super::bounds::{Bounds, Side};
use super::customer_seed::{CustomerKey, CustomerSeed, person};
use super::error::Refusal;
use super::query::Query;
use super::table::Table;
use super::timestamp;

/// Parameters that compare a text: the field, and whether a part of it is enough.
const TEXTS: [(&str, &str, bool); 6] = [
    ("email:in", "email", false),
    ("company:in", "company", false),
    ("name:in", "name", false),
    ("name:like", "name", true),
    ("phone:in", "phone", false),
    ("registration_ip_address:in", "registration_ip_address", false),
];

/// The filters of `GET /v3/customers`.
#[derive(Debug)]
pub(super) struct CustomerFilter {
    ids: Option<Vec<u64>>,
    groups: Option<Vec<u64>>,
    created: Bounds,
    modified: Bounds,
    /// Those seeded with one of the e-mail addresses: spares a scan of all records.
    persons: Option<Vec<u64>>,
    texts: Vec<(&'static str, bool, Vec<String>)>,
}

impl CustomerFilter {
    /// Reads the parameters it knows; others are ignored, as the endpoint does.
    pub(super) fn parse(query: &Query) -> Result<Self, Refusal> {
        let mut filter = Self {
            ids: numbers(query, "id:in")?,
            groups: numbers(query, "customer_group_id:in")?,
            created: Bounds::OPEN,
            modified: Bounds::OPEN,
            persons: None,
            texts: Vec::new(),
        };
        for (suffix, side) in [("", Side::Both), (":min", Side::Min), (":max", Side::Max)] {
            filter.created.narrow(
                query,
                &format!("date_created{suffix}"),
                side,
                timestamp::parse_iso,
            )?;
            filter.modified.narrow(
                query,
                &format!("date_modified{suffix}"),
                side,
                timestamp::parse_iso,
            )?;
        }
        if let Some(emails) = query.list("email:in") {
            filter.persons = Some(
                emails
                    .iter()
                    .filter_map(|email| person(&email.to_lowercase()))
                    .collect(),
            );
        }
        for (name, field, part) in TEXTS {
            if let Some(values) = query.list(name) {
                filter.texts.push((
                    field,
                    part,
                    values.iter().map(|value| value.to_lowercase()).collect(),
                ));
            }
        }
        Ok(filter)
    }

    /// Whether every customer passes.
    pub(super) fn is_open(&self) -> bool {
        self.ids.is_none()
            && self.groups.is_none()
            && self.created.is_open()
            && self.modified.is_open()
            && self.texts.is_empty()
    }

    /// The numbers of those who pass, out of the ids within these bounds, in either order.
    pub(super) fn numbers<'a>(
        &'a self,
        table: &'a Table<CustomerSeed>,
        min_id: u64,
        max_id: u64,
    ) -> Box<dyn DoubleEndedIterator<Item = (u64, CustomerKey)> + 'a> {
        let keyed = move |number: u64| {
            let key = table.key(number)?;
            self.passes(table, number, key).then_some((number, key))
        };
        match &self.ids {
            Some(ids) => Box::new(
                ids.iter()
                    .filter(move |&&id| min_id <= id && id <= max_id)
                    .filter_map(|&id| table.number(id))
                    .filter_map(keyed),
            ),
            None => Box::new(table.range(min_id, max_id).filter_map(keyed)),
        }
    }

    fn passes(&self, table: &Table<CustomerSeed>, number: u64, key: CustomerKey) -> bool {
        if !self.created.holds(key.created) || !self.modified.holds(key.modified) {
            return false;
        }
        if self
            .groups
            .as_ref()
            .is_some_and(|groups| !groups.contains(&key.group))
        {
            return false;
        }
        if let (Some(persons), None) = (&self.persons, table.changed(number))
            && !persons.contains(&number)
        {
            return false;
        }
        if self.texts.is_empty() {
            return true;
        }
        let record = match table.changed(number) {
            Some(record) => record.clone(),
            None => table.kind().flat(number, table.id(number)),
        };
        self.texts.iter().all(|(field, part, values)| {
            let text = text(&record, field).to_lowercase();
            values.iter().any(|value| {
                if *part {
                    text.contains(value)
                } else {
                    text == *value
                }
            })
        })
    }
}

fn text(record: &Map<String, Value>, field: &str) -> String {
    let get = |field: &str| record.get(field).and_then(Value::as_str).unwrap_or_default();
    if field == "name" {
        format!("{} {}", get("first_name"), get("last_name"))
    } else {
        get(field).to_owned()
    }
}

fn numbers(query: &Query, name: &str) -> Result<Option<Vec<u64>>, Refusal> {
    let Some(list) = query.list(name) else {
        return Ok(None);
    };
    let parsed: Result<Vec<u64>, _> = list.iter().map(|text| text.parse()).collect();
    let mut parsed = parsed.map_err(|_| Refusal::invalid(name, "Not a list of whole numbers."))?;
    parsed.sort_unstable();
    parsed.dedup();
    Ok(Some(parsed))
}
