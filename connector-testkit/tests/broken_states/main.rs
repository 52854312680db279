//! Every check of the suites for stores and journals can fail: a store and journal that keep the contract, and the
//! same with one thing wrong at a time.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

mod defect;
mod memory;

use std::collections::BTreeSet;
use std::time::Duration;

use connector_testkit::conformance::{Outcome, Suite};

use defect::{Case, Defect, OF_JOURNALS, OF_STORES};
use memory::Memory;

/// How long a defect may keep a check from ending.
const PATIENCE: Duration = Duration::from_secs(2);

fn stores(defect: Option<Defect>) -> Suite {
    Suite::state_store("memory", move || async move { Memory::new(defect) }).with_patience(PATIENCE)
}

fn journals(defect: Option<Defect>) -> Suite {
    Suite::journal("memory", move || async move { Memory::new(defect) }).with_patience(PATIENCE)
}

/// The checks that fail.
fn failing(suite: &Suite) -> BTreeSet<&'static str> {
    let mut failing = BTreeSet::new();
    for check in suite.checks() {
        match suite.run(check).unwrap() {
            Outcome::Passed => {}
            Outcome::Failed(failure) => {
                let said = failure.to_string();
                // A check that breaks down has looked at nothing.
                assert!(
                    !said.starts_with("panicked") && !said.starts_with("hangs"),
                    "{check} {said}"
                );
                failing.insert(check);
            }
            Outcome::Ignored(need) => panic!("{check} is ignored: {need}"),
        }
    }
    failing
}

/// Each defect fails the check it is meant for, and no others than those that cannot help it.
fn caught(suite: impl Fn(Option<Defect>) -> Suite, cases: &[Case]) {
    let mut wrong = String::new();
    for (defect, check, others) in cases {
        let wanted: BTreeSet<&str> = others.iter().chain([check]).copied().collect();
        let found = failing(&suite(Some(*defect)));
        if found != wanted {
            wrong.push_str(&format!(
                "\n{defect:?}\n  wanted: {wanted:?}\n  found:  {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "the checks that fail:{wrong}");
}

/// No check is without a defect, and none of the defects is meant for a check that is not there.
fn covered(suite: &Suite, cases: &[Case]) {
    let meant: BTreeSet<&str> = cases.iter().map(|(_, check, _)| *check).collect();
    assert_eq!(suite.checks().collect::<BTreeSet<_>>(), meant);
}

#[test]
fn a_store_without_a_defect_passes() {
    assert_eq!(failing(&stores(None)), BTreeSet::new());
}

#[test]
fn a_journal_without_a_defect_passes() {
    assert_eq!(failing(&journals(None)), BTreeSet::new());
}

#[test]
fn every_check_of_stores_has_a_defect() {
    covered(&stores(None), OF_STORES);
}

#[test]
fn every_check_of_journals_has_a_defect() {
    covered(&journals(None), OF_JOURNALS);
}

#[test]
fn every_defect_of_a_store_is_caught() {
    caught(stores, OF_STORES);
}

#[test]
fn every_defect_of_a_journal_is_caught() {
    caught(journals, OF_JOURNALS);
}
