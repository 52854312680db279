//! Where tokens are kept between runs.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Result, Secret};
use futures::lock::{Mutex, OwnedMutexGuard};

/// A place for the tokens of one sign-in, such as a vault or a table.
///
/// Where an org rotates refresh tokens, each renewal makes the token before it worthless, and one that is used twice
/// ends them all. So programs that sign in as the same user share one store, and each renewal happens under its
/// [`lock`](Self::lock): load, ask for new tokens, save them, and only then use them.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// Waits until nobody else holds the store, in this process or another, and takes it.
    ///
    /// # Errors
    /// The store cannot be reached.
    async fn lock(&self) -> Result<Box<dyn TokenLease>>;
}

/// A [`TokenStore`] that is held; dropping it lets go.
#[async_trait]
pub trait TokenLease: Send {
    /// What was saved last; `None` where nothing was.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn load(&mut self) -> Result<Option<Secret>>;

    /// Keeps `tokens`, a text that only this crate reads, in place of what was there: durably, and all or nothing.
    ///
    /// # Errors
    /// The store cannot be written. The tokens are then not used.
    async fn save(&mut self, tokens: &Secret) -> Result<()>;
}

/// A [`TokenStore`] that lasts as long as its last clone.
#[derive(Clone, Default)]
pub struct MemoryTokenStore(Arc<Mutex<Option<Secret>>>);

#[async_trait]
impl TokenStore for MemoryTokenStore {
    async fn lock(&self) -> Result<Box<dyn TokenLease>> {
        Ok(Box::new(Held(Arc::clone(&self.0).lock_owned().await)))
    }
}

struct Held(OwnedMutexGuard<Option<Secret>>);

#[async_trait]
impl TokenLease for Held {
    async fn load(&mut self) -> Result<Option<Secret>> {
        Ok(self.0.clone())
    }

    async fn save(&mut self, tokens: &Secret) -> Result<()> {
        *self.0 = Some(tokens.clone());
        Ok(())
    }
}

impl fmt::Debug for MemoryTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryTokenStore")
    }
}
