//! Who looks at bytes before they are passed on.

use std::fmt;

use async_trait::async_trait;

use super::mode::Direction;

/// Sees every portion of bytes that reaches a proxy, and says whether it is passed on.
///
/// A portion is what one read of a socket brought: at most 16 KiB, and not necessarily what one write has sent. It
/// waits until the answer is there, and so does whatever comes after it on the same connection and in the same
/// direction: a test has time to kill, to restart or to look.
#[async_trait]
pub trait Tap: fmt::Debug + Send + Sync {
    /// Called for each portion, in the order of its connection and direction.
    async fn on(&self, portion: &Portion<'_>) -> Verdict;
}

/// Bytes on their way.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Portion<'a> {
    /// The connection's number, from 1, in the order in which they were accepted.
    pub connection: u64,
    /// Which way they go.
    pub direction: Direction,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// What becomes of a portion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It is passed on, as the [`Mode`](super::Mode) of its direction has it.
    #[default]
    Pass,
    /// It is lost, and its connection is closed towards both sides, in order: they read an end (FIN).
    Cut,
    /// It is lost, and its connection is broken towards both sides: they get an error (RST).
    Reset,
}
