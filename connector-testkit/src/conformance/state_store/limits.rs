//! What a store must not show, whatever goes wrong.

use connector_core::Fence;
use serde_json::json;

use super::{StateStoreSystem, claim, holder, state, task};
use crate::conformance::Verdict;
use crate::conformance::limits::hidden;

pub(super) async fn secrets_are_never_shown(system: &dyn StateStoreSystem) -> Verdict {
    let store = system.store();
    let held = claim(system, &task()).await?;
    let mut shown = format!("{store:?}\n{held:?}\n");
    let old = Fence {
        epoch: held.fence.epoch - 1,
        ..held.fence.clone()
    };
    let errors = [
        store.claim(&task(), &holder()).await.err(),
        store.save(&old, &state(&json!(1))?).await.err(),
    ];
    for error in errors.into_iter().flatten() {
        shown.push_str(&format!("{error:?}\n{}\n", error.report()));
    }
    hidden(&shown, &system.secrets())
}
