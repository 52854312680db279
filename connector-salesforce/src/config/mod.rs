//! What a connection needs to know.

mod properties;
mod vendor;
mod write;

pub(crate) use write::WriteOptions;

use std::fmt;
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result, Secret};
use url::Url;

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
    pub(crate) api_version: ApiVersion,
    pub(crate) proxy: Option<Secret>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) write: WriteOptions,
}

/// How to sign in.
#[derive(Clone)]
#[non_exhaustive]
pub enum Auth {
    /// As the user the app is set up to run as; needs a My Domain as the login URL.
    ClientCredentials {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret.
        client_secret: Secret,
    },
    /// With a token that somebody else got; it cannot be renewed.
    AccessToken {
        /// The token.
        access_token: Secret,
        /// The org's address.
        instance_url: Url,
    },
    /// With a refresh token that a user's consent gave.
    RefreshToken {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret, where the app has one.
        client_secret: Option<Secret>,
        /// The refresh token.
        refresh_token: Secret,
    },
    /// By `OAuth`'s password grant, which new orgs switch off.
    Password {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret, where the app has one.
        client_secret: Option<Secret>,
        /// The user.
        username: String,
        /// The user's password.
        password: Secret,
        /// The user's security token; not needed from a trusted address.
        security_token: Option<Secret>,
    },
}

/// A version of the API, such as 62.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ApiVersion(u16);

/// Where production orgs sign in.
const PRODUCTION: &str = "https://login.salesforce.com";
/// Where sandboxes sign in.
const SANDBOX: &str = "https://test.salesforce.com";

impl Config {
    /// A production org, with API version 62.0.
    pub fn new(auth: Auth) -> Self {
        #[expect(clippy::expect_used, reason = "the address is a constant")]
        let login_url = Url::parse(PRODUCTION).expect("a constant");
        Self {
            auth,
            login_url,
            token_url: None,
            api_version: ApiVersion::DEFAULT,
            proxy: None,
            ca_file: None,
            write: WriteOptions::default(),
        }
    }

    /// The same at another login address: a My Domain, or a sandbox's.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is no `https` address; plain `http` is taken for loopback only.
    pub fn with_login_url(mut self, url: &str) -> Result<Self> {
        self.login_url = address("login_url", url)?;
        Ok(self)
    }

    /// The same with another token endpoint than the login address's own.
    ///
    /// # Errors
    /// As for [`with_login_url`](Self::with_login_url).
    pub fn with_token_url(mut self, url: &str) -> Result<Self> {
        self.token_url = Some(address("token_url", url)?);
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

    /// Where tokens are got.
    pub(crate) fn token_endpoint(&self) -> Url {
        self.token_url.clone().unwrap_or_else(|| {
            let mut url = self.login_url.clone();
            url.set_path("/services/oauth2/token");
            url
        })
    }
}

impl Auth {
    /// The word for it in job files.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::ClientCredentials { .. } => "client_credentials",
            Self::AccessToken { .. } => "access_token",
            Self::RefreshToken { .. } => "refresh_token",
            Self::Password { .. } => "password",
        }
    }
}

impl ApiVersion {
    const DEFAULT: Self = Self(62);
    /// The first with the upsert answers this crate reads.
    const OLDEST: Self = Self(46);

    fn parse(text: &str) -> Result<Self> {
        let number = text.strip_prefix('v').unwrap_or(text);
        let number = number.strip_suffix(".0").unwrap_or(number);
        let wrong = || {
            Error::new(ErrorKind::Config, "`api_version` is no version of the API")
                .with_help("write it as `62.0`")
        };
        let version = Self(number.parse().map_err(|_| wrong())?);
        if version < Self::OLDEST {
            return Err(
                Error::new(ErrorKind::Config, format!("API version {version} is too old")).with_help(
                    format!("use {} or newer; {} is the default", Self::OLDEST, Self::DEFAULT),
                ),
            );
        }
        Ok(version)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.0", self.0)
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

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Reads an address that secrets may be sent to.
pub(crate) fn address(key: &str, text: &str) -> Result<Url> {
    let wrong = |how: &str, help: &'static str| {
        Err(Error::new(ErrorKind::Config, format!("`{key}` {how}")).with_help(help))
    };
    let Ok(url) = Url::parse(text.trim().trim_end_matches('/')) else {
        return wrong("is no address", "write it as https://acme.my.salesforce.com");
    };
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return wrong("holds more than an address", "leave out user names, `?` and `#`");
    }
    if !is_trustworthy(&url) {
        return wrong(
            "is not https",
            "use https; plain http is taken for loopback addresses only",
        );
    }
    Ok(url)
}

/// Whether an address may be sent a secret: encrypted, or not leaving the machine.
pub(crate) fn is_trustworthy(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.host().is_some() && (url.scheme() == "https" || url.scheme() == "http" && loopback)
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
        let other = config().with_token_url("https://sso.example/token").unwrap();
        assert_eq!(other.token_endpoint().as_str(), "https://sso.example/token");
    }
}
