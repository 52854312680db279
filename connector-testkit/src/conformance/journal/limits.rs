//! What a journal must not show, whatever goes wrong.

use connector_core::{Outcome, Rest, Ticket};

use super::{JournalSystem, WriteBack, keys};
use crate::conformance::Verdict;
use crate::conformance::limits::hidden;

pub(super) async fn secrets_are_never_shown(system: &dyn JournalSystem) -> Verdict {
    let keys = keys("record", 2);
    let ticket = Ticket::new("job-1");
    let mut old = WriteBack::begin(system).await?;
    let _new = old.overtaken(system).await?;
    let mut shown = format!("{:?}\n{:?}\n", system.store(), old.journal);
    let errors = [
        old.intend(&keys, Some(&ticket)).await.err(),
        old.settle(&keys, &Outcome::Updated).await.err(),
        old.close(&ticket, Rest::Updated).await.err(),
    ];
    for error in errors.into_iter().flatten() {
        shown.push_str(&format!("{error:?}\n{}\n", error.report()));
    }
    hidden(&shown, &system.secrets())
}
