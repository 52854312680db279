//! The process ends, which only another process can see.

use std::process::Command;
use std::sync::Arc;

use super::run::run;
use super::sample::Sample;
use crate::faults::{Action, At, Events, Faulty};

/// Set in the process that is to be killed: the hook of its run.
const VICTIM: &str = "FAULTS_TESTS_VICTIM";

/// Starts itself once more for each kill.
#[test]
fn a_kill_ends_the_process_before_or_after_the_call() {
    let phase = std::env::var_os(VICTIM);
    let Some(phase) = phase.as_ref().and_then(|phase| phase.to_str()) else {
        assert_eq!(killed("before"), ["claim", "open writer", "open reader", "next"]);
        assert_eq!(
            killed("after"),
            ["claim", "open writer", "open reader", "next", "write"]
        );
        return;
    };
    let hook = if phase == "before" { At::before } else { At::after };
    let sample = Sample::printing();
    let connector = Faulty::new(Arc::new(sample), &Events::new(hook(5, Action::Kill)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _ = runtime.block_on(run(&connector));
    println!("applied: everything");
}

/// What a process had applied when it was killed.
fn killed(phase: &str) -> Vec<String> {
    let name = "faults::tests::kill::a_kill_ends_the_process_before_or_after_the_call";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(VICTIM, phase)
        .output()
        .unwrap();
    // By a signal, not by an exit.
    #[cfg(unix)]
    assert_eq!(output.status.code(), None);
    assert!(!output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once("applied: "))
        .map(|(_, what)| what.to_owned())
        .collect()
}
