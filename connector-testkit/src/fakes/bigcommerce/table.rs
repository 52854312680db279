//! The records of one kind: seeded ones that are made when asked for, and the few that were changed since.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ids::IdScheme;

/// How the records of a table are made and what is filtered by.
pub(super) trait Kind {
    /// What most filters and sorts look at, cheap enough to make for every record of a scan.
    type Key: Copy;

    /// The key of a seeded record.
    fn seeded_key(&self, number: u64, id: u64) -> Self::Key;

    /// The key of a changed record.
    fn key_of(&self, record: &Map<String, Value>) -> Self::Key;

    /// A seeded record, with all that may be left out of an answer.
    fn seeded(&self, number: u64, id: u64) -> Map<String, Value>;

    /// An instant in the form of this kind's dates.
    fn stamp(&self, seconds: i64) -> String;
}

/// A record that is no longer as seeded; `None` for one that was deleted.
type Changed<K> = Option<(K, Map<String, Value>)>;

/// All records of one kind, numbered from 1.
#[derive(Debug)]
pub(super) struct Table<K: Kind> {
    kind: K,
    ids: IdScheme,
    last: u64,
    deleted: u64,
    changed: BTreeMap<u64, Changed<K::Key>>,
}

impl<K: Kind> Table<K> {
    pub(super) fn new(kind: K, ids: IdScheme, seeded: u64) -> Self {
        Self {
            kind,
            ids,
            last: seeded,
            deleted: 0,
            changed: BTreeMap::new(),
        }
    }

    /// What makes the records.
    pub(super) fn kind(&self) -> &K {
        &self.kind
    }

    /// Number of records there are.
    pub(super) fn len(&self) -> u64 {
        self.last - self.deleted
    }

    /// The id of a number.
    pub(super) fn id(&self, number: u64) -> u64 {
        self.ids.id(number)
    }

    /// The number of an id that exists.
    pub(super) fn number(&self, id: u64) -> Option<u64> {
        let number = self.ids.number(id).filter(|&number| number <= self.last)?;
        (!matches!(self.changed.get(&number), Some(None))).then_some(number)
    }

    /// The numbers whose ids are within these bounds, both inclusive.
    pub(super) fn range(&self, min_id: u64, max_id: u64) -> std::ops::Range<u64> {
        let first = self.ids.numbers_below(min_id) + 1;
        let end = self.ids.numbers_below(max_id.saturating_add(1)).min(self.last) + 1;
        first..end.max(first)
    }

    /// The key of a record that exists.
    pub(super) fn key(&self, number: u64) -> Option<K::Key> {
        match self.changed.get(&number) {
            Some(changed) => changed.as_ref().map(|(key, _)| *key),
            None => Some(self.kind.seeded_key(number, self.id(number))),
        }
    }

    /// A record as it was changed; `None` for one that is as seeded, or deleted.
    pub(super) fn changed(&self, number: u64) -> Option<&Map<String, Value>> {
        self.changed.get(&number)?.as_ref().map(|(_, record)| record)
    }

    /// A record with all that may be left out of an answer.
    pub(super) fn full(&self, number: u64) -> Map<String, Value> {
        match self.changed(number) {
            Some(record) => record.clone(),
            None => self.kind.seeded(number, self.id(number)),
        }
    }

    /// Overwrites fields of a record, and its `date_modified` unless that is among them.
    pub(super) fn edit(&mut self, id: u64, fields: Map<String, Value>, now: i64) -> bool {
        let Some(number) = self.number(id) else {
            return false;
        };
        let mut record = self.full(number);
        record.insert("date_modified".to_owned(), self.kind.stamp(now).into());
        self.put(number, record, fields);
        true
    }

    /// Adds a record after all others; fields that are not given are made as those of seeded records.
    pub(super) fn add(&mut self, fields: Map<String, Value>, now: i64) -> u64 {
        self.last += 1;
        let number = self.last;
        let mut record = self.kind.seeded(number, self.id(number));
        record.insert("date_created".to_owned(), self.kind.stamp(now).into());
        record.insert("date_modified".to_owned(), self.kind.stamp(now).into());
        self.put(number, record, fields);
        self.id(number)
    }

    /// Removes a record without a trace.
    pub(super) fn delete(&mut self, id: u64) -> bool {
        let Some(number) = self.number(id) else {
            return false;
        };
        self.changed.insert(number, None);
        self.deleted += 1;
        true
    }

    fn put(&mut self, number: u64, mut record: Map<String, Value>, fields: Map<String, Value>) {
        record.extend(fields);
        record.insert("id".to_owned(), self.id(number).into());
        let key = self.kind.key_of(&record);
        self.changed.insert(number, Some((key, record)));
    }
}
