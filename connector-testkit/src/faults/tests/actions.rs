//! What each action does to a call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Clock, Connector, ErrorKind, Event, Retry, Selection};

use super::run::call;
use super::sample::{Sample, batch, read_request, write_request};
use crate::faults::{
    Action, At, Events, Failure, Faulty, Hook, Operation, Recorder, Script, cancel_at, is_injected, nth,
};

fn faulty(hook: impl Hook + 'static) -> (Sample, Faulty<Sample>) {
    let sample = Sample::default();
    let connector = Faulty::new(Arc::new(sample.clone()), &Events::new(hook));
    (sample, connector)
}

fn times(sample: &Sample, operation: Operation) -> usize {
    let name = operation.to_string();
    sample
        .applied()
        .iter()
        .filter(|applied| **applied == name)
        .count()
}

#[tokio::test]
async fn a_refused_call_is_not_carried_out() {
    for operation in Operation::ALL {
        let (sample, connector) = faulty(Script::new().on(operation, nth(1), Action::refuse()));
        let error = call(&connector, operation).await.unwrap_err();
        assert_eq!(times(&sample, operation), 0, "{operation}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.retry(), Retry::Backoff);
        assert!(!error.may_have_applied());
        assert!(is_injected(&error), "{error}");
        call(&connector, operation).await.unwrap();
        assert_eq!(times(&sample, operation), 1, "{operation} fires once");
    }
}

#[tokio::test]
async fn a_lost_answer_is_of_a_call_carried_out_once() {
    let lost = Action::apply_then_fail();
    for operation in Operation::ALL {
        for occasion in [nth(1), nth(1).after()] {
            let (sample, connector) = faulty(Script::new().on(operation, occasion, lost));
            let error = call(&connector, operation).await.unwrap_err();
            assert_eq!(times(&sample, operation), 1, "{operation}");
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.may_have_applied());
        }
    }
}

#[tokio::test]
async fn an_error_names_its_event() {
    let (_, connector) = faulty(Script::new().on(Operation::Check, nth(2), Action::refuse()));
    connector.check().await.unwrap();
    connector.identity().await.unwrap();
    let error = connector.check().await.unwrap_err();
    assert_eq!(
        error.report().to_string(),
        "injected: check #3 refused\n  connector: sample"
    );
    let (_, connector) = faulty(At::before(1, Action::apply_then_fail()));
    let error = connector.check().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "injected: check #1 carried out, its answer lost"
    );
}

#[tokio::test]
async fn a_failure_is_of_the_kind_it_was_told() {
    let pause = Retry::After(Duration::from_secs(7));
    let limited = Failure::new(ErrorKind::RateLimited).with_retry(pause);
    let (_, connector) = faulty(At::before(1, Action::Refuse(limited)));
    let error = connector.check().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, pause));
    let conflict = Failure::from(ErrorKind::Conflict);
    let (_, connector) = faulty(At::before(1, Action::ApplyThenFail(conflict)));
    let error = connector.check().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
}

#[tokio::test]
async fn a_refusal_that_comes_too_late_is_a_lost_answer() {
    let (sample, connector) = faulty(At::after(1, Action::refuse()));
    assert!(connector.check().await.unwrap_err().may_have_applied());
    assert_eq!(sample.applied(), ["check"]);
}

#[tokio::test]
async fn a_hanging_call_is_carried_out_only_after() {
    let (sample, connector) = faulty(At::before(1, Action::Hang));
    assert!(cancel_at(connector.check(), 1).await.is_none());
    assert!(sample.applied().is_empty());
    let (sample, connector) = faulty(At::after(1, Action::Hang));
    assert!(cancel_at(connector.check(), 1).await.is_none());
    assert_eq!(sample.applied(), ["check"]);
}

/// Never waits, and notes how long it should have.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for Noting {
    fn now(&self) -> Instant {
        Instant::from_unix_micros(0)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

#[tokio::test]
async fn a_slow_call_waits_on_the_clock_it_was_given() {
    let clock = Arc::new(Noting::default());
    let hour = Duration::from_secs(3600);
    let script = Script::new().on(Operation::Check, nth(1), Action::Slow(hour)).on(
        Operation::Check,
        nth(1).after(),
        Action::Slow(2 * hour),
    );
    let events = Events::new(script).with_clock(Arc::clone(&clock) as _);
    let connector = Faulty::new(Arc::new(Sample::default()), &events);
    connector.check().await.unwrap();
    assert_eq!(*clock.0.lock().unwrap(), [hour, 2 * hour]);
}

#[tokio::test]
async fn a_dropped_next_loses_nothing() {
    for hang in [
        Action::Hang,
        Action::Slow(Duration::from_secs(3600)),
        Action::Yield,
    ] {
        for phase in [At::before, At::after] {
            let (sample, connector) = faulty(phase(2, hang));
            let source = connector.as_source().unwrap();
            let mut reader = source.reader(read_request()).await.unwrap();
            assert!(cancel_at(reader.next(), 1).await.is_none());
            let event = reader.next().await.unwrap();
            assert!(matches!(event, Some(Event::Records(batch)) if batch.len() == 2));
            assert!(matches!(
                reader.next().await.unwrap(),
                Some(Event::Checkpoint { .. })
            ));
            assert_eq!(times(&sample, Operation::Next), 2);
        }
    }
}

#[tokio::test]
async fn readers_and_writers_are_spent_by_an_error() {
    let script = Script::new().on(Operation::Next, nth(1), Action::refuse()).on(
        Operation::Commit,
        nth(1),
        Action::refuse(),
    );
    let (sample, connector) = faulty(script);
    let mut reader = connector
        .as_source()
        .unwrap()
        .reader(read_request())
        .await
        .unwrap();
    assert!(is_injected(&reader.next().await.unwrap_err()));
    let error = reader.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bug);
    assert_eq!(error.to_string(), "the reader of `Lead` was used after its error");
    let destination = connector.as_destination().unwrap();
    let mut writer = destination.writer(write_request()).await.unwrap();
    writer.write(batch(&["a"])).await.unwrap();
    assert!(is_injected(&writer.commit(None).await.unwrap_err()));
    assert_eq!(writer.finish(None).await.unwrap_err().kind(), ErrorKind::Bug);
    assert_eq!(sample.applied(), ["open reader", "open writer", "write"]);
}

#[tokio::test]
async fn the_connectors_own_errors_pass() {
    let recorder = Recorder::new();
    let (_, connector) = faulty(recorder.clone());
    let error = connector
        .describe(&Selection::stream("Nothing"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!is_injected(&error));
    let events: Vec<_> = recorder.events().iter().map(ToString::to_string).collect();
    assert_eq!(
        events,
        [
            "#1 before describe at sample: Nothing",
            "#1 after describe at sample: failed: no stream `Nothing`",
        ]
    );
}
