//! What a token store holds.

use std::fmt::Write as _;

use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::{HeaderValue, Url};
use ring::digest;
use serde::{Deserialize, Serialize};

use super::instance::Instances;
use super::token::{Granted, Token};

/// How long an access token that somebody saved is taken without asking: every org lets one live longer.
const FRESH_MICROS: i64 = 10 * 60 * 1_000_000;
const VERSION: u32 = 1;

/// The tokens of one sign-in, and what it belongs to.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    /// The token endpoint and the app; the tokens go nowhere else.
    issuer: String,
    client_id: String,
    /// A digest of the token or code in the configuration that these tokens came from.
    origin: Option<String>,
    refresh_token: Option<String>,
    access: Option<Access>,
    saved_at: i64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Access {
    token: String,
    instance_url: String,
    id: Option<String>,
}

/// What tokens must belong to.
pub(super) struct Owner<'a> {
    pub(super) issuer: &'a Url,
    pub(super) client_id: &'a str,
    /// The token or code in the configuration.
    pub(super) origin: Option<&'a Secret>,
}

impl Kept {
    /// The tokens of an answer; a refresh token that it does not renew stays.
    pub(super) fn of(owner: &Owner<'_>, granted: &Granted, before: Option<&Secret>, now: Instant) -> Self {
        let refresh_token = granted.refresh_token.as_ref().or(before);
        Self {
            version: VERSION,
            issuer: owner.issuer.to_string(),
            client_id: owner.client_id.to_owned(),
            origin: owner.origin.map(fingerprint),
            refresh_token: refresh_token.map(|token| token.reveal().to_owned()),
            access: Some(Access {
                token: granted.access_token.reveal().to_owned(),
                instance_url: granted.instance_url.clone(),
                id: granted.id.clone(),
            }),
            saved_at: now.unix_micros(),
        }
    }

    /// The same without an access token, where that turned out to be no good.
    pub(super) fn without_access(mut self) -> Self {
        self.access = None;
        self
    }

    /// Reads what a store holds; `None` where the configuration has been given something newer.
    pub(super) fn read(text: &Secret, owner: &Owner<'_>) -> Result<Option<Self>> {
        let unreadable = || {
            Error::new(
                ErrorKind::State,
                "the token store holds something other than this crate's tokens",
            )
            .with_help(
                "give the connection a `token_store` of its own, or remove what is there and sign in anew",
            )
        };
        // The error's own text could show a token.
        let mut kept: Self = serde_json::from_str(text.reveal()).map_err(|_| unreadable())?;
        if kept.version != VERSION {
            return Err(unreadable());
        }
        if kept.issuer != owner.issuer.as_str() || kept.client_id != owner.client_id {
            return Err(Error::new(
                ErrorKind::Config,
                "the token store holds the tokens of another app or of another login address",
            )
            .with_help("give each connection a `token_store` of its own"));
        }
        match owner.origin.map(fingerprint) {
            Some(origin) if kept.origin.as_ref() != Some(&origin) => Ok(None),
            _ => {
                kept.refresh_token = kept.refresh_token.filter(|token| !token.is_empty());
                Ok(Some(kept))
            }
        }
    }

    pub(super) fn write(&self) -> Result<Secret> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::new(ErrorKind::Bug, "tokens do not become JSON").with_source(error))?;
        Ok(Secret::new(text))
    }

    pub(super) fn refresh_token(&self) -> Option<Secret> {
        self.refresh_token.as_deref().map(Secret::new)
    }

    /// The access token that another holder has just got, unless it is the one that was `refused`.
    pub(super) fn fresh(
        &self,
        refused: Option<&HeaderValue>,
        now: Instant,
        instances: &Instances,
    ) -> Option<Token> {
        let age = now.unix_micros().saturating_sub(self.saved_at);
        let access = self
            .access
            .as_ref()
            .filter(|_| (0..FRESH_MICROS).contains(&age))?;
        let granted = Granted {
            access_token: Secret::new(access.token.as_str()),
            instance_url: access.instance_url.clone(),
            id: access.id.clone(),
            refresh_token: None,
        };
        let token = Token::granted(&granted, instances).ok()?;
        (refused != Some(&token.header)).then_some(token)
    }
}

fn fingerprint(secret: &Secret) -> String {
    let digest = digest::digest(&digest::SHA256, secret.reveal().as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_belong_to_one_app_at_one_address_and_to_what_they_came_from() {
        let issuer = Url::parse("https://login.salesforce.com/services/oauth2/token").unwrap();
        let elsewhere = Url::parse("https://test.salesforce.com/services/oauth2/token").unwrap();
        let first = Secret::new("first");
        let owner = Owner {
            issuer: &issuer,
            client_id: "app",
            origin: Some(&first),
        };
        let granted = Granted {
            access_token: Secret::new("00D!a"),
            instance_url: "https://acme.my.salesforce.com".to_owned(),
            id: None,
            refresh_token: None,
        };
        let now = Instant::from_unix_micros(1_700_000_000_000_000);
        let kept = Kept::of(&owner, &granted, Some(&first), now);
        let text = kept.write().unwrap();
        let read = Kept::read(&text, &owner).unwrap().unwrap();
        assert_eq!(read.refresh_token(), Some(first.clone()));
        let instances = Instances {
            asked: vec![],
            pinned: None,
        };
        let token = read.fresh(None, now, &instances).unwrap();
        assert!(read.fresh(Some(&token.header), now, &instances).is_none());
        let later = Instant::from_unix_micros(now.unix_micros() + FRESH_MICROS);
        assert!(read.fresh(None, later, &instances).is_none());
        for other in [
            Owner {
                issuer: &elsewhere,
                ..owner
            },
            Owner {
                client_id: "other",
                ..owner
            },
        ] {
            assert_eq!(Kept::read(&text, &other).err().unwrap().kind(), ErrorKind::Config);
        }
        let second = Secret::new("second");
        let newer = Owner {
            origin: Some(&second),
            ..owner
        };
        assert!(Kept::read(&text, &newer).unwrap().is_none());
        let unsaid = Owner {
            origin: None,
            ..owner
        };
        assert!(Kept::read(&text, &unsaid).unwrap().is_some());
        let error = Kept::read(&Secret::new("hunter2"), &owner).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
