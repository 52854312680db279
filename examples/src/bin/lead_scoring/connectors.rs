//! The connectors this program knows.

use std::sync::Arc;

use connector_bigcommerce::BigCommerce;
use connector_core::{Clock, Connector};
use connector_postgres::Postgres;
use connector_salesforce::Salesforce;
use sync_engine::Registry;

/// All three, on one clock.
pub(crate) fn registry(clock: &Arc<dyn Clock>) -> Registry {
    let (store_clock, org_clock) = (Arc::clone(clock), Arc::clone(clock));
    Registry::new()
        .register("bigcommerce", move |properties| {
            let config = connector_bigcommerce::Config::from_properties(properties)?;
            Ok(Arc::new(BigCommerce::new(config, Arc::clone(&store_clock))?) as Arc<dyn Connector>)
        })
        .register("salesforce", move |properties| {
            let config = connector_salesforce::Config::from_properties(properties)?;
            Ok(Arc::new(Salesforce::new(&config, Arc::clone(&org_clock))?) as Arc<dyn Connector>)
        })
        .register("postgres", |properties| {
            let config = connector_postgres::Config::from_properties(properties)?;
            Ok(Arc::new(Postgres::new(config)?) as Arc<dyn Connector>)
        })
}
