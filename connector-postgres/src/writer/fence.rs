//! The transaction's last statement, what became of a COMMIT that was not answered, and who was overtaken.

use connector_core::{Error, ErrorKind, Fence, Result, Retry, State};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::{failed, is_unanswered, not_committed};
use crate::lease;
use crate::state_store::{fenced_off, to_json};

/// Hits one row, or everything is undone.
pub(super) async fn advance(
    client: &Client,
    sync: &str,
    fence: &Fence,
    checkpoint: Option<&State>,
) -> Result<()> {
    let state = checkpoint.map(to_json).transpose()?;
    let sql = format!(
        "UPDATE {sync}.task SET commit_no = commit_no + 1, state = coalesce($4::text::jsonb, state), committed_at = now(),
            held_until = {}
         WHERE task = $1 AND epoch = $2 AND commit_no = $3",
        lease::RENEWED
    );
    let parameters: [&(dyn ToSql + Sync); 4] = [&fence.task.as_str(), &fence.epoch, &fence.commit_no, &state];
    let moved = client
        .execute(&sql, &parameters)
        .await
        .map_err(|error| failed("store the checkpoint", error))?;
    if moved == 1 {
        Ok(())
    } else {
        Err(fenced_off(fence))
    }
}

/// After a COMMIT that failed: fine if it took place all the same, which its task's row knows.
pub(super) async fn read_back(
    postgres: &Postgres,
    fence: Option<&Fence>,
    error: tokio_postgres::Error,
) -> Result<()> {
    let doing = "commit";
    let Some(fence) = fence.filter(|_| is_unanswered(&error)) else {
        return Err(not_committed(doing, error));
    };
    match was_committed(postgres, fence).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed(doing, error)),
        Err(unread) => Err(unread
            .with_context("after", "a commit without an answer")
            .with_may_have_applied()),
    }
}

/// Whether the commit after `fence` took place. The row is locked by who is still about to commit: it is waited for.
async fn was_committed(postgres: &Postgres, fence: &Fence) -> Result<bool> {
    let doing = "read the commit back";
    // It ends afterwards, and its transaction with it.
    let session = Guarded::new(postgres.bare_session().await?);
    let client = session.client()?;
    client
        .batch_execute(&format!("{}; SET LOCAL lock_timeout = '60s'", session.begin()?))
        .await
        .map_err(|error| failed(doing, error))?;
    let sql = format!(
        "SELECT epoch, commit_no FROM {}.task WHERE task = $1 FOR SHARE",
        postgres.sync()
    );
    let row = client
        .query_one(&sql, &[&fence.task.as_str()])
        .await
        .map_err(|error| failed(doing, error))?;
    let (epoch, commit_no): (i64, i64) = (row.get(0), row.get(1));
    if epoch != fence.epoch {
        let message = format!(
            "another run has taken over the task `{}` while a commit was without an answer",
            fence.task
        );
        return Err(Error::new(ErrorKind::Conflict, message)
            .with_help("let the other run go on: it has found what was committed"));
    }
    Ok(commit_no == fence.commit_no + 1)
}

/// What the server refused because another run has taken over, or another writer has committed, and has made, dropped or
/// changed what this one works on, is told as that.
pub(super) async fn explain(postgres: &Postgres, fence: &Fence, error: Error) -> Error {
    let says_so = error.kind() == ErrorKind::Conflict && error.retry() == Retry::Never;
    if says_so || error.kind() == ErrorKind::Unavailable {
        return error;
    }
    let held = async {
        let session = postgres.session().await?;
        let sql = format!(
            "SELECT epoch = $2 AND commit_no = $3 FROM {}.task WHERE task = $1",
            postgres.sync()
        );
        let row = session
            .query_one(&sql, &[&fence.task.as_str(), &fence.epoch, &fence.commit_no])
            .await
            .map_err(|error| failed("check the fence", error))?;
        Ok::<bool, Error>(row.get(0))
    };
    match held.await {
        Ok(false) => fenced_off(fence).with_source(error),
        Ok(true) | Err(_) => error,
    }
}
