//! The docs of the traits name checks that there are, and each method names at least one.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use connector_testkit::conformance::Suite;
use connector_testkit::conformance::memory::MemorySystem;

/// The files whose traits the suites pin, and those traits.
const TRAITS: [(&str, &[&str]); 5] = [
    ("connector", &["Connector"]),
    ("source", &["Source", "Reader"]),
    ("destination", &["Destination", "Writer"]),
    ("state", &["StateStore"]),
    ("journal", &["Journal"]),
];

/// Methods that say which roles a connection has: a suite begins with them.
const ROLES: [&str; 6] = [
    "name",
    "as_source",
    "as_destination",
    "state_store",
    "journal",
    "statements",
];

fn checks() -> BTreeSet<&'static str> {
    let suites = [
        Suite::source("source", || async { MemorySystem::source() }),
        Suite::destination("destination", || async { MemorySystem::database() }),
        Suite::state_store("states", || async { MemorySystem::database() }),
        Suite::journal("journal", || async { MemorySystem::database() }),
    ];
    suites.iter().flat_map(Suite::checks).collect()
}

/// The methods of a trait in a source file, and the names in code that their docs' `Pinned by` sentences hold.
fn methods(text: &str, name: &str) -> Vec<(String, Vec<String>)> {
    let start = text.find(&format!("pub trait {name}")).unwrap();
    let body = &text[start..start + text[start..].find("\n}\n").unwrap()];
    let (mut methods, mut docs) = (Vec::new(), String::new());
    for line in body.lines().skip(1) {
        let line = line.trim();
        if let Some(doc) = line.strip_prefix("///") {
            docs.push_str(doc.trim());
            docs.push(if doc.trim().is_empty() { '\n' } else { ' ' });
        } else if let Some(signature) = line
            .strip_prefix("async fn ")
            .or_else(|| line.strip_prefix("fn "))
        {
            let end = signature.find(['(', '<']).unwrap();
            methods.push((signature[..end].to_owned(), pins(&docs)));
            docs.clear();
        } else if line == "}" {
            docs.clear();
        }
    }
    methods
}

fn pins(docs: &str) -> Vec<String> {
    let pinned = docs
        .lines()
        .filter(|paragraph| paragraph.starts_with("Pinned by"));
    pinned
        .flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect()
}

#[test]
fn each_method_names_the_checks_that_pin_it() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connector-core/src");
    let (checks, mut looked_at) = (checks(), 0);
    for (file, traits) in TRAITS {
        let text = fs::read_to_string(core.join(file).with_extension("rs")).unwrap();
        for name in traits {
            for (method, pins) in methods(&text, name) {
                assert!(
                    !pins.is_empty() || ROLES.contains(&method.as_str()),
                    "the doc of `{name}::{method}` names no check that pins it"
                );
                for pin in pins {
                    assert!(
                        checks.contains(pin.as_str()),
                        "the doc of `{name}::{method}` names `{pin}`, which is no check"
                    );
                }
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 20, "only {looked_at} methods were found");
}
