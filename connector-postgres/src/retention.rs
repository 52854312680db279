//! What is kept for a while only, so that the schema of states does not grow without an end.
//!
//! - *Rejections* go once they are older than [`Config::retention`](crate::Config::retention), those of a task's newest
//!   run never.
//! - *Intents* that say nothing more than that there is none (refused or drifted, of a row that is gone) go when the
//!   next difference of their target is stored, whatever their age.
//! - *Fingerprints* stay however old they are: they are what the other side holds, and without one a record would be
//!   sent again. So do states, open tickets and the row of every task: a task that came back with an epoch of before
//!   would let a holder commit that was overtaken long ago.

use connector_core::{Result, TaskId};
use deadpool_postgres::Transaction;

use crate::connector::Postgres;
use crate::error::failed;

/// Rows that one statement deletes.
const CHUNK: i64 = 5_000;
/// Statements of one claim; what is left is deleted by the next ones.
const CHUNKS: usize = 40;
/// Intents that go with one difference.
const INTENTS: i64 = 100_000;
/// Longer than that is for ever, and would leave the calendar.
const MOST_SECONDS: f64 = 3e9;

/// Deletes rejections of any task that are too old, oldest runs first; of `claimed`, the run before this one is the
/// newest. Rows that somebody else is deleting are left to him. Returns how many.
pub(crate) async fn prune(postgres: &Postgres, claimed: &TaskId) -> Result<u64> {
    let doing = "delete old rejections";
    let (sync, keep) = (postgres.sync(), postgres.retention());
    if keep.is_zero() {
        return Ok(0);
    }
    // Of each task only the oldest run is looked at: what is not old enough is not walked through again and again.
    let sql = format!(
        "DELETE FROM {sync}.rejection WHERE ctid = ANY (ARRAY(
            SELECT old.ctid FROM {sync}.task t
            CROSS JOIN LATERAL (SELECT r.epoch FROM {sync}.rejection r WHERE r.task = t.task ORDER BY r.epoch LIMIT 1) oldest
            CROSS JOIN LATERAL (
                SELECT r.ctid FROM {sync}.rejection r
                WHERE r.task = t.task AND r.epoch = oldest.epoch AND r.rejected_at < now() - make_interval(secs => $1)
                LIMIT $3 FOR UPDATE SKIP LOCKED) old
            WHERE oldest.epoch < t.epoch - (t.task = $2)::int
            LIMIT $3))"
    );
    let seconds = keep.as_secs_f64().min(MOST_SECONDS);
    let mut session = postgres.bare_session().await?;
    let mut pruned = 0;
    for _ in 0..CHUNKS {
        let transaction = session
            .transaction()
            .await
            .map_err(|error| failed(doing, error))?;
        let rows = transaction
            .execute(&sql, &[&seconds, &claimed.as_str(), &CHUNK])
            .await
            .map_err(|error| failed(doing, error))?;
        transaction.commit().await.map_err(|error| failed(doing, error))?;
        if rows == 0 {
            break;
        }
        pruned += rows;
    }
    Ok(pruned)
}

/// Deletes intents of which the difference that was just stored has found no row any more, and that hold nothing.
pub(crate) async fn forget_spent(transaction: &Transaction<'_>, sync: &str, target: i32) -> Result<()> {
    let sql = format!(
        "DELETE FROM {sync}.intent WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {sync}.intent WHERE target = $1 AND state = 'unconfirmed' AND confirmed IS NULL
            LIMIT $2 FOR UPDATE SKIP LOCKED))"
    );
    transaction
        .execute(&sql, &[&target, &INTENTS])
        .await
        .map(drop)
        .map_err(|error| failed("forget intents of rows that are gone", error))
}
