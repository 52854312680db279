//! The store hash, in the forms that people paste.

use connector_core::{Error, ErrorKind, Result};

/// Finds the store hash in a bare hash, `store-…`, an API path or the address of the control panel.
///
/// # Errors
/// [`ErrorKind::Config`]: there is none.
pub(super) fn store_hash(text: &str) -> Result<String> {
    let text = text.trim();
    let bare = text
        .split_once("://")
        .map_or(text, |(_, rest)| rest)
        .split(['?', '#'])
        .next()
        .unwrap_or_default();
    let candidate = match bare.split_once("stores/") {
        Some((_, rest)) => rest.split('/').next(),
        // `store-abc123.mybigcommerce.com/manage`, `store-abc123`, `abc123/v3`, `/abc123`.
        None => bare.trim_start_matches('/').split(['/', '.']).next(),
    };
    let hash = candidate.unwrap_or_default().to_ascii_lowercase();
    let hash = hash.strip_prefix("store-").unwrap_or(&hash);
    if hash.is_empty() || hash == "api" || !hash.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::new(ErrorKind::Config, "`store_id` holds no store hash").with_help(
            "copy it from the API path that the control panel shows: the part between `stores/` and `/v3`",
        ));
    }
    Ok(hash.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_people_paste_means_the_same_store() {
        for text in [
            "abc123",
            " ABC123 ",
            "store-abc123",
            "/abc123/",
            "abc123/v3",
            "stores/abc123",
            "/stores/abc123/v2",
            "https://api.bigcommerce.com/stores/abc123/v3/",
            "https://api.bigcommerce.com/stores/abc123",
            "https://store-abc123.mybigcommerce.com/manage/dashboard",
        ] {
            assert_eq!(store_hash(text).ok().as_deref(), Some("abc123"), "{text}");
        }
        for text in [
            "",
            "stores/",
            "https://api.bigcommerce.com/",
            "abc 123",
            "store-",
            "../x",
            "abc%2f",
        ] {
            assert_eq!(store_hash(text).unwrap_err().kind(), ErrorKind::Config, "{text}");
        }
    }
}
