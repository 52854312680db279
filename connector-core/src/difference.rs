//! What a write-back compares: the records of a source with what the other side has confirmed.

use crate::connector::Identity;
use crate::state::Fence;

/// The other side of a write-back: fingerprints belong to it, so that another org starts empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The destination.
    pub identity: Identity,
    /// The object written to.
    pub object: String,
}

/// Which records differ, from whose point of view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The other side.
    pub target: Target,
    /// The task's fence, under which intents are stored.
    pub fence: Fence,
    /// The fields that find the record: each one's name at the destination, and at the source.
    pub match_on: Vec<(String, String)>,
    /// Each field written: its name at the destination, and at the source.
    pub fields: Vec<(String, String)>,
    /// Ignore what was confirmed: every record is sent.
    pub full: bool,
}
