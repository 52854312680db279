//! Keys of other products whose values say what ours say in other words.

use connector_core::{Error, ErrorKind, Properties, Result, Secret};

use super::{PRODUCTION, SANDBOX};

pub(super) const AUTH_SCHEME: &str = "auth_scheme";
pub(super) const USE_SANDBOX: &str = "use_sandbox";
/// Who fetches tokens: always this crate, and never by opening a browser.
pub(super) const INITIATE_OAUTH: &str = "initiate_oauth";

/// Adds what these keys say, in our words.
pub(super) fn translate(properties: &mut Properties) -> Result<()> {
    let scheme = properties.text(AUTH_SCHEME).map(auth).transpose()?;
    if let Some(word) = scheme.flatten() {
        properties.add([("auth".to_owned(), Secret::new(word))])?;
    }
    // A login address says more than whether it is a sandbox.
    if properties.text("login_url").is_none()
        && let Some(sandbox) = properties.flag(USE_SANDBOX)?
    {
        let url = if sandbox { SANDBOX } else { PRODUCTION };
        properties.add([("login_url".to_owned(), Secret::new(url))])?;
    }
    Ok(())
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
