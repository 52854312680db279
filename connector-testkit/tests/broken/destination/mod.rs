//! Destinations.

mod columns;
mod commit;
mod connection;
mod defect;
mod journal;
mod states;
mod system;
mod table;
mod values;
mod writer;

use connector_testkit::conformance::Suite;

use crate::case::{assert_clean, assert_clean_quickly, assert_complete, assert_found};
use defect::Defect;
use system::{Kind, System};
use table::{DATABASE, INSERTING, SERVICE};

fn suite(kind: Kind, defect: Option<Defect>) -> Suite {
    Suite::destination("broken", move || async move { System::new(kind, defect) })
}

#[test]
fn a_destination_without_a_defect_passes_every_check() {
    assert_clean(&suite(Kind::Database, None));
    for kind in [Kind::Overwritten, Kind::Service, Kind::Inserting, Kind::Updating] {
        assert_clean_quickly(&suite(kind, None));
    }
}

#[test]
fn each_check_of_a_destination_has_a_defect() {
    let cases = [DATABASE, SERVICE, INSERTING].concat();
    assert_complete(&cases, &suite(Kind::Database, None));
}

#[test]
fn each_defect_of_a_database_is_found_by_the_checks_that_say_so() {
    assert_found(DATABASE, |defect| suite(Kind::Database, Some(defect)));
}

#[test]
fn each_defect_of_a_service_is_found_by_the_checks_that_say_so() {
    assert_found(SERVICE, |defect| suite(Kind::Service, Some(defect)));
    assert_found(INSERTING, |defect| suite(Kind::Inserting, Some(defect)));
}
