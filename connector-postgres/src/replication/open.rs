//! A task's log, looked at before it is read.

use connector_core::{
    Connector, Error, ErrorKind, Identity, ReadPlan, ReadRequest, Result, Selection, State,
};
use tokio_postgres::Client;

use super::READ_ANEW;
use super::layout::Layout;
use super::name::name;
use super::position::{Position, Server, VERSION};
use super::publication::Publication;
use super::rights::{Rights, needs_sessions};
use super::slot::Slot;
use crate::catalog;
use crate::connector::Postgres;
use crate::error::failed;
use crate::reader::Shape;

/// A log that can be read: everything that can be wrong with it was looked at.
pub(crate) struct Log {
    pub(super) slot: Slot,
    pub(super) layout: Layout,
    pub(super) shape: Shape,
    /// Where the reading begins.
    pub(super) position: Position,
    /// Whether the table itself is read first.
    pub(super) is_first: bool,
    identity: Identity,
    stream: String,
}

impl Log {
    /// Looks at everything that the request is about.
    pub(crate) async fn open(postgres: &Postgres, request: &ReadRequest) -> Result<Self> {
        needs_sessions(postgres)?;
        let identity = postgres.identity().await?;
        let session = postgres.session().await?;
        let spec = catalog::describe(&session, postgres, &request.selection).await?;
        let Selection::Stream(stream) = &request.selection else {
            let message = "a query has no log of changes: only tables have";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_help("read the table behind it, or read it with sync = \"full\""));
        };
        if request.filter.is_some() {
            let message = "a log of changes is read whole: a filter would leave at the other side what no longer passes it";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_help("leave `filter` out, or say sync = \"incremental\" or \"full\""));
        }
        let stream = stream.as_str().to_owned();
        let table = postgres.table(&stream)?;
        let shape = Shape::of(&spec.schema, &request.fields)?;
        let read: Option<Position> = match &request.state {
            Some(state) => Some(state.open(&identity, &stream, VERSION)?),
            None => None,
        };
        Rights::look(&session).await?.check_reading()?;
        let layout = Layout::of(&session, table, &shape.wide).await?;
        let name = name(&identity, &request.task);
        let Some(slot) = Slot::find(&session, &name).await? else {
            return Err(missing(&name, request, &stream));
        };
        if slot.is_lost {
            let message = format!(
                "the server has given up the slot `{name}`, and with it the changes that were not read yet"
            );
            let help = format!("{READ_ANEW}; raise max_slot_wal_keep_size, or read more often");
            return Err(Error::new(ErrorKind::State, message).with_help(help));
        }
        let publication = Publication::find(&session, &name, &layout.table).await?;
        let server = server(&session).await?;
        let start = Position::start(&slot, publication, &layout, &server);
        let is_first = read.is_none();
        let position = match read {
            Some(read) => read.goes_on_as(start, &server, &layout)?,
            None => start,
        };
        Ok(Self {
            slot,
            layout,
            shape,
            position,
            is_first,
            identity,
            stream,
        })
    }

    /// What reading it will do.
    pub(crate) fn plan(&self) -> ReadPlan {
        let Slot {
            name, lag, retained, ..
        } = &self.slot;
        let mut plan = ReadPlan::new(format!(
            "changes are read from the slot `{name}` by the publication of that name, up to where the server is now; \
             it lies {lag} bytes of log behind, and the server keeps {retained} bytes of log for it"
        ));
        if self.is_first {
            let note = "the whole table is read first; what changes meanwhile is read twice";
            plan.notes.insert(0, note.to_owned());
        }
        plan
    }

    /// `position` as a state.
    pub(super) fn state(&self, position: &Position) -> Result<State> {
        State::new(self.identity.clone(), self.stream.as_str(), VERSION, position)
    }

    /// The position in a state of this log.
    pub(super) fn position_in(&self, state: &State) -> Result<Position> {
        state.open(&self.identity, &self.stream, VERSION)
    }
}

/// Where the server is.
pub(super) async fn server(client: &Client) -> Result<Server> {
    let sql = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8), pg_current_wal_flush_lsn()::text";
    let row = client
        .query_one(sql, &[])
        .await
        .map_err(|error| failed("say where the server is", error))?;
    Ok(Server {
        timeline: row.get(0),
        written: row.get::<_, &str>(1).parse().unwrap_or_default(),
    })
}

fn missing(name: &str, request: &ReadRequest, stream: &str) -> Error {
    let task = &request.task;
    if request.state.is_some() {
        let message = format!(
            "the slot `{name}` of the task {task} is gone, and with it what changed since the stored state"
        );
        return Error::new(ErrorKind::State, message).with_help(READ_ANEW);
    }
    let message = format!("the task {task} has no slot `{name}` to read changes from");
    Error::new(ErrorKind::NotFound, message).with_help(format!(
        "make it once with `Postgres::replication().create(task, \"{stream}\")`: from then on the server keeps its log for \
         the task"
    ))
}
