//! Programs that embed the libraries; and the place where the README's example is compiled.

/// The README, whose example is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
