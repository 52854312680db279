//! The web server flow with PKCE: a person signs in with a browser.

use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::Url;
use oauth2::{CsrfToken, PkceCodeChallenge};

use super::SCOPE;
use super::oauth::App;
use super::prompt::{Ask, Prompt};
use super::redirect::Callback;
use super::token::Granted;
use crate::config::is_loopback;
use crate::error::ApiError;

/// Shows the address, waits for the redirect, and trades the code in.
pub(super) async fn sign_in(
    app: &App<'_>,
    authorize: Url,
    callback_url: &str,
    prompt: &dyn Prompt,
) -> Result<Granted> {
    let state = Secret::new(CsrfToken::new_random().into_secret());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let verifier = Secret::new(verifier.into_secret());
    let callback = Url::parse(callback_url)
        .map_err(|_| Error::new(ErrorKind::Config, "`callback_url` is no address"))?;
    let listening = if is_loopback(&callback) && callback.scheme() == "http" {
        Some(Callback::listen(callback).await?)
    } else {
        None
    };
    let callback_url = listening.as_ref().map_or_else(
        || callback_url.to_owned(),
        |callback| callback.spelt(callback_url),
    );
    let mut url = authorize;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", app.client_id)
        .append_pair("redirect_uri", &callback_url)
        .append_pair("scope", SCOPE)
        .append_pair("state", state.reveal())
        .append_pair("code_challenge", challenge.as_str())
        .append_pair("code_challenge_method", "S256");
    prompt.show(&Ask::Browser { url }).await?;
    let code = match listening {
        Some(callback) => callback.code(&state, app.door.clock()).await?,
        None => match outcome(&prompt.redirected().await?, &state) {
            Some(outcome) => outcome?,
            None => {
                return Err(
                    Error::new(ErrorKind::Auth, "the redirect does not belong to this sign-in")
                        .with_help("sign in anew, with the address that is shown"),
                );
            }
        },
    };
    app.code(&code, &verifier, &callback_url).await
}

/// The code that a redirect brings, or the refusal; `None` where its `state` is not ours.
pub(super) fn outcome(redirect: &Url, state: &Secret) -> Option<Result<Secret>> {
    let get = |name: &str| {
        let mut pairs = redirect.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let given = get("state")?;
    // Compared as digests, which takes the same time wherever they differ.
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    if digest(&given).as_ref() != digest(state.reveal()).as_ref() {
        return None;
    }
    if let Some(code) = get("code").filter(|code| !code.is_empty()) {
        return Some(Ok(Secret::new(code)));
    }
    let error = get("error").unwrap_or_default();
    let api = ApiError::OAuth {
        error: error.chars().take(100).collect(),
        description: get("error_description")
            .unwrap_or_default()
            .chars()
            .take(500)
            .collect(),
    };
    Some(Err(Error::new(
        ErrorKind::Auth,
        "the sign-in in the browser ended without a code",
    )
    .with_help("sign in anew and allow the app's request; the cause says what Salesforce objects to")
    .with_source(api)))
}
