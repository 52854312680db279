//! Calls that are cut short.

use serde_json::json;

use super::{StateStoreSystem, claim, holder, save, state, stored, task};
use crate::conformance::Verdict;
use crate::conformance::cancel::polled;
use crate::conformance::verdict::{ensure, ensure_eq};

/// After how many polls, at most, a call is dropped: enough for one that asks a server a few times.
pub(crate) const MOST_POLLS: usize = 32;

pub(super) async fn a_dropped_save_leaves_a_whole_state(system: &dyn StateStoreSystem) -> Verdict {
    let store = system.store();
    let first = claim(system, &task()).await?;
    let mut old = state(&json!("before"))?;
    save(system, &first.fence, &old).await?;
    drop(first);
    for polls in 0..MOST_POLLS {
        let claim = store.claim(&task(), &holder()).await?;
        let new = state(&json!({"polls": polls, "text": "x".repeat(5_000)}))?;
        let done = polled(store.save(&claim.fence, &new), polls).await.transpose()?;
        drop(claim);
        // The next holder, over the same handle: whatever the drop left must not be in its way.
        let claim = store.claim(&task(), &holder()).await?;
        let found = &claim.state;
        ensure!(
            found.as_ref() == Some(&new) || (done.is_none() && found.as_ref() == Some(&old)),
            "after a save that was dropped after {polls} polls, the state is neither the old nor the new one: \
             {found:?}"
        );
        old = state(&json!(polls))?;
        store.save(&claim.fence, &old).await?;
        drop(claim);
        ensure_eq!(
            stored(system, &task()).await?,
            Some(old.clone()),
            "the state that was saved after a save had been dropped after {polls} polls"
        );
        if done.is_some() {
            break;
        }
    }
    Ok(())
}

pub(super) async fn a_dropped_claim_holds_nothing(system: &dyn StateStoreSystem) -> Verdict {
    let store = system.store();
    for polls in 0..MOST_POLLS {
        let task = task();
        let holder = holder();
        let done = polled(store.claim(&task, &holder), polls).await.transpose()?;
        let ended = done.is_some();
        drop(done);
        let claim = store.claim(&task, &holder).await?;
        let wanted = state(&json!(polls))?;
        store.save(&claim.fence, &wanted).await?;
        drop(claim);
        ensure_eq!(
            stored(system, &task).await?,
            Some(wanted),
            "the state that was saved after a claim had been dropped after {polls} polls"
        );
        if ended {
            break;
        }
    }
    Ok(())
}
