//! Signing in by a SAML assertion.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector_core::{Result, Secret};
use connector_http::Url;

use super::door::Door;
use super::oauth;
use super::token::Granted;

/// What an app takes.
const BEARER: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
/// What an org's own token endpoint takes, without an app.
const WEB_SSO: &str = "urn:oasis:names:tc:SAML:2.0:profiles:SSO:browser";

/// Trades an assertion in at `endpoint`: for the app, or, where there is none, for the org itself.
pub(super) async fn sign_in(
    door: &Door,
    endpoint: Url,
    client_id: Option<&str>,
    assertion: &Secret,
) -> Result<Granted> {
    let encoded = Secret::new(encode(assertion.reveal()));
    let secrets = [assertion, &encoded];
    match client_id {
        Some(client_id) => {
            let fields = [
                ("grant_type", BEARER),
                ("assertion", encoded.reveal()),
                ("client_id", client_id),
            ];
            oauth::form(door, endpoint, &fields, &secrets).await
        }
        None => {
            let fields = [
                ("grant_type", "assertion"),
                ("assertion_type", WEB_SSO),
                ("assertion", encoded.reveal()),
            ];
            oauth::form(door, endpoint, &fields, &secrets).await
        }
    }
}

/// The base64url of XML; other base64 becomes that.
fn encode(assertion: &str) -> String {
    let text = assertion.trim();
    if text.starts_with('<') {
        return URL_SAFE_NO_PAD.encode(text);
    }
    let letters = text
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace() && *letter != '=');
    letters
        .map(|letter| match letter {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_travels_as_base64url() {
        assert_eq!(encode("<a>\u{fe}?</a>"), URL_SAFE_NO_PAD.encode("<a>\u{fe}?</a>"));
        assert_eq!(encode("PGE+w74/\nPC9hPg=="), "PGE-w74_PC9hPg");
    }
}
