//! What a transaction holds, and how it begins.

use std::collections::HashMap;

use bytes::BytesMut;
use connector_core::{Key, Result, WriteMode};

use super::TableWriter;
use super::keys::Keys;
use super::settle::add_key;
use crate::connect::Guarded;
use crate::error::failed;
use crate::load::Load;
use crate::merge::copy_table;
use crate::shape::{Shape, Unset};
use crate::stage;
use crate::table::Layout;

/// What a transaction holds.
pub(super) struct Transaction {
    pub(super) session: Guarded,
    pub(super) load: Option<Load>,
    /// How rows get into the table.
    pub(super) path: Path,
    /// What a row of the COPY holds.
    pub(super) shape: Shape,
    /// Records since the COPY began.
    pub(super) rows: u64,
    pub(super) deletes: u64,
    pub(super) keys: Keys,
    /// What to delete from a table that is being loaded directly: rows for the staging table.
    pub(super) direct_deletes: HashMap<Key, BytesMut>,
    /// Whether it made or changed the table.
    pub(super) shaped: bool,
    /// Whether it made the table, so that nobody else has seen a row of it.
    pub(super) made: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// Into a table that this transaction made; its key comes afterwards.
    New,
    /// Into the table as it is.
    Append,
    /// Into the staging table.
    Stage,
}

/// Constraints that wait for the end of a transaction would refuse all of it. Statements over as many columns as a
/// table has are compiled for longer than they run. A join of what was staged with its table is to take place in
/// memory.
const BEGIN: &str = "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL jit = off; \
    SELECT set_config('work_mem', '64MB', true) WHERE pg_size_bytes(current_setting('work_mem')) < 64 << 20";

impl Transaction {
    /// Begins; nothing is made yet.
    pub(super) async fn begin(session: Guarded) -> Result<Self> {
        let begin = format!("{}; {BEGIN}", session.begin()?);
        session
            .client()?
            .batch_execute(&begin)
            .await
            .map_err(|error| failed("begin to write", error))?;
        Ok(Self {
            session,
            load: None,
            path: Path::Append,
            shape: Shape::direct(),
            rows: 0,
            deletes: 0,
            keys: Keys::unknown(),
            direct_deletes: HashMap::new(),
            shaped: false,
            made: false,
        })
    }

    pub(super) async fn run(&self, doing: &str, sql: &str) -> Result<()> {
        self.session
            .client()?
            .batch_execute(sql)
            .await
            .map_err(|error| failed(doing, error))
    }

    /// Adds and widens the columns of a table that was there before.
    pub(super) async fn evolve(&mut self, layout: &Layout) -> Result<()> {
        if let Some(sql) = layout.evolve_sql().filter(|_| !self.shaped) {
            self.run("add and widen columns", &sql).await?;
            self.shaped = true;
        }
        Ok(())
    }

    /// Starts a COPY for rows of the transaction's path and shape.
    pub(super) async fn start_load(&mut self, layout: &Layout) -> Result<()> {
        let statement = match self.path {
            Path::New => copy_table(layout, &self.shape, true),
            Path::Append => copy_table(layout, &self.shape, false),
            Path::Stage => stage::copy(layout, &self.shape),
        };
        self.load = Some(Load::start(self.session.client()?, &statement).await?);
        Ok(())
    }

    /// Lets the staging table take records that leave anything unset; no COPY into it is under way.
    pub(super) async fn widen_stage(&mut self, layout: &Layout) -> Result<()> {
        let sql = stage::widen(layout, &self.shape);
        self.run("widen the staging table", &sql).await?;
        self.shape = Shape {
            staged: true,
            masked: true,
            left_out: Vec::new(),
        };
        Ok(())
    }

    /// Makes the staging table for records that leave this unset.
    async fn start_stage(&mut self, layout: &Layout, unset: &Unset) -> Result<()> {
        self.path = Path::Stage;
        self.keys = if layout.keys_tell() {
            Keys::default()
        } else {
            Keys::unknown()
        };
        self.shape = match layout.names_only {
            true => Shape::naming(layout, true),
            false => Shape::staged_for(unset),
        };
        self.run("make the staging table", &stage::create(layout, &self.shape))
            .await
    }
}

impl TableWriter {
    /// Makes a table that is missing, and starts the COPY for records that leave this unset.
    pub(super) async fn start_rows(&self, transaction: &mut Transaction, unset: &Unset) -> Result<()> {
        let layout = &self.layout;
        if let Some(sweep) = &self.sweep {
            if !layout.exists && !transaction.shaped {
                let sql = sweep.create_sql(&layout.table);
                transaction.run("make the table of names", &sql).await?;
                transaction.shaped = true;
            }
            transaction.path = Path::Append;
            transaction.shape = Shape::naming(layout, false);
        } else if !layout.exists {
            transaction.run("make the table", &layout.create_sql()).await?;
            transaction.shaped = true;
            transaction.made = true;
            transaction.path = Path::New;
            if layout.facts.checked || !takes_directly(layout, Path::New, unset) {
                if !layout.key.is_empty() {
                    add_key(transaction.session.client()?, layout).await?;
                }
                transaction.start_stage(layout, unset).await?;
            }
        } else if self.appends() && takes_directly(layout, Path::Append, unset) {
            self.hold_table(transaction).await?;
            transaction.evolve(layout).await?;
            transaction.path = Path::Append;
        } else {
            transaction.start_stage(layout, unset).await?;
        }
        transaction.start_load(layout).await
    }

    /// Whether rows only join a table that refuses none of them.
    fn appends(&self) -> bool {
        let layout = &self.layout;
        match self.request.mode {
            WriteMode::Insert => !layout.facts.guarded,
            WriteMode::Overwrite => layout.key.is_empty() && !layout.facts.checked,
            _ => false,
        }
    }

    /// Makes the COPY under way one that takes records which leave this unset.
    pub(super) async fn adapt(&mut self, transaction: &mut Transaction, unset: &Unset) -> Result<()> {
        let path = transaction.path;
        if self.layout.names_only {
            return Ok(());
        }
        if path == Path::Stage {
            if transaction.shape.takes(unset) {
                return Ok(());
            }
            if let Some(load) = transaction.load.take() {
                load.finish().await?;
            }
            transaction.widen_stage(&self.layout).await?;
        } else {
            if takes_directly(&self.layout, path, unset) {
                return Ok(());
            }
            self.settle_rows(transaction).await?;
            transaction.start_stage(&self.layout, unset).await?;
        }
        transaction.start_load(&self.layout).await
    }
}

/// Whether records that leave this unset can go straight into the table, null where they say nothing.
fn takes_directly(layout: &Layout, path: Path, unset: &Unset) -> bool {
    let loses_defaults = || {
        unset
            .positions()
            .any(|position| layout.columns[position].default.is_some())
    };
    // A later record of the same key must not clear what an earlier one said.
    let loses_values = path == Path::New && !layout.key.is_empty();
    !unset.is_patched() && (!unset.is_any() || !(loses_values || loses_defaults()))
}
