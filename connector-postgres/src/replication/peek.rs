//! The log from where it was acknowledged, looked at in windows.

use std::pin::Pin;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use futures::TryStreamExt;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, RowStream};

use super::READ_ANEW;
use super::lsn::Lsn;
use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::failed;

/// Messages of the first window, and of every one after what came before it was acknowledged.
pub(super) const FIRST_WINDOW: i32 = 50_000;

/// A slot that another session of ours has been reading may take a moment to become free.
const PATIENCE: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// One look at a slot: the server decodes a window of its log into a file of its own, whole transactions always, and
/// sends it as fast as it is taken. Nothing is consumed.
pub(super) struct Peek {
    session: Guarded,
    rows: Option<Pin<Box<RowStream>>>,
    slot: String,
    end: Lsn,
    window: i32,
    taken: usize,
    attempts: usize,
}

impl Peek {
    /// Looks at `slot` up to `end`.
    pub(super) async fn begin(postgres: &Postgres, slot: &str, end: Lsn, window: i32) -> Result<Self> {
        Ok(Self {
            session: postgres.streaming_session().await?,
            rows: None,
            slot: slot.to_owned(),
            end,
            window,
            taken: 0,
            attempts: 0,
        })
    }

    /// The next message. A call that is dropped can be made again.
    pub(super) async fn next(&mut self) -> Result<Option<Row>> {
        loop {
            match self.try_next().await {
                Ok(row) => {
                    self.taken += usize::from(row.is_some());
                    return Ok(row);
                }
                Err(error) => {
                    let busy = error.code() == Some(&SqlState::OBJECT_IN_USE);
                    if !busy || self.taken > 0 || self.attempts == PATIENCE {
                        return Err(self.refused(error));
                    }
                    self.rows = None;
                    self.attempts += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Option<Row>, tokio_postgres::Error> {
        if let Some(rows) = &mut self.rows {
            return rows.try_next().await;
        }
        // The session is always there: it is handed back with this value.
        let Ok(client) = self.session.client() else {
            return Ok(None);
        };
        let sql = "SELECT data FROM pg_logical_slot_peek_binary_changes($1::text::name, $2::text::pg_lsn, $3,
                       'proto_version', '1', 'publication_names', $1::text, 'binary', 'true')";
        let end = self.end.to_string();
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.slot, &end, &self.window];
        let rows = client.query_raw(sql, parameters).await?;
        self.rows.insert(Box::pin(rows)).try_next().await
    }

    /// Hands the session back; true if the window was full, so that there may be more behind it.
    pub(super) fn end(mut self) -> bool {
        self.session.release();
        usize::try_from(self.window).is_ok_and(|window| self.taken >= window)
    }

    fn refused(&self, error: tokio_postgres::Error) -> Error {
        let code = error.code().cloned();
        let error = failed("read the log", error);
        match code {
            // What the log is given out by was not there as of then.
            Some(SqlState::UNDEFINED_OBJECT) => {
                Error::new(ErrorKind::State, error.message().to_owned()).with_help(READ_ANEW)
            }
            Some(SqlState::OBJECT_IN_USE) => {
                error.with_help("another run of the task reads it: let that end first")
            }
            _ => error,
        }
    }
}
