//! The wire between a load and the server, its portions numbered from the claim of the task on.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use connector_testkit::faults::proxy::{Direction, Portion, Proxy, Tap, Verdict};

/// The first statement of a claim looks for this table.
const CLAIM: &[u8] = b"relname = 'meta'";

/// Commits of a claim where there is no schema of states yet: each of its versions, what is pruned, the claim itself.
pub(crate) const BEFORE_THE_LOAD: u64 = 5;

/// Whether bytes hold others.
pub(crate) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// What happens to a load.
#[async_trait]
pub(crate) trait Fault: Send + Sync {
    /// Called once, before the portion is passed on.
    async fn strike(&self, portion: &Portion<'_>) -> Verdict;
}

/// Which portion is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The one of this number, whichever way it goes.
    Any(u64),
    /// The COMMIT of this number, on its way to the server.
    Commit(u64),
    /// Its answer.
    CommitAnswer(u64),
    /// The one of this number among those to the server that hold this text.
    Saying(&'static str, u64),
}

/// Strikes at one portion.
pub(crate) struct At<F> {
    place: Place,
    fault: F,
    began: AtomicBool,
    seen: AtomicU64,
    /// The connection on which the COMMIT was seen whose answer is awaited.
    committing: AtomicU64,
    struck: AtomicBool,
}

impl<F: Fault + 'static> At<F> {
    pub(crate) fn new(place: Place, fault: F) -> Arc<Self> {
        Arc::new(Self {
            place,
            fault,
            began: AtomicBool::new(false),
            seen: AtomicU64::new(0),
            committing: AtomicU64::new(0),
            struck: AtomicBool::new(false),
        })
    }

    /// The same, counting from the first portion on.
    pub(crate) fn of_everything(place: Place, fault: F) -> Arc<Self> {
        let at = Self::new(place, fault);
        at.began.store(true, Ordering::SeqCst);
        at
    }

    /// A proxy to the server with this tap.
    pub(crate) async fn proxy(self: &Arc<Self>, server: SocketAddr) -> Proxy {
        let tap: Arc<dyn Tap> = Arc::<Self>::clone(self);
        Proxy::start_tapped(server, tap).await.unwrap()
    }

    pub(crate) fn fault(&self) -> &F {
        &self.fault
    }

    /// Whether there was such a portion.
    pub(crate) fn struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }

    fn is_due(&self, portion: &Portion<'_>) -> bool {
        let up = portion.direction == Direction::ToServer;
        if up && holds(portion.bytes, CLAIM) {
            self.began.store(true, Ordering::SeqCst);
        }
        if !self.began.load(Ordering::SeqCst) || self.struck() {
            return false;
        }
        let counts = |counts: bool, number| counts && self.seen.fetch_add(1, Ordering::SeqCst) + 1 == number;
        // The statement, or the server's word that it is done.
        let commit = holds(portion.bytes, b"COMMIT\0");
        let commits = up && commit;
        match self.place {
            Place::Any(number) => counts(true, number),
            Place::Commit(number) => counts(commits, number),
            Place::Saying(text, number) => counts(up && holds(portion.bytes, text.as_bytes()), number),
            Place::CommitAnswer(number) => {
                if counts(commits, number) {
                    self.committing.store(portion.connection, Ordering::SeqCst);
                }
                !up && commit && self.committing.load(Ordering::SeqCst) == portion.connection
            }
        }
    }
}

#[async_trait]
impl<F: Fault + 'static> Tap for At<F> {
    async fn on(&self, portion: &Portion<'_>) -> Verdict {
        if !self.is_due(portion) {
            return Verdict::Pass;
        }
        self.struck.store(true, Ordering::SeqCst);
        self.fault.strike(portion).await
    }
}

impl<F> fmt::Debug for At<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("At")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
