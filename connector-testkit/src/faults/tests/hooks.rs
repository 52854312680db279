//! Numbers, scripts and seeds.

use std::sync::Arc;

use connector_core::{Connector, ErrorKind};

use super::run::run;
use super::sample::Sample;
use crate::faults::{
    Action, At, Events, Faulty, Operation, Phase, Recorder, Script, chance, every, is_injected, nth,
};

/// Which of `calls` identical calls fail.
async fn failures(script: Script, calls: u64) -> Vec<u64> {
    let connector = Faulty::new(Arc::new(Sample::default()), &Events::new(script));
    let mut failed = Vec::new();
    for number in 1..=calls {
        if connector.check().await.is_err() {
            failed.push(number);
        }
    }
    failed
}

fn refuse_checks(occasion: super::super::Occasion) -> Script {
    Script::new().on(Operation::Check, occasion, Action::refuse())
}

#[tokio::test]
async fn a_run_is_numbered_the_same_every_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let recorder = Recorder::new();
        let events = Events::new(recorder.clone());
        let connector = Faulty::new(Arc::new(Sample::default()), &events);
        run(&connector).await.unwrap();
        assert_eq!(events.begun(), 17);
        runs.push(recorder.events());
    }
    assert_eq!(runs[0], runs[1]);
    let lines: Vec<_> = runs[0]
        .iter()
        .map(ToString::to_string)
        .filter(|line| line.contains("after"))
        .collect();
    assert_eq!(
        lines,
        [
            "#1 after claim at sample: job/Lead",
            "#2 after open writer at sample: Lead",
            "#3 after open reader at sample: Lead",
            "#4 after next at sample: Lead: 2 records",
            "#5 after write at sample: Lead: 2 records",
            "#6 after next at sample: Lead: urgent checkpoint",
            "#7 after commit at sample: Lead: with a checkpoint",
            "#8 after save at sample: job/Lead",
            "#9 after acknowledge at sample: Lead",
            "#10 after next at sample: Lead: 1 records",
            "#11 after write at sample: Lead: 1 records",
            "#12 after next at sample: Lead: checkpoint",
            "#13 after commit at sample: Lead: with a checkpoint",
            "#14 after save at sample: job/Lead",
            "#15 after acknowledge at sample: Lead",
            "#16 after next at sample: Lead: end",
            "#17 after finish at sample: Lead: without a checkpoint",
        ]
    );
}

#[tokio::test]
async fn every_event_can_be_the_one_that_fails() {
    let whole = {
        let sample = Sample::default();
        let connector = Faulty::new(Arc::new(sample.clone()), &Events::new(Recorder::new()));
        run(&connector).await.unwrap();
        sample.applied()
    };
    for number in 1..=whole.len() {
        for (hook, applied) in [(At::before as fn(_, _) -> _, number - 1), (At::after, number)] {
            let sample = Sample::default();
            let hook = hook(number as u64, Action::refuse());
            let connector = Faulty::new(Arc::new(sample.clone()), &Events::new(hook));
            assert!(is_injected(&run(&connector).await.unwrap_err()));
            assert_eq!(sample.applied(), whole[..applied]);
        }
    }
}

#[tokio::test]
async fn nth_fires_once_or_as_often_in_a_row_as_told() {
    assert_eq!(failures(refuse_checks(nth(2)), 6).await, [2]);
    assert_eq!(failures(refuse_checks(nth(2).times(3)), 6).await, [2, 3, 4]);
}

#[tokio::test]
async fn every_kth_fires_until_it_is_used_up() {
    assert_eq!(failures(refuse_checks(every(3)), 10).await, [3, 6, 9]);
    assert_eq!(failures(refuse_checks(every(3).times(2)), 10).await, [3, 6]);
    assert!(failures(refuse_checks(every(0)), 10).await.is_empty());
}

#[tokio::test]
async fn the_same_seed_fails_the_same_calls() {
    let seeded = |seed| Script::seeded(seed).on_any(chance(0.2), Action::refuse());
    let first = failures(seeded(7), 2000).await;
    assert_eq!(first, failures(seeded(7), 2000).await);
    assert_ne!(first, failures(seeded(8), 2000).await);
    assert!((300..500).contains(&first.len()), "{}", first.len());
    assert!(format!("{:?}", seeded(7)).starts_with("Script { seed: 7,"));
    assert!(
        failures(Script::new().on_any(chance(0.0), Action::refuse()), 50)
            .await
            .is_empty()
    );
    let always = Script::new().on_any(chance(1.0), Action::refuse());
    assert_eq!(failures(always, 50).await.len(), 50);
}

#[tokio::test]
async fn a_rule_counts_only_what_it_is_about() {
    let script = Arc::new(
        Script::new()
            .on(Operation::Check, nth(2).of("left"), Action::refuse())
            .on(
                Operation::Check,
                nth(1).of("right").after(),
                Action::apply_then_fail(),
            ),
    );
    let events = Events::new(Arc::clone(&script));
    let sample = Arc::new(Sample::default());
    let left = Faulty::new(Arc::clone(&sample), &events).named("left");
    let right = Faulty::new(Arc::clone(&sample), &events).named("right");
    left.identity().await.unwrap();
    left.check().await.unwrap();
    assert_eq!(script.fired(), 0);
    assert!(right.check().await.unwrap_err().may_have_applied());
    assert!(left.check().await.is_err());
    assert_eq!(script.fired(), 2);
    assert_eq!(sample.applied(), ["identity", "check", "check"]);
}

#[tokio::test]
async fn of_two_rules_the_first_acts_and_both_count() {
    let script = Script::new()
        .on(Operation::Check, nth(2), Action::Refuse(ErrorKind::Auth.into()))
        .on_any(every(2), Action::Refuse(ErrorKind::Data.into()));
    let connector = Faulty::new(Arc::new(Sample::default()), &Events::new(script));
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(connector.check().await.err().map(|error| error.kind()));
    }
    assert_eq!(kinds, [None, Some(ErrorKind::Auth), None, Some(ErrorKind::Data)]);
}

#[tokio::test]
async fn a_recorder_also_sees_what_another_hook_breaks() {
    let recorder = Recorder::over(At::before(1, Action::refuse()));
    let connector = Faulty::new(Arc::new(Sample::default()), &Events::new(recorder.clone()));
    assert!(connector.check().await.is_err());
    connector.check().await.unwrap();
    let seen: Vec<_> = recorder
        .events()
        .iter()
        .map(|event| (event.number, event.phase))
        .collect();
    assert_eq!(seen, [(1, Phase::Before), (2, Phase::Before), (2, Phase::After)]);
}
