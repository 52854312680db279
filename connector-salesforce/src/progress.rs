//! What a state remembers.

use std::fmt;

use connector_core::value::Instant;
use connector_core::{Identity, Result, State};
use serde::{Deserialize, Serialize};

/// The format of [`Progress`]; counts up.
const VERSION: u32 = 1;

/// How far a stream has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Every change before this instant has been read.
    pub(crate) since: Option<Stamp>,
    /// Every deletion before this instant that the org lists has been read; `None`: before `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletions: Option<Stamp>,
    /// The read that is under way.
    pub(crate) running: Option<Running>,
}

/// A read that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Whether it is one of changes only.
    pub(crate) incremental: bool,
    /// Where its window begins; `None`: at the start of time.
    pub(crate) from: Option<Stamp>,
    /// Where its window ends, and the next one begins.
    pub(crate) until: Stamp,
    /// Where the last of its windows ends, if one was cut because the org needed too long for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Stamp>,
    /// Which columns it reads, as a fingerprint: with others, what the server holds ready is of no use.
    pub(crate) columns: u64,
    /// How far it has come; `None`: it has not begun.
    pub(crate) place: Option<Place>,
}

/// How far a read has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Over REST: behind this id.
    Rest {
        /// The last id read.
        last: String,
    },
    /// In the result of a Bulk job.
    Bulk {
        /// The job's id.
        job: String,
        /// The page to read next; `None`: the first.
        locator: Option<String>,
        /// Rows before that page.
        rows: u64,
    },
}

impl Progress {
    /// Reads the state of `stream`; none is a stream that was never read.
    pub(crate) fn open(state: Option<&State>, identity: &Identity, stream: &str) -> Result<Self> {
        state.map_or_else(
            || Ok(Self::default()),
            |state| state.open(identity, stream, VERSION),
        )
    }

    /// The state of `stream` that remembers this.
    pub(crate) fn to_state(&self, identity: &Identity, stream: &str) -> Result<State> {
        State::new(identity.clone(), stream, VERSION, self)
    }
}

/// An instant, stored as text for the people who look into a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Stamp(pub(crate) Instant);

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> Self {
        stamp.0.to_string()
    }
}

impl TryFrom<String> for Stamp {
    type Error = connector_core::value::ParseError;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        Instant::parse_iso(&text).map(Self)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fingerprint of what is asked for, as columns and conditions: FNV-1a, the same in every version.
pub(crate) fn fingerprint(parts: &[String]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([b',']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_does_not_change() {
        let identity = Identity::new("salesforce", "00D1");
        let stamp = |text| Stamp(Instant::parse_iso(text).unwrap());
        let place = Place::Bulk {
            job: "750x".into(),
            locator: Some("MTA".into()),
            rows: 10,
        };
        let columns = fingerprint(&["Id".to_owned()]);
        let running = Running {
            incremental: true,
            from: None,
            until: stamp("2026-01-02T00:00:00Z"),
            goal: None,
            columns,
            place: Some(place),
        };
        let progress = Progress {
            since: Some(stamp("2026-01-01T00:00:00Z")),
            deletions: None,
            running: Some(running),
        };
        let state = progress.to_state(&identity, "Lead").unwrap();
        let stored = r#"{"version":1,"source":"salesforce:00D1","stream":"Lead","data":{"since":"2026-01-01T00:00:00Z","running":{"incremental":true,"from":null,"until":"2026-01-02T00:00:00Z","columns":593324451669541321,"place":{"Bulk":{"job":"750x","locator":"MTA","rows":10}}}}}"#;
        let again: State =
            serde_json::from_str(&stored.replace("593324451669541321", &columns.to_string())).unwrap();
        assert_eq!(again, state);
        assert_eq!(Progress::open(Some(&again), &identity, "Lead").unwrap(), progress);
    }
}
