//! How far a read has come: what a state holds.

use std::fmt;
use std::time::Duration;

use connector_core::value::Instant;
use connector_core::{Identity, Result, State};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The format of [`Progress`].
const VERSION: u32 = 1;

/// How far the reads of a stream have come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Everything that changed before is read; the next window begins here.
    pub(crate) since: Option<Stamp>,
    /// The window that is being read.
    pub(crate) window: Option<Window>,
}

/// A part of a stream, and the place within it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    /// The whole stream, whatever its dates.
    pub(crate) full: bool,
    /// Changed at or after; `None`: from the beginning.
    pub(crate) lo: Option<Stamp>,
    /// Changed at or before: by the store's clock, with time for late ones to settle.
    pub(crate) hi: Stamp,
    /// Which of the stream's lists.
    #[serde(default)]
    pub(crate) pass: usize,
    /// The last place read: a cursor or a key; `None` at the beginning of the list.
    #[serde(default)]
    pub(crate) after: Option<String>,
}

impl Progress {
    pub(crate) fn open(state: &State, source: &Identity, stream: &str) -> Result<Self> {
        state.open(source, stream, VERSION)
    }

    pub(crate) fn to_state(&self, source: &Identity, stream: &str) -> Result<State> {
        State::new(source.clone(), stream, VERSION, self)
    }

    /// The window of a read that begins now: what changed up to `settle` before the store's clock.
    pub(crate) fn next_window(&self, full: bool, now: Instant, settle: Duration) -> Window {
        let hi = Stamp(now.minus(settle).floor_to_second());
        // A settle time that was raised must not move the window backwards.
        let hi = self.since.map_or(hi, |since| hi.max(since));
        Window {
            full,
            lo: self.since.filter(|_| !full),
            hi,
            pass: 0,
            after: None,
        }
    }
}

impl Window {
    /// Whether an instant belongs to the window.
    pub(crate) fn holds(&self, at: Instant) -> bool {
        self.full || (self.lo.is_none_or(|lo| lo.0 <= at) && at <= self.hi.0)
    }
}

/// An instant that is kept as text, the way it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) Instant);

impl fmt::Display for Stamp {
    /// With seconds and `Z`: the store completes a bare date with the time of the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Instant::parse_iso(&text).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse_iso(text).unwrap()
    }

    #[test]
    fn a_state_opens_as_it_was_closed() {
        let source = Identity::new("bigcommerce", "abc123");
        let since = Some(Stamp(at("2024-01-01T00:00:00Z")));
        let mut window =
            Progress { since, window: None }.next_window(false, at("2024-01-02T00:00:00.5Z"), Duration::ZERO);
        window.after = Some("17".to_owned());
        let progress = Progress {
            since,
            window: Some(window),
        };
        let state = progress.to_state(&source, "orders").unwrap();
        assert_eq!(
            serde_json::to_value(&state).unwrap()["data"],
            serde_json::json!({
                "since": "2024-01-01T00:00:00Z",
                "window": {
                    "full": false, "lo": "2024-01-01T00:00:00Z", "hi": "2024-01-02T00:00:00Z", "pass": 0, "after": "17",
                },
            })
        );
        assert_eq!(Progress::open(&state, &source, "orders").unwrap(), progress);
        assert!(Progress::open(&state, &source, "customers").is_err());
    }

    #[test]
    fn a_window_never_ends_before_it_begins() {
        let progress = Progress {
            since: Some(Stamp(at("2024-01-02T00:00:00Z"))),
            window: None,
        };
        let window = progress.next_window(false, at("2024-01-02T00:01:00Z"), Duration::from_secs(120));
        assert_eq!(window.lo, Some(window.hi));
        assert!(window.holds(at("2024-01-02T00:00:00Z")) && !window.holds(at("2024-01-02T00:00:01Z")));
        let full = progress.next_window(true, at("2024-01-02T00:01:00Z"), Duration::ZERO);
        assert!(full.lo.is_none() && full.holds(at("2030-01-01T00:00:00Z")));
    }
}
