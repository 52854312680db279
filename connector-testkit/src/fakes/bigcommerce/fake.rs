//! The handle of a running fake store.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use serde_json::{Map, Value};

use super::config::BigCommerceConfig;
use super::customer_seed::INCLUDES;
use super::fault::Fault;
use super::store::Store;
use super::{customers, serve};
use crate::fakes::{FakeClock, Ledger, Server};

/// A running fake BigCommerce store; dropping it stops it.
#[derive(Debug)]
pub struct FakeBigCommerce {
    store: Arc<Store>,
    server: Server,
}

impl FakeBigCommerce {
    /// Starts a store on a loopback port.
    pub async fn start(config: BigCommerceConfig) -> std::io::Result<Self> {
        let port = config.port;
        let store = Arc::new(Store::new(config));
        let router = Router::new()
            .fallback(serve::serve)
            .with_state(Arc::clone(&store));
        Ok(Self {
            store,
            server: Server::start(router, port).await?,
        })
    }

    /// `http://127.0.0.1:PORT`; the API is at `/stores/{hash}/v3` and `/stores/{hash}/v2` below it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The segment between `stores/` and `/v3`.
    pub fn store_hash(&self) -> String {
        self.store.config.store_hash.clone()
    }

    /// What `X-Auth-Token` must carry.
    pub fn access_token(&self) -> String {
        self.store.config.access_token.clone()
    }

    /// The store's clock.
    pub fn clock(&self) -> FakeClock {
        self.store.config.clock.clone()
    }

    /// The writes a client made: none, as the store's API is read-only.
    pub fn ledger(&self) -> Ledger {
        self.store.ledger.clone()
    }

    /// Number of customers.
    pub fn customer_count(&self) -> u64 {
        self.store.customers().len()
    }

    /// Number of orders, archived ones among them.
    pub fn order_count(&self) -> u64 {
        self.store.orders().len()
    }

    /// Ids of all customers, ascending.
    pub fn customer_ids(&self) -> Vec<u64> {
        let table = self.store.customers();
        table
            .range(0, u64::MAX)
            .filter(|&n| table.key(n).is_some())
            .map(|n| table.id(n))
            .collect()
    }

    /// Ids of all orders, archived ones among them, ascending.
    pub fn order_ids(&self) -> Vec<u64> {
        let table = self.store.orders();
        table
            .range(0, u64::MAX)
            .filter(|&n| table.key(n).is_some())
            .map(|n| table.id(n))
            .collect()
    }

    /// A customer as the list shows it where nothing is included.
    pub fn customer(&self, id: u64) -> Option<Value> {
        let table = self.store.customers();
        table
            .number(id)
            .map(|number| customers::show(&table, number, &[]))
    }

    /// A customer as the list shows it where all is included.
    pub fn customer_in_full(&self, id: u64) -> Option<Value> {
        let table = self.store.customers();
        table
            .number(id)
            .map(|number| customers::show(&table, number, &INCLUDES.map(|(_, field)| field)))
    }

    /// An order as the list shows it.
    pub fn order(&self, id: u64) -> Option<Value> {
        let table = self.store.orders();
        table.number(id).map(|number| Value::Object(table.full(number)))
    }

    /// Overwrites fields of a customer and sets `date_modified` to the clock's time (unless it is among the fields).
    /// False if there is no such customer.
    pub fn edit_customer(&self, id: u64, fields: Map<String, Value>) -> bool {
        self.store.customers_mut().edit(id, fields, self.store.now())
    }

    /// Overwrites fields of an order and sets `date_modified` to the clock's time (unless it is among the fields).
    /// False if there is no such order. `is_deleted: true` archives it.
    pub fn edit_order(&self, id: u64, fields: Map<String, Value>) -> bool {
        self.store.orders_mut().edit(id, fields, self.store.now())
    }

    /// Adds a customer after all others; fields that are not given are made up. Returns its id.
    pub fn add_customer(&self, fields: Map<String, Value>) -> u64 {
        self.store.customers_mut().add(fields, self.store.now())
    }

    /// Adds an order after all others; fields that are not given are made up (a guest's). Returns its id.
    pub fn add_order(&self, fields: Map<String, Value>) -> u64 {
        self.store.orders_mut().add(fields, self.store.now())
    }

    /// Removes a customer without a trace, as the store does. False if there is no such customer.
    pub fn delete_customer(&self, id: u64) -> bool {
        self.store.customers_mut().delete(id)
    }

    /// Removes an order without a trace. False if there is no such order.
    pub fn delete_order(&self, id: u64) -> bool {
        self.store.orders_mut().delete(id)
    }

    /// Number of API requests so far, refused and faulty ones among them.
    pub fn requests(&self) -> u64 {
        self.store.requests.load(Ordering::SeqCst)
    }

    /// Number of 429s given so far, scripted ones among them.
    pub fn too_many(&self) -> u64 {
        self.store.too_many.load(Ordering::SeqCst)
    }

    /// Adds a scripted fault.
    pub fn add_fault(&self, fault: Fault) {
        self.store.faults.add(fault);
    }

    /// Number of scripted faults that haven't all fired yet.
    pub fn waiting_faults(&self) -> usize {
        self.store.faults.len()
    }

    /// Changes the quota from the next request on.
    pub fn set_quota(&self, quota: u32) {
        self.store.quota.set(quota);
    }

    /// Takes requests out of the current window, as other apps on the store do.
    pub fn spend_quota(&self, requests: u32) {
        self.store
            .quota
            .spend(self.store.config.clock.now_micros(), requests);
    }
}

impl Drop for FakeBigCommerce {
    fn drop(&mut self) {
        // Connections outlive the accept loop; this makes them hang up at their next request.
        self.store.stopped.store(true, Ordering::SeqCst);
    }
}
