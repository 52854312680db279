//! Futures that are dropped before they end.

use std::pin::pin;
use std::task::Poll;

/// Polls `future` until it is ready, or has been pending `polls` times and would be polled once more: then it is
/// dropped, and there is no output.
pub(crate) async fn polled<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
