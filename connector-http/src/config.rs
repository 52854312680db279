//! How connections are made.

use std::path::PathBuf;
use std::time::Duration;

use connector_core::Secret;

/// How connections are made. All of it is said here: nothing comes from environment variables for proxies.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpConfig {
    /// The proxy's address; secret because it may hold a password. Loopback addresses are reached without it.
    pub proxy: Option<Secret>,
    /// A PEM file of certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// What the client calls itself.
    pub user_agent: String,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long a server may stay silent, before the answer or within it.
    pub read_timeout: Duration,
    /// Most bytes of a buffered body, after decompression.
    pub max_body: usize,
}

impl Default for HttpConfig {
    /// No proxy, the system's certificates, 10 s to connect, 60 s of silence, bodies of 64 MiB.
    fn default() -> Self {
        Self {
            proxy: None,
            ca_file: None,
            user_agent: concat!("connector-http/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            max_body: 64 * 1024 * 1024,
        }
    }
}

impl HttpConfig {
    /// The same through a proxy, such as `http://user:password@proxy:3128`.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Option<Secret>) -> Self {
        self.proxy = proxy;
        self
    }

    /// The same with more certificate authorities.
    #[must_use]
    pub fn with_ca_file(mut self, ca_file: Option<PathBuf>) -> Self {
        self.ca_file = ca_file;
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// The same with other time limits.
    #[must_use]
    pub fn with_timeouts(mut self, connect: Duration, read: Duration) -> Self {
        self.connect_timeout = connect;
        self.read_timeout = read;
        self
    }

    /// The same with another largest body.
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }
}
