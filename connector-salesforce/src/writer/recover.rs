//! Looking up what an earlier run left open, before anything is sent.

use connector_core::{ErrorKind, Fate, Outcome, Rest, Result, Ticket};

use super::Target;
use super::book::{Book, refused};
use super::jobs::rest_of;
use crate::bulk::job::JobState;
use crate::bulk::{ingest, results};

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
        // It goes seven days after its end. What it did is not known any more; the values may be sent again.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tracing::warn!(
                job = ticket.as_str(),
                "the job of an earlier run is gone; its records are sent again"
            );
            return Ok(book.close(ticket, Rest::Released).await?.written());
        }
        Err(error) => return Err(error),
    };
    let found = results::read(&target.org, ticket.as_str()).await?;
    let mut fates: Vec<Fate> = Vec::new();
    let mut settled = 0;
    if ended.state != JobState::JobComplete {
        settled += found.succeeded.len() as u64;
        fates.extend(found.succeeded.into_iter().map(|key| Fate {
            key,
            outcome: Outcome::Updated,
        }));
    }
    for (key, error) in found.failed {
        // A record that was only locked is still to be done.
        if error.is_passing() {
            fates.push(Fate {
                key,
                outcome: Outcome::Released,
            });
        } else {
            settled += 1;
            fates.push(refused(key, error));
        }
    }
    fates.extend(found.unprocessed.into_iter().map(|key| Fate {
        key,
        outcome: Outcome::Released,
    }));
    book.settle(&fates).await?;
    let rest = book.close(ticket, rest_of(&ended)).await?;
    Ok(settled + rest.written())
}
