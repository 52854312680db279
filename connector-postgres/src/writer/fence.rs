//! The transaction's last statement, and what became of a COMMIT that was not answered.

use connector_core::{Fence, Result, State};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::connector::Postgres;
use crate::error::failed;
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

/// After a COMMIT whose answer was lost: whether it took place.
pub(super) async fn was_committed(postgres: &Postgres, fence: &Fence) -> Result<bool> {
    let session = postgres.session().await?;
    let sql = format!(
        "SELECT epoch, commit_no FROM {}.task WHERE task = $1",
        postgres.sync()
    );
    let row = session
        .query_one(&sql, &[&fence.task.as_str()])
        .await
        .map_err(|error| failed("read the commit back", error))?;
    Ok((row.get::<_, i64>(0), row.get::<_, i64>(1)) == (fence.epoch, fence.commit_no + 1))
}
