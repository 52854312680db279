//! One session of a read, and what it is doing.

use std::sync::Arc;

use connector_core::Result;
use futures::future::BoxFuture;

use super::copied::CopiedRows;
use super::course::{Next, look};
use super::progress::Point;
use super::reading::Reading;
use crate::connect::Guarded;

/// A session within the read's transaction.
pub(crate) struct Lane {
    pub(crate) work: Work,
    /// What is not read to its end is cancelled.
    pub(crate) session: Arc<Guarded>,
}

/// What a session is doing. Nothing of it is lost when a call of the reader is dropped.
pub(crate) enum Work {
    Idle,
    Looking(BoxFuture<'static, Result<Option<Point>>>),
    Opening {
        opening: BoxFuture<'static, Result<CopiedRows>>,
        number: u64,
    },
    Reading {
        rows: CopiedRows,
        number: u64,
    },
}

impl Lane {
    pub(crate) fn new(session: Guarded) -> Self {
        Self {
            work: Work::Idle,
            session: Arc::new(session),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.work, Work::Idle)
    }

    pub(crate) fn begin(&mut self, next: Next, reading: &Arc<Reading>) {
        let (session, reading) = (Arc::clone(&self.session), Arc::clone(reading));
        self.work = match next {
            Next::Look(sql) => Work::Looking(Box::pin(async move {
                look(session.client()?, &sql, &reading.relation).await
            })),
            Next::Read { select, number } => Work::Opening {
                opening: Box::pin(async move {
                    CopiedRows::of(session.client()?, &select, &reading.relation).await
                }),
                number,
            },
        };
    }
}
