//! Descriptions kept for the length of a run's start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_core::Result;
use connector_core::value::Instant;

use super::{Described, fetch};
use crate::org::Org;

/// How long a description holds: planning and reading share one, and the next run sees what changed.
const LIFE: Duration = Duration::from_secs(60);

/// Descriptions by the name they were asked by.
#[derive(Debug, Default)]
pub(crate) struct DescribeCache(Mutex<HashMap<String, (Instant, Arc<Described>)>>);

impl DescribeCache {
    /// The description of `object`, from the org unless one is at hand.
    pub(crate) async fn get(&self, org: &Org, object: &str) -> Result<Arc<Described>> {
        let now = org.clock().now();
        if let Some((at, described)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(object)
            && now < at.plus(LIFE)
        {
            return Ok(Arc::clone(described));
        }
        let described = Arc::new(Described::new(fetch(org, object).await?)?);
        let entry = (now, Arc::clone(&described));
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(object.to_owned(), entry);
        Ok(described)
    }
}
