//! How a task is held: by the lock of a session, or, where there are no sessions of one's own, by a time limit.
//!
//! Both are courtesy: they keep a second run from starting, and tell it who is in the way. What protects is the fence.

use std::time::Duration;

use connector_core::{Result, TaskId};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::Literal;

/// How long a holder without a session of its own is waited for, once it is heard of no more.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// How often it says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The new time limit of a task, [`LIMIT`] from now, as SQL, if it is held by one.
pub(crate) const RENEWED: &str =
    "CASE WHEN held_until IS NOT NULL THEN clock_timestamp() + interval '60s' END";

/// Holds a task by a time limit, until this is dropped.
pub(crate) struct Limit {
    postgres: Postgres,
    task: TaskId,
    epoch: i64,
    heartbeat: JoinHandle<()>,
}

impl Limit {
    /// Renews the time limit from now on.
    pub(crate) fn keep(postgres: Postgres, task: TaskId, epoch: i64) -> Self {
        let renew = format!("held_until = {RENEWED}");
        let (connection, name) = (postgres.clone(), task.clone());
        let heartbeat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                if let Err(error) = set(&connection, &name, epoch, &renew).await {
                    tracing::debug!(%error, "the hold of a task was not renewed");
                }
            }
        });
        Self {
            postgres,
            task,
            epoch,
            heartbeat,
        }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.heartbeat.abort();
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (postgres, task, epoch) = (self.postgres.clone(), self.task.clone(), self.epoch);
        runtime.spawn(async move {
            if let Err(error) = set(&postgres, &task, epoch, "held_until = NULL").await {
                tracing::debug!(%error, "the hold of a task was not ended");
            }
        });
    }
}

async fn set(postgres: &Postgres, task: &TaskId, epoch: i64, set: &str) -> Result<()> {
    let doing = "hold the task";
    let mut session = Guarded::new(postgres.bare_session().await?);
    let transaction = session
        .session()?
        .transaction()
        .await
        .map_err(|error| failed(doing, error))?;
    let sql = format!(
        "UPDATE {}.task SET {set} WHERE task = $1 AND epoch = $2",
        postgres.sync()
    );
    transaction
        .execute(&sql, &[&task.as_str(), &epoch])
        .await
        .map_err(|error| failed(doing, error))?;
    transaction.commit().await.map_err(|error| failed(doing, error))?;
    session.release();
    Ok(())
}

/// The key of a task's advisory lock, as SQL.
pub(crate) fn lock_key(postgres: &Postgres, task: &TaskId) -> String {
    let name = format!("{} {task}", postgres.state_schema());
    format!(
        "hashtextextended('connector-postgres task ' || {}, 0)",
        Literal(&name)
    )
}
