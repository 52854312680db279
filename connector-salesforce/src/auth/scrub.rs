//! Taking secrets out of texts that a server wrote.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use connector_core::Secret;
use url::form_urlencoded::byte_serialize;

use super::xml::escape;
use crate::error::ApiError;

/// Shorter ones are no secrets, and would take words apart.
const SHORTEST: usize = 4;

/// The secrets of one request, in each form that an answer could repeat them in.
pub(super) struct Scrub(Vec<String>);

impl Scrub {
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets {
            let text = secret.reveal();
            if text.len() < SHORTEST {
                continue;
            }
            let form: String = byte_serialize(text.as_bytes()).collect();
            let json = serde_json::to_string(text).unwrap_or_default();
            forms.extend([
                text.to_owned(),
                form.replace('+', "%20"),
                form,
                escape(text),
                json.trim_matches('"').to_owned(),
                STANDARD_NO_PAD.encode(text),
                URL_SAFE_NO_PAD.encode(text),
            ]);
        }
        // The longest first: one may be the start of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self(forms)
    }

    /// `text` without them.
    pub(super) fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, form| {
            if text.contains(form.as_str()) {
                text.replace(form.as_str(), "[redacted]")
            } else {
                text
            }
        })
    }

    /// `error` without them.
    pub(super) fn error(&self, error: ApiError) -> ApiError {
        match error {
            ApiError::Api {
                status,
                code,
                message,
                fields,
            } => ApiError::Api {
                status,
                code: self.text(&code),
                message: self.text(&message),
                fields: fields.iter().map(|field| self.text(field)).collect(),
            },
            ApiError::OAuth { error, description } => ApiError::OAuth {
                error: self.text(&error),
                description: self.text(&description),
            },
            ApiError::Page { status } => ApiError::Page { status },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_taken_out() {
        let scrub = Scrub::new(&[Secret::new("pass word&<1>"), Secret::new("abc")]);
        for form in [
            "pass word&<1>",
            "pass+word%26%3C1%3E",
            "pass%20word%26%3C1%3E",
            "pass word&amp;&lt;1&gt;",
            &STANDARD_NO_PAD.encode("pass word&<1>"),
        ] {
            assert_eq!(scrub.text(&format!("no {form}!")), "no [redacted]!");
        }
        assert_eq!(scrub.text("abc stays"), "abc stays");
    }
}
