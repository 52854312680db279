//! Tasks claimed and states saved, in the database the data is in.

use std::fmt;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use connector_core::{Claim, Error, ErrorKind, Fence, Holder, Result, State, StateStore, TaskId, Ticket};
use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::error::SqlState;

use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::failed;
use crate::lease::{self, Limit};
use crate::{retention, state_schema};

const DOING: &str = "claim the task";
/// How long a holder is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is looked at, where nothing says that it has gone.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The states kept by one connection.
#[derive(Clone)]
pub(crate) struct PostgresStateStore(pub(crate) Postgres);

impl fmt::Debug for PostgresStateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStateStore").field(&self.0).finish()
    }
}

#[async_trait]
impl StateStore for PostgresStateStore {
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim> {
        state_schema::ensure(&self.0).await?;
        // A holder that has just ended may still be on its way out: wait a moment for it to go.
        let begun = Instant::now();
        let claim = loop {
            let attempt = if self.0.pools_by_transaction() {
                self.claim_for_a_time(task, holder).await?
            } else {
                self.claim_by_session(task, holder).await?
            };
            match attempt {
                Some(claim) => break claim,
                None if begun.elapsed() >= PATIENCE => return Err(self.held_by_another(task).await?),
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
        };
        // Old rejections are no reason not to run.
        if let Err(error) = retention::prune(&self.0, task).await {
            tracing::warn!(%error, "old rejections were not deleted");
        }
        Ok(claim)
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        let doing = "save the state";
        let mut session = self.0.bare_session().await?;
        let json = to_json(state)?;
        let sql = format!(
            "UPDATE {}.task SET state = $3::text::jsonb, committed_at = now(), held_until = {}
             WHERE task = $1 AND epoch = $2",
            self.0.sync(),
            lease::RENEWED
        );
        let transaction = session
            .transaction()
            .await
            .map_err(|error| failed(doing, error))?;
        let rows = transaction
            .execute(&sql, &[&fence.task.as_str(), &fence.epoch, &json])
            .await
            .map_err(|error| failed(doing, error))?;
        transaction.commit().await.map_err(|error| failed(doing, error))?;
        if rows == 1 { Ok(()) } else { Err(fenced_off(fence)) }
    }
}

impl PostgresStateStore {
    /// Takes the task over, held by the session's advisory lock; `None` where somebody else holds it.
    async fn claim_by_session(&self, task: &TaskId, holder: &Holder) -> Result<Option<Claim>> {
        let mut session = Guarded::new(self.0.bare_session().await?);
        let lock = format!(
            "SET lock_timeout = '{}ms'; SELECT pg_advisory_lock({}); RESET lock_timeout",
            PATIENCE.as_millis(),
            lease::lock_key(&self.0, task)
        );
        if let Err(error) = session.client()?.batch_execute(&lock).await {
            return match error.code() {
                Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(None),
                _ => Err(failed(DOING, error)),
            };
        }
        let transaction = session
            .session()?
            .transaction()
            .await
            .map_err(|error| failed(DOING, error))?;
        let claim = take_over(&transaction, &self.0.sync(), task, holder, None).await?;
        transaction.commit().await.map_err(|error| failed(DOING, error))?;
        // It ends, and the lock with it, when the claim is dropped or the process dies.
        Ok(claim.map(|claim| claim.with_lease(session)))
    }

    /// The same, held by a time limit that is renewed.
    async fn claim_for_a_time(&self, task: &TaskId, holder: &Holder) -> Result<Option<Claim>> {
        let mut session = Guarded::new(self.0.bare_session().await?);
        let transaction = session
            .session()?
            .transaction()
            .await
            .map_err(|error| failed(DOING, error))?;
        let free = format!(
            "SELECT pg_try_advisory_xact_lock({})",
            lease::lock_key(&self.0, task)
        );
        let is_free: bool = transaction
            .query_one(&free, &[])
            .await
            .map(|row| row.get(0))
            .map_err(|error| failed(DOING, error))?;
        let claim = if is_free {
            take_over(&transaction, &self.0.sync(), task, holder, Some(lease::LIMIT)).await?
        } else {
            None
        };
        transaction.commit().await.map_err(|error| failed(DOING, error))?;
        session.release();
        Ok(claim.map(|claim| {
            let limit = Limit::keep(self.0.clone(), task.clone(), claim.fence.epoch);
            claim.with_lease(limit)
        }))
    }

    async fn held_by_another(&self, task: &TaskId) -> Result<Error> {
        let session = self.0.session().await?;
        let sql = format!(
            "SELECT holder, claimed_at::text FROM {}.task WHERE task = $1",
            self.0.sync()
        );
        let row = session
            .query_opt(&sql, &[&task.as_str()])
            .await
            .map_err(|error| failed("see who holds the task", error))?;
        let (holder, since) = row.map_or(("somebody".to_owned(), "now".to_owned()), |row| {
            (row.get(0), row.get(1))
        });
        Ok(Error::new(
            ErrorKind::Conflict,
            format!("the task `{task}` is held by {holder} since {since}"),
        )
        .with_help(
            "wait until that run has ended; if its process is gone, so is its hold, after a minute at most",
        ))
    }
}

/// Counts the task's epoch up, unless a time limit says that somebody holds it; `limit` is the new holder's.
async fn take_over(
    transaction: &Transaction<'_>,
    sync: &str,
    task: &TaskId,
    holder: &Holder,
    limit: Option<Duration>,
) -> Result<Option<Claim>> {
    let sql = format!(
        "INSERT INTO {sync}.task AS t (task, epoch, commit_no, holder, held_until)
         VALUES ($1, 1, 0, $2, clock_timestamp() + make_interval(secs => $3))
         ON CONFLICT (task) DO UPDATE
            SET epoch = t.epoch + 1, holder = $2, claimed_at = now(), held_until = excluded.held_until
            WHERE t.held_until IS NULL OR t.held_until < clock_timestamp()
         RETURNING epoch, commit_no, state::text"
    );
    let seconds = limit.map(|limit| limit.as_secs_f64());
    let row = transaction
        .query_opt(&sql, &[&task.as_str(), &holder.as_str(), &seconds])
        .await
        .map_err(|error| failed(DOING, error))?;
    let Some(row) = row else { return Ok(None) };
    let state: Option<String> = row.get(2);
    let state = state
        .map(|json| serde_json::from_str::<State>(&json))
        .transpose()
        .map_err(|error| {
            Error::new(ErrorKind::State, "the stored state cannot be read")
                .with_source(error)
                .with_context("task", task.as_str())
        })?;
    let fence = Fence {
        task: task.clone(),
        epoch: row.get(0),
        commit_no: row.get(1),
    };
    let sql = format!("SELECT ticket FROM {sync}.ticket WHERE task = $1 ORDER BY opened_at");
    let open = transaction
        .query(&sql, &[&task.as_str()])
        .await
        .map_err(|error| failed(DOING, error))?;
    let open = open
        .iter()
        .map(|row| Ticket::new(row.get::<_, String>(0)))
        .collect();
    Ok(Some(Claim::new(fence, state, open)))
}

/// A state as JSON text.
pub(crate) fn to_json(state: &State) -> Result<String> {
    serde_json::to_string(state)
        .map_err(|error| Error::new(ErrorKind::Bug, "a state does not become JSON").with_source(error))
}

/// The error of a holder that was overtaken.
pub(crate) fn fenced_off(fence: &Fence) -> Error {
    let message = format!(
        "another run has taken over the task `{}`; nothing of this commit was kept",
        fence.task
    );
    Error::new(ErrorKind::Conflict, message)
        .with_help("let the other run go on; this one has nothing left to do")
}

/// Makes sure, until the end of the transaction, that nobody has taken the task over.
pub(crate) async fn hold_fence(transaction: &impl GenericClient, sync: &str, fence: &Fence) -> Result<()> {
    let sql = format!("SELECT 1 FROM {sync}.task WHERE task = $1 AND epoch = $2 FOR SHARE");
    let held = transaction
        .query_opt(&sql, &[&fence.task.as_str(), &fence.epoch])
        .await
        .map_err(|error| failed("check the fence", error))?;
    if held.is_some() {
        Ok(())
    } else {
        Err(fenced_off(fence))
    }
}
