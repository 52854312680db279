//! Defects, and the checks that find them.

use std::collections::BTreeSet;
use std::fmt::{Debug, Write};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use connector_testkit::conformance::{Outcome, Suite};

/// Checks that take seconds: run with their own defects and with none.
const SLOW: &[&str] = &[
    "memory_does_not_grow_with_the_stream",
    "memory_does_not_grow_with_what_is_written",
];

/// A check may look at the memory that the process uses: nothing else runs meanwhile.
static MEMORY: RwLock<()> = RwLock::new(());

/// A defect, the check that it is here for, and the others that find it too.
#[derive(Clone, Copy)]
pub(crate) struct Case<D: 'static> {
    pub(crate) check: &'static str,
    pub(crate) defect: D,
    pub(crate) also: &'static [&'static str],
}

/// A defect that only one check finds.
pub(crate) const fn only<D>(check: &'static str, defect: D) -> Case<D> {
    also(check, defect, &[])
}

/// A defect that other checks find, too.
pub(crate) const fn also<D>(check: &'static str, defect: D, also: &'static [&'static str]) -> Case<D> {
    Case { check, defect, also }
}

fn run(suite: &Suite, check: &str) -> Option<Outcome> {
    if SLOW.contains(&check) {
        let _alone = MEMORY.write().unwrap_or_else(PoisonError::into_inner);
        return suite.run(check);
    }
    let _among_others = MEMORY.read().unwrap_or_else(PoisonError::into_inner);
    suite.run(check)
}

/// Fails if a check of `suite` fails; says how many could not be run.
pub(crate) fn assert_clean(suite: &Suite) -> usize {
    clean(suite, suite.checks())
}

/// The same, without the checks that take seconds.
pub(crate) fn assert_clean_quickly(suite: &Suite) -> usize {
    clean(suite, suite.checks().filter(|check| !SLOW.contains(check)))
}

fn clean(suite: &Suite, checks: impl Iterator<Item = &'static str>) -> usize {
    let (mut wrong, mut ignored) = (String::new(), 0);
    for check in checks {
        match run(suite, check) {
            Some(Outcome::Passed) => {}
            Some(Outcome::Ignored(_)) => ignored += 1,
            outcome => writeln!(wrong, "`{check}`: {outcome:?}").unwrap(),
        }
    }
    assert!(wrong.is_empty(), "without a defect, not all is well:\n{wrong}");
    ignored
}

/// Fails unless `cases` have a defect for each check of `suite`, and for no other.
pub(crate) fn assert_complete<D>(cases: &[Case<D>], suite: &Suite) {
    let with_defect: BTreeSet<&str> = cases.iter().map(|case| case.check).collect();
    let checks: BTreeSet<&str> = suite.checks().collect();
    let without: Vec<_> = checks.difference(&with_defect).collect();
    let unknown: Vec<_> = with_defect.difference(&checks).collect();
    assert!(
        without.is_empty() && unknown.is_empty(),
        "checks without a defect that makes them fail: {without:?}; defects for checks that are not there: {unknown:?}"
    );
}

/// Runs every check with each defect; fails unless those fail that are named with it, and no others.
pub(crate) fn assert_found<D: Copy + Debug + Sync>(cases: &[Case<D>], suite: impl Fn(D) -> Suite + Sync) {
    let all = |cases: &[Case<D>]| cases.iter().map(|case| wrong(case, &suite)).collect::<String>();
    let (some, others) = cases.split_at(cases.len() / 2);
    let wrong = std::thread::scope(|scope| {
        let others = scope.spawn(|| all(others));
        all(some) + &others.join().unwrap()
    });
    assert!(
        wrong.is_empty(),
        "the table does not say which checks find which defect:\n{wrong}"
    );
}

/// What the table has wrong about one defect.
fn wrong<D: Copy + Debug>(case: &Case<D>, suite: impl Fn(D) -> Suite) -> String {
    // What hangs must not hang for long; what looks at the memory in use takes its time.
    let patience = if SLOW.contains(&case.check) { 120 } else { 5 };
    let suite = suite(case.defect).with_patience(Duration::from_secs(patience));
    let defect = case.defect;
    let named: BTreeSet<&str> = case.also.iter().copied().chain([case.check]).collect();
    let mut wrong = String::new();
    for check in suite.checks() {
        if SLOW.contains(&check) && !named.contains(check) {
            continue;
        }
        match (run(&suite, check), named.contains(check)) {
            (Some(Outcome::Failed(_)), true) | (Some(Outcome::Passed | Outcome::Ignored(_)), false) => {}
            (Some(Outcome::Failed(failure)), false) => {
                writeln!(wrong, "{defect:?}: `{check}` is not named and fails: {failure}").unwrap();
            }
            (outcome, _) => {
                writeln!(
                    wrong,
                    "{defect:?}: `{check}` is named and does not fail: {outcome:?}"
                )
                .unwrap();
            }
        }
    }
    wrong
}
