//! What must hold for any input: run over a corpus by `cargo test`, and over whatever a fuzzer thinks of by `fuzz/run`.

pub(crate) mod connection_string;
pub(crate) mod date;
pub(crate) mod decimal;
pub(crate) mod json;
