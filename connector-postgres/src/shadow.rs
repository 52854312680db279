//! The table that an overwrite is built in, or that a prune collects names in, beside the one that it is for.

use connector_core::{Error, ErrorKind, Result, WriteMode, WriteRequest};
use tokio_postgres::Client;

use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::{Table, digest};
use crate::table::Layout;

/// What a shadow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To take a table's place.
    Overwrite,
    /// To hold the names of a sweep.
    Prune,
}

impl Purpose {
    pub(crate) const ALL: [Self; 2] = [Self::Overwrite, Self::Prune];

    /// What a write in this mode has one for.
    pub(crate) fn of(mode: WriteMode) -> Option<Self> {
        match mode {
            WriteMode::Overwrite => Some(Self::Overwrite),
            WriteMode::Prune => Some(Self::Prune),
            _ => None,
        }
    }

    /// What every shadow's name begins with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Overwrite => "connector overwrite ",
            Self::Prune => "connector prune ",
        }
    }

    /// What the remark on every shadow begins with.
    fn remark(self) -> &'static str {
        match self {
            Self::Overwrite => "being built to overwrite ",
            Self::Prune => "names of what is to stay in ",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Overwrite => "an overwrite",
            Self::Prune => "a prune",
        }
    }
}

/// The shadow of one task: each task has one name for each purpose.
#[derive(Clone, Debug)]
pub(crate) struct Shadow {
    pub(crate) table: Table,
    /// The table that it is for, and the task: said in a comment, so that nobody's table is taken for a shadow.
    pub(crate) remark: String,
    /// What the comment says on the table of that name that is there.
    found: Option<String>,
}

impl Shadow {
    /// Looks for the shadow of the request's task beside `target`.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: somebody else's table has its name.
    pub(crate) async fn find(
        client: &Client,
        postgres: &Postgres,
        request: &WriteRequest,
        target: &Table,
        purpose: Purpose,
    ) -> Result<Self> {
        let owner = format!("{}/{}", postgres.state_schema(), request.task);
        let table = Table {
            schema: target.schema.clone(),
            name: format!("{}{:016x}", purpose.prefix(), digest(&owner)),
        };
        let sql = "SELECT coalesce(obj_description(c.oid, 'pg_class'), '')
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
        let row = client
            .query_opt(sql, &[&table.schema, &table.name])
            .await
            .map_err(|error| failed("look for what an earlier run has left", error))?;
        let found: Option<String> = row.map(|row| row.get(0));
        if found
            .as_ref()
            .is_some_and(|remark| !remark.starts_with(purpose.remark()))
        {
            let message = format!(
                "{table} is in the way of {}, and is not one of its own tables",
                purpose.word()
            );
            return Err(Error::new(ErrorKind::Schema, message).with_help("rename or drop that table"));
        }
        Ok(Self {
            remark: format!("{}{target} by the task {}", purpose.remark(), request.task),
            table,
            found,
        })
    }

    /// What the comment on the one that is there says beyond its remark.
    pub(crate) fn found_note(&self) -> Option<&str> {
        self.found.as_ref()?.strip_prefix(&self.remark)
    }

    /// Whether an earlier run has left one, whatever is in it.
    pub(crate) fn is_there(&self) -> bool {
        self.found.is_some()
    }

    /// The layout that the records of an overwrite are written by: that of what the earlier run has built, or of a
    /// new table like `target`.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: the records go on from a checkpoint, and what was built up to there is gone.
    pub(crate) async fn layout(
        &self,
        client: &Client,
        postgres: &Postgres,
        request: &WriteRequest,
        target: &Layout,
    ) -> Result<Layout> {
        if !request.resumes {
            return Ok(target.shadowed(self));
        }
        if self.found.as_deref() != Some(self.remark.as_str()) {
            let message = format!(
                "what an earlier run had built to overwrite {} is gone, and the records would go on after it",
                target.table
            );
            return Err(Error::new(ErrorKind::State, message)
                .with_help("reset the state of this task, so that the overwrite begins anew"));
        }
        let mut layout = Layout::of(client, postgres, self.table.clone(), request).await?;
        let is_alike = match (&layout.overflow, &target.overflow) {
            (Some(built), Some(wanted)) => built.is_like(wanted),
            (built, wanted) => built.is_none() && wanted.is_none(),
        };
        if !is_alike {
            let message = format!(
                "the columns of {} have been changed since an earlier run began to overwrite it",
                target.table
            );
            return Err(Error::new(ErrorKind::State, message)
                .with_help("reset the state of this task, so that the overwrite begins anew"));
        }
        layout.key.clone_from(&target.key);
        layout.keep.clear();
        Ok(layout)
    }
}

/// SQL that leaves shadows out of a list of tables.
pub(crate) fn is_no_shadow(name: &str) -> String {
    let prefixes = Purpose::ALL.map(Purpose::prefix);
    format!("{name} !~ '^({})[0-9a-f]{{16}}$'", prefixes.join("|"))
}
