//! The fuzz targets' properties over their corpora: what a fuzzer once found stays found.

#![expect(clippy::unwrap_used, reason = "a test ends where a helper of it fails")]

#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::fs;
use std::path::Path;

/// Checks every input in the corpus of `target`.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A failure's output ends with the input that did it.
        println!("{}", path.display());
        check(&fs::read(&path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0);
}

#[test]
fn connection_strings() {
    replay("connection_string", properties::connection_string::check);
}

#[test]
fn dates() {
    replay("date", properties::date::check);
}

#[test]
fn decimals() {
    replay("decimal", properties::decimal::check);
}

#[test]
fn json() {
    replay("json", properties::json::check);
}
