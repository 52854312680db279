//! The way to sign in that keys and values amount to.

use std::sync::Arc;

use connector_core::{Error, ErrorKind, Properties, Result, Secret, nearest};

use super::auth::GivenCode;
use super::{Auth, CALLBACK_URL, Config, address, vendor};
use crate::auth::{FileTokenStore, MemoryTokenStore, PrivateKey, TokenStore, WsTrust};

/// Each way by its word, with the keys that it uses besides those of every way.
const WAYS: [(&str, &[&str]); 9] = [
    ("client_credentials", &["client_id", "client_secret"]),
    (
        "authorization_code",
        &[
            "client_id",
            "client_secret",
            "callback_url",
            "authorization_code",
            "pkce_verifier",
            "token_store",
        ],
    ),
    (
        "refresh_token",
        &["client_id", "client_secret", "refresh_token", "token_store"],
    ),
    (
        "jwt_bearer",
        &[
            "client_id",
            "client_secret",
            "username",
            "private_key",
            "private_key_file",
            "private_key_password",
            "audience",
        ],
    ),
    ("device", &["client_id", "client_secret", "token_store"]),
    (
        "password",
        &[
            "client_id",
            "client_secret",
            "username",
            "password",
            "security_token",
        ],
    ),
    ("login", &["username", "password", "security_token"]),
    (
        "saml_bearer",
        &[
            "client_id",
            "client_secret",
            "username",
            "password",
            "sso_login_url",
            "sso_exchange_url",
        ],
    ),
    ("access_token", &["access_token"]),
];

/// What is given.
pub(super) struct Given<'a>(pub(super) &'a Properties);

impl Given<'_> {
    /// The way that is named, or else the one that the keys amount to.
    pub(super) fn auth(&self) -> Result<Auth> {
        match self.0.text("auth") {
            Some(word) => self.build(word),
            None => self.build(self.infer()),
        }
    }

    /// Refuses what the way that is named does not use: one of the two is not what was meant.
    pub(super) fn refuse_unused(&self) -> Result<()> {
        let word = self.0.text("auth").unwrap_or_default();
        let Some((_, used)) = WAYS.iter().find(|(way, _)| *way == word) else {
            return Ok(());
        };
        let all = WAYS.iter().flat_map(|(_, keys)| keys.iter());
        match all.into_iter().find(|key| self.has(key) && !used.contains(key)) {
            Some(key) => Err(
                Error::new(ErrorKind::Config, format!("auth `{word}` does not use `{key}`"))
                    .with_help(format!("take `{key}` out, or name the `auth` that uses it")),
            ),
            None => Ok(()),
        }
    }

    /// Where SAML assertions come from, as far as keys can say.
    pub(super) fn ws_trust(&self) -> Result<Option<WsTrust>> {
        let Some(url) = self.0.text("sso_login_url") else {
            return Ok(None);
        };
        let username = self.need("username", "saml_bearer")?;
        let password = self.need("password", "saml_bearer")?;
        let provider = WsTrust::new(url, username.reveal(), password)?;
        Ok(Some(match vendor::relying_party(self.0)? {
            Some(name) => provider.with_relying_party(name),
            None => provider,
        }))
    }

    pub(super) fn token_store(&self) -> Option<Arc<dyn TokenStore>> {
        let place = self.0.text("token_store")?;
        Some(if place.to_ascii_lowercase().starts_with("memory://") {
            Arc::new(MemoryTokenStore::default())
        } else {
            Arc::new(FileTokenStore::new(place))
        })
    }

    fn has(&self, key: &str) -> bool {
        self.0.text(key).is_some()
    }

    fn need(&self, key: &str, auth: &str) -> Result<Secret> {
        self.0.secret(key).ok_or_else(|| missing(key, auth))
    }

    /// The way to sign in that what is given amounts to.
    fn infer(&self) -> &'static str {
        let has = |key| self.has(key);
        if has("refresh_token") {
            "refresh_token"
        } else if has("access_token") {
            "access_token"
        } else if has("private_key") || has("private_key_file") {
            "jwt_bearer"
        } else if has("sso_login_url") || has("sso_exchange_url") {
            "saml_bearer"
        } else if has("authorization_code") || has("callback_url") {
            "authorization_code"
        } else if has("username") {
            if has("client_id") { "password" } else { "login" }
        } else if has("token_store") {
            "authorization_code"
        } else {
            "client_credentials"
        }
    }

    fn build(&self, word: &str) -> Result<Auth> {
        let client_id = || Ok(self.need("client_id", word)?.reveal().to_owned());
        let username = || Ok(self.need("username", word)?.reveal().to_owned());
        let client_secret = self.0.secret("client_secret");
        let security_token = self.0.secret("security_token");
        Ok(match word {
            "client_credentials" => Auth::ClientCredentials {
                client_id: client_id()?,
                client_secret: self.need("client_secret", word)?,
            },
            "access_token" => Auth::AccessToken {
                access_token: self.need("access_token", word)?,
                instance_url: self.instance()?,
            },
            "refresh_token" => Auth::RefreshToken {
                client_id: client_id()?,
                client_secret,
                refresh_token: self.need("refresh_token", word)?,
            },
            "authorization_code" => Auth::AuthorizationCode {
                client_id: client_id()?,
                client_secret,
                callback_url: self.callback_url()?,
                code: self.code()?,
            },
            "device" => Auth::Device {
                client_id: client_id()?,
                client_secret,
            },
            "jwt_bearer" => Auth::JwtBearer {
                client_id: self
                    .0
                    .text(vendor::JWT_ISSUER)
                    .map_or_else(client_id, |id| Ok(id.to_owned()))?,
                username: self
                    .0
                    .text(vendor::JWT_SUBJECT)
                    .map_or_else(username, |name| Ok(name.to_owned()))?,
                private_key: self.private_key()?,
                audience: self.0.text("audience").map(str::to_owned),
            },
            "password" => Auth::Password {
                client_id: client_id()?,
                client_secret,
                username: username()?,
                password: self.need("password", word)?,
                security_token,
            },
            "login" => Auth::Login {
                username: username()?,
                password: self.need("password", word)?,
                security_token,
            },
            "saml_bearer" => Auth::SamlBearer {
                client_id: self.0.text("client_id").map(str::to_owned),
            },
            word => {
                let known = WAYS.map(|(way, _)| way);
                let help = match nearest(word, known).first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it is one of `{}`", known.join("`, `")),
                };
                return Err(
                    Error::new(ErrorKind::Config, format!("there is no auth `{word}`")).with_help(help),
                );
            }
        })
    }

    /// The org's address; a My Domain is one, too.
    fn instance(&self) -> Result<url::Url> {
        let config = Config::new(Auth::SamlBearer { client_id: None });
        let login = self
            .0
            .text("login_url")
            .map(|url| config.with_login_url(url))
            .transpose()?;
        match (self.0.text("instance_url"), login) {
            (Some(url), _) => address("instance_url", url),
            (None, Some(login)) if !login.is_shared_login() => Ok(login.login_url),
            _ => Err(missing("instance_url", "access_token")),
        }
    }

    fn callback_url(&self) -> Result<String> {
        let text = self.0.text("callback_url").unwrap_or(CALLBACK_URL);
        address("callback_url", text)?;
        Ok(text.to_owned())
    }

    fn code(&self) -> Result<Option<GivenCode>> {
        match (
            self.0.secret("authorization_code"),
            self.0.secret("pkce_verifier"),
        ) {
            (Some(code), Some(verifier)) => Ok(Some(GivenCode { code, verifier })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(half("authorization_code", "pkce_verifier")),
            (None, Some(_)) => Err(half("pkce_verifier", "authorization_code")),
        }
    }

    fn private_key(&self) -> Result<PrivateKey> {
        let password = self.0.secret("private_key_password");
        match (self.0.secret("private_key"), self.0.text("private_key_file")) {
            (Some(_), Some(_)) => Err(Error::new(
                ErrorKind::Config,
                "`private_key` and `private_key_file` are both given",
            )
            .with_help("say one of the two")),
            (Some(text), None) => PrivateKey::from_pem(&text, password.as_ref()),
            (None, Some(path)) => PrivateKey::from_pem_file(path, password.as_ref()),
            (None, None) => Err(missing("private_key_file", "jwt_bearer")),
        }
    }
}

fn missing(key: &str, auth: &str) -> Error {
    Error::new(ErrorKind::Config, format!("auth `{auth}` needs `{key}`"))
        .with_help(format!("add `{key}` to the connection"))
}

fn half(given: &str, missing: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("`{given}` is given and `{missing}` is not"),
    )
    .with_help(format!(
        "add `{missing}`, or take `{given}` out to be asked to sign in"
    ))
}
