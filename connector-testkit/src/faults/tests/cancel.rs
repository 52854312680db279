//! Runs that are dropped on the way.

use std::sync::Arc;

use super::run::run;
use super::sample::Sample;
use crate::faults::{Action, Events, Faulty, Script, cancel_at, every};

#[tokio::test]
async fn a_run_can_be_dropped_before_and_after_every_call() {
    let mut applied = Vec::new();
    for nth in 0.. {
        let sample = Sample::default();
        let script = Script::new()
            .on_any(every(1), Action::Yield)
            .on_any(every(1).after(), Action::Yield);
        let connector = Faulty::new(Arc::new(sample.clone()), &Events::new(script));
        let ended = cancel_at(run(&connector), nth).await;
        applied.push(sample.applied().len());
        if let Some(report) = ended {
            report.unwrap();
            break;
        }
    }
    // Unpolled; then for each of 17 calls a drop before it and one after; then the whole run.
    let mut expected = vec![0];
    expected.extend((0..17).flat_map(|done| [done, done + 1]));
    expected.push(17);
    assert_eq!(applied, expected);
}

#[tokio::test]
async fn what_ends_earlier_is_returned() {
    assert_eq!(cancel_at(async { 5 }, 1).await, Some(5));
    assert_eq!(cancel_at(async { 5 }, 0).await, None);
}

#[tokio::test]
async fn what_was_held_is_dropped_before_the_answer() {
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    let future = async move {
        let _inside = inside;
        std::future::pending::<()>().await;
    };
    assert_eq!(cancel_at(future, 1).await, None);
    assert_eq!(Arc::strong_count(&held), 1);
}
