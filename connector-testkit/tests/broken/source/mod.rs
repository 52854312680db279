//! Sources.

mod connection;
mod defect;
mod journal;
mod reader;
mod request;
mod states;
mod system;
mod table;

use connector_testkit::conformance::Suite;

use crate::case::{assert_clean, assert_complete, assert_found};
use defect::Defect;
use system::System;
use table::CASES;

fn suite(defect: Option<Defect>) -> Suite {
    Suite::source("broken", move || async move { System::new(defect) })
}

#[test]
fn a_source_without_a_defect_passes_every_check() {
    assert_eq!(assert_clean(&suite(None)), 0, "checks that were not run");
}

#[test]
fn each_check_of_a_source_has_a_defect() {
    assert_complete(CASES, &suite(None));
}

#[test]
fn each_defect_of_a_source_is_found_by_the_checks_that_say_so() {
    assert_found(CASES, |defect| suite(Some(defect)));
}
