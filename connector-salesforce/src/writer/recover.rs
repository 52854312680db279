//! Looking up what an earlier run left open, before anything is sent.

use std::collections::HashMap;

use connector_core::{Error, ErrorKind, Fate, Key, Outcome, Rest, Result, Retry, Ticket};

use super::book::{Book, refused};
use super::jobs::rest_of;
use super::resolve::keys_of;
use super::{Operation, Target};
use crate::bulk::ingest;
use crate::bulk::job::{Job, JobState};
use crate::bulk::results::{self, ResultRow, Set};
use crate::id::Id;

/// Settles every open ticket; returns how many records of the earlier run found their fate.
pub(super) async fn recover(target: &Target, book: &Book) -> Result<u64> {
    let mut recovered = 0;
    for ticket in book.open() {
        recovered += settle(target, book, &ticket).await.map_err(|error| {
            error
                .with_context("object", &target.object)
                .with_context("job", ticket.as_str())
        })?;
    }
    Ok(recovered)
}

async fn settle(target: &Target, book: &Book, ticket: &Ticket) -> Result<u64> {
    // A job that never got all of its data is stopped; one that did is waited for.
    let ended = match ingest::abort_or_wait(&target.org, ticket.as_str()).await {
        Ok(Some(ended)) => ended,
        Ok(None) => return Ok(book.close(ticket, Rest::Released).await?.written()),
        // It goes seven days after its end. What it did is not known any more.
        Err(error) if error.kind() == ErrorKind::NotFound => return forget(target, book, ticket).await,
        Err(error) => return Err(error),
    };
    let found = read(target, &ended).await?;
    let ids: Vec<Id> = found.iter().filter_map(Found::id).collect();
    let keys = match &target.columns.key {
        Some(column) if !ids.is_empty() => keys_of(target, column, &ids).await?,
        _ => HashMap::new(),
    };
    let records = found.len();
    let mut fates: Vec<Fate> = found
        .into_iter()
        .filter_map(|found| found.into_fate(&keys))
        .collect();
    let known = book
        .standings_of(&fates.iter().map(|fate| fate.key.clone()).collect::<Vec<_>>())
        .await?;
    let mut known = known.into_iter();
    fates.retain(|_| known.next().flatten().is_some());
    // Where one of them cannot be told from the others, as the org spells its key in another way, the rest is of
    // several fates.
    let rest = if fates.len() == records {
        rest_of(&ended)
    } else {
        unknown(target)
    };
    book.settle(&fates).await?;
    let settled = fates
        .iter()
        .filter(|fate| fate.outcome != Outcome::Released)
        .count() as u64;
    Ok(settled + book.close(ticket, rest).await?.written())
}

/// The fate of records of which nobody knows whether they were applied. Values can be sent again; a new record must not
/// be created again: it stays as sent, and is looked up by its key first.
fn unknown(target: &Target) -> Rest {
    match target.columns.operation {
        Operation::Insert => Rest::Unknown,
        _ => Rest::Released,
    }
}

/// Gives up a job that Salesforce no longer knows.
async fn forget(target: &Target, book: &Book, ticket: &Ticket) -> Result<u64> {
    tracing::warn!(
        job = ticket.as_str(),
        "the job of an earlier run is gone, and nobody knows what it did"
    );
    Ok(book.close(ticket, unknown(target)).await?.written())
}

/// A record of a job that does not share the fate of the rest.
struct Found {
    /// What it was sent with.
    sent: String,
    /// That is its id, and the journal knows it by another key.
    by_id: bool,
    outcome: Outcome,
}

impl Found {
    fn id(&self) -> Option<Id> {
        self.by_id.then(|| Id::parse(&self.sent)).flatten()
    }

    /// Its fate by what the journal knows it by, given the `keys` of those sent by their ids.
    fn into_fate(self, keys: &HashMap<Id, Key>) -> Option<Fate> {
        let key = match self.by_id {
            true => keys.get(&self.id()?)?.clone(),
            false => Key::new(self.sent),
        };
        let outcome = self.outcome;
        Some(Fate { key, outcome })
    }
}

/// The records of a job that has ended, without those that share the fate of the rest.
async fn read(target: &Target, ended: &Job) -> Result<Vec<Found>> {
    let column = target.columns.key.as_ref();
    let name = column.map_or("Id", |key| key.field.name.as_str());
    let keys = [name, "Id"];
    let (org, id) = (&target.org, ended.id.as_str());
    let found = |row: &ResultRow<'_>, outcome: Outcome| -> Result<Found> {
        Ok(Found {
            sent: row.key()?.to_owned(),
            by_id: !row.is_by(name),
            outcome,
        })
    };
    let failed = results::read(org, id, Set::Failed, &keys, |row| {
        let error = row.error();
        let outcome = if error.is_passing() {
            // A record that was only locked is still to be done.
            Outcome::Released
        } else if row.is_delete() && error.is_gone() {
            Outcome::Deleted
        } else {
            refused(Key::new(""), error).outcome
        };
        found(&row, outcome)
    });
    let mut all = failed.await?;
    let failed = all.len();
    let unprocessed = results::read(org, id, Set::Unprocessed, &keys, |row| {
        found(&row, Outcome::Released)
    });
    all.extend(unprocessed.await?);
    // Those of a whole job are settled together.
    let complete = ended.state == JobState::JobComplete;
    let succeeded = results::read(org, id, Set::Succeeded, &keys, |row| {
        if complete {
            return Ok(None);
        }
        found(&row, Outcome::Updated).map(Some)
    });
    let succeeded = succeeded.await?;
    check_sum(target, ended, succeeded.len() + failed)?;
    all.extend(succeeded.into_iter().flatten());
    Ok(all)
}

/// Checks that the sets hold as many records as the server says it came to: a set that was cut short would turn
/// records that failed into ones that were applied.
fn check_sum(target: &Target, ended: &Job, found: usize) -> Result<()> {
    let found = found as u64;
    let told = ended.number_records_processed;
    let may_be_unsure = target.columns.operation.is_repeatable() && ended.state != JobState::JobComplete;
    match told {
        Some(told) if told == found => Ok(()),
        None => Ok(()),
        Some(_) if may_be_unsure => Ok(()),
        Some(told) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("the results of the Bulk job hold {found} records, and it came to {told}"),
        )
        .with_retry(Retry::Never)
        .with_help("run again: the job's results are read anew before anything is sent")),
    }
}
