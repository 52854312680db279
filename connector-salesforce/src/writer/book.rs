//! The journal, where there is one.

use connector_core::{Counts, Fate, Intent, Journaled, Key, Outcome, Rejection, Rest, Result, Ticket};

use super::row::Row;
use super::row_error::RowError;

/// Keys or fates of one call.
const CHUNK: usize = 10_000;

/// The journal under its fence; writes nothing where there is none.
#[derive(Debug)]
pub(crate) struct Book(pub(crate) Option<Journaled>);

impl Book {
    /// Stores that `rows` are about to be sent.
    pub(crate) async fn intend(&self, rows: &[Row], ticket: Option<&Ticket>) -> Result<()> {
        let Some(Journaled {
            journal,
            fence,
            target,
            ..
        }) = &self.0
        else {
            return Ok(());
        };
        for chunk in rows.chunks(CHUNK) {
            let keys: Vec<Key> = chunk.iter().map(|row| row.key.clone()).collect();
            journal
                .intend(fence, target, &Intent { keys: &keys, ticket })
                .await?;
        }
        Ok(())
    }

    /// Stores what became of records.
    pub(crate) async fn settle(&self, fates: &[Fate]) -> Result<()> {
        let Some(Journaled {
            journal,
            fence,
            target,
            ..
        }) = &self.0
        else {
            return Ok(());
        };
        for chunk in fates.chunks(CHUNK) {
            journal.settle(fence, target, chunk).await?;
        }
        Ok(())
    }

    /// Stores the fate of a ticket's other records.
    pub(crate) async fn close(&self, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        match &self.0 {
            Some(Journaled {
                journal,
                fence,
                target,
                ..
            }) => journal.close(fence, target, ticket, rest).await,
            None => Ok(Counts::default()),
        }
    }

    /// What an earlier run left open.
    pub(crate) fn open(&self) -> Vec<Ticket> {
        self.0
            .as_ref()
            .map(|journaled| journaled.open.clone())
            .unwrap_or_default()
    }
}

/// The fate of a record that Salesforce refused.
pub(crate) fn refused(key: Key, error: RowError) -> Fate {
    let RowError {
        code,
        message,
        fields,
    } = error;
    Fate {
        key,
        outcome: Outcome::Rejected {
            code,
            message,
            fields,
        },
    }
}

/// The fate of a record that was refused before it was sent.
pub(crate) fn refused_here(key: Key, rejection: &Rejection) -> Fate {
    let Rejection {
        code,
        message,
        fields,
        ..
    } = rejection.clone();
    Fate {
        key,
        outcome: Outcome::Rejected {
            code,
            message,
            fields,
        },
    }
}
