//! What a fake store is made of.

use crate::fakes::FakeClock;

/// Settings of a [`FakeBigCommerce`](super::FakeBigCommerce).
#[derive(Clone, Debug)]
pub struct BigCommerceConfig {
    /// Number of seeded customers. The e-mail address of the n-th, as numbered from 1, is that of person n.
    pub customers: u64,
    /// Orders per customer on average; single customers have from none to four more than that.
    pub orders_per_customer: u64,
    /// Orders without a customer (`customer_id` 0), whose billing address names one of the first
    /// `2 * customers` persons; `None` for a tenth of the customers.
    pub guest_orders: Option<u64>,
    /// Every how-many-th order is archived: out of the default list, shown by `is_deleted=true`; 0 for none.
    pub archived_every: u64,
    /// Requests per window of 30 seconds: 150 on the Standard plan, 450 on Pro.
    pub quota: u32,
    /// OAuth scopes the token lacks, such as `store_v2_orders`; their endpoints answer 403.
    pub missing_scopes: Vec<String>,
    /// The segment between `stores/` and `/v3` in the store's API path.
    pub store_hash: String,
    /// The token that `X-Auth-Token` must carry.
    pub access_token: String,
    /// The store's wall clock.
    pub clock: FakeClock,
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
}

impl BigCommerceConfig {
    /// Number of seeded orders without a customer.
    pub fn guests(&self) -> u64 {
        self.guest_orders.unwrap_or(self.customers / 10)
    }
}

impl Default for BigCommerceConfig {
    fn default() -> Self {
        Self {
            customers: 1_000,
            orders_per_customer: 2,
            guest_orders: None,
            archived_every: 0,
            quota: 7_000_000,
            missing_scopes: Vec::new(),
            store_hash: "q5knl3x0aa".to_owned(),
            access_token: "fake-bigcommerce-token".to_owned(),
            clock: FakeClock::new(),
            port: 0,
        }
    }
}
