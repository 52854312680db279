//! A run dropped at one of its waits.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls `future` until it is pending for the `nth` time, from 1, then drops it: `None`. Its output if it ends
/// before; at 0 it is dropped unpolled.
///
/// A test goes from 1 upwards until a run ends by itself, and has then been at every wait there is. Connectors that
/// never wait are given waits by [`Action::Yield`](super::Action::Yield).
pub async fn cancel_at<F: Future>(future: F, nth: u64) -> Option<F::Output> {
    if nth == 0 {
        return None;
    }
    let mut future = pin!(future);
    let mut pending = 0;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            pending += 1;
            if pending >= nth {
                Poll::Ready(None)
            } else {
                Poll::Pending
            }
        }
    })
    .await
}
