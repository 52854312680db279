//! Rows that differ from what the other side of a write-back has confirmed.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::connector::table_name;
use super::journal::Entry;
use super::row::Row;
use super::table::Table;
use super::{Memory, System};
use crate::batch::{BatchBuilder, Op};
use crate::difference::Difference;
use crate::error::{Error, ErrorKind, Result};
use crate::filter::RecordFilter;
use crate::key::Key;
use crate::schema::Schema;
use crate::source::{Event, ReadRequest, Reader};

/// Reads the intents of a difference, in the order of their keys.
///
/// The records' schema is the key's source fields, then the mapped ones; the key is their source key. What was sent
/// and not settled when an earlier run ended is among them: only updates and upserts come this way, and those may be
/// sent again. There is no checkpoint: the journal is what remembers.
pub(super) struct DifferenceReader {
    rows: std::vec::IntoIter<Row>,
    builder: BatchBuilder,
    batch_bytes: usize,
    /// Rows that do not differ, to be said once.
    unchanged: u64,
}

impl DifferenceReader {
    /// Whether the table has the fields, and the key finds one row each.
    pub(super) fn check(memory: &Memory, request: &ReadRequest, difference: &Difference) -> Result<()> {
        let system = memory.lock();
        let table = system.table(table_name(&request.selection)?.as_str())?;
        passing(request, table)?;
        Wanted::new(table, difference).map(drop)
    }

    /// Stores the difference, and begins to read it.
    pub(super) fn open(memory: &Memory, request: &ReadRequest, difference: &Difference) -> Result<Self> {
        let mut system = memory.lock();
        system.states.hold(&difference.fence)?;
        let table = system.table(table_name(&request.selection)?.as_str())?;
        let wanted = Wanted::new(table, difference)?;
        let rows = wanted.rows(table, passing(request, table)?.as_ref());
        let all = rows.len();
        let differing = store(&mut system, difference, rows);
        Ok(Self {
            unchanged: (all - differing.len()) as u64,
            rows: differing.into_iter(),
            builder: BatchBuilder::new(wanted.schema, 0).with_max_records(request.batch_records),
            batch_bytes: request.batch_bytes,
        })
    }
}

/// The request's filter.
fn passing(request: &ReadRequest, table: &Table) -> Result<Option<RecordFilter>> {
    let filter = request.filter.as_ref();
    filter
        .map(|filter| filter.for_records(table.schema()))
        .transpose()
}

#[async_trait]
impl Reader for DifferenceReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        if self.unchanged > 0 {
            return Ok(Some(Event::Unchanged(std::mem::take(&mut self.unchanged))));
        }
        while !self.builder.is_full(self.batch_bytes) || self.builder.is_empty() {
            let Some(row) = self.rows.next() else { break };
            for position in 0..row.fields().len() {
                self.builder.push(row.value(position));
            }
            self.builder.end_record(Op::Put);
        }
        Ok((!self.builder.is_empty()).then(|| Event::Records(self.builder.finish())))
    }
}

/// Plans to send those of `rows` that differ; returns them.
fn store(system: &mut System, difference: &Difference, rows: BTreeMap<Key, (Row, Row)>) -> Vec<Row> {
    let (match_on, fields) = (there(&difference.match_on), there(&difference.fields));
    let records = &mut system.book.ensure(&difference.target, &match_on, &fields).records;
    // What an earlier run left to be sent is computed anew, from the rows as they are now.
    for entry in records.values_mut().filter(|entry| entry.is_open()) {
        entry.forget();
    }
    let mut differing = Vec::new();
    for (key, (row, payload)) in rows {
        // Nothing is confirmed of whatever was sent without an answer, so that it differs from every payload.
        let confirmed = records.get(&key).and_then(|entry| entry.confirmed.clone());
        let same = confirmed.as_ref().is_some_and(|confirmed| {
            confirmed.fields().len() == payload.fields().len() && payload.says(confirmed)
        });
        if same && !difference.full {
            continue;
        }
        records.insert(key, Entry::planned(payload, confirmed));
        differing.push(row);
    }
    differing
}

/// The names at the destination.
fn there(pairs: &[(String, String)]) -> Vec<&str> {
    pairs.iter().map(|(there, _)| there.as_str()).collect()
}

/// What is compared: positions of the table, and the two shapes that come of them.
struct Wanted {
    key: Vec<usize>,
    fields: Vec<usize>,
    /// Under the source's names: the key, then the fields.
    schema: Arc<Schema>,
    /// Under the destination's names: the fields.
    payload: Arc<Schema>,
}

impl Wanted {
    fn new(table: &Table, difference: &Difference) -> Result<Self> {
        let schema = table.schema();
        let find = |pairs: &[(String, String)]| {
            let positions = pairs.iter().map(|(_, source)| schema.index_of(source));
            positions.collect::<Result<Vec<_>>>()
        };
        let (key, fields) = (find(&difference.match_on)?, find(&difference.fields)?);
        if key.is_empty() {
            return Err(
                Error::new(ErrorKind::Schema, "a write-back needs a key to find records by")
                    .with_help("name its fields with `match_on`"),
            );
        }
        let field = |position: usize| &schema.fields()[position];
        if let Some(field) = key
            .iter()
            .map(|&p| field(p))
            .find(|field| !field.data_type.can_be_key())
        {
            let message = format!(
                "`{}` of type {} cannot be the key of a write-back",
                field.name, field.data_type
            );
            return Err(Error::new(ErrorKind::Schema, message)
                .with_help("match on a text, integer, decimal, date or uuid field"));
        }
        let twice = table.index(&key).twice();
        if twice > 0 {
            let names: Vec<&str> = key
                .iter()
                .map(|&position| field(position).name.as_str())
                .collect();
            let message = format!("{twice} values of {} stand on several rows", names.join(", "));
            return Err(Error::new(ErrorKind::Data, message).with_help("match on fields that are unique"));
        }
        let read = key.iter().chain(&fields).map(|&position| field(position).clone());
        let sources = difference.match_on.iter().map(|(_, source)| source.as_str());
        let sent = difference.fields.iter().zip(&fields);
        let sent = sent.map(|((there, _), &position)| field(position).clone().with_name(there));
        Ok(Self {
            schema: Arc::new(Schema::new(read.collect(), sources)?),
            payload: Arc::new(Schema::new(sent.collect(), [])?),
            key,
            fields,
        })
    }

    /// The rows that pass and have a key, each with what would be sent of it.
    fn rows(&self, table: &Table, filter: Option<&RecordFilter>) -> BTreeMap<Key, (Row, Row)> {
        let keyed = table
            .live()
            .map(|(_, slot)| &slot.row)
            .filter(|row| filter.is_none_or(|filter| filter.keeps_values(|position| row.value(position))))
            .filter(|row| row.values(&self.key).all(|value| value.is_present()));
        keyed
            .map(|row| {
                let all = row.values(&self.key).chain(row.values(&self.fields));
                let pair = (
                    Row::new(&self.schema, all),
                    Row::new(&self.payload, row.values(&self.fields)),
                );
                (Key::from_values(row.values(&self.key)), pair)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{batch, claim, leads, now, read, read_all, schema};
    use super::*;
    use crate::connector::Identity;
    use crate::difference::Target;
    use crate::journal::Standing;
    use crate::journal::{Intent, Journal};
    use crate::report::{Fate, Outcome};
    use crate::schema::{DataType, Field};
    use crate::source::{Source, SyncMode};
    use crate::state::{Claim, Fence};
    use crate::value::Value;

    fn difference(fence: &Fence) -> Difference {
        let pair = |there: &str, here: &str| vec![(there.to_owned(), here.to_owned())];
        Difference {
            target: Target {
                identity: Identity::new("memory", "crm"),
                object: "contact".to_owned(),
            },
            fence: fence.clone(),
            match_on: pair("Id", "id"),
            fields: pair("Name", "name"),
            full: false,
        }
    }

    fn told(memory: &Memory, difference: Difference) -> (Vec<String>, u64) {
        let told = read_all(memory, read(SyncMode::Difference(difference))).unwrap();
        assert!(told.states.is_empty());
        (told.records, told.unchanged)
    }

    fn settle(memory: &Memory, claim: &Claim, fates: &[(&str, Outcome)]) {
        let keys: Vec<Key> = fates.iter().map(|(key, _)| Key::new(*key)).collect();
        let target = difference(&claim.fence).target;
        let intent = Intent {
            keys: &keys,
            ticket: None,
        };
        now(memory.intend(&claim.fence, &target, &intent)).unwrap();
        let fates: Vec<Fate> = fates
            .iter()
            .map(|(key, outcome)| Fate {
                key: Key::new(*key),
                outcome: outcome.clone(),
            })
            .collect();
        now(memory.settle(&claim.fence, &target, &fates)).unwrap();
    }

    fn shop() -> Memory {
        let memory = Memory::new("shop");
        memory.create("lead", schema());
        memory
            .put("lead", &leads(&[(1, "a"), (2, "b"), (10, "c")]))
            .unwrap();
        memory
    }

    #[test]
    fn what_was_confirmed_is_left_out_until_it_changes() {
        let memory = shop();
        let claim = claim(&memory);
        let open = || difference(&claim.fence);
        assert_eq!(
            told(&memory, open()),
            (vec!["1 a".into(), "10 c".into(), "2 b".into()], 0)
        );
        assert_eq!(
            memory.standing(&open().target, &Key::new("10")),
            Some(Standing::Planned)
        );
        settle(
            &memory,
            &claim,
            &[("1", Outcome::Updated), ("2", Outcome::Created { id: None })],
        );
        assert_eq!(told(&memory, open()), (vec!["10 c".into()], 2));
        memory.put("lead", &leads(&[(2, "changed")])).unwrap();
        assert_eq!(
            told(&memory, open()),
            (vec!["10 c".into(), "2 changed".into()], 1)
        );
        let full = Difference { full: true, ..open() };
        assert_eq!(told(&memory, full).0.len(), 3);
    }

    #[test]
    fn what_was_refused_or_never_answered_is_offered_again() {
        let memory = shop();
        let claim = claim(&memory);
        let open = || difference(&claim.fence);
        told(&memory, open());
        let refused = Outcome::Rejected {
            code: "NO".to_owned(),
            message: "no".to_owned(),
            fields: Vec::new(),
        };
        settle(
            &memory,
            &claim,
            &[
                ("1", Outcome::Updated),
                ("2", refused),
                ("10", Outcome::Ambiguous),
            ],
        );
        assert_eq!(told(&memory, open()), (vec!["10 c".into(), "2 b".into()], 1));
        // While a request is unanswered, what was confirmed before counts as unknown.
        settle(&memory, &claim, &[("1", Outcome::Ambiguous)]);
        assert_eq!(told(&memory, open()).0.len(), 3);
    }

    #[test]
    fn an_older_fence_stores_no_difference() {
        let memory = shop();
        let old = claim(&memory).fence.clone();
        let _new = claim(&memory);
        let error = read_all(&memory, read(SyncMode::Difference(difference(&old)))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(memory.standing(&difference(&old).target, &Key::new("1")), None);
    }

    #[test]
    fn a_key_of_another_kind_forgets_what_was_confirmed() {
        let memory = shop();
        let claim = claim(&memory);
        told(&memory, difference(&claim.fence));
        settle(&memory, &claim, &[("1", Outcome::Updated)]);
        let mut by_name = difference(&claim.fence);
        std::mem::swap(&mut by_name.match_on, &mut by_name.fields);
        assert_eq!(
            told(&memory, by_name),
            (vec!["a 1".into(), "b 2".into(), "c 10".into()], 0)
        );
        assert_eq!(
            memory.standing(&difference(&claim.fence).target, &Key::new("1")),
            None
        );
    }

    #[test]
    fn a_key_must_find_one_row_and_be_there() {
        let memory = shop();
        let claim = claim(&memory);
        memory.put("lead", &leads(&[(3, "a")])).unwrap();
        let mut by_name = difference(&claim.fence);
        std::mem::swap(&mut by_name.match_on, &mut by_name.fields);
        let request = read(SyncMode::Difference(by_name));
        let error = now(memory.plan_read(&request)).unwrap_err();
        assert_eq!(error.message(), "1 values of name stand on several rows");
        let mut misspelt = difference(&claim.fence);
        misspelt.fields[0].1 = "nmae".to_owned();
        let error = read_all(&memory, read(SyncMode::Difference(misspelt))).unwrap_err();
        assert_eq!(error.help(), Some("did you mean `name`?"));
    }

    #[test]
    fn a_row_without_a_key_is_not_compared() {
        let memory = Memory::new("shop");
        let fields = vec![
            Field::new("row", DataType::Int64),
            Field::new("id", DataType::Int64),
            Field::new("name", DataType::TEXT),
        ];
        let wide = Schema::new(fields, ["row"]).unwrap();
        memory.create("lead", wide.clone());
        let rows = batch(
            wide.clone(),
            [(Op::Put, vec![Value::Int(1), Value::Null, Value::Text("a")])],
        );
        memory.put("lead", &rows).unwrap();
        let claim = claim(&memory);
        assert_eq!(told(&memory, difference(&claim.fence)), (vec![], 0));
    }
}
