//! Scripts: the SQL between two jobs.

use async_trait::async_trait;
use connector_core::{Error, Result, Statements, StepReport};
use futures::{TryStreamExt, pin_mut};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::ErrorPosition;

use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::{failed, not_committed};
use crate::ident::Ident;

#[async_trait]
impl Statements for Postgres {
    /// Runs the script in one transaction, in which unqualified names mean the connection's schema, then `public`.
    async fn execute(&self, script: &str) -> Result<StepReport> {
        let mut session = Guarded::new(self.bare_session().await?);
        let client = session.client()?;
        let begin = format!(
            "{}; SET LOCAL search_path = {}, public",
            session.begin()?,
            Ident(self.default_schema())
        );
        client
            .batch_execute(&begin)
            .await
            .map_err(|error| failed("begin the script", error))?;
        let messages = client
            .simple_query_raw(script)
            .await
            .map_err(|error| failed("run the script", error))?;
        pin_mut!(messages);
        let (mut rows, mut statement, mut selected) = (0, 1, false);
        while let Some(message) = messages
            .try_next()
            .await
            .map_err(|error| in_script(script, statement, error))?
        {
            match message {
                SimpleQueryMessage::RowDescription(_) => selected = true,
                SimpleQueryMessage::CommandComplete(touched) => {
                    // A query's rows were only looked at.
                    rows += if std::mem::take(&mut selected) { 0 } else { touched };
                    statement += 1;
                }
                _ => {}
            }
        }
        client
            .batch_execute("COMMIT")
            .await
            .map_err(|error| not_committed("commit the script", error))?;
        session.release();
        Ok(StepReport::new(rows))
    }
}

/// Adds the line of the script that the server's answer points at, or else the number of the statement.
fn in_script(script: &str, statement: u32, error: tokio_postgres::Error) -> Error {
    let position = error.as_db_error().and_then(|error| match error.position() {
        Some(ErrorPosition::Original(position)) => usize::try_from(*position).ok(),
        _ => None,
    });
    let error = failed("run the script", error);
    match position {
        Some(position) => {
            let line = 1 + script
                .chars()
                .take(position.saturating_sub(1))
                .filter(|&c| c == '\n')
                .count();
            error.with_context("line", line.to_string())
        }
        None => error.with_context("statement", statement.to_string()),
    }
}
