//! Which store, and how to reach it.

mod properties;
mod store_id;

use std::path::PathBuf;

use connector_core::{Error, ErrorKind, Result, RetryPolicy, Secret};
use connector_http::{HttpConfig, Url, check_url};

/// Where the API is, unless said otherwise.
const API_URL: &str = "https://api.bigcommerce.com";

/// Which store, its token, and how to reach it.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) store_hash: String,
    pub(crate) access_token: Secret,
    pub(crate) api_url: Url,
    pub(crate) http: HttpConfig,
    pub(crate) retry: RetryPolicy,
}

impl Config {
    /// A store and the access token of one of its API accounts.
    ///
    /// `store_id` is the store hash, or anything that contains it: `store-abc123`, or the API path as the control
    /// panel shows it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: there is no store hash in `store_id`, or the token is empty.
    pub fn new(store_id: &str, access_token: Secret) -> Result<Self> {
        if access_token.reveal().trim().is_empty() {
            return Err(
                Error::new(ErrorKind::Config, "the access token of the store is empty")
                    .with_help("set `oauth_access_token` to the token of a store-level API account"),
            );
        }
        let api_url = Url::parse(API_URL).map_err(|error| {
            Error::new(ErrorKind::Bug, "the API's own address is none").with_source(error)
        })?;
        Ok(Self {
            store_hash: store_id::store_hash(store_id)?,
            access_token: trimmed(access_token),
            api_url,
            http: HttpConfig::default()
                .with_user_agent(concat!("connector-bigcommerce/", env!("CARGO_PKG_VERSION"))),
            // The store's own advice is patience: a 500 may stand for an overload that lasts a minute.
            retry: RetryPolicy {
                max_attempts: 6,
                first_pause: std::time::Duration::from_secs(2),
                ..RetryPolicy::default()
            },
        })
    }

    /// The same at another address: a gateway, or a store for tests.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: no address, or plain http to another machine.
    pub fn with_api_url(mut self, api_url: &str) -> Result<Self> {
        let url = Url::parse(api_url).map_err(|error| {
            Error::new(ErrorKind::Config, "`api_url` is no address")
                .with_source(error)
                .with_help("write it as https://api.bigcommerce.com")
        })?;
        check_url(&url).map_err(|error| error.with_context("key", "api_url"))?;
        self.api_url = url;
        Ok(self)
    }

    /// The same through a proxy, such as `http://user:password@proxy:3128`.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Option<Secret>) -> Self {
        self.http = self.http.with_proxy(proxy);
        self
    }

    /// The same, trusting the certificate authorities of a PEM file besides the system's.
    #[must_use]
    pub fn with_ca_file(mut self, ca_file: Option<PathBuf>) -> Self {
        self.http = self.http.with_ca_file(ca_file);
        self
    }

    /// The same with other patience; six tries unless told.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The store hash: what tells stores apart.
    pub fn store_hash(&self) -> &str {
        &self.store_hash
    }
}

/// Without the line break that is pasted along.
fn trimmed(secret: Secret) -> Secret {
    let text = secret.reveal().trim();
    if text.len() == secret.reveal().len() {
        secret
    } else {
        Secret::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed_and_never_empty() {
        let config = Config::new("abc123", Secret::new(" hunter2\n")).unwrap();
        assert_eq!(config.access_token.reveal(), "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(
            Config::new("abc123", Secret::new(" ")).unwrap_err().kind(),
            ErrorKind::Config
        );
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        let config = || Config::new("abc123", Secret::new("t")).unwrap();
        assert!(config().with_api_url("http://127.0.0.1:8080").is_ok());
        let error = config().with_api_url("http://api.bigcommerce.com").unwrap_err();
        assert_eq!(error.context(), [("key", "api_url".to_owned())]);
        assert!(config().with_api_url("api.bigcommerce.com").is_err());
    }
}
