//! States as they are stored: nobody but their connector looks inside, and these are its defects.

use connector_core::State;
use serde_json::Value;

pub(crate) fn json(state: &State) -> Value {
    serde_json::to_value(state).unwrap()
}

/// One part of a state: `version`, `source`, `stream` or `data`.
pub(crate) fn part(state: &State, name: &str) -> Value {
    json(state)[name].clone()
}

/// The same with another part.
pub(crate) fn with(state: &State, name: &str, value: Value) -> State {
    let mut stored = json(state);
    stored[name] = value;
    serde_json::from_value(stored).unwrap()
}

/// Whether it is where a read has come to its end.
pub(crate) fn is_an_end(state: &State) -> bool {
    let data = part(state, "data");
    data.get("changes")
        .is_some_and(|changes| changes["slot"].is_null())
}
