//! Names of what still exists, and the rows that none of them named.

use std::collections::HashSet;

use super::change::Layout;
use super::row::lookup_key;
use super::table::Table;
use crate::batch::{Op, Record};
use crate::destination::WriteRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;

/// A sweep under way; it is kept with the system, so that a later run can go on with it.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    /// The last change before it began: what was changed since is not its business.
    since: u64,
    named: HashSet<Key>,
    /// A record of it was rejected, so that nobody knows what that one would have named.
    is_incomplete: bool,
}

impl Sweep {
    pub(super) fn new(since: u64) -> Self {
        Self {
            since,
            named: HashSet::new(),
            is_incomplete: false,
        }
    }

    /// Takes a name; false where the record has none.
    pub(super) fn name(&mut self, record: &Record<'_>, layout: &Layout) -> bool {
        if record.op() == Op::Delete {
            return true;
        }
        let values = layout.key.iter().map(|&position| layout.value(record, position));
        let key = lookup_key(values);
        let has_name = key.is_some();
        self.named.extend(key);
        has_name
    }

    pub(super) fn leave_incomplete(&mut self) {
        self.is_incomplete = true;
    }

    /// The slots of the rows that were not named.
    ///
    /// # Errors
    /// The sweep does not say for certain what is gone, or says so of too much.
    pub(super) fn doomed(&self, table: &Table, layout: &Layout, request: &WriteRequest) -> Result<Vec<u64>> {
        let refused = |kind, message: String, help: &'static str| {
            Err(Error::new(kind, message)
                .with_context("table", request.stream.as_str())
                .with_help(help))
        };
        if self.is_incomplete {
            return refused(
                ErrorKind::Data,
                "nothing was pruned: a record of the sweep was rejected, and what it would have named is not known"
                    .to_owned(),
                "see among the rejections why it was, correct it at its source, and run the sweep again",
            );
        }
        if self.named.is_empty() {
            return refused(
                ErrorKind::Data,
                "nothing was pruned: the sweep named nothing, and all rows would have gone".to_owned(),
                "check what the source lists; to empty the table, say write = \"overwrite\"",
            );
        }
        let is_there = |row: &super::row::Row| match layout.deleted_at {
            Some(position) => !row.value(position).is_present(),
            None => true,
        };
        let (mut rows, mut doomed) = (0_usize, Vec::new());
        for (number, slot) in table.live().filter(|(_, slot)| is_there(&slot.row)) {
            rows += 1;
            let key = lookup_key(slot.row.values(&layout.key));
            if slot.change <= self.since && key.is_none_or(|key| !self.named.contains(&key)) {
                doomed.push(number);
            }
        }
        if doomed.len() as f64 / rows as f64 > request.max_delete {
            let message = format!(
                "nothing was pruned: {} of {rows} rows would have gone, more than `max_delete` = {} allows",
                doomed.len(),
                request.max_delete
            );
            return refused(
                ErrorKind::Conflict,
                message,
                "check that the sweep was of everything; if so many are gone indeed, raise `max_delete`",
            );
        }
        Ok(doomed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::super::testing::{deletes, leads, now, rows, write, writer};
    use crate::destination::{Deletes, WriteMode};
    use crate::error::{ErrorKind, Result};
    use crate::report::{CommitReport, Rejection};

    fn ten() -> Memory {
        let memory = Memory::new("db");
        memory.create("lead", super::super::testing::schema());
        let all: Vec<(i64, &str)> = (0..10).map(|id| (id, "x")).collect();
        memory.put("lead", &leads(&all)).unwrap();
        memory
    }

    fn named(ids: std::ops::Range<i64>) -> crate::Batch {
        let all: Vec<(i64, &str)> = ids.map(|id| (id, "y")).collect();
        leads(&all)
    }

    fn prune(memory: &Memory, ids: std::ops::Range<i64>, max_delete: f64) -> Result<CommitReport> {
        let request = write(WriteMode::Prune, &["id"]).with_max_delete(max_delete);
        let mut writer = writer(memory, request);
        now(writer.write(named(ids))).unwrap();
        now(writer.commit(None)).unwrap();
        now(writer.finish(None))
    }

    #[test]
    fn a_sweep_removes_what_it_did_not_name_within_its_limit() {
        let memory = ten();
        let error = prune(&memory, 0..7, 0.2).unwrap_err();
        assert_eq!(
            error.message(),
            "nothing was pruned: 3 of 10 rows would have gone, more than `max_delete` = 0.2 allows"
        );
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(prune(&memory, 0..0, 1.0).unwrap_err().kind(), ErrorKind::Data);
        assert_eq!(rows(&memory, "lead").len(), 10);
        let report = prune(&memory, 0..8, 0.2).unwrap();
        assert_eq!((report.counts.pruned, report.counts.accounted()), (2, 0));
        assert_eq!(rows(&memory, "lead").last().unwrap(), "7 x");
    }

    #[test]
    fn what_came_since_the_sweep_began_stays() {
        let memory = ten();
        let mut writer = writer(&memory, write(WriteMode::Prune, &["id"]));
        memory.put("lead", &leads(&[(9, "new"), (10, "new")])).unwrap();
        now(writer.write(named(0..8))).unwrap();
        assert_eq!(now(writer.finish(None)).unwrap().counts.pruned, 1);
        assert_eq!(rows(&memory, "lead").len(), 10);
    }

    #[test]
    fn a_rejected_record_and_a_sweep_that_is_gone_prune_nothing() {
        let memory = ten();
        let request = write(WriteMode::Prune, &["id"]);
        let mut first = writer(&memory, request.clone());
        now(first.write(named(0..9))).unwrap();
        now(first.reject(vec![Rejection::new(9, None, "bad_value", "no number")])).unwrap();
        now(first.commit(None)).unwrap();
        drop(first);
        let mut again = writer(&memory, request.clone().with_resumes(true));
        now(again.reject(vec![Rejection::new(10, None, "bad_value", "no number")])).unwrap();
        assert_eq!(now(again.finish(None)).unwrap_err().kind(), ErrorKind::Data);
        // The reasons are kept.
        assert_eq!(memory.rejections(&super::super::testing::task()).len(), 2);
        assert_eq!(rows(&memory, "lead").len(), 10);
        let elsewhere = ten();
        let gone = now(crate::Destination::writer(&elsewhere, request.with_resumes(true)));
        assert_eq!(gone.err().unwrap().kind(), ErrorKind::State);
    }

    #[test]
    fn a_row_is_marked_once_until_it_comes_back() {
        let memory = ten();
        let soft = |mode| write(mode, &["id"]).with_deletes(Deletes::Soft);
        let run = |mode, batch: crate::Batch| {
            let mut writer = writer(&memory, soft(mode));
            now(writer.write(batch)).unwrap();
            now(writer.finish(None)).unwrap().counts
        };
        assert_eq!(run(WriteMode::Upsert, deletes(&[0, 1])).deleted, 2);
        let counts = run(WriteMode::Delete, named(1..3));
        assert_eq!((counts.deleted, counts.unchanged), (1, 1));
        assert_eq!(run(WriteMode::Upsert, leads(&[(0, "x")])).updated, 1);
        assert_eq!(run(WriteMode::Prune, named(0..9)).pruned, 1);
        let there = rows(&memory, "lead")
            .iter()
            .filter(|row| row.ends_with("null"))
            .count();
        assert_eq!((rows(&memory, "lead").len(), there), (10, 7));
    }
}
