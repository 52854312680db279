//! What a proxy does with bytes.

use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What becomes of the bytes of a connection in one direction.
///
/// Limits count the bytes that the connection has passed on in that direction since it began; one that is reached
/// already ends it at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// They are passed on.
    #[default]
    Pass,
    /// They are passed on so much later; what comes meanwhile waits for its own turn.
    Delay(Duration),
    /// So many are passed on per second, in small portions; at 0, none.
    Throttle(u64),
    /// After so many the connection is closed towards both sides, in order: they read an end (FIN).
    CutAfter(u64),
    /// After so many the connection is broken towards both sides: they get an error (RST).
    ResetAfter(u64),
    /// They are read and lost, and so is an end: the sender hears nothing of it.
    Swallow,
}

/// How a connection ended that did not end by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Broken {
    Cut,
    Reset,
}

/// Portions of a throttled second.
const PORTIONS: u64 = 50;

impl Mode {
    /// Whether a connection ends that has passed on so many bytes.
    pub(super) fn end(self, forwarded: u64) -> Option<Broken> {
        match self {
            Self::CutAfter(limit) if forwarded >= limit => Some(Broken::Cut),
            Self::ResetAfter(limit) if forwarded >= limit => Some(Broken::Reset),
            _ => None,
        }
    }

    /// How many of `waiting` bytes to pass on next, and how long to wait before.
    pub(super) fn portion(self, waiting: usize, forwarded: u64) -> (usize, Duration) {
        match self {
            Self::Pass | Self::Swallow => (waiting, Duration::ZERO),
            Self::Delay(delay) => (waiting, delay),
            Self::Throttle(rate) => {
                let portion = at_most(waiting, (rate / PORTIONS).max(1));
                let seconds = portion as f64 / rate as f64;
                let pause = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                (portion, pause)
            }
            Self::CutAfter(limit) | Self::ResetAfter(limit) => {
                (at_most(waiting, limit.saturating_sub(forwarded)), Duration::ZERO)
            }
        }
    }
}

fn at_most(waiting: usize, limit: u64) -> usize {
    usize::try_from(limit).map_or(waiting, |limit| limit.min(waiting))
}
