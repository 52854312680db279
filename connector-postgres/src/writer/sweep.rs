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

    /// Deletes what the sweep did not name, and drops the names; or says why that would not be right.
    pub(super) async fn prune(&mut self, transaction: &Transaction) -> Result<Option<Error>> {
        let Some(sweep) = &self.sweep else {
            return Ok(None);
        };
        let (target, names) = (&sweep.target, &self.layout.table);
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
        let found = Found {
            named: row.get(0),
            rows: row.get(1),
            doomed: row.get(2),
        };
        let refused = found.refusal(sweep.is_incomplete, self.request.max_delete);
        if refused.is_none() {
            let pruned = client
                .execute(&prune::prune(target, names, sweep.since), &[])
                .await
                .map_err(|error| failed("prune rows", error))?;
            self.report.counts.pruned += pruned;
        }
        transaction
            .run("drop the names of a sweep", &format!("DROP TABLE {names}"))
            .await?;
        Ok(refused.map(|error| error.with_context("table", target.table.to_string())))
    }
}

/// What a sweep comes to.
struct Found {
    named: i64,
    rows: i64,
    doomed: i64,
}

impl Found {
    /// Why nothing may be pruned, if that is so.
    fn refusal(&self, is_incomplete: bool, max_delete: f64) -> Option<Error> {
        let Self { named, rows, doomed } = self;
        let (kind, message, help) = if is_incomplete {
            (
                ErrorKind::Data,
                "a record of the sweep was rejected, and what it would have named is not known".to_owned(),
                "see among the rejections why it was, correct it at its source, and run the sweep again",
            )
        } else if *named == 0 {
            (
                ErrorKind::Data,
                "the sweep named nothing, and all rows would have gone".to_owned(),
                "check what the source lists; to empty the table, say write = \"overwrite\"",
            )
        } else if *doomed as f64 / *rows as f64 > max_delete {
            (
                ErrorKind::Conflict,
                format!(
                    "{doomed} of {rows} rows would have gone, more than `max_delete` = {max_delete} allows"
                ),
                "check that the sweep was of everything; if so many are gone indeed, raise `max_delete`",
            )
        } else {
            return None;
        };
        Some(Error::new(kind, format!("nothing was pruned: {message}")).with_help(help))
    }
}
