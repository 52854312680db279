//! The opaque place in a V3 list: base64 of the last key as JSON.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The cursor that stands for record `id`.
pub(super) fn encode(id: u64) -> String {
    STANDARD.encode(json!({ "id": id }).to_string())
}

/// The id that a cursor stands for.
pub(super) fn decode(text: &str) -> Option<u64> {
    let bytes = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok())?;
    serde_json::from_slice::<Value>(&bytes).ok()?.get("id")?.as_u64()
}
