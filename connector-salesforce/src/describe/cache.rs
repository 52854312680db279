//! Descriptions that are kept, and asked for again only where they have changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_core::Result;
use connector_core::value::Instant;

use super::conditional::{self, Validator};
use super::wire::{ObjectEntry, ObjectList};
use super::{Described, fetch};
use crate::org::Org;

/// How long a description holds without being checked: planning and reading share one look, and the next run takes
/// another.
const LIFE: Duration = Duration::from_secs(60);

/// Descriptions by the name they were asked by, and the list of objects.
#[derive(Debug, Default)]
pub(crate) struct DescribeCache {
    objects: Mutex<HashMap<String, Kept<Described>>>,
    list: Mutex<Option<Kept<[ObjectEntry]>>>,
}

/// Something as it was when it was last checked.
#[derive(Debug)]
struct Kept<T: ?Sized> {
    checked: Instant,
    validator: Option<Validator>,
    value: Arc<T>,
}

impl<T: ?Sized> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            checked: self.checked,
            validator: self.validator.clone(),
            value: Arc::clone(&self.value),
        }
    }
}

impl DescribeCache {
    /// The description of `object`, from the org unless one was checked a moment ago.
    pub(crate) async fn get(&self, org: &Org, object: &str) -> Result<Arc<Described>> {
        let now = org.clock().now();
        match self.kept(object) {
            Some(kept) if now < kept.checked.plus(LIFE) => Ok(kept.value),
            _ => self.checked(org, object).await,
        }
    }

    /// The description of `object` as it is now: a request, whose answer says no more than that where nothing has
    /// changed.
    pub(crate) async fn checked(&self, org: &Org, object: &str) -> Result<Arc<Described>> {
        let checked = org.clock().now();
        let kept = self.kept(object);
        let validator = kept.as_ref().and_then(|kept| kept.validator.as_ref());
        let kept = match (fetch(self, org, object, validator).await?, kept) {
            (None, Some(kept)) => Kept { checked, ..kept },
            (Some((described, validator)), _) => Kept {
                checked,
                validator,
                value: Arc::new(Described::new(described)?),
            },
            (None, None) => return Box::pin(self.anew(org, object)).await,
        };
        let value = Arc::clone(&kept.value);
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(object.to_owned(), kept);
        Ok(value)
    }

    /// The description of `object`, whatever is kept: the org has just contradicted it.
    pub(crate) async fn anew(&self, org: &Org, object: &str) -> Result<Arc<Described>> {
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(object);
        self.checked(org, object).await
    }

    /// Every object this user may see.
    pub(crate) async fn list(&self, org: &Org) -> Result<Arc<[ObjectEntry]>> {
        let checked = org.clock().now();
        let kept = self.list.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let validator = kept.as_ref().and_then(|kept| kept.validator.as_ref());
        let answer = conditional::get(org, "sobjects", validator).await?;
        let kept = match (answer, kept) {
            (Some((response, validator)), _) => Kept {
                checked,
                validator,
                value: response.json::<ObjectList>()?.sobjects.into(),
            },
            (None, Some(kept)) => Kept { checked, ..kept },
            // Without a validator the answer is never that nothing has changed.
            (None, None) => return Ok(Arc::from([])),
        };
        let value = Arc::clone(&kept.value);
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(value)
    }

    fn kept(&self, object: &str) -> Option<Kept<Described>> {
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(object)
            .cloned()
    }
}
