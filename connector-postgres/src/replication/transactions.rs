//! Messages of a log, taken as whole transactions.

use bytes::Bytes;
use connector_core::{Error, ErrorKind, Result};

use super::READ_ANEW;
use super::changes::{Change, delete, insert, update};
use super::layout::Layout;
use super::lsn::Lsn;
use super::pgoutput::Message;
use super::relation::Mapping;

/// Where the reading of a log's messages stands.
#[derive(Debug)]
pub(super) struct Transactions {
    /// What committed before this was read already.
    after: Lsn,
    /// Whether the transaction at hand was.
    skips: bool,
    /// What the log said last of how the table looks, and that laid over the table as it is now.
    relation: Option<Bytes>,
    mapping: Option<Mapping>,
    /// A transaction of which records were emitted has not been covered by a checkpoint.
    owed: bool,
}

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The transaction goes on.
    Within,
    /// It has ended; whatever committed before this place was said.
    Ended(Lsn),
}

impl Transactions {
    /// From the beginning of a look at the log, of which everything before `after` was read.
    pub(super) fn after(after: Lsn) -> Self {
        Self {
            after,
            skips: false,
            relation: None,
            mapping: None,
            owed: false,
        }
    }

    /// Whether a checkpoint is to come at the end of the transaction, however little there is to it.
    pub(super) fn is_owed(&self) -> bool {
        self.owed
    }

    pub(super) fn owe(&mut self) {
        self.owed = true;
    }

    pub(super) fn settle(&mut self) {
        self.owed = false;
    }

    /// Takes a message, and adds what it does to the rows of the table.
    pub(super) fn take(
        &mut self,
        message: &Bytes,
        layout: &Layout,
        changes: &mut Vec<Change>,
    ) -> Result<Step> {
        let parsed = Message::parse(message).ok_or_else(|| {
            let kind = message.first().copied().map(char::from).unwrap_or_default();
            let message = format!("the log has a message of the kind `{kind}` that is not understood");
            Error::new(ErrorKind::Unsupported, message).with_help("report it, with the version of the server")
        })?;
        match parsed {
            Message::Begin { commit } => self.skips = commit < self.after,
            Message::Commit { end } => {
                let read = std::mem::take(&mut self.skips);
                return Ok(if read { Step::Within } else { Step::Ended(end) });
            }
            Message::Relation(relation) if relation.table == layout.oid => {
                // It must fit once there are rows to be read by it.
                self.relation = Some(message.clone());
                self.mapping = None;
            }
            _ if self.skips => {}
            Message::Insert { table, new } if table == layout.oid => {
                changes.push(insert(self.mapped(layout)?, message, &new)?);
            }
            Message::Update { table, old, new } if table == layout.oid => {
                let (gone, put) = update(self.mapped(layout)?, message, old.as_ref(), &new)?;
                changes.extend(gone);
                changes.push(put);
            }
            Message::Delete { table, old } if table == layout.oid => {
                changes.push(delete(self.mapped(layout)?, message, &old)?);
            }
            Message::Truncate { tables } if tables.contains(&layout.oid) => {
                let message = format!(
                    "the table {} was truncated, and a log does not say which rows were lost by that",
                    layout.table
                );
                return Err(Error::new(ErrorKind::State, message).with_help(READ_ANEW));
            }
            _ => {}
        }
        Ok(Step::Within)
    }

    fn mapped(&mut self, layout: &Layout) -> Result<&Mapping> {
        if let Some(mapping) = self.mapping.take() {
            return Ok(self.mapping.insert(mapping));
        }
        match self.relation.as_deref().map(Message::parse) {
            Some(Some(Message::Relation(relation))) => {
                Ok(self.mapping.insert(Mapping::of(&relation, layout)?))
            }
            _ => {
                let message = format!(
                    "the log has rows of {} before it says what they look like",
                    layout.table
                );
                Err(Error::new(ErrorKind::Bug, message))
            }
        }
    }
}
