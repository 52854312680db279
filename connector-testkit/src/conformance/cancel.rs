//! Futures that are dropped before they end.

use crate::faults::cancel_at;

/// Polls `future` until it is ready, or has been pending `polls` times and would be polled once more: then it is
/// dropped, and there is no output.
pub(crate) async fn polled<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    cancel_at(future, polls as u64 + 1).await
}
