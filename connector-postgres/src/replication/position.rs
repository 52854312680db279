//! How far a log was read.

use std::collections::BTreeMap;

use connector_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::READ_ANEW;
use super::layout::Layout;
use super::lsn::Lsn;
use super::publication::Publication;
use super::slot::Slot;

/// The format of the states.
pub(super) const VERSION: u32 = 1;

/// Everything that committed before `lsn` was read, and what that holds for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) lsn: Lsn,
    /// The server's history: it has another one after a replica took its place.
    timeline: String,
    slot: String,
    publication: Publication,
    table: u32,
    /// The numbers of the columns that were read, by name.
    columns: BTreeMap<String, i16>,
    /// The number of the youngest column there was.
    youngest: i16,
}

/// Where the server is.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) timeline: String,
    pub(super) written: Lsn,
}

impl Position {
    /// At `slot`'s start.
    pub(super) fn start(slot: &Slot, publication: Publication, layout: &Layout, server: &Server) -> Self {
        let number = |column: &super::layout::LogColumn| (column.info.name.clone(), column.number);
        Self {
            lsn: slot.confirmed,
            timeline: server.timeline.clone(),
            slot: slot.name.clone(),
            publication,
            table: layout.oid,
            columns: layout.columns.iter().map(number).collect(),
            youngest: layout.youngest,
        }
    }

    /// The place to go on from, if what the log has since leads from here to what `now` stands for.
    pub(super) fn goes_on_as(self, now: Self, server: &Server, layout: &Layout) -> Result<Self> {
        let lost = |what: String| Err(Error::new(ErrorKind::State, what).with_help(READ_ANEW));
        if self.timeline != now.timeline {
            return lost(format!(
                "a replica has taken the server's place since the stored state, and may lack what was read (timeline {}, \
                 not {})",
                now.timeline, self.timeline
            ));
        }
        if self.slot != now.slot {
            return lost(format!(
                "the stored state is of the slot `{}`, not of `{}`",
                self.slot, now.slot
            ));
        }
        if self.lsn > server.written {
            return lost(format!(
                "the stored state lies at {} of the server's log, which ends at {}: the server was restored",
                self.lsn, server.written
            ));
        }
        if now.lsn > self.lsn {
            return lost(format!(
                "the slot `{}` was made anew or moved to {} by somebody, beyond the stored state at {}",
                now.slot, now.lsn, self.lsn
            ));
        }
        if self.table != now.table {
            return lost(format!(
                "the table {} was made anew since the stored state",
                layout.table
            ));
        }
        if self.publication != now.publication {
            return lost(format!(
                "the publication `{}` was made anew or changed since the stored state",
                now.slot
            ));
        }
        for column in &layout.columns {
            self.check_column(column, layout)?;
        }
        Ok(Self { lsn: self.lsn, ..now })
    }

    /// Whether rows that have not changed since can have been read with this column.
    fn check_column(&self, column: &super::layout::LogColumn, layout: &Layout) -> Result<()> {
        let name = &column.info.name;
        if self.columns.get(name) == Some(&column.number) {
            return Ok(());
        }
        let was_added = column.number > self.youngest && !self.columns.contains_key(name);
        if was_added && column.began_as_null {
            return Ok(());
        }
        let message = format!(
            "the column `{name}` of {} was not read up to the stored state: rows that have not changed since would lack it",
            layout.table
        );
        Err(Error::new(ErrorKind::Schema, message)
            .with_help(format!("leave it out of the fields, or {READ_ANEW}")))
    }
}
