#![no_main]

#[path = "../properties/connection_string.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::check(data));
