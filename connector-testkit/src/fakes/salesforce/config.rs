//! What a fake org is made of.

use std::time::Duration;

use super::spec::ObjectSpec;
use crate::fakes::FakeClock;

/// Settings of a [`FakeSalesforce`](super::FakeSalesforce).
#[derive(Clone, Debug)]
pub struct SalesforceConfig {
    /// Number of seeded leads; they are numbered `1..=leads`. At most `u32::MAX`.
    pub leads: u64,
    /// Rows per REST query batch; the header `Sforce-Query-Options: batchSize` can only make it smaller.
    pub page_size: usize,
    /// Most rows per page of Bulk results; the client's `maxRecords` can only make it smaller.
    pub bulk_page_size: usize,
    /// How many polls see a Bulk job `InProgress` before it is `JobComplete`.
    pub bulk_polls: u32,
    /// Every how-many-th lead is converted (and refuses updates); 0 for none.
    pub converted_every: u64,
    /// Every how-many-th lead is in the recycle bin (seen by `queryAll` only); 0 for none.
    pub deleted_every: u64,
    /// Shuffles the rows of Bulk ingest results, as the real order isn't promised.
    pub shuffle_results: bool,
    /// Issues a new refresh token at each refresh and kills the old one.
    pub rotate_refresh_tokens: bool,
    /// Life of an unused access token; `None` for tokens that last until they are expired by hand.
    pub session_timeout: Option<Duration>,
    /// API calls before the org answers `REQUEST_LIMIT_EXCEEDED`; also the limit in `Sforce-Limit-Info`.
    pub daily_limit: u64,
    /// Objects beside the standard ones (`Account`, `Lead`, `LeadStatus`, `User`), and fields added to those.
    pub objects: Vec<ObjectSpec>,
    /// Which org this is: its id is made of the number.
    pub org_number: u64,
    /// The org's wall clock.
    pub clock: FakeClock,
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
}

impl Default for SalesforceConfig {
    fn default() -> Self {
        Self {
            leads: 1_000,
            page_size: 2_000,
            bulk_page_size: 100_000,
            bulk_polls: 1,
            converted_every: 0,
            deleted_every: 0,
            shuffle_results: true,
            rotate_refresh_tokens: false,
            session_timeout: None,
            daily_limit: 100_000,
            objects: Vec::new(),
            org_number: 1,
            clock: FakeClock::new(),
            port: 0,
        }
    }
}
