//! The connection.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    CheckReport, Clock, Connector, Destination, Error, ErrorKind, Identity, Result, Selection, Source,
    StreamName, StreamSpec, StreamSummary,
};

use crate::config::Config;
use crate::describe::{DescribeCache, Described, Picklist, why_left_out};
use crate::org::Org;

/// A connection to one Salesforce org.
///
/// A handle: cheap to clone, with one session and one pool of connections behind all clones. It signs in when it
/// is first asked something.
#[derive(Clone)]
pub struct Salesforce {
    org: Org,
    cache: Arc<DescribeCache>,
}

impl Salesforce {
    /// A connection as `config` says, that waits by `clock`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the proxy or the certificate file cannot be used.
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            org: Org::new(config, clock)?,
            cache: Arc::default(),
        })
    }

    /// How many of the org's daily API calls are left, as the last answer told; `None` before there was one.
    pub fn api_calls_left(&self) -> Option<u64> {
        self.org
            .usage()
            .last()
            .map(|(used, allowed)| allowed.saturating_sub(used))
    }

    /// The values that `field` of `object` offers; `None` where it is no picklist.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Schema`]: there is no such object or field; the help names the nearest.
    pub async fn picklist(&self, object: &str, field: &str) -> Result<Option<Picklist>> {
        self.cache.get(&self.org, object).await?.picklist(field)
    }

    pub(crate) fn org(&self) -> &Org {
        &self.org
    }

    pub(crate) fn describes(&self) -> &Arc<DescribeCache> {
        &self.cache
    }

    /// The object that `selection` names.
    pub(crate) async fn described(&self, selection: &Selection) -> Result<Arc<Described>> {
        match selection {
            Selection::Stream(name) => self.object(name).await,
            other => Err(Error::new(
                ErrorKind::Unsupported,
                format!("Salesforce cannot be read by {other}"),
            )
            .with_help("name an object as the stream, or say a query")),
        }
    }

    pub(crate) async fn object(&self, name: &StreamName) -> Result<Arc<Described>> {
        self.cache.get(&self.org, name.as_str()).await
    }
}

#[async_trait]
impl Connector for Salesforce {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(Identity::new("salesforce", self.org.id().await?.as_str()))
    }

    async fn check(&self) -> Result<CheckReport> {
        let (versions, clock) = self.org.versions().await?;
        let version = self.org.version().to_string();
        if !versions.contains(&version) {
            let newest = versions.last().map_or("none", String::as_str);
            return Err(Error::new(
                ErrorKind::Config,
                format!("the org does not serve API version {version}"),
            )
            .with_help(format!("set `api_version`; the newest it serves is {newest}")));
        }
        // The first request that needs the right to use the API.
        let objects = self.cache.list(&self.org).await?.len();
        let mut report = CheckReport::new().with("organization", self.org.id().await?.as_str());
        if let Some(user) = self.org.user().await? {
            report = report.with("user", user.as_str());
        }
        report = report
            .with("API version", version)
            .with("objects", objects.to_string());
        if let Some((used, allowed)) = self.org.usage().last() {
            report = report.with("API calls of the last 24 hours", format!("{used} of {allowed}"));
        }
        Ok(match clock {
            Some(clock) => report.with("server clock", clock.to_string()),
            None => report,
        })
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        let objects = self.cache.list(&self.org).await?;
        let readable = objects.iter().filter(|entry| entry.queryable);
        Ok(readable
            .map(|entry| {
                StreamSummary::new(StreamName::new(&entry.name))
                    .with_label(&entry.label)
                    .with_left_out(why_left_out(&entry.name).map(str::to_owned))
            })
            .collect())
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        match what {
            // Whoever asks wants to know what is there now.
            Selection::Stream(name) => Ok(self.cache.checked(&self.org, name.as_str()).await?.spec.clone()),
            Selection::Query(text) => Ok(self.query_shape(text).await?.spec),
            other => Ok(self.described(other).await?.spec.clone()),
        }
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        Some(self)
    }
}

impl fmt::Debug for Salesforce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salesforce")
            .field("version", &self.org.version())
            .finish_non_exhaustive()
    }
}
