//! The state behind a fake store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::config::BigCommerceConfig;
use super::customer_seed::CustomerSeed;
use super::fault::Faults;
use super::ids::{CUSTOMER_IDS, ORDER_IDS};
use super::order_plan::OrderPlan;
use super::order_seed::OrderSeed;
use super::quota::Quota;
use super::table::Table;
use super::timestamp::{DAY, SECOND};
use crate::fakes::Ledger;

/// Everything the handlers share.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) config: BigCommerceConfig,
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    pub(super) quota: Quota,
    pub(super) requests: AtomicU64,
    pub(super) too_many: AtomicU64,
    pub(super) stopped: AtomicBool,
    customers: RwLock<Table<CustomerSeed>>,
    orders: RwLock<Table<OrderSeed>>,
}

impl Store {
    pub(super) fn new(config: BigCommerceConfig) -> Self {
        // Seeded stamps end a day before the clock starts.
        let until = config.clock.now_micros().div_euclid(SECOND) - DAY;
        let plan = OrderPlan::new(config.customers, config.orders_per_customer, config.guests());
        let customers = CustomerSeed {
            count: config.customers,
            until,
        };
        let orders = OrderSeed {
            plan,
            persons: config.customers * 2,
            archived_every: config.archived_every,
            until,
            store_hash: config.store_hash.clone(),
        };
        Self {
            ledger: Ledger::new(),
            faults: Faults::default(),
            quota: Quota::new(config.quota),
            requests: AtomicU64::new(0),
            too_many: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            customers: RwLock::new(Table::new(customers, CUSTOMER_IDS, config.customers)),
            orders: RwLock::new(Table::new(orders, ORDER_IDS, plan.total())),
            config,
        }
    }

    /// Whole seconds on the store's clock.
    pub(super) fn now(&self) -> i64 {
        self.config.clock.now_micros().div_euclid(SECOND)
    }

    pub(super) fn customers(&self) -> RwLockReadGuard<'_, Table<CustomerSeed>> {
        self.customers.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn customers_mut(&self) -> RwLockWriteGuard<'_, Table<CustomerSeed>> {
        self.customers.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn orders(&self) -> RwLockReadGuard<'_, Table<OrderSeed>> {
        self.orders.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn orders_mut(&self) -> RwLockWriteGuard<'_, Table<OrderSeed>> {
        self.orders.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request and returns how many there were before.
    pub(super) fn count_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::SeqCst)
    }
}
