//! The main job as a program: equality with the truth, rounds, crashes, and mistakes.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a test's own set-up fails the test"
)]

mod crash;
mod equality;
mod formulas;
mod mistakes;
mod rounds;
mod world;
