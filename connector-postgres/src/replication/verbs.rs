//! Slots and publications by explicit verbs.

use std::fmt;

use connector_core::{Connector, Error, ErrorKind, Result, Selection, StreamName, TaskId};

use super::layout::{check_identity, check_kind};
use super::name::name;
use super::publication;
use super::rights::{Rights, needs_sessions};
use super::slot::Slot;
use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::Ident;

/// The slots and publications by which tasks read a table's changes: made, shown and dropped here, and nowhere else.
///
/// A slot makes the server keep its log from where the task has acknowledged it. One that is no longer read fills
/// the server's disk, until it is dropped or exceeds `max_slot_wal_keep_size`.
#[derive(Clone)]
pub struct Replication(Postgres);

impl Postgres {
    /// The slots and publications by which tasks read changes.
    pub fn replication(&self) -> Replication {
        Replication(self.clone())
    }
}

impl Replication {
    /// Makes the publication and the slot by which `task` reads the changes of the table `stream`, from now on.
    ///
    /// Waits until the transactions are over that are running now: it may be dropped meanwhile, and called again.
    ///
    /// # Errors
    /// Whatever is missing, before anything is made: `wal_level = logical`
    /// ([`Unsupported`](ErrorKind::Unsupported)), the right to replicate, to make a publication, or the table itself
    /// ([`Forbidden`](ErrorKind::Forbidden)), a slot that is free, a primary key ([`Schema`](ErrorKind::Schema)).
    /// [`Conflict`](ErrorKind::Conflict): the task has a slot already.
    pub async fn create(&self, task: &TaskId, stream: &StreamName) -> Result<Slot> {
        let name = self.name(task).await?;
        let session = self.0.session().await?;
        Rights::look(&session).await?.check_making()?;
        self.0.describe(&Selection::Stream(stream.clone())).await?;
        let table = self.0.table(stream.as_str())?;
        let oid = check_kind(&session, &table).await?;
        check_identity(&session, &table, oid).await?;
        let sql = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = $1";
        let is_owned = session
            .query_one(sql, &[&oid])
            .await
            .map_err(|error| failed("look at the table", error))?
            .get::<_, bool>(0);
        if !is_owned {
            let message = format!("only the owner of {table} can have its changes published");
            return Err(Error::new(ErrorKind::Forbidden, message)
                .with_help("sign in as the owner, or grant the owner's role to the user"));
        }
        if Slot::find(&session, &name).await?.is_some() {
            let message = format!("the task {task} has its slot already, `{name}`");
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_help("read it; or drop it first, if it is to begin anew"));
        }
        publication::make(&session, &name, &table, task).await?;
        let sql = "SELECT pg_create_logical_replication_slot($1, 'pgoutput')";
        session
            .execute(sql, &[&name])
            .await
            .map_err(|error| failed("make the slot", error))?;
        let made = Slot::find(&session, &name).await?;
        made.ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                format!("the slot `{name}` was dropped as it was made"),
            )
        })
    }

    /// The slots of this database that tasks read, each with how far it lies behind.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn show(&self) -> Result<Vec<Slot>> {
        let session = self.0.session().await?;
        Slot::all(&session).await
    }

    /// Drops the slot and the publication of `task`; true if there was one of them. The server then keeps no more log
    /// for it, and what was not read by then cannot be read any more.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict): somebody is reading the slot.
    pub async fn drop(&self, task: &TaskId) -> Result<bool> {
        let name = self.name(task).await?;
        let session = self.0.session().await?;
        let slot = Slot::find(&session, &name).await?;
        if slot.is_some() {
            session
                .execute("SELECT pg_drop_replication_slot($1)", &[&name])
                .await
                .map_err(|error| failed("drop the slot", error))?;
        }
        let sql = "SELECT 1 FROM pg_publication WHERE pubname = $1";
        let publication = session
            .query_opt(sql, &[&name])
            .await
            .map_err(|error| failed("look for the publication", error))?;
        if publication.is_some() {
            session
                .batch_execute(&format!("DROP PUBLICATION {}", Ident(&name)))
                .await
                .map_err(|error| failed("drop the publication", error))?;
        }
        Ok(slot.is_some() || publication.is_some())
    }

    async fn name(&self, task: &TaskId) -> Result<String> {
        needs_sessions(&self.0)?;
        Ok(name(&self.0.identity().await?, task))
    }
}

impl fmt::Debug for Replication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Replication").field(&self.0).finish()
    }
}
