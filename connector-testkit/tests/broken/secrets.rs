//! What must not be shown, and how it is shown all the same.

/// The secrets that every connection here was given.
pub(crate) const SECRETS: [&str; 2] = ["hunter2-hunter2", "p@ss \"w0rd\"/é"];

pub(crate) fn secrets() -> Vec<String> {
    SECRETS.map(str::to_owned).to_vec()
}

/// A secret as a URL has it.
pub(crate) const IN_A_URL: &str = "https://example.com/?token=p%40ss%20%22w0rd%22%2F%C3%A9&page=2";

/// `me:hunter2-hunter2`, as a header has it.
pub(crate) const IN_A_HEADER: &str = "Authorization: Basic bWU6aHVudGVyMi1odW50ZXIy";
