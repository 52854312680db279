//! The pool of sessions, and what happens to one that is not handed back.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, PoolError, RecycleError, RecycleResult};
use tokio_postgres::Client;

use crate::config::Config;
use crate::dial::{Dialer, Session, Way};

/// How long a session is waited for when all are taken.
const POOL_WAIT: Duration = Duration::from_secs(60);

/// Makes and checks the pool's sessions.
pub(crate) struct Manager(Arc<Dialer>);

pub(crate) type Pool = managed::Pool<Manager>;

/// A session that goes back to the pool when it is dropped.
pub(crate) type Object = managed::Object<Manager>;

/// The same, to be asked anything, statement by statement.
pub(crate) struct Reading(Object);

impl Reading {
    pub(crate) async fn new(session: Object) -> Result<Self> {
        let mut session = Self(session);
        session.0.read().await?;
        Ok(session)
    }
}

impl Deref for Reading {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.0
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.end_reading();
    }
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session> {
        self.0.session(Way::Shared).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Error> {
        if session.is_closed() {
            return Err(RecycleError::message("the session has ended"));
        }
        // The server may have ended it while nobody listened, in a restart for one.
        session
            .batch_execute("")
            .await
            .map_err(|_| RecycleError::message("the session has ended"))
    }
}

/// Makes the pool; connects to nothing yet.
pub(crate) fn pool(config: &Config) -> Result<Pool> {
    Pool::builder(Manager(Arc::new(Dialer::new(config)?)))
        .max_size(config.max_connections)
        // Whoever waits longer waits for sessions that wait for it.
        .wait_timeout(Some(POOL_WAIT))
        .recycle_timeout(Some(config.connect_timeout))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Error::new(ErrorKind::Bug, "the connection pool cannot be built").with_source(error))
}

/// A session from the pool.
pub(crate) async fn session(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error,
        other => Error::new(
            ErrorKind::Unavailable,
            "no session of the connection became free in time",
        )
        .with_source(other)
        .with_help("raise `max_connections`: a task takes up to four at once"),
    })
}

/// A session that ends when this is dropped, instead of going back to the pool: it may be within a transaction, or
/// hold a lock. What it is doing then is cancelled.
pub(crate) struct Guarded(Option<Object>);

impl Guarded {
    pub(crate) fn new(session: Object) -> Self {
        Self(Some(session))
    }

    pub(crate) fn client(&self) -> Result<&Client> {
        match &self.0 {
            Some(session) => Ok(session),
            None => Err(handed_back()),
        }
    }

    /// The same, to begin a transaction on.
    pub(crate) fn session(&mut self) -> Result<&mut Session> {
        match &mut self.0 {
            Some(session) => Ok(session),
            None => Err(handed_back()),
        }
    }

    /// What begins a transaction on it.
    pub(crate) fn begin(&self) -> Result<&str> {
        match &self.0 {
            Some(session) => Ok(session.begin()),
            None => Err(handed_back()),
        }
    }

    /// Hands the session back: it is clean.
    pub(crate) fn release(&mut self) {
        if let Some(mut session) = self.0.take() {
            session.end_reading();
        }
    }
}

fn handed_back() -> Error {
    Error::new(ErrorKind::Bug, "a session is used after it was handed back")
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            Object::take(session).abandon();
        }
    }
}
