//! What a connection needs to know.

mod address;
mod auth;
mod version;

mod properties;
mod vendor;
mod write;

pub(crate) use write::WriteOptions;
mod ways;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result, Secret};
use url::Url;

pub(crate) use self::address::{address, endpoint, is_loopback, is_trustworthy};
pub use self::auth::{Auth, GivenCode};
pub(crate) use self::version::ApiVersion;
use crate::auth::{AssertionProvider, Prompt, TokenStore, WsTrust};

/// How to reach an org and sign in.
///
/// ```
/// use connector_core::Secret;
/// use connector_salesforce::{Auth, Config};
///
/// let auth = Auth::ClientCredentials { client_id: "3MVG9".into(), client_secret: Secret::new("s3cret") };
/// let config = Config::new(auth).with_login_url("https://acme.my.salesforce.com")?;
/// assert!(!format!("{config:?}").contains("s3cret"));
/// # Ok::<(), connector_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Config {
    pub(crate) auth: Auth,
    pub(crate) login_url: Url,
    pub(crate) token_url: Option<Url>,
    pub(crate) sso_exchange_url: Option<Url>,
    /// The only address that a sign-in may name as the org's.
    pub(crate) instance_url: Option<Url>,
    pub(crate) api_version: ApiVersion,
    pub(crate) proxy: Option<Secret>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) write: WriteOptions,
    pub(crate) token_store: Option<Arc<dyn TokenStore>>,
    pub(crate) prompt: Option<Arc<dyn Prompt>>,
    /// Whether a person may be asked.
    pub(crate) interactive: bool,
    pub(crate) assertions: Option<Arc<dyn AssertionProvider>>,
    pub(crate) ws_trust: Option<WsTrust>,
}

/// Where production orgs sign in.
pub(crate) const PRODUCTION: &str = "https://login.salesforce.com";
/// Where sandboxes sign in.
pub(crate) const SANDBOX: &str = "https://test.salesforce.com";
/// Where a browser is sent after signing in, unless told.
pub const CALLBACK_URL: &str = "http://localhost:33333";

impl Config {
    /// A production org, with API version 62.0.
    pub fn new(auth: Auth) -> Self {
        #[expect(clippy::expect_used, reason = "the address is a constant")]
        let login_url = Url::parse(PRODUCTION).expect("a constant");
        Self {
            auth,
            login_url,
            token_url: None,
            sso_exchange_url: None,
            instance_url: None,
            api_version: ApiVersion::DEFAULT,
            proxy: None,
            ca_file: None,
            write: WriteOptions::default(),
            token_store: None,
            prompt: None,
            interactive: true,
            assertions: None,
            ws_trust: None,
        }
    }

    /// The same at another login address: a My Domain, a sandbox's, or an Experience Cloud site with its path.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is no `https` address; plain `http` is taken for loopback only.
    pub fn with_login_url(mut self, url: &str) -> Result<Self> {
        self.login_url = address("login_url", url)?;
        // Others take the address of the SOAP API here.
        if let Some((site, _)) = self.login_url.path().split_once("/services/") {
            let site = site.to_owned();
            self.login_url.set_path(&site);
        }
        Ok(self)
    }

    /// The same with another token endpoint than the login address's own.
    ///
    /// # Errors
    /// As for [`with_login_url`](Self::with_login_url).
    pub fn with_token_url(mut self, url: &str) -> Result<Self> {
        self.token_url = Some(endpoint("token_url", url)?);
        Ok(self)
    }

    /// The same with the endpoint that trades SAML assertions in, where that is not the token endpoint: the one that
    /// the org's single sign-on settings show.
    ///
    /// # Errors
    /// As for [`with_login_url`](Self::with_login_url).
    pub fn with_sso_exchange_url(mut self, url: &str) -> Result<Self> {
        self.sso_exchange_url = Some(endpoint("sso_exchange_url", url)?);
        Ok(self)
    }

    /// The same with the org's own address, so that a sign-in that names another one is refused.
    ///
    /// # Errors
    /// As for [`with_login_url`](Self::with_login_url).
    pub fn with_instance_url(mut self, url: &str) -> Result<Self> {
        self.instance_url = Some(address("instance_url", url)?);
        Ok(self)
    }

    /// The same with another version of the API, such as `66.0`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is no version, or older than 46.0.
    pub fn with_api_version(mut self, version: &str) -> Result<Self> {
        self.api_version = ApiVersion::parse(version)?;
        Ok(self)
    }

    /// The same through a proxy.
    #[must_use]
    pub fn with_proxy(mut self, url: Secret) -> Self {
        self.proxy = Some(url);
        self
    }

    /// The same, trusting the certificate authorities of a PEM file as well.
    #[must_use]
    pub fn with_ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.ca_file = Some(path.as_ref().to_owned());
        self
    }

    /// The same, keeping refresh tokens in `store`: where the org rotates them, and where a person has signed in.
    #[must_use]
    pub fn with_token_store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.token_store = Some(store);
        self
    }

    /// The same, asking people to sign in by `prompt`.
    #[must_use]
    pub fn with_prompt(mut self, prompt: Arc<dyn Prompt>) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// The same with SAML assertions from `provider`.
    #[must_use]
    pub fn with_assertions(mut self, provider: Arc<dyn AssertionProvider>) -> Self {
        self.assertions = Some(provider);
        self
    }

    /// The same with SAML assertions by WS-Trust.
    #[must_use]
    pub fn with_ws_trust(mut self, provider: WsTrust) -> Self {
        self.ws_trust = Some(provider);
        self
    }

    /// Where tokens are got.
    pub(crate) fn token_endpoint(&self) -> Url {
        self.token_url
            .clone()
            .unwrap_or_else(|| self.login_address("/services/oauth2/token"))
    }

    /// `path` at the login address, below the site's own path.
    pub(crate) fn login_address(&self, path: &str) -> Url {
        let mut url = self.login_url.clone();
        url.set_path(&format!("{}{path}", self.login_url.path().trim_end_matches('/')));
        url
    }

    /// Checks what only shows once everything is given.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong =
            |message: String, help: &'static str| Err(Error::new(ErrorKind::Config, message).with_help(help));
        let word = self.auth.word();
        match &self.auth {
            Auth::ClientCredentials { .. } if self.token_url.is_none() && self.is_shared_login() => wrong(
                format!("auth `{word}` works at the org's own address only"),
                "set `login_url` to the org's My Domain, such as https://acme.my.salesforce.com",
            ),
            Auth::SamlBearer { .. } if self.assertions.is_none() && self.ws_trust.is_none() => wrong(
                format!("auth `{word}` has nowhere to get an assertion from"),
                "set `sso_login_url` to a WS-Trust 1.3 endpoint with `username` and `password`, or let the program \
                 give a provider (`Config::with_assertions`)",
            ),
            Auth::AuthorizationCode { code: None, .. } | Auth::Device { .. }
                if self.prompt.is_none() && self.token_store.is_none() =>
            {
                wrong(
                    format!("auth `{word}` needs a person to sign in, and nobody can be asked"),
                    "let the program show the address (`Config::with_prompt`), set `token_store` to where a person \
                     has signed in, or use `client_credentials` or `jwt_bearer`",
                )
            }
            _ => Ok(()),
        }
    }

    /// Whether the login address is one that all orgs share.
    pub(crate) fn is_shared_login(&self) -> bool {
        matches!(
            self.login_url.host_str(),
            Some("login.salesforce.com" | "test.salesforce.com")
        )
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("auth", &self.auth)
            .field("login_url", &self.login_url.as_str())
            .field("api_version", &self.api_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new(Auth::ClientCredentials {
            client_id: "id".into(),
            client_secret: Secret::new("hunter2"),
        })
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in [
            "https://acme.my.salesforce.com/",
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1",
        ] {
            assert!(config().with_login_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://acme.my.salesforce.com",
            "ftp://localhost",
            "acme",
            "https://u:p@acme.com",
            "https://a.com?x=1",
        ] {
            assert_eq!(
                config().with_login_url(bad).unwrap_err().kind(),
                ErrorKind::Config,
                "{bad}"
            );
        }
    }

    #[test]
    fn versions_below_46_are_refused() {
        assert_eq!(
            config()
                .with_api_version("v66.0")
                .unwrap()
                .api_version
                .to_string(),
            "66.0"
        );
        assert_eq!(config().api_version.to_string(), "62.0");
        let error = config().with_api_version("45.0").unwrap_err();
        assert_eq!(error.to_string(), "API version 45.0 is too old");
        assert!(config().with_api_version("latest").is_err());
    }

    #[test]
    fn the_token_endpoint_is_the_login_host_s_unless_told() {
        assert_eq!(
            config().token_endpoint().as_str(),
            "https://login.salesforce.com/services/oauth2/token"
        );
        let other = config()
            .with_token_url("https://sso.example/token?so=00D")
            .unwrap();
        assert_eq!(
            other.token_endpoint().as_str(),
            "https://sso.example/token?so=00D"
        );
        for (login, wanted) in [
            (
                "https://acme.my.site.com/partners/",
                "https://acme.my.site.com/partners/services/oauth2/token",
            ),
            (
                "https://test.salesforce.com/services/Soap/c/64.0",
                "https://test.salesforce.com/services/oauth2/token",
            ),
        ] {
            let config = config().with_login_url(login).unwrap();
            assert_eq!(config.token_endpoint().as_str(), wanted);
        }
    }

    #[test]
    fn what_cannot_work_is_said_before_anything_is_sent() {
        let error = config().check().unwrap_err();
        assert_eq!(
            error.message(),
            "auth `client_credentials` works at the org's own address only"
        );
        assert!(
            config()
                .with_login_url("https://acme.my.salesforce.com")
                .unwrap()
                .check()
                .is_ok()
        );
        for auth in [
            Auth::SamlBearer { client_id: None },
            Auth::Device {
                client_id: "id".into(),
                client_secret: None,
            },
            Auth::AuthorizationCode {
                client_id: "id".into(),
                client_secret: None,
                callback_url: CALLBACK_URL.into(),
                code: None,
            },
        ] {
            let config = Config::new(auth);
            let error = config.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.help().is_some());
            let store = Arc::new(crate::auth::MemoryTokenStore::default());
            let provider = WsTrust::new("https://sts.example", "me", Secret::new("hunter2")).unwrap();
            assert!(
                config
                    .with_token_store(store)
                    .with_ws_trust(provider)
                    .check()
                    .is_ok()
            );
        }
    }
}
