//! Signing in by what a person has consented to: a refresh token, which the store keeps between runs.

use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::HeaderValue;

use super::instance::Instances;
use super::kept::{Kept, Owner};
use super::oauth::App;
use super::refusal::is_ended;
use super::store::TokenStore;
use super::token::{Granted, Token};
use super::{code, device};
use crate::config::{Config, GivenCode};

/// Where the first tokens come from.
pub(super) enum Way<'a> {
    /// A refresh token in the configuration.
    Given(&'a Secret),
    /// A code that somebody else got from a browser.
    Code {
        code: &'a GivenCode,
        callback_url: &'a str,
    },
    /// A person with a browser on this machine.
    Browser { callback_url: &'a str },
    /// A person with a browser anywhere.
    Device,
}

/// One renewal under the store's lock.
pub(super) struct Renewal<'a> {
    pub(super) app: App<'a>,
    pub(super) config: &'a Config,
    pub(super) store: &'a dyn TokenStore,
    pub(super) instances: &'a Instances,
    pub(super) way: Way<'a>,
}

impl Renewal<'_> {
    /// A token other than the one that was `refused`. New tokens are stored before this returns; where the store does
    /// not take them they stay in `unsaved`, for what they replace may be worth nothing any more.
    pub(super) async fn token(
        &self,
        unsaved: &mut Option<Secret>,
        refused: Option<&HeaderValue>,
    ) -> Result<Token> {
        let mut lease = self.store.lock().await?;
        if let Some(tokens) = unsaved.as_ref() {
            lease.save(tokens).await?;
            *unsaved = None;
        }
        let origin = match &self.way {
            Way::Given(token) => Some(*token),
            Way::Code { code, .. } => Some(&code.code),
            Way::Browser { .. } | Way::Device => None,
        };
        let owner = Owner {
            issuer: &self.app.endpoint,
            client_id: self.app.client_id,
            origin,
        };
        let kept = match lease.load().await? {
            Some(tokens) => Kept::read(&tokens, &owner)?,
            None => None,
        };
        let fresh = kept
            .as_ref()
            .and_then(|kept| kept.fresh(refused, self.app.door.now(), self.instances));
        if let Some(token) = fresh {
            return Ok(token);
        }
        let before = kept.as_ref().and_then(Kept::refresh_token).or(match &self.way {
            Way::Given(token) => Some((*token).clone()),
            _ => None,
        });
        let granted = match &before {
            Some(refresh_token) => self.refreshed(refresh_token).await?,
            // The code of the configuration gave tokens before, and is good for once.
            None if kept.is_some() && matches!(self.way, Way::Code { .. }) => return Err(no_refresh_token()),
            None => self.first().await?,
        };
        self.warn(before.as_ref(), &granted);
        let token = Token::granted(&granted, self.instances);
        let kept = Kept::of(&owner, &granted, before.as_ref(), self.app.door.now());
        let kept = if token.is_ok() {
            kept
        } else {
            kept.without_access()
        };
        let tokens = kept.write()?;
        if let Err(error) = lease.save(&tokens).await {
            *unsaved = Some(tokens);
            return Err(error);
        }
        token
    }

    async fn refreshed(&self, refresh_token: &Secret) -> Result<Granted> {
        match self.app.refresh(refresh_token).await {
            // Only a person can help, and one may be there.
            Err(error)
                if is_ended(&error)
                    && self.config.prompt.is_some()
                    && self.config.interactive
                    && matches!(self.way, Way::Browser { .. } | Way::Device) =>
            {
                self.first().await
            }
            granted => granted,
        }
    }

    /// The first tokens of all.
    async fn first(&self) -> Result<Granted> {
        match &self.way {
            Way::Given(token) => self.app.refresh(token).await,
            Way::Code { code, callback_url } => self.app.code(&code.code, &code.verifier, callback_url).await,
            Way::Browser { callback_url } => {
                let authorize = self.config.login_address("/services/oauth2/authorize");
                code::sign_in(&self.app, authorize, callback_url, self.prompt()?).await
            }
            Way::Device => device::sign_in(&self.app, self.prompt()?).await,
        }
    }

    fn prompt(&self) -> Result<&dyn super::Prompt> {
        let word = self.config.auth.word();
        if !self.config.interactive {
            return Err(Error::new(
                ErrorKind::Config,
                format!("auth `{word}` needs a person to sign in, and `InitiateOAuth` says not to ask one"),
            )
            .with_help(
                "set `InitiateOAuth` to GETANDREFRESH, or give a `refresh_token` or an `access_token`",
            ));
        }
        self.config.prompt.as_deref().ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("auth `{word}` needs a person to sign in, and the token store is empty"),
            )
            .with_help(
                "sign in once with a program that can show an address (`Config::with_prompt`) and has the same \
                 `token_store`, or use `client_credentials` or `jwt_bearer`",
            )
        })
    }

    fn warn(&self, before: Option<&Secret>, granted: &Granted) {
        let rotated = granted.refresh_token.is_some() && granted.refresh_token.as_ref() != before;
        if rotated && before.is_some() && self.config.token_store.is_none() {
            tracing::warn!(
                "the org gave a new refresh token in place of the configured one, which the next run will need: \
                 set `token_store`"
            );
        }
    }
}

fn no_refresh_token() -> Error {
    Error::new(ErrorKind::Auth, "the sign-in has ended and gave no refresh token")
        .with_help("add the scope `refresh_token` to the app in Salesforce, then sign in anew")
}
