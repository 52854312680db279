//! The journal, where there is one.

use connector_core::{
    Counts, Fate, Intent, Journaled, Key, Outcome, Rejection, Rest, Result, Standing, TaskId, Ticket,
};

use super::operation::Operation;
use super::row::Row;
use super::row_error::RowError;

/// Keys or fates of one call.
const CHUNK: usize = 10_000;

/// The journal under its fence; writes nothing where there is none.
#[derive(Debug)]
pub(crate) struct Book(Option<Journaled>);

impl Book {
    /// The journal of a write.
    pub(crate) fn new(journaled: Option<Journaled>, operation: Operation, task: &TaskId) -> Self {
        Self(journaled.map(|mut journaled| {
            // New records are known by keys of their source: those of another source must not be taken for them.
            if operation == Operation::Insert {
                let object = &mut journaled.target.object;
                *object = format!("{object}, created by {}", task.as_str());
            }
            journaled
        }))
    }

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
            let keys: Vec<Key> = chunk.iter().map(|row| row.key.clone()).filter(is_known).collect();
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
            let known: Vec<Fate> = chunk.iter().filter(|fate| is_known(&fate.key)).cloned().collect();
            if !known.is_empty() {
                journal.settle(fence, target, &known).await?;
            }
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

    /// What is known of each of `rows`.
    pub(crate) async fn standings(&self, rows: &[Row]) -> Result<Vec<Option<Standing>>> {
        let Some(Journaled { journal, target, .. }) = &self.0 else {
            return Ok(vec![None; rows.len()]);
        };
        let mut standings = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK) {
            let keys: Vec<Key> = chunk.iter().map(|row| row.key.clone()).collect();
            standings.extend(journal.standings(target, &keys).await?);
        }
        Ok(standings)
    }

    /// What an earlier run left open.
    pub(crate) fn open(&self) -> Vec<Ticket> {
        self.0
            .as_ref()
            .map(|journaled| journaled.open.clone())
            .unwrap_or_default()
    }
}

/// A new record without any key cannot be told from another.
fn is_known(key: &Key) -> bool {
    !key.as_str().is_empty()
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
