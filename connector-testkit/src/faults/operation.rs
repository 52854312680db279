//! The calls that pass a hook.

use std::fmt;

/// A call to a connector, to one of its roles, or to a reader or writer it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`Connector::identity`](connector_core::Connector::identity).
    Identity,
    /// [`Connector::check`](connector_core::Connector::check).
    Check,
    /// [`Connector::streams`](connector_core::Connector::streams).
    Streams,
    /// [`Connector::describe`](connector_core::Connector::describe).
    Describe,
    /// [`Source::plan_read`](connector_core::Source::plan_read).
    PlanRead,
    /// [`Source::reader`](connector_core::Source::reader).
    OpenReader,
    /// [`Reader::next`](connector_core::Reader::next).
    Next,
    /// [`Reader::acknowledge`](connector_core::Reader::acknowledge).
    Acknowledge,
    /// [`Destination::plan_write`](connector_core::Destination::plan_write).
    PlanWrite,
    /// [`Destination::writer`](connector_core::Destination::writer).
    OpenWriter,
    /// [`Writer::write`](connector_core::Writer::write).
    Write,
    /// [`Writer::reject`](connector_core::Writer::reject).
    Reject,
    /// [`Writer::commit`](connector_core::Writer::commit).
    Commit,
    /// [`Writer::finish`](connector_core::Writer::finish).
    Finish,
    /// [`StateStore::claim`](connector_core::StateStore::claim).
    Claim,
    /// [`StateStore::save`](connector_core::StateStore::save).
    Save,
    /// [`Journal::intend`](connector_core::Journal::intend).
    Intend,
    /// [`Journal::settle`](connector_core::Journal::settle).
    Settle,
    /// [`Journal::close`](connector_core::Journal::close).
    Close,
    /// [`Journal::standings`](connector_core::Journal::standings).
    Standings,
    /// [`Statements::execute`](connector_core::Statements::execute).
    Execute,
}

impl Operation {
    /// All of them, for a test that takes each in turn.
    pub const ALL: [Self; 21] = [
        Self::Identity,
        Self::Check,
        Self::Streams,
        Self::Describe,
        Self::PlanRead,
        Self::OpenReader,
        Self::Next,
        Self::Acknowledge,
        Self::PlanWrite,
        Self::OpenWriter,
        Self::Write,
        Self::Reject,
        Self::Commit,
        Self::Finish,
        Self::Claim,
        Self::Save,
        Self::Intend,
        Self::Settle,
        Self::Close,
        Self::Standings,
        Self::Execute,
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Check => "check",
            Self::Streams => "streams",
            Self::Describe => "describe",
            Self::PlanRead => "plan read",
            Self::OpenReader => "open reader",
            Self::Next => "next",
            Self::Acknowledge => "acknowledge",
            Self::PlanWrite => "plan write",
            Self::OpenWriter => "open writer",
            Self::Write => "write",
            Self::Reject => "reject",
            Self::Commit => "commit",
            Self::Finish => "finish",
            Self::Claim => "claim",
            Self::Save => "save",
            Self::Intend => "intend",
            Self::Settle => "settle",
            Self::Close => "close",
            Self::Standings => "standings",
            Self::Execute => "execute",
        })
    }
}
