//! A sweep of what still exists: its names are collected commit by commit, and at the end the rest goes.

use connector_core::{Error, ErrorKind, Result, WriteRequest};
use tokio_postgres::Client;

use super::TableWriter;
use super::transaction::Transaction;
use crate::error::failed;
use crate::ident::Table;
use crate::prune;
use crate::shadow::Shadow;
use crate::table::Layout;

/// What is said of a sweep that lacks names.
const INCOMPLETE: &str = ", and not all of it: a record was rejected";

/// What a prune knows beyond the names.
pub(super) struct Sweep {
    /// The table that is pruned.
    target: Layout,
    remark: String,
    /// The transaction before which the sweep began: what later ones made is not its business.
    since: i64,
    /// A record was rejected, in this run or in the one that it goes on from: nobody knows what it would have named.
    is_incomplete: bool,
}

impl Sweep {
    /// Begins, or goes on from what is there.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: the records go on from a checkpoint, and the names up to there are gone.
    pub(super) async fn begin(
        client: &Client,
        request: &WriteRequest,
        shadow: &Shadow,
        target: Layout,
    ) -> Result<Self> {
        if !request.resumes {
            let row = client
                .query_one(prune::BEGIN, &[])
                .await
                .map_err(|error| failed("begin a sweep", error))?;
            return Ok(Self {
                target,
                remark: shadow.remark.clone(),
                since: row.get(0),
                is_incomplete: false,
            });
        }
        let note = shadow.found_note();
        let (since, is_incomplete) = match note.map(|note| note.strip_suffix(INCOMPLETE)) {
            Some(Some(note)) => (since_of(note), true),
            _ => (note.and_then(since_of), false),
        };
        let Some(since) = since else {
            let message = format!(
                "what an earlier run has named of {} is gone, and the records would go on after it",
                target.table
            );
            return Err(Error::new(ErrorKind::State, message)
                .with_help("reset the state of this task, so that the sweep begins anew"));
        };
        Ok(Self {
            target,
            remark: shadow.remark.clone(),
            since,
            is_incomplete,
        })
    }

    fn note(&self) -> String {
        let rest = if self.is_incomplete { INCOMPLETE } else { "" };
        format!("{}{SINCE}{}{rest}", self.remark, self.since)
    }

    /// Makes the table of names.
    pub(super) fn create_sql(&self, names: &Table) -> String {
        prune::create(&self.target, names, &self.note())
    }
}

/// What stands between a sweep's remark and the transaction that it began at.
const SINCE: &str = ", since the transaction ";

fn since_of(note: &str) -> Option<i64> {
    note.strip_prefix(SINCE)?.parse().ok()
}

impl TableWriter {
    /// Remembers that a record was rejected, for whoever goes on with the sweep.
    pub(super) async fn mark_incomplete(&mut self, transaction: &Transaction) -> Result<()> {
        let rejected = self.report.counts.rejected > 0;
        let Some(sweep) = self
            .sweep
            .as_mut()
            .filter(|sweep| rejected && !sweep.is_incomplete)
        else {
            return Ok(());
        };
        sweep.is_incomplete = true;
        let sql = prune::remember(&self.layout.table, &sweep.note());
        transaction.run("note that a record was rejected", &sql).await
    }

    /// Deletes what the sweep did not name, and drops the names.
    pub(super) async fn prune(&mut self, transaction: &Transaction) -> Result<()> {
        let Some(sweep) = &self.sweep else {
            return Ok(());
        };
        let (target, names) = (&sweep.target, &self.layout.table);
        let refused = |kind: ErrorKind, message: String, help: &'static str| {
            Err(Error::new(kind, message)
                .with_context("table", target.table.to_string())
                .with_help(help))
        };
        if sweep.is_incomplete {
            return refused(
                ErrorKind::Data,
                "nothing was pruned: a record of the sweep was rejected, and what it would have named is not known"
                    .to_owned(),
                "see why it was rejected, correct it at its source, and run the sweep again",
            );
        }
        if let Some(sql) = target.evolve_sql() {
            transaction.run("add and widen columns", &sql).await?;
        }
        // The planner knows nothing of a table that was just filled.
        transaction
            .run("look at the names", &format!("ANALYZE {names}"))
            .await?;
        let client = transaction.session.client()?;
        let row = client
            .query_one(&prune::count(target, names, sweep.since), &[])
            .await
            .map_err(|error| failed("count rows that were not named", error))?;
        let (named, rows, doomed): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        if named == 0 {
            return refused(
                ErrorKind::Data,
                "nothing was pruned: the sweep named nothing, and all rows would have gone".to_owned(),
                "check what the source lists; to empty the table, say write = \"overwrite\"",
            );
        }
        if doomed as f64 > self.request.max_delete * rows as f64 {
            let message = format!(
                "nothing was pruned: {doomed} of {rows} rows would have gone, more than `max_delete` = {} allows",
                self.request.max_delete
            );
            return refused(
                ErrorKind::Conflict,
                message,
                "check that the sweep was of everything; if so many are gone indeed, raise `max_delete`",
            );
        }
        let pruned = client
            .execute(&prune::prune(target, names, sweep.since), &[])
            .await
            .map_err(|error| failed("prune rows", error))?;
        transaction
            .run("drop the names of a sweep", &format!("DROP TABLE {names}"))
            .await?;
        self.report.counts.pruned += pruned;
        Ok(())
    }
}
