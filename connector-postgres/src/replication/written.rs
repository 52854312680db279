//! Where the server's log ends.

use std::time::Duration;

use connector_core::Result;
use tokio_postgres::Client;

use super::lsn::Lsn;
use crate::error::failed;

/// How long to wait for what was committed without waiting for the disk: three rounds of the server's writer, as it is
/// set unless told, and somewhat more.
const ROUNDS: usize = 50;
const ROUND: Duration = Duration::from_millis(20);

/// The end of the log, behind everything that is visible now.
///
/// A transaction that was committed asynchronously is visible before it can be read from the log.
pub(super) async fn written(client: &Client) -> Result<Lsn> {
    let sql = "SELECT pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text";
    let mut visible = None;
    let mut round = 0;
    loop {
        let row = client
            .query_one(sql, &[])
            .await
            .map_err(|error| failed("say where the server is", error))?;
        let place = |position| row.get::<_, &str>(position).parse::<Lsn>().unwrap_or_default();
        let visible = *visible.get_or_insert(place(0));
        let written = place(1);
        if written >= visible || round == ROUNDS {
            return Ok(written);
        }
        round += 1;
        tokio::time::sleep(ROUND).await;
    }
}
