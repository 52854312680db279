//! The API of one org: where its addresses begin, and how they are asked.

use std::sync::Arc;

use connector_core::value::Instant;
use connector_core::{Clock, Error, ErrorKind, Result};
use connector_http::{
    HttpClient, HttpConfig, Request, Response, RestClient, StreamingResponse, Url, server_time,
};
use serde::Deserialize;

use crate::auth::{ApiService, Session, foreign};
use crate::config::{ApiVersion, Config};
use crate::id::Id;
use crate::limits::Usage;

/// One org's API: cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Org {
    rest: RestClient,
    session: Arc<Session>,
    usage: Arc<Usage>,
    version: ApiVersion,
}

impl Org {
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self> {
        config.check()?;
        let http = HttpConfig::default()
            .with_proxy(config.proxy.clone())
            .with_ca_file(config.ca_file.clone())
            .with_user_agent(concat!("connector-salesforce/", env!("CARGO_PKG_VERSION")));
        let http = HttpClient::new(&http)?;
        let session = Arc::new(Session::new(config, http.clone(), Arc::clone(&clock)));
        let usage = Arc::new(Usage::default());
        let service = ApiService {
            session: Arc::clone(&session),
            usage: Arc::clone(&usage),
        };
        let rest = RestClient::new(http, Arc::new(service), clock);
        Ok(Self {
            rest,
            session,
            usage,
            version: config.api_version,
        })
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.rest.clock()
    }

    pub(crate) fn version(&self) -> ApiVersion {
        self.version
    }

    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// `path` below the API's root, such as `sobjects/Lead/describe`.
    pub(crate) async fn url(&self, path: &str) -> Result<Url> {
        let mut url = self.session.token().await?.instance.clone();
        url.set_path(&format!("/services/data/v{}/{path}", self.version));
        Ok(url)
    }

    /// An address that an answer names, relative or whole; it must be the org's own.
    pub(crate) async fn follow(&self, reference: &str) -> Result<Url> {
        let token = self.session.token().await?;
        let mut root = token.instance.clone();
        root.set_path("/");
        root.join(reference)
            .ok()
            .filter(|url| token.covers(url))
            .ok_or_else(|| foreign("a link of an answer"))
    }

    pub(crate) async fn send(&self, request: &Request) -> Result<Response> {
        self.rest.send(request).await
    }

    pub(crate) async fn stream(&self, request: &Request) -> Result<StreamingResponse> {
        self.rest.stream(request).await
    }

    /// Asks for `path` below the API's root.
    pub(crate) async fn get(&self, path: &str) -> Result<Response> {
        self.send(&Request::get(self.url(path).await?)).await
    }

    /// The versions the org serves; the request counts against no limit.
    pub(crate) async fn versions(&self) -> Result<(Vec<String>, Option<Instant>)> {
        #[derive(Deserialize)]
        struct Version {
            version: String,
        }
        let mut url = self.session.token().await?.instance.clone();
        url.set_path("/services/data");
        let response = self.send(&Request::get(url)).await?;
        let versions: Vec<Version> = response.json()?;
        Ok((
            versions.into_iter().map(|version| version.version).collect(),
            server_time(&response.headers),
        ))
    }

    /// The org's clock, fresh: what an incremental read closes its window by.
    pub(crate) async fn now(&self) -> Result<Instant> {
        self.versions().await?.1.ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "Salesforce's answer does not tell the time",
            )
            .with_help("take out the proxy that removes the `Date` header")
        })
    }

    /// The org's id, which never changes.
    pub(crate) async fn id(&self) -> Result<Id> {
        #[derive(Deserialize)]
        struct UserInfo {
            organization_id: String,
        }
        let token = self.session.token().await?;
        if let Some(id) = token.org {
            return Ok(id);
        }
        let mut url = token.instance.clone();
        url.set_path("/services/oauth2/userinfo");
        let info: UserInfo = self.send(&Request::get(url)).await?.json()?;
        Id::parse(&info.organization_id).ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "Salesforce does not say which org this is",
            )
        })
    }

    /// The id of the user signed in as, where the token's answer told.
    pub(crate) async fn user(&self) -> Result<Option<Id>> {
        Ok(self.session.token().await?.user)
    }
}
