//! The names other products give the keys, as users paste them.

use connector_core::{Error, ErrorKind, Result, Secret, nearest};

use super::{PRODUCTION, SANDBOX};

const NAMES: [(&str, &str); 15] = [
    ("User", "username"),
    ("Password", "password"),
    ("SecurityToken", "security_token"),
    ("LoginURL", "login_url"),
    ("APIVersion", "api_version"),
    ("OAuthClientId", "client_id"),
    ("OAuthClientSecret", "client_secret"),
    ("OAuthAccessToken", "access_token"),
    ("OAuthRefreshToken", "refresh_token"),
    ("InstanceURL", "instance_url"),
    ("TokenUrl", "token_url"),
    ("AuthScheme", "auth"),
    ("UseSandbox", "login_url"),
    // Who fetches tokens: always this crate, and never by opening a browser.
    ("InitiateOAuth", ""),
    ("ProxyURL", "proxy"),
];

/// The pairs of a connection string under this crate's keys.
pub(super) fn translate(pairs: Vec<(String, Secret)>) -> Result<Vec<(&'static str, Secret)>> {
    let login_url = pairs
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("LoginURL"));
    let mut out = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let Some((name, key)) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) else {
            return Err(unknown(&name));
        };
        match *name {
            "InitiateOAuth" => {}
            "AuthScheme" => {
                if let Some(word) = auth(value.reveal())? {
                    out.push(("auth", Secret::new(word)));
                }
            }
            // A login address says more than whether it is a sandbox.
            "UseSandbox" if login_url => {}
            "UseSandbox" => {
                let sandbox = value.reveal().eq_ignore_ascii_case("true");
                out.push((
                    "login_url",
                    Secret::new(if sandbox { SANDBOX } else { PRODUCTION }),
                ));
            }
            _ => out.push((*key, value)),
        }
    }
    Ok(out)
}

/// Our word for an `AuthScheme`; `None` where the other keys decide.
fn auth(scheme: &str) -> Result<Option<&'static str>> {
    let known = [
        ("OAuth", None),
        ("OAuthClient", Some("client_credentials")),
        ("OAuthPassword", Some("password")),
        ("OAuthJWT", Some("jwt_bearer")),
        ("OAuthPKCE", Some("authorization_code")),
        ("Basic", Some("login")),
    ];
    known
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(scheme))
        .map(|(_, word)| *word)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("AuthScheme `{scheme}` is not supported in this version"),
            )
            .with_help("use `OAuthClient` or `OAuthPassword`, or give an access or refresh token")
        })
}

fn unknown(name: &str) -> Error {
    let error = Error::new(
        ErrorKind::Config,
        format!("the connection string has no key `{name}`"),
    );
    let names = NAMES.map(|(name, _)| name);
    match nearest(name, names).first() {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help(format!("the keys are {}", names.join(", "))),
    }
}
