//! Sends one request once.

use std::fmt;

use connector_core::{Error, ErrorKind, Result};
use http::HeaderValue;
use http::header::ACCEPT_ENCODING;
use reqwest::redirect::Policy;

use crate::address::check_url;
use crate::body::Body;
use crate::config::HttpConfig;
use crate::request::Request;
use crate::tls;
use crate::transport::transport_error;

/// A pool of connections: cheap to clone, and nothing of it is global.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    max_body: usize,
    proxied: bool,
}

impl HttpClient {
    /// A client that makes connections as `config` says.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the certificate file, the proxy's address or the user agent cannot be used.
    pub fn new(config: &HttpConfig) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(config.ca_file.as_deref())?)
            .redirect(Policy::none())
            // Its retries are off: there is one loop that repeats requests, and it knows which it may.
            .retry(reqwest::retry::never())
            .no_proxy()
            // Decompression is ours: it is bounded, and a body that was cut stays apart from one that has no length.
            .no_gzip()
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .user_agent(&config.user_agent);
        if let Some(proxy) = &config.proxy {
            builder = builder.proxy(self::proxy(proxy.reveal())?);
        }
        let client = builder.build().map_err(|error| {
            Error::new(ErrorKind::Config, "the HTTP client cannot be set up").with_source(error.without_url())
        })?;
        Ok(Self {
            client,
            max_body: config.max_body,
            proxied: config.proxy.is_some(),
        })
    }

    /// Sends `request` and waits for the head of the answer, whatever its status.
    pub(crate) async fn send(&self, request: &Request) -> Result<Body> {
        check_url(&request.url)?;
        let mut plain = reqwest::Request::new(request.method.clone(), request.url.clone());
        *plain.headers_mut() = request.headers.clone();
        plain
            .headers_mut()
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("gzip"));
        if !request.body.is_empty() {
            *plain.body_mut() = Some(request.body.clone().into());
        }
        match self.client.execute(plain).await {
            Ok(response) => Ok(Body::new(response)),
            Err(error) => Err(self.transport_error(error, request)),
        }
    }

    pub(crate) fn transport_error(&self, error: reqwest::Error, request: &Request) -> Error {
        transport_error(error, request, self.proxied)
    }

    /// Most bytes of a buffered body.
    pub(crate) fn max_body(&self) -> usize {
        self.max_body
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client inside prints its proxies.
        f.debug_struct("HttpClient")
            .field("proxied", &self.proxied)
            .finish_non_exhaustive()
    }
}

fn proxy(address: &str) -> Result<reqwest::Proxy> {
    // The cause is left out: it would print the address, password included.
    let proxy = reqwest::Proxy::all(address).map_err(|_| {
        Error::new(ErrorKind::Config, "the proxy's address cannot be used")
            .with_help("write it as http://host:port or http://user:password@host:port")
    })?;
    // Plain http goes to this machine only, and so must not leave it through a proxy.
    Ok(proxy.no_proxy(reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1")))
}
