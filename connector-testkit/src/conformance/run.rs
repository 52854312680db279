//! Suites as the trials of a test program.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use super::suite::{Outcome, Suite};

/// Runs `suites` as `cargo test` runs tests: the arguments it gives are understood, names filter.
///
/// Checks run one after the other unless `--test-threads` says otherwise, for some of them look at the memory in use.
pub fn run(suites: impl IntoIterator<Item = Suite>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    let mut trials = Vec::new();
    for suite in suites {
        let suite = Arc::new(suite);
        for (position, check) in suite.checks.iter().enumerate() {
            let name = format!("{}::{}", suite.name, check.name);
            let missing = suite.missing(check);
            let kind = missing.map(|need| format!("undeclared capability: {need}"));
            let running = Arc::clone(&suite);
            let trial = Trial::test(name, move || match running.outcome(&running.checks[position]) {
                Outcome::Passed | Outcome::Ignored(_) => Ok(()),
                Outcome::Failed(failure) => Err(Failed::from(failure.to_string())),
            });
            trials.push(
                trial
                    .with_kind(kind.unwrap_or_default())
                    .with_ignored_flag(missing.is_some()),
            );
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
