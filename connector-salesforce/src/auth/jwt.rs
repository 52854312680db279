//! Signing in by a JWT that a private key signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::Url;
use serde::Serialize;

use super::door::Door;
use super::key::PrivateKey;
use super::oauth;
use super::token::Granted;
use crate::config::{PRODUCTION, SANDBOX};

/// Salesforce takes at most three minutes.
const LIFE_SECONDS: i64 = 180;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

/// Asks `endpoint` for a token of `username`.
pub(super) async fn sign_in(
    door: &Door,
    endpoint: Url,
    client_id: &str,
    username: &str,
    audience: &str,
    key: &PrivateKey,
) -> Result<Granted> {
    let claims = Claims {
        iss: client_id,
        sub: username,
        aud: audience,
        exp: expiry(door.now()),
    };
    let assertion = Secret::new(signed(&claims, key)?);
    let fields = [("grant_type", GRANT), ("assertion", assertion.reveal())];
    oauth::form(door, endpoint, &fields, &[&assertion]).await
}

fn expiry(now: Instant) -> i64 {
    now.unix_micros() / 1_000_000 + LIFE_SECONDS
}

fn signed(claims: &Claims<'_>, key: &PrivateKey) -> Result<String> {
    let claims = serde_json::to_vec(claims)
        .map_err(|error| Error::new(ErrorKind::Bug, "claims do not become JSON").with_source(error))?;
    let mut text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256"}"#),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}

/// Whom the JWT is for: the login host of the org's kind, or the site itself.
pub(super) fn audience(login_url: &Url) -> String {
    let host = login_url.host_str().unwrap_or_default();
    let is = |ending: &str| host.ends_with(ending);
    if host == "test.salesforce.com" || is(".sandbox.my.salesforce.com") || is(".scratch.my.salesforce.com") {
        SANDBOX.to_owned()
    } else if is(".salesforce.com") {
        PRODUCTION.to_owned()
    } else {
        login_url.as_str().trim_end_matches('/').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_follows_the_login_address() {
        for (login, wanted) in [
            ("https://login.salesforce.com", PRODUCTION),
            ("https://acme.my.salesforce.com", PRODUCTION),
            ("https://acme.develop.my.salesforce.com", PRODUCTION),
            ("https://test.salesforce.com", SANDBOX),
            ("https://acme--dev.sandbox.my.salesforce.com", SANDBOX),
            (
                "https://acme.my.site.com/partners",
                "https://acme.my.site.com/partners",
            ),
        ] {
            assert_eq!(audience(&Url::parse(login).unwrap()), wanted, "{login}");
        }
    }
}
