//! Whoever was overtaken cannot save.

use connector_core::{ErrorKind, Fence, Holder, TaskId};
use serde_json::json;

use super::{StateStoreSystem, claim, save, state, stored, task};
use crate::conformance::Verdict;
use crate::conformance::verdict::{ensure, ensure_eq, refused};

pub(super) async fn a_takeover_goes_on_from_the_last_state(system: &dyn StateStoreSystem) -> Verdict {
    let mut last = None;
    for round in 0..3 {
        let holder = Holder::new(format!("holder {round}"));
        let claim = system.store().claim(&task(), &holder).await?;
        ensure_eq!(claim.state, last, "the state that holder {round} starts from");
        for save_number in 0..2 {
            let next = state(&json!({"round": round, "save": save_number}))?;
            save(system, &claim.fence, &next).await?;
            last = Some(next);
        }
    }
    Ok(())
}

pub(super) async fn an_old_fence_cannot_save(system: &dyn StateStoreSystem) -> Verdict {
    let first = Holder::new("the first holder");
    let store = system.store();
    let old = store.claim(&task(), &first).await?.fence;
    let second = Holder::new("the second holder");
    let new = system.store().claim(&task(), &second).await?;
    let early = store.save(&old, &state(&json!("of the old holder"))?).await;
    refused_save(early, "saving under an old fence")?;
    let wanted = state(&json!("of the new holder"))?;
    save(system, &new.fence, &wanted).await?;
    let late = store.save(&old, &state(&json!("of the old holder"))?).await;
    refused_save(late, "saving under an old fence what a newer one has saved")?;
    drop(new);
    ensure_eq!(
        stored(system, &task()).await?,
        Some(wanted),
        "the state after an old holder tried to save"
    );
    Ok(())
}

pub(super) async fn a_fence_of_another_task_cannot_save(system: &dyn StateStoreSystem) -> Verdict {
    let other = TaskId::new("conformance", "claimed often");
    let kept = state(&json!("of this task"))?;
    let held = claim(system, &task()).await?;
    save(system, &held.fence, &kept).await?;
    let mut fence = claim(system, &other).await?.fence;
    for _ in 0..2 {
        fence = claim(system, &other).await?.fence;
    }
    ensure!(
        fence.epoch != held.fence.epoch,
        "a task claimed three times is still at the epoch {} of one claimed once",
        fence.epoch
    );
    // The newest fence of a task claimed more often than this one.
    let foreign = Fence {
        task: task(),
        ..fence.clone()
    };
    let data = state(&json!("of another task"))?;
    let saved = system.store().save(&foreign, &data).await;
    refused_save(saved, "saving under the epoch of another task")?;
    let never = Fence {
        task: TaskId::new("conformance", "never claimed"),
        ..fence
    };
    let saved = system.store().save(&never, &data).await;
    refused_save(saved, "saving for a task that was never claimed")?;
    drop(held);
    ensure_eq!(
        stored(system, &task()).await?,
        Some(kept),
        "the state after a save under the epoch of another task"
    );
    ensure_eq!(
        stored(system, &never.task).await?,
        None,
        "the state of a task for which a save was refused"
    );
    Ok(())
}

fn refused_save(saved: connector_core::Result<()>, what: &str) -> Verdict {
    let error = refused(saved, what)?;
    ensure_eq!(error.kind(), ErrorKind::Conflict, "the kind of error for {what}");
    Ok(())
}
