//! The handle of a store.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{
    CheckReport, Clock, Connector, Error, ErrorKind, Identity, Result, Selection, Source, StreamName,
    StreamSpec, StreamSummary,
};
use connector_http::{HttpClient, Response, RestClient};
use serde::Deserialize;

use crate::account::Account;
use crate::config::Config;
use crate::requests::Requests;
use crate::streams::{STREAMS, find};

/// A BigCommerce store, as a source.
///
/// Cheap to clone; all clones share one pool of connections and one view of the store's quota.
#[derive(Clone, Debug)]
pub struct BigCommerce {
    pub(crate) identity: Identity,
    pub(crate) requests: Requests,
    pub(crate) rest: RestClient,
    pub(crate) account: Arc<Account>,
}

#[derive(Deserialize)]
struct Time {
    time: i64,
}

impl BigCommerce {
    /// A handle; nothing is sent yet. All waiting goes through `clock`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the token, proxy or certificate file cannot be used.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let account = Arc::new(Account::new(
            &config.store_hash,
            &config.access_token,
            Arc::clone(&clock),
        )?);
        let http = HttpClient::new(&config.http)?;
        let service: Arc<Account> = Arc::clone(&account);
        Ok(Self {
            identity: Identity::new("bigcommerce", &config.store_hash),
            requests: Requests::new(&config.api_url, &config.store_hash)?,
            rest: RestClient::new(http, service, clock).with_policy(config.retry),
            account,
        })
    }

    /// The store's clock. A token without the scope for it still gets the date of the refusal.
    pub(crate) async fn server_time(&self) -> Result<Instant> {
        match self.rest.send(&self.requests.time()?).await {
            Ok(response) => time_of(&response),
            Err(error) if error.kind() == ErrorKind::Forbidden => self.account.last_date().ok_or(error),
            Err(error) => Err(error),
        }
    }
}

/// The instant in an answer of `/v2/time`.
fn time_of(response: &Response) -> Result<Instant> {
    let seconds = response.json::<Time>()?.time;
    Instant::from_unix_seconds(seconds)
        .ok_or_else(|| Error::new(ErrorKind::Data, "the store's clock is beyond all time"))
}

#[async_trait]
impl Connector for BigCommerce {
    fn name(&self) -> &'static str {
        "bigcommerce"
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(self.identity.clone())
    }

    async fn check(&self) -> Result<CheckReport> {
        crate::check::check(self).await
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        let summary = |name: &str, label: &str| StreamSummary::new(StreamName::new(name)).with_label(label);
        Ok(STREAMS
            .iter()
            .map(|stream| summary(stream.name, stream.label))
            .collect())
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        let stream = find(what)?;
        let spec = StreamSpec::new(what.clone(), Arc::new(stream.schema()?));
        let mut spec = spec.with_cursor(Some(stream.cursor.to_owned()));
        let owned = |&(field, reason): &(&str, &str)| (field.to_owned(), reason.to_owned());
        spec.left_out = stream.left_out.iter().map(owned).collect();
        Ok(spec)
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }
}
