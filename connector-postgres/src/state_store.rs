//! Tasks claimed and states saved, in the database the data is in.

use std::fmt;

use async_trait::async_trait;
use connector_core::{Claim, Error, ErrorKind, Fence, Holder, Result, State, StateStore, TaskId, Ticket};
use deadpool_postgres::GenericClient;
use tokio_postgres::Client;

use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::failed;
use crate::{retention, state_schema};

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
        let doing = "claim the task";
        state_schema::ensure(&self.0).await?;
        // The session holds the task's advisory lock; it ends, and the lock with it, when the claim is dropped or the
        // process dies.
        let lease = Guarded::new(self.0.session().await?);
        let session = lease.client()?;
        let sync = self.0.sync();
        // A holder that has just ended may still be on its way out: wait a moment for its session to go.
        let lock =
            "SET lock_timeout = '3s'; SELECT pg_advisory_lock(hashtextextended($task$)); RESET lock_timeout";
        let name = crate::ident::Literal(&format!("{} {task}", self.0.state_schema())).to_string();
        let lock = lock.replace("$task$", &format!("'connector-postgres task ' || {name}, 0"));
        if let Err(error) = session.batch_execute(&lock).await {
            let held = error.code() == Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE);
            if !held {
                return Err(failed(doing, error));
            }
            return Err(self.held_by_another(session, task).await?);
        }
        let sql = format!(
            "INSERT INTO {sync}.task AS t (task, epoch, commit_no, holder) VALUES ($1, 1, 0, $2)
             ON CONFLICT (task) DO UPDATE SET epoch = t.epoch + 1, holder = $2, claimed_at = now()
             RETURNING epoch, commit_no, state::text"
        );
        let row = session
            .query_one(&sql, &[&task.as_str(), &holder.as_str()])
            .await
            .map_err(|error| failed(doing, error))?;
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
        let open = session
            .query(&sql, &[&task.as_str()])
            .await
            .map_err(|error| failed(doing, error))?;
        let open = open
            .iter()
            .map(|row| Ticket::new(row.get::<_, String>(0)))
            .collect();
        // Old rejections are no reason not to run.
        if let Err(error) = retention::prune(session, &sync, task, self.0.retention()).await {
            tracing::warn!(%error, "old rejections were not deleted");
        }
        Ok(Claim::new(fence, state, open).with_lease(lease))
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        let session = self.0.session().await?;
        let json = to_json(state)?;
        let sql = format!(
            "UPDATE {}.task SET state = $3::text::jsonb, committed_at = now() WHERE task = $1 AND epoch = $2",
            self.0.sync()
        );
        let rows = session
            .execute(&sql, &[&fence.task.as_str(), &fence.epoch, &json])
            .await
            .map_err(|error| failed("save the state", error))?;
        if rows == 1 { Ok(()) } else { Err(fenced_off(fence)) }
    }
}

impl PostgresStateStore {
    async fn held_by_another(&self, session: &Client, task: &TaskId) -> Result<Error> {
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
        .with_help("wait until that run has ended; if its process is gone, so is its hold"))
    }
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
